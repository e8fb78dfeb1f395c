/// Who was heard of when. Rank zero listens to all ranks, all others listen to rank zero.
package struct Heartbeats {
  private let interval, patience, timeout: Double
  /// How long each peer may do without the others before it is told of again.
  private var tolerated: [Int: Double] = [:]
  private var lastSent: Double
  private var lastLook: Double
  private var lastHeard: [Int: Double]

  /// - Parameters:
  ///   - peers: the ranks to listen to
  ///   - timeout: seconds within which a silent peer is to be found
  ///   - now: seconds of a clock that only goes forward
  package init(peers: [Int], timeout: Double, now: Double) {
    self.timeout = timeout
    interval = min(1, timeout / 20)
    patience = 0.9 * timeout - interval
    (lastSent, lastLook) = (now - interval, now)
    lastHeard = Dictionary(uniqueKeysWithValues: peers.map { ($0, now) })
  }

  /// Whether it is time to send; remembers that it was done.
  package mutating func isDue(_ now: Double) -> Bool {
    guard now - lastSent >= interval else { return false }
    lastSent = now
    return true
  }

  /// A peer gave a sign of life.
  package mutating func heard(from peer: Int, _ now: Double) { lastHeard[peer] = now }

  /// Whether a peer is to be told of that lives, but has asked for nothing in `seconds`: after the timeout, and then each time that
  /// the time has doubled.
  package mutating func isStuck(_ peer: Int, for seconds: Double) -> Bool {
    guard seconds > timeout else {
      tolerated[peer] = nil
      return false
    }
    guard seconds > tolerated[peer] ?? 0 else { return false }
    tolerated[peer] = 2 * seconds
    return true
  }

  /// The peer that was silent for too long, if there is one.
  package mutating func silent(_ now: Double) -> (peer: Int, seconds: Double)? {
    // Who did not look himself for a while (stopped, starved) may not blame others for it.
    let gap = now - lastLook
    lastLook = now
    if gap > 2 * interval { for peer in lastHeard.keys { lastHeard[peer]? += gap } }
    guard let longest = lastHeard.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }), now - longest.value > patience
    else { return nil }
    return (longest.key, now - longest.value)
  }
}
