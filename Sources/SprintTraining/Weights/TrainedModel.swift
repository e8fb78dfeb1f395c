import SprintCommunication
import SprintData
import SprintDiffusion
import SprintKernels
import SprintModel

/// Trained weights, ready to draw samples and to be exported.
package struct TrainedModel {
  /// The configuration that they were trained with.
  package let configuration: Configuration
  /// Where they are from; known to rank zero.
  package let source: WeightsSource?
  private let network: Network
  private let parameters: ParameterArena

  /// Loads weights at rank zero and brings them to all ranks.
  ///
  /// - Parameter open: called at rank zero
  package init(_ open: () throws -> WeightsSource, workers: Workers, _ communicator: Communicator = .single()) throws {
    let source = try communicator.agree { communicator.rank == 0 ? try open() : nil }
    let text = try communicator.broadcast(source?.configurationText ?? "")
    configuration = try communicator.agree {
      try Configuration(
        ConfigurationDocument(text: text, source: "configuration of \(source?.origin ?? "the weights")"))
    }
    self.source = source
    network = Network(configuration.model, workers: workers)
    parameters = ParameterArena(network)
    network.layout.initialize(parameters.elements, seed: configuration.seed)
    try communicator.agree { [parameters] in try source?.load(parameters) }
    try communicator.broadcast(parameters.elements)
  }

  /// The newest whole checkpoint of a run.
  package static func newestCheckpoint(run path: String) throws -> Checkpoint {
    guard let newest = try CheckpointStore(RunFolder(path: path)).newest() else {
      throw RunError.unusable("\(path): holds no checkpoint; is it the folder of a run?")
    }
    return newest.checkpoint
  }

  /// A generator of samples from these weights.
  package func generator(_ settings: SamplerSettings, seed: UInt64) -> SampleGenerator {
    SampleGenerator(network, weights: parameters, settings: settings, seed: seed)
  }

  /// Writes the weights as safetensors; returns how many numbers there are.
  package func export(_ choice: WeightsSource.Choice, to path: String) throws -> Int {
    try WeightsFile.write(parameters, metadata: source?.metadata(choice) ?? [:], to: path)
    return parameters.elements.count
  }
}
