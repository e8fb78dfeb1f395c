import SprintCommunication
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
  /// Where they are from; known to rank zero.
  public let checkpoint: Checkpoint?
  private let network: Network
  private let parameters: ParameterArena

  /// Loads weights at rank zero and brings them to all ranks.
  ///
  /// - Parameter checkpoint: called at rank zero
  public init(
    _ checkpoint: () throws -> Checkpoint, weights: Weights, workers: Workers, _ communicator: Communicator = .single()
  ) throws {
    let opened = try communicator.agree { communicator.rank == 0 ? try checkpoint() : nil }
    let text = try communicator.broadcast(opened?.configurationText ?? "")
    configuration = try communicator.agree {
      try Configuration(ConfigurationDocument(text: text, source: opened?.path ?? "the checkpoint"))
    }
    self.checkpoint = opened
    network = Network(configuration.model, workers: workers)
    parameters = ParameterArena(network)
    try communicator.agree { [parameters] in try opened?.load(average: weights == .ema, into: parameters) }
    try communicator.broadcast(parameters.elements)
  }

  /// The newest whole checkpoint of a run.
  public static func newestCheckpoint(run path: String) throws -> Checkpoint {
    guard let newest = try CheckpointStore(RunFolder(path: path)).newest() else {
      throw RunError.unusable("\(path): holds no checkpoint; is it the folder of a run?")
    }
    return newest.checkpoint
  }

  /// A generator of samples from these weights.
  public func generator(_ settings: SamplerSettings, seed: UInt64) -> SampleGenerator {
    SampleGenerator(network, weights: parameters, settings: settings, seed: seed)
  }
}
