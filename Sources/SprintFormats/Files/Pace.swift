import Foundation
import Synchronization

/// Slows down background work, so that it takes a small share of a busy machine: the work rests after every piece until
/// somebody calls `hurry`.
package final class Pace: Sendable {
  private let rest: Double
  private let isHurried = Atomic(false)
  private let slept = Mutex(0.0)

  /// - Parameter rest: how long to rest after a piece, as a multiple of the time that the piece took
  package init(rest: Double) { self.rest = rest }

  /// Ends all rests, the current one too.
  package func hurry() { isHurried.store(true, ordering: .relaxed) }

  /// The seconds of all rests so far.
  package var restedSeconds: Double { slept.withLock { $0 } }

  /// Rests after a piece that began at `start`.
  func rest(since start: ContinuousClock.Instant) {
    let began = ContinuousClock.now
    let end = began + (began - start) * rest
    defer { slept.withLock { $0 += (ContinuousClock.now - began) / .seconds(1) } }
    while ContinuousClock.now < end, !isHurried.load(ordering: .relaxed) {
      usleep(UInt32(max(0, min(0.02, (end - ContinuousClock.now) / .seconds(1))) * 1e6))
    }
  }
}
