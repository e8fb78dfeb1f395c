import Foundation
import SprintKernels

/// How training times are drawn from [0, 1].
package enum TimeDistribution: String, Sendable, CaseIterable {
  /// sigmoid of a standard normal number, as published.
  case lognormal
  /// Every time equally likely.
  case uniform

  /// The time of draw `draw`.
  package func draw(_ random: Philox, draw: UInt64) -> Float {
    switch self {
    case .lognormal: 1 / (1 + expf(-random.normal(draw: draw)))
    case .uniform: random.uniform(draw: draw)
    }
  }
}
