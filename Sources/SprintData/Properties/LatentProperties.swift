import Foundation
import SprintFormats

/// What the numbers of a latent file mean. Data sets, checkpoints and exported weights carry these properties; all of
/// them are read and checked here.
package struct LatentProperties: Sendable, Equatable, Codable {
  /// The model sees stored · scale + shift, channel by channel.
  package var scale, shift: [Float]
  /// `pixels` where a channel is a colour, else `latents`.
  package var kind: String
  /// The values of black and white, for pixels.
  package var pixelRange: ClosedRange<Double>
  /// The name of the autoencoder that made the latents.
  package var vae: String

  /// - Parameters:
  ///   - scale: one number a channel
  ///   - shift: one number a channel
  package init(scale: [Float], shift: [Float], kind: String, pixelRange: ClosedRange<Double>, vae: String) {
    (self.scale, self.shift, self.kind, self.pixelRange, self.vae) = (scale, shift, kind, pixelRange, vae)
  }

  /// The names of the attributes that hold the properties.
  package static let attributes = ["kind", "vae", "scale", "shift", "pixel_range"]

  /// Reads the attributes, each of which may be missing; throws if they make no sense.
  ///
  /// - Parameters:
  ///   - dataset: the data set of the latents: attributes that the file lacks may be there
  ///   - channels: C of the latents; nil takes it from the attributes
  package init(of file: HDF5File, dataset: String? = nil, channels: Int? = nil) throws {
    func numbers(_ name: String) throws -> [Double]? {
      try Self.either(name, file, dataset) { try file.numbers(name, of: $0) }
    }
    func text(_ name: String) throws -> String? {
      try Self.either(name, file, dataset) { try file.text(name, of: $0) }
    }
    let range = try numbers("pixel_range") ?? [-1, 1]
    guard range.count == 2, range.allSatisfy(\.isFinite), range[0] <= range[1] else {
      throw FileError.unexpected(path: file.path, name: "pixel_range", found: "\(range)", expected: "black, then white")
    }
    let (scale, shift) = (try numbers("scale") ?? [1], try numbers("shift") ?? [0])
    let channels = channels ?? max(scale.count, shift.count)
    self.init(
      scale: try Self.perChannel(scale, channels, "scale", file.path),
      shift: try Self.perChannel(shift, channels, "shift", file.path),
      kind: try text("kind") ?? "latents", pixelRange: range[0]...range[1], vae: try text("vae") ?? "")
    try check(file.path)
  }

  /// Returns an attribute of the file, or else of the data set; throws if both have one and they differ.
  private static func either<Value: Equatable>(
    _ name: String, _ file: HDF5File, _ dataset: String?, _ read: (_ dataset: String?) throws -> Value?
  ) throws -> Value? {
    let own = try read(nil)
    guard let dataset, let other = try read(dataset) else { return own }
    guard own == nil || own == other else {
      throw FileError.unusable(
        path: file.path,
        problem: "the attribute `\(name)` of the file differs from that of `\(dataset)`; remove one of them")
    }
    return other
  }

  /// Reads the properties from the JSON that `json` writes; throws if they make no sense.
  ///
  /// - Parameter path: the file that the text is from, for messages
  package init(json text: String, channels: Int, of path: String) throws {
    do { self = try JSONDecoder().decode(LatentProperties.self, from: Data(text.utf8)) } catch {
      throw FileError.unusable(path: path, problem: "its description of the latents cannot be read: \(text)")
    }
    scale = try Self.perChannel(scale.map(Double.init), channels, "scale", path)
    shift = try Self.perChannel(shift.map(Double.init), channels, "shift", path)
    try check(path)
  }

  /// The properties as one JSON object.
  package var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }

  /// Returns one number a channel; a single number stands for all channels.
  private static func perChannel(_ numbers: [Double], _ channels: Int, _ name: String, _ path: String) throws -> [Float]
  {
    let values = numbers.map { Float($0) }
    guard values.count == 1 || values.count == channels, values.allSatisfy(\.isFinite) else {
      throw FileError.unexpected(
        path: path, name: name, found: "\(numbers)",
        expected: channels == 1 ? "one finite number" : "1 or \(channels) finite numbers")
    }
    return (0..<channels).map { values[values.count == 1 ? 0 : $0] }
  }

  private func check(_ path: String) throws {
    guard ["latents", "pixels"].contains(kind) else {
      throw FileError.unexpected(path: path, name: "kind", found: "`\(kind)`", expected: "`latents` or `pixels`")
    }
    guard pixelRange.lowerBound < pixelRange.upperBound else {
      throw FileError.unexpected(path: path, name: "pixel_range", found: "\(pixelRange)", expected: "black below white")
    }
    guard scale.allSatisfy({ $0 != 0 }) else {
      throw FileError.unexpected(path: path, name: "scale", found: "\(scale)", expected: "numbers other than 0")
    }
  }
}

extension HDF5File {
  /// Writes the properties as attributes.
  package func write(_ properties: LatentProperties) throws {
    try write(attribute: "kind", properties.kind)
    try write(attribute: "vae", properties.vae)
    try write(attribute: "scale", properties.scale.map(Double.init))
    try write(attribute: "shift", properties.shift.map(Double.init))
    try write(attribute: "pixel_range", [properties.pixelRange.lowerBound, properties.pixelRange.upperBound])
  }
}
