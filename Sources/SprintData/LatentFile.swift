import Foundation
import SprintFormats
import SprintKernels

/// What the numbers of a latent file mean.
package struct LatentProperties: Sendable, Equatable, Codable {
  /// The model sees stored · scale + shift, channel by channel.
  package var scale, shift: [Float]
  /// `pixels` where a channel is a colour, otherwise `latents`.
  package var kind: String
  /// The values that black and white have, for pixels.
  package var pixelRange: ClosedRange<Double>
  /// The autoencoder that made the latents.
  package var vae: String

  /// Properties as a file or a checkpoint states them; one scale and one shift a channel.
  package init(scale: [Float], shift: [Float], kind: String, pixelRange: ClosedRange<Double>, vae: String) {
    (self.scale, self.shift, self.kind, self.pixelRange, self.vae) = (scale, shift, kind, pixelRange, vae)
  }
}

extension HDF5File {
  /// Writes what the numbers mean as attributes.
  package func write(_ properties: LatentProperties) throws {
    try write(attribute: "kind", properties.kind)
    try write(attribute: "vae", properties.vae)
    try write(attribute: "scale", properties.scale.map(Double.init))
    try write(attribute: "shift", properties.shift.map(Double.init))
    try write(attribute: "pixel_range", [properties.pixelRange.lowerBound, properties.pixelRange.upperBound])
  }
}

/// One HDF5 file of latents: `/latents` [N, C, S, S], drawn, or `/moments` [N, 2 C, S, S], mean then standard deviation;
/// `/labels` [N]; optionally the same of the mirrored images, and a teacher's features.
///
/// After one look through HDF5, samples of a contiguous float16 or float32 set are read with `pread`, from any thread.
final class LatentFile: Sendable {
  let path: String
  let count, channels, side: Int
  let hasMoments: Bool
  let labels: [Int32]
  let properties: LatentProperties
  let source: String
  private let values: StoredArray
  private let flipped: StoredArray?
  private let features: StoredArray?

  /// Looks into a file and checks all that can be checked without reading the samples.
  init(path: String, features featureName: String?) throws {
    self.path = path
    let file = try HDF5File(reading: path)
    func unusable(_ problem: String) -> DatasetError { .unusable(path: path, problem: problem) }
    hasMoments = file.has("/moments")
    let name = hasMoments ? "/moments" : "/latents"
    guard file.has(name) else { throw unusable("neither /latents nor /moments is there; is it a latent file?") }
    let values = try StoredArray(file, name)
    let shape = values.shape
    guard shape.count == 4, shape[2] == shape[3], shape[0] > 0, !hasMoments || shape[1] % 2 == 0 else {
      throw unusable("\(name) has shape \(shape), expected [N, \(hasMoments ? "2 C" : "C"), S, S] with N at least 1")
    }
    self.values = values
    (count, channels, side) = (shape[0], hasMoments ? shape[1] / 2 : shape[1], shape[2])
    let flippedName = name + "_flip"
    flipped = file.has(flippedName) ? try StoredArray(file, flippedName) : nil
    if let flipped, flipped.shape != shape {
      throw unusable("\(flippedName) has shape \(flipped.shape), expected \(shape)")
    }
    let labels = try file.integers("/labels")
    guard labels.count == count else { throw unusable("\(labels.count) labels for \(count) samples") }
    if let bad = labels.first(where: { $0 < 0 || $0 > Int64(Int32.max) }) {
      throw unusable("label \(bad); labels start at 0")
    }
    self.labels = labels.map { Int32($0) }
    features = try featureName.map { try StoredArray(file, "/features/\($0)") }
    if let features, features.shape.count != 3 || features.shape[0] != count {
      throw unusable("/features/\(featureName ?? "") has shape \(features.shape), expected [\(count), tokens, F]")
    }
    properties = try Self.properties(of: file, channels: channels)
    source = try file.text("source") ?? ""
  }

  private static func properties(of file: HDF5File, channels: Int) throws -> LatentProperties {
    func perChannel(_ name: String, default value: Float) throws -> [Float] {
      guard let numbers = try file.numbers(name) else { return [Float](repeating: value, count: channels) }
      guard numbers.count == 1 || numbers.count == channels, numbers.allSatisfy({ $0.isFinite }) else {
        throw HDF5Error.unexpected(
          path: file.path, name: name, found: "\(numbers)", expected: "1 or \(channels) finite numbers")
      }
      return (0..<channels).map { Float(numbers[numbers.count == 1 ? 0 : $0]) }
    }
    let range = try file.numbers("pixel_range") ?? [-1, 1]
    guard range.count == 2, range[0] < range[1] else {
      throw HDF5Error.unexpected(path: file.path, name: "pixel_range", found: "\(range)", expected: "black and white")
    }
    let scale = try perChannel("scale", default: 1)
    guard scale.allSatisfy({ $0 != 0 }) else {
      throw HDF5Error.unexpected(path: file.path, name: "scale", found: "\(scale)", expected: "numbers other than 0")
    }
    return LatentProperties(
      scale: scale, shift: try perChannel("shift", default: 0), kind: try file.text("kind") ?? "latents",
      pixelRange: range[0]...range[1], vae: try file.text("vae") ?? "")
  }

  /// Tokens and width of the features, where they were asked for.
  var featureShape: (tokens: Int, width: Int)? { features.map { ($0.shape[1], $0.shape[2]) } }

  /// Whether the mirrored images were encoded too.
  var hasFlipped: Bool { flipped != nil }

  /// Bytes of all samples.
  var bytes: Int { values.bytes }

  /// Reads entry `index` as stored: [C or 2 C, S, S].
  func read(_ index: Int, flipped isFlipped: Bool, into target: UnsafeMutableBufferPointer<Float>) throws {
    try (isFlipped ? flipped ?? values : values).read(index, into: target)
  }

  /// Reads the teacher's features of entry `index`: [tokens, F].
  func readFeatures(_ index: Int, into target: UnsafeMutableBufferPointer<Float>) throws {
    guard let features else { preconditionFailure("features were not asked for") }
    try features.read(index, into: target)
  }
}

/// A data set of which single entries are read.
private final class StoredArray: Sendable {
  let shape: [Int]
  private let file: HDF5File
  private let name: String
  private let description: HDF5File.Description
  private let bytesOnDisk: RandomAccessFile?

  init(_ file: HDF5File, _ name: String) throws {
    description = try file.describe(name)
    shape = description.shape
    (self.file, self.name) = (file, name)
    guard description.element == .float(2) || description.element == .float(4) else {
      throw HDF5Error.unexpected(
        path: file.path, name: name, found: "of type \(description.element)", expected: "float16 or float32")
    }
    bytesOnDisk = description.offset == nil ? nil : try RandomAccessFile(reading: file.path)
  }

  var bytes: Int { shape[0] * entryElements * (description.element == .float(2) ? 2 : 4) }

  private var entryElements: Int { shape.dropFirst().reduce(1, *) }

  func read(_ index: Int, into target: UnsafeMutableBufferPointer<Float>) throws {
    precondition(target.count == entryElements && index >= 0 && index < shape[0], "entry \(index) of \(shape)")
    guard let offset = description.offset, let bytesOnDisk else {
      return try file.floats(name, entry: index, into: target)
    }
    if description.element == .float(4) {
      try bytesOnDisk.read(into: UnsafeMutableRawBufferPointer(target), at: offset + index * target.count * 4)
    } else {
      try withUnsafeTemporaryAllocation(of: Float16.self, capacity: target.count) { halves in
        try bytesOnDisk.read(into: UnsafeMutableRawBufferPointer(halves), at: offset + index * target.count * 2)
        for i in target.indices { target[i] = Float(halves[i]) }
      }
    }
  }
}
