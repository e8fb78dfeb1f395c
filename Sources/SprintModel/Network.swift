import SprintKernels

/// A SPRINT network: its shape, the places of its parameters, and the threads it runs on. It owns no weights.
public final class Network: Sendable {
  /// The network's shape.
  public let configuration: ModelConfiguration
  /// Names and places of its parameters.
  public let layout: ParameterLayout
  /// The threads that forward and backward share.
  public let workers: Workers
  let rotary: RotaryTable

  /// A network; its configuration must have no `problem`.
  public init(_ configuration: ModelConfiguration, workers: Workers) {
    precondition(configuration.problem == nil, "an invalid model configuration: \(configuration)")
    self.configuration = configuration
    self.workers = workers
    layout = ParameterLayout(configuration)
    rotary = RotaryTable(
      grid: configuration.grid, headWidth: configuration.headWidth, theta: Float(configuration.ropeTheta))
  }
}

/// What the network looks at in one pass over B samples.
public struct NetworkInput: Sendable {
  /// [B, C · S · S] latents on the path between data and noise.
  public var latents: Matrix
  /// [B] time of each, in [0, 1].
  public var times: [Float]
  /// [B] class of each; the configured class count means "no class".
  public var labels: [Int]
  /// What the deep path sees.
  public var deepPath: DeepPath
  /// Whether the projector runs.
  public var readsFeatures: Bool

  /// An input; all parts are of the same batch.
  public init(latents: Matrix, times: [Float], labels: [Int], deepPath: DeepPath, readsFeatures: Bool = false) {
    precondition(times.count == latents.rows && labels.count == latents.rows, "an input of different batches")
    precondition(deepPath.dropped.count == latents.rows, "an input of different batches")
    self.latents = latents
    self.times = times
    self.labels = labels
    self.deepPath = deepPath
    self.readsFeatures = readsFeatures
  }
}
