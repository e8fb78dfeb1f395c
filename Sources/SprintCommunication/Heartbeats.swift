/// Remembers when each peer gave its last sign of life. Rank zero listens to all ranks; all others listen to rank zero.
package struct Heartbeats {
  private let interval, patience, timeout: Double
  /// Seconds that each peer may make no progress before the next warning.
  private var tolerated: [Int: Double] = [:]
  private var lastSent: Double
  private var lastLook: Double
  private var lastHeard: [Int: Double]

  /// - Parameters:
  ///   - peers: the ranks to listen to
  ///   - timeout: seconds within which a silent peer has to be noticed
  ///   - now: seconds of a clock that only goes forward
  package init(peers: [Int], timeout: Double, now: Double) {
    self.timeout = timeout
    interval = min(1, timeout / 20)
    patience = 0.9 * timeout - interval
    (lastSent, lastLook) = (now - interval, now)
    lastHeard = Dictionary(uniqueKeysWithValues: peers.map { ($0, now) })
  }

  /// Returns whether a beat has to be sent now, and remembers that it was sent.
  package mutating func isDue(_ now: Double) -> Bool {
    guard now - lastSent >= interval else { return false }
    lastSent = now
    return true
  }

  /// Notes a sign of life.
  package mutating func heard(from peer: Int, _ now: Double) { lastHeard[peer] = now }

  /// Returns whether to warn about a peer that lives but has submitted no operation for `seconds`: once after the
  /// timeout, and again whenever the time has doubled.
  package mutating func isStuck(_ peer: Int, for seconds: Double) -> Bool {
    guard seconds > timeout else {
      tolerated[peer] = nil
      return false
    }
    guard seconds > tolerated[peer] ?? 0 else { return false }
    tolerated[peer] = 2 * seconds
    return true
  }

  /// Returns the peer that has been silent for too long, if there is one.
  package mutating func silent(_ now: Double) -> (peer: Int, seconds: Double)? {
    // A process that was itself stopped or starved for a while cannot blame its peers for that time.
    let gap = now - lastLook
    lastLook = now
    if gap > 2 * interval { for peer in lastHeard.keys { lastHeard[peer]? += gap } }
    guard let longest = lastHeard.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }), now - longest.value > patience
    else { return nil }
    return (longest.key, now - longest.value)
  }
}
