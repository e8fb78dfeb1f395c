/// The settings of a sampler.
package struct SamplerSettings: Sendable, Equatable {
  /// The equation that is integrated from noise to data.
  package enum Method: String, Sendable, CaseIterable {
    /// The probability-flow ODE, by Euler's method.
    case ode
    /// The reverse SDE with diffusion 2 t, by Euler-Maruyama down to t = 0.04 and one step without noise to 0.
    case sde
  }

  /// The equation that is integrated.
  package var method: Method
  /// Network evaluations of the conditional branch.
  package var steps: Int
  /// The pull of samples towards their class.
  package var guidance: Guidance
  /// The path between data and noise that the network was trained on.
  package var interpolant: Interpolant

  /// Makes settings; `steps` is at least one, for the SDE at least two.
  package init(
    method: Method = .ode, steps: Int, guidance: Guidance = Guidance(), interpolant: Interpolant = .straight
  ) {
    self.method = method
    self.steps = steps
    self.guidance = guidance
    self.interpolant = interpolant
  }

  /// The times at which the network is evaluated, followed by 0.
  package var times: [Double] {
    switch method {
    case .ode: (0...steps).map { 1 - Double($0) / Double(steps) }
    case .sde: (0..<steps).map { 1 - Double($0) * (1 - Self.lastStochasticTime) / Double(steps - 1) } + [0]
    }
  }

  private static let lastStochasticTime = 0.04
}
