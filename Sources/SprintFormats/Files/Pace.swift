import Foundation
import Synchronization

/// Slows down background work, so that it takes a small share of a busy machine: the work rests after every piece until
/// somebody calls `hurry`.
package final class Pace: Sendable {
  private let rest: Double
  private let isHurried = Atomic(false)
  private let rests = Mutex(Rests())

  private struct Rests {
    var seconds = 0.0
    var current: ContinuousClock.Instant?
  }

  /// - Parameter rest: how long to rest after a piece, as a multiple of the time that the piece took
  package init(rest: Double) { self.rest = rest }

  /// Ends all rests, the current one too.
  package func hurry() { isHurried.store(true, ordering: .relaxed) }

  /// The seconds of all rests so far, the current one included.
  package var restedSeconds: Double {
    rests.withLock { $0.seconds + ($0.current.map { (ContinuousClock.now - $0) / .seconds(1) } ?? 0) }
  }

  /// Rests after a piece that began at `start`.
  func rest(since start: ContinuousClock.Instant) {
    let began = ContinuousClock.now
    let end = began + (began - start) * rest
    rests.withLock { $0.current = began }
    defer { rests.withLock { $0 = Rests(seconds: $0.seconds + (ContinuousClock.now - began) / .seconds(1)) } }
    while ContinuousClock.now < end, !isHurried.load(ordering: .relaxed) {
      usleep(UInt32(max(0, min(0.02, (end - ContinuousClock.now) / .seconds(1))) * 1e6))
    }
  }
}
