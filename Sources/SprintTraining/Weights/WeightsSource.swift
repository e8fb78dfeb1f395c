import Foundation
import SprintData
import SprintFormats
import SprintModel

/// Where trained weights come from, and what is known of them besides.
package struct WeightsSource {
  /// Which of a checkpoint's weights.
  package enum Choice: String, Sendable, CaseIterable {
    /// The moving average.
    case ema
    /// The weights in training.
    case model
  }

  /// What the numbers of the data meant.
  package let properties: LatentProperties
  /// What messages call the weights.
  package let origin: String
  /// Tells these weights from others.
  package let identity: String
  let configurationText: String
  let load: (ParameterArena) throws -> Void

  /// Weights of a checkpoint.
  package init(_ checkpoint: Checkpoint, _ choice: Choice) {
    properties = checkpoint.properties
    origin = "step \(checkpoint.position.step)"
    identity = "\(checkpoint.fingerprint.sha256) \(choice.rawValue)"
    configurationText = checkpoint.configurationText
    load = { try checkpoint.load(average: choice == .ema, into: $0) }
  }

  /// Weights of a safetensors file.
  ///
  /// - Parameters:
  ///   - configuration: the file that says what network they belong to; nil where sprint exported them, with their configuration
  ///   - allowance: what names need not be on both sides
  package init(_ file: WeightsFile, configuration: String?, _ allowance: WeightsFile.Allowance) throws {
    if let configuration {
      configurationText = try ConfigurationDocument(path: configuration).text()
    } else if let text = file.metadata[MetadataKey.configuration] {
      configurationText = text
    } else {
      throw RunError.unusable(
        "\(file.path): does not say what network it belongs to; give a configuration with --config")
    }
    let channels = try Configuration(ConfigurationDocument(text: configurationText, source: configuration ?? file.path))
      .model.channels
    properties =
      try file.metadata[MetadataKey.properties].map {
        try LatentProperties(json: $0, channels: channels, of: file.path)
      } ?? .published(channels: channels)
    origin = (file.path as NSString).lastPathComponent
    identity = try Fingerprint(of: file.path).sha256
    load = { try file.read(into: $0, allowance) }
  }

  /// What an exported file says besides its tensors.
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
  /// What the published checkpoints' latents mean: four channels of Stable Diffusion's autoencoder times 0.18215.
  fileprivate static func published(channels: Int) -> LatentProperties {
    LatentProperties(
      scale: Array(repeating: channels == 4 ? PublishedAutoencoder.stableDiffusionFactor : 1, count: channels),
      shift: Array(repeating: 0, count: channels),
      kind: "latents", pixelRange: -1...1, vae: channels == 4 ? PublishedAutoencoder.stableDiffusion.name : "")
  }
}
