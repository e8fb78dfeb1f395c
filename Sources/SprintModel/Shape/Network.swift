import SprintKernels

/// A SPRINT network: its shape, the places of its parameters, and the threads it runs on. It owns no weights.
package final class Network: Sendable {
  /// The network's shape.
  package let configuration: ModelConfiguration
  /// Names and places of its parameters.
  package let layout: ParameterLayout
  /// The threads that forward and backward share.
  package let workers: Workers
  let rotary: RotaryTable

  /// A network; its configuration must have no `problem`.
  package init(_ configuration: ModelConfiguration, workers: Workers) {
    precondition(configuration.problem == nil, "an invalid model configuration: \(configuration)")
    self.configuration = configuration
    self.workers = workers
    layout = ParameterLayout(configuration)
    rotary = RotaryTable(
      grid: configuration.grid, headWidth: configuration.headWidth, theta: Float(configuration.ropeTheta))
  }
}

/// What the network looks at in one pass over B samples.
package struct NetworkInput: Sendable {
  /// [B, C · S · S] latents on the path between data and noise.
  package var latents: Matrix
  /// [B] time of each, in [0, 1].
  package var times: [Float]
  /// [B] class of each; the configured class count means "no class".
  package var labels: [Int]
  /// What the deep path sees.
  package var deepPath: DeepPath
  /// Whether the projector runs.
  package var readsFeatures: Bool

  /// An input; all parts are of the same batch.
  package init(latents: Matrix, times: [Float], labels: [Int], deepPath: DeepPath, readsFeatures: Bool = false) {
    precondition(times.count == latents.rows && labels.count == latents.rows, "an input of different batches")
    precondition(deepPath.dropped.count == latents.rows, "an input of different batches")
    self.latents = latents
    self.times = times
    self.labels = labels
    self.deepPath = deepPath
    self.readsFeatures = readsFeatures
  }
}
