import SprintKernels

/// A SPRINT network: its shape, the layout of its parameters and the threads that compute it. It owns no weights.
package final class Network: Sendable {
  /// The network's shape.
  package let configuration: ModelConfiguration
  /// Names and places of the parameters.
  package let layout: ParameterLayout
  /// The threads of forward and backward passes.
  package let workers: Workers
  let rotary: RotaryTable
  /// What is added to the tokens, if anything.
  let positions: PositionTable?

  /// Makes a network; its configuration must have no `problem`.
  package init(_ configuration: ModelConfiguration, workers: Workers) {
    precondition(configuration.problem == nil, "an invalid model configuration: \(configuration)")
    self.configuration = configuration
    self.workers = workers
    layout = ParameterLayout(configuration)
    rotary = RotaryTable(
      prefix: configuration.prefix, grid: configuration.grid, headWidth: configuration.headWidth,
      theta: Float(configuration.ropeTheta))
    positions =
      configuration.position == .rotaryAndSines
      ? PositionTable(prefix: configuration.prefix, grid: configuration.grid, width: configuration.width) : nil
  }
}
