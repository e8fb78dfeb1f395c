import Foundation
import SprintData
import SprintFormats
import SprintModel

/// Trained weights that can be loaded, with what their file says about them.
package struct WeightsSource {
  /// Which weights of a checkpoint to use.
  package enum Choice: String, Sendable, CaseIterable {
    /// The moving average.
    case ema
    /// The weights in training.
    case model
  }

  /// The scale and meaning of the latents that the weights were trained on.
  package let properties: LatentProperties
  /// One line for the user if samples of these weights cannot be good; nil if there is none to say.
  package let warning: String?
  /// One line for the user about what is assumed of the latents; nil where the file says it.
  package let notice: String?
  /// Reads the weights; returns lines for the user about what is read of their file.
  let load: (ParameterArena<Float>) throws -> [String]
  /// The name of the weights in messages.
  package let origin: String
  /// A text that differs between any two sets of weights.
  package let identity: String
  /// The number of stages that had begun; nil where nobody says.
  package let stagesBegun: Int?
  let configurationText: String

  /// Takes the weights of a checkpoint; throws where its parts do not fit together.
  package init(_ checkpoint: Checkpoint, _ choice: Choice) throws {
    let configuration = try checkpoint.configuration()
    let share = choice == .ema ? configuration.randomShare(at: checkpoint.position) : 0
    warning =
      share > 0.05
      ? String(format: "%.0f%% of the moving average are still the random weights of the start", 100 * share) : nil
    (properties, notice) = (checkpoint.data.properties, nil)
    origin = "step \(checkpoint.position.step)"
    identity = "\(checkpoint.fingerprint.sha256) \(choice.rawValue)"
    configurationText = checkpoint.configurationText
    stagesBegun = checkpoint.position.stage + 1
    load = {
      try checkpoint.load(average: choice == .ema, into: $0)
      return []
    }
  }

  /// Takes the weights of a safetensors file.
  ///
  /// - Parameters:
  ///   - choice: which weights to take where the file holds several sets
  ///   - configuration: the configuration file of the network; nil if sprint exported the weights, together with their
  ///     configuration
  ///   - allowance: names that may be missing in the file or in the network
  package init(
    _ file: WeightsFile, _ choice: Choice, configuration: String?, _ allowance: WeightsFile.Allowance
  ) throws {
    if let configuration {
      configurationText = try ConfigurationDocument(path: configuration).text()
    } else if let text = file.metadata[MetadataKey.configuration] {
      configurationText = text
    } else {
      throw FileError.unusable(
        path: file.path, problem: "does not say what network it belongs to", remedy: WeightsRemedy.giveConfiguration)
    }
    let channels = try Configuration(ConfigurationDocument(text: configurationText, source: configuration ?? file.path))
      .model.channels
    let own = try file.metadata[MetadataKey.properties].map {
      try LatentProperties(json: $0, channels: channels, of: file.path)
    }
    properties = own ?? .published(channels: channels)
    notice = own == nil ? "\(file.path): \(Self.assumption(properties))" : nil
    (warning, stagesBegun) = (nil, nil)
    origin = (file.path as NSString).lastPathComponent
    identity = "\(try file.identity) \(choice.rawValue)"
    load = { try file.read(into: $0, choice, allowance) }
  }

  /// What is taken for granted about the latents of a file that says nothing of them.
  private static func assumption(_ properties: LatentProperties) -> String {
    let vae = properties.vae.isEmpty ? "no known autoencoder" : "the autoencoder \(properties.vae)"
    return "does not say what its latents are; assumed: scale \(properties.scale.first ?? 1), shift 0, \(vae); files "
      + "that sprint exports say it themselves"
  }

  /// Returns the metadata of an exported file.
  func metadata(_ choice: Choice) throws -> [String: String] {
    [
      MetadataKey.configuration: configurationText, "sprint.origin": origin, "sprint.weights": choice.rawValue,
      MetadataKey.properties: try properties.json,
    ]
  }

  private enum MetadataKey {
    static let configuration = "sprint.configuration"
    static let properties = "sprint.latents"
  }
}

extension LatentProperties {
  /// The properties of the published checkpoints' latents: four channels of Stable Diffusion's autoencoder times
  /// 0.18215.
  fileprivate static func published(channels: Int) -> LatentProperties {
    LatentProperties(
      scale: Array(repeating: channels == 4 ? PublishedAutoencoder.stableDiffusionFactor : 1, count: channels),
      shift: Array(repeating: 0, count: channels),
      kind: "latents", pixelRange: -1...1, vae: channels == 4 ? PublishedAutoencoder.stableDiffusion.name : "")
  }
}
