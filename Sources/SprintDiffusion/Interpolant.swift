import Foundation
import SprintKernels

/// The path x_t = alpha(t) · data + sigma(t) · noise from data (t = 0) to noise (t = 1). SiT, arXiv 2401.08740.
package enum Interpolant: String, Sendable, CaseIterable {
  /// alpha = 1 - t, sigma = t
  case straight
  /// alpha = cos(π t / 2), sigma = sin(π t / 2)
  case cosine

  /// alpha, sigma and their derivatives with respect to t.
  package struct Coefficients: Sendable {
    /// Weight of the data and of the noise.
    package let alpha, sigma: Double
    /// Their derivatives.
    package let alphaRate, sigmaRate: Double
  }

  /// The path's coefficients at time `t`.
  package func coefficients(at t: Double) -> Coefficients {
    switch self {
    case .straight: return Coefficients(alpha: 1 - t, sigma: t, alphaRate: -1, sigmaRate: 1)
    case .cosine:
      let (angle, rate) = (t * .pi / 2, Double.pi / 2)
      return Coefficients(
        alpha: cos(angle), sigma: sin(angle), alphaRate: -rate * sin(angle), sigmaRate: rate * cos(angle))
    }
  }

  /// Puts data and noise together at time `t`, and finds the velocity dx_t/dt that the network is to predict.
  ///
  /// - Parameters: all [n], one sample
  package func mix(data: Vector, noise: Vector, at t: Float, into mixed: Vector, velocity: Vector) {
    let c = coefficients(at: Double(t))
    let (alpha, sigma, alphaRate, sigmaRate) = (Float(c.alpha), Float(c.sigma), Float(c.alphaRate), Float(c.sigmaRate))
    for i in 0..<data.count {
      mixed[i] = alpha * data[i] + sigma * noise[i]
      velocity[i] = alphaRate * data[i] + sigmaRate * noise[i]
    }
  }

  /// The drift of the reverse SDE with diffusion w(t) = 2 t: velocity - w/2 · score, the score following from the velocity.
  package func stochasticDrift(velocity: Double, x: Double, at t: Double) -> Double {
    let c = coefficients(at: t)
    let ratio = c.alpha / c.alphaRate
    let score = (ratio * velocity - x) / (c.sigma * c.sigma - ratio * c.sigmaRate * c.sigma)
    return velocity - 0.5 * Interpolant.diffusion(at: t) * score
  }

  /// w(t), the diffusion of the stochastic sampler.
  package static func diffusion(at t: Double) -> Double { 2 * t }
}
