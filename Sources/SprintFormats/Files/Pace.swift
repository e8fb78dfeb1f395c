import Foundation
import Synchronization

/// Lets work in the background rest after every piece, so that it takes a small share of a busy machine, until it is to hurry.
package final class Pace: Sendable {
  private let rest: Double
  private let isHurried = Atomic(false)

  /// - Parameter rest: how many times as long as a piece took to rest after it
  package init(rest: Double) { self.rest = rest }

  /// No more rests from now on.
  package func hurry() { isHurried.store(true, ordering: .relaxed) }

  /// Rests after a piece that was begun at `start`.
  func rest(since start: ContinuousClock.Instant) {
    let end = ContinuousClock.now + (ContinuousClock.now - start) * rest
    while ContinuousClock.now < end, !isHurried.load(ordering: .relaxed) {
      usleep(UInt32(max(0, min(0.02, (end - ContinuousClock.now) / .seconds(1))) * 1e6))
    }
  }
}
