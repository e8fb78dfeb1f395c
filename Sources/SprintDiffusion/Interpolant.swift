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
    /// The weights of data and noise.
    package let alpha, sigma: Double
    /// The derivatives of `alpha` and `sigma`.
    package let alphaRate, sigmaRate: Double
  }

  /// Returns the coefficients of the path at time `t`.
  package func coefficients(at t: Double) -> Coefficients {
    switch self {
    case .straight: return Coefficients(alpha: 1 - t, sigma: t, alphaRate: -1, sigmaRate: 1)
    case .cosine:
      let (angle, rate) = (t * .pi / 2, Double.pi / 2)
      return Coefficients(
        alpha: cos(angle), sigma: sin(angle), alphaRate: -rate * sin(angle), sigmaRate: rate * cos(angle))
    }
  }

  /// Mixes data and noise at time `t`, and finds the velocity dx_t/dt, which the network has to predict.
  ///
  /// - Parameters: one sample, all [C · S · S]
  package func mix(
    data: Vector<Float>, noise: Vector<Float>, at t: Float, into mixed: Vector<Float>, velocity: Vector<Float>
  ) {
    let path = coefficients(at: Double(t))
    let (alpha, sigma) = (Float(path.alpha), Float(path.sigma))
    let (alphaRate, sigmaRate) = (Float(path.alphaRate), Float(path.sigmaRate))
    for i in 0..<data.count {
      mixed[i] = alpha * data[i] + sigma * noise[i]
      velocity[i] = alphaRate * data[i] + sigmaRate * noise[i]
    }
  }

  /// Finds the velocity dx_t/dt of data and noise at time `t`.
  ///
  /// - Parameters: one sample, all [C · S · S]
  package func velocity(data: Vector<Float>, noise: Vector<Float>, at t: Float, into velocity: Vector<Float>) {
    let path = coefficients(at: Double(t))
    let (alphaRate, sigmaRate) = (Float(path.alphaRate), Float(path.sigmaRate))
    for i in 0..<data.count { velocity[i] = alphaRate * data[i] + sigmaRate * noise[i] }
  }

  /// Returns the drift of the reverse SDE with diffusion w(t) = 2 t: velocity - w/2 · score. The score follows from
  /// the velocity.
  package func stochasticDrift(velocity: Double, x: Double, at t: Double) -> Double {
    let path = coefficients(at: t)
    let ratio = path.alpha / path.alphaRate
    let score = (ratio * velocity - x) / (path.sigma * path.sigma - ratio * path.sigmaRate * path.sigma)
    return velocity - 0.5 * Interpolant.diffusion(at: t) * score
  }

  /// Returns w(t), the diffusion of the stochastic sampler.
  package static func diffusion(at t: Double) -> Double { 2 * t }
}
