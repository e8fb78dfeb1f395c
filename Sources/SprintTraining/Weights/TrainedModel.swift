import SprintCommunication
import SprintData
import SprintDiffusion
import SprintFormats
import SprintKernels
import SprintModel

/// Trained weights with their network, for sampling and export.
package struct TrainedModel {
  /// The configuration of the training.
  package let configuration: Configuration
  /// The origin of the weights, at rank zero; nil at other ranks.
  package let source: WeightsSource?
  /// Lines for the user about what is read of the file of the weights, at rank zero.
  package private(set) var notices: [String]
  private let network: Network
  private let parameters: ParameterArena<Float>

  /// Loads weights at rank zero and sends them to all ranks.
  ///
  /// - Parameter open: opens the weights; called at rank zero
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
    notices = try communicator.agree { [parameters] in try source?.load(parameters) ?? [] }
    try communicator.broadcast(parameters.elements)
  }

  /// Opens the newest valid checkpoint of a run.
  package static func newestCheckpoint(run path: String) throws -> Checkpoint {
    guard let newest = try CheckpointStore(RunFolder(path: path)).newest() else {
      throw FileError.unusable(path: path, problem: "holds no checkpoint; is it the folder of a run?")
    }
    return newest.checkpoint
  }

  /// What the latents are that the weights were trained on, at every rank. All ranks call it.
  package func properties(_ communicator: Communicator) throws -> LatentProperties {
    let text = try communicator.broadcast(communicator.agree { try source?.properties.json ?? "" })
    return try LatentProperties(json: text, channels: configuration.model.channels, of: "the weights")
  }

  /// Makes a generator of samples from these weights.
  package func generator(
    _ settings: SamplerSettings, precision: Precision = .float32, seed: UInt64
  ) -> SampleGenerator {
    SampleGenerator(network, weights: parameters.rounded(to: precision, network), settings: settings, seed: seed)
  }

  /// Writes the weights as safetensors and returns their number.
  package func export(_ choice: WeightsSource.Choice, to path: String) throws -> Int {
    try WeightsFile.write(parameters, metadata: source?.metadata(choice) ?? [:], to: path)
    return parameters.elements.count
  }
}
