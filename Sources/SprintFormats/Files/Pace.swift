import Foundation
import Synchronization

/// Slows down background work, so that it takes a small share of a busy machine: the work rests after every piece until
/// somebody calls `hurry`.
package final class Pace: Sendable {
  private let rest: Double
  private let isHurried = Atomic(false)

  /// - Parameter rest: how long to rest after a piece, as a multiple of the time that the piece took
  package init(rest: Double) { self.rest = rest }

  /// Ends all rests, the current one too.
  package func hurry() { isHurried.store(true, ordering: .relaxed) }

  /// Rests after a piece that began at `start`.
  func rest(since start: ContinuousClock.Instant) {
    let end = ContinuousClock.now + (ContinuousClock.now - start) * rest
    while ContinuousClock.now < end, !isHurried.load(ordering: .relaxed) {
      usleep(UInt32(max(0, min(0.02, (end - ContinuousClock.now) / .seconds(1))) * 1e6))
    }
  }
}
