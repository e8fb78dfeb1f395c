/// A way from noise at t = 1 to data at t = 0. A new sampler is a new case here; the command line, the configuration
/// and `Sampler` take all cases from this type.
package enum SamplingMethod: String, Sendable, CaseIterable {
  /// The probability-flow ODE, by Euler's method.
  case ode
  /// The same by Heun's method, of second order; the last step is Euler's. arXiv 2206.00364, algorithm 1.
  case heun
  /// The reverse SDE with diffusion 2 t, by Euler-Maruyama down to t = 0.04 and one step without noise to 0.
  case sde

  /// The smallest number of steps that the method can take.
  package var fewestSteps: Int {
    switch self {
    case .ode, .heun: 1
    case .sde: 2
    }
  }

  /// The times between `steps` steps, from 1 to 0.
  package func times(steps: Int) -> [Double] {
    switch self {
    case .ode, .heun: (0...steps).map { 1 - Double($0) / Double(steps) }
    case .sde: (0..<steps).map { 1 - Double($0) * (1 - Self.lastStochasticTime) / Double(steps - 1) } + [0]
    }
  }

  /// The time from which the SDE goes to 0 without noise.
  private static let lastStochasticTime = 0.04

  /// The rate at which `x` changes with t, for a network that predicts `velocity` there.
  func drift(velocity: Double, x: Double, at t: Double, _ interpolant: Interpolant) -> Double {
    switch self {
    case .ode, .heun: velocity
    case .sde: interpolant.stochasticDrift(velocity: velocity, x: x, at: t)
    }
  }

  /// The deviation of the noise that the step from time `t` to `next` adds; nil for a step without noise.
  func deviation(from t: Double, to next: Double) -> Double? {
    switch self {
    case .sde where next > 0: (Interpolant.diffusion(at: t) * (t - next)).squareRoot()
    case .ode, .heun, .sde: nil
    }
  }

  /// Whether a step to time `next` goes along the mean of the drifts at both of its ends.
  func correctsStep(to next: Double) -> Bool { self == .heun && next > 0 }
}
