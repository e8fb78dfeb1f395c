import Foundation
import SprintKernels

/// The distribution of training times in [0, 1].
package enum TimeDistribution: String, Sendable, CaseIterable {
  /// The sigmoid of a standard normal number n, as published for the straight path: there sigma / alpha = exp n.
  case lognormal
  /// 2/π · atan(exp n), as published for the cosine path: there sigma / alpha = exp n.
  case lognormalAngle = "lognormal_angle"
  /// Every time is equally likely.
  case uniform

  /// Returns the time of draw `draw`.
  package func draw(_ random: Philox, draw: UInt64) -> Float {
    switch self {
    case .lognormal: 1 / (1 + expf(-random.normal(draw: draw)))
    case .lognormalAngle: Float(2 / .pi * atan(exp(Double(random.normal(draw: draw)))))
    case .uniform: random.uniform(draw: draw)
    }
  }
}
