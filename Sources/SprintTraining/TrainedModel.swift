import SprintData
import SprintDiffusion
import SprintKernels
import SprintModel

/// The weights of a checkpoint, ready to draw samples.
public struct TrainedModel {
  /// Which of a checkpoint's weights.
  public enum Weights: String, Sendable, CaseIterable {
    /// The moving average.
    case ema
    /// The weights in training.
    case model
  }

  /// The configuration that they were trained with.
  public let configuration: Configuration
  /// What the numbers of the data meant.
  public let properties: LatentProperties
  /// Where training stood.
  public let position: TrainingPosition
  private let network: Network
  private let parameters: ParameterArena

  /// Loads weights from a checkpoint.
  public init(_ checkpoint: Checkpoint, weights: Weights, workers: Workers) throws {
    configuration = try checkpoint.configuration()
    (properties, position) = (checkpoint.properties, checkpoint.position)
    network = Network(configuration.model, workers: workers)
    parameters = ParameterArena(network)
    try checkpoint.load(average: weights == .ema, into: parameters)
  }

  /// Loads weights from the newest whole checkpoint of a run.
  public init(run path: String, weights: Weights, workers: Workers) throws {
    guard let newest = try CheckpointStore(RunFolder(path: path)).newest() else {
      throw RunError.unusable("\(path): holds no checkpoint; is it the folder of a run?")
    }
    try self.init(newest.checkpoint, weights: weights, workers: workers)
  }

  /// A generator of samples from these weights.
  public func generator(_ settings: SamplerSettings, seed: UInt64) -> SampleGenerator {
    SampleGenerator(network, weights: parameters, settings: settings, seed: seed)
  }
}
