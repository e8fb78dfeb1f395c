import Foundation
import SprintData
import SprintDiffusion
import SprintKernels
import SprintModel

extension Configuration {
  /// Pictures drawn during training.
  package struct Samples: Sendable, Equatable {
    /// Steps between pictures; nil for no pictures.
    package var interval: Int?
    /// Images of each class.
    package var perClass: Int
    /// The classes to draw.
    package var classes: [Int]
    /// The sampler and its guidance.
    package var sampler: SamplerSettings

    /// The autoencoder that makes images of the latents; nil for pictures of the latents' colours.
    package var autoencoder: String?

    /// The number of images of a picture.
    package var imageCount: Int { classes.count * perClass }

    /// The class of each image.
    package var labels: [Int] { classes.flatMap { Array(repeating: $0, count: perClass) } }
  }
}

extension Configuration.Samples {
  init(_ reader: ConfigurationReader, _ model: ModelConfiguration, _ interpolant: Interpolant, _ shift: TimeShift)
    throws
  {
    interval = reader.has("interval") ? try reader.integer("interval") : nil
    perClass = try reader.integer("per_class", default: 4, in: 1...1000)
    classes = try reader.integers("classes", default: Array(model.labels.prefix(10)), in: 0...1_000_000)
    if let unknown = classes.first(where: { !model.labels.contains($0) }) {
      throw reader.error("classes", "names class \(unknown), the model has \(model.classes)")
    }
    sampler = try Self.readSampler(reader, model, interpolant)
    sampler.timeShift = shift
    autoencoder = reader.has("autoencoder") ? try reader.text("autoencoder") : nil
    try reader.checkPaths("autoencoder", [autoencoder].compactMap(\.self))
    guard imageCount <= Self.mostImages else {
      throw reader.error("classes", "times `per_class` make \(imageCount) images, expected at most \(Self.mostImages)")
    }
    try reader.finish()
  }

  /// Opens the autoencoder; nil where none is named or no picture is drawn.
  ///
  /// - Throws: where it does not fit the data set
  func decoder(of dataset: LatentDataset, _ workers: @autoclosure () -> Workers) throws -> LatentDecoder? {
    guard let autoencoder, interval != nil else { return nil }
    return try LatentDecoder(
      path: autoencoder, channels: dataset.channels, side: dataset.side, dataset.properties, in: .model,
      of: "the training data", workers())
  }

  /// What pictures show, where an autoencoder makes images of the latents.
  var decodedCaption: String? { autoencoder.map { "decoded with \(($0 as NSString).lastPathComponent)" } }

  /// The most images of a picture.
  private static let mostImages = 100_000

  private static func readSampler(
    _ reader: ConfigurationReader, _ model: ModelConfiguration, _ interpolant: Interpolant
  ) throws -> SamplerSettings {
    let method: SamplingMethod = try reader.choice("sampler", default: .ode)
    let kind: Guidance.Kind = try reader.choice("guidance", default: Guidance.Kind.none)
    if let need = kind.unmetNeed(in: model) {
      throw reader.error("guidance", "is \(kind.rawValue), which needs \(need)")
    }
    let times = try reader.numbers("guidance_interval", default: [0, 1])
    guard times.count == 2, 0 <= times[0], times[0] <= times[1], times[1] <= 1 else {
      throw reader.error("guidance_interval", "has to be two times in ascending order, from 0 to 1")
    }
    let steps = try reader.integer("steps", default: 25, in: 2...100_000)
    let guidance = Guidance(
      kind, scale: try reader.number("scale", default: 1, "a number from -1000 to 1000", in: -1000...1000),
      interval: times[0]...times[1],
      keepsClass: try reader.boolean("keep_class", default: false),
      classTokenScale: reader.has("class_token_scale")
        ? try reader.number("class_token_scale", "a number from -1000 to 1000", in: -1000...1000) : nil)
    return SamplerSettings(method: method, steps: steps, guidance: guidance, interpolant: interpolant)
  }
}
