import Foundation
import SprintKernels

/// The distribution of training times in [0, 1].
package enum TimeDistribution: String, Sendable, CaseIterable {
  /// The sigmoid of a standard normal number, as published.
  case lognormal
  /// Every time is equally likely.
  case uniform

  /// Returns the time of draw `draw`.
  package func draw(_ random: Philox, draw: UInt64) -> Float {
    switch self {
    case .lognormal: 1 / (1 + expf(-random.normal(draw: draw)))
    case .uniform: random.uniform(draw: draw)
    }
  }
}
