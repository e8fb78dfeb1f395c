import Foundation
import SprintFormats

/// Scale and shift of each channel, computed from a file of statistics.
struct LatentStatistics {
  let scale, shift: [Float]

  /// Reads `mean` and `std`, which stand for (z - mean) / std; or `latents_bias` and `latents_scale`, or `bias` and
  /// `scale`, which stand for (z - bias) · scale.
  ///
  /// - Parameters:
  ///   - path: a .safetensors or .npz file of tensors [1, C, 1, 1]
  ///   - multiplier: an additional factor
  init(path: String, channels: Int, multiplier: Float) throws {
    let values = try Self.values(path, channels)
    if let mean = values["mean"], let std = values["std"] {
      guard std.allSatisfy({ $0 > 0 }) else {
        throw FileError.unusable(path: path, problem: "`std` is \(std), expected positive numbers")
      }
      scale = std.map { multiplier / $0 }
      shift = zip(mean, scale).map { -$0 * $1 }
    } else if let bias = values["latents_bias"] ?? values["bias"],
      let factor = values["latents_scale"] ?? values["scale"]
    {
      scale = factor.map { multiplier * $0 }
      shift = zip(bias, scale).map { -$0 * $1 }
    } else {
      throw FileError.unusable(
        path: path, problem: "holds \(values.keys.sorted()), expected mean and std, or latents_bias and latents_scale")
    }
    guard (scale + shift).allSatisfy(\.isFinite), scale.allSatisfy({ $0 != 0 }) else {
      throw FileError.unusable(
        path: path, problem: "leads to scale \(scale) and shift \(shift), expected finite numbers and no scale of 0")
    }
  }

  private static func values(_ path: String, _ channels: Int) throws -> [String: [Float]] {
    switch (path as NSString).pathExtension {
    case "safetensors":
      let file = try SafetensorsFile(path: path)
      return try file.entries.reduce(into: [:]) { values, entry in
        let count = entry.value.shape.reduce(1, *)
        values[entry.key] = try numbers(count, entry.key, path, channels) { try file.floats(entry.key, into: $0) }
      }
    case "npz":
      let archive = try ZipArchive(reading: path)
      return try archive.names.reduce(into: [:]) { values, entry in
        let array = try NPYArray(archive.contents(of: entry), name: "\(path): \(entry)")
        let name = (entry as NSString).deletingPathExtension
        values[name] = try numbers(array.count, name, path, channels) { try array.floats(into: $0) }
      }
    default:
      try Pickle.refuse(path)
      throw FileError.unusable(path: path, problem: "expected statistics in a .safetensors or .npz file")
    }
  }

  /// Returns one number for each channel; `fill` reads them.
  private static func numbers(
    _ count: Int, _ name: String, _ path: String, _ channels: Int,
    _ fill: (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) throws -> [Float] {
    guard count == channels else {
      throw FileError.unusable(
        path: path, problem: "`\(name)` has \(count) numbers, expected one for each of \(channels) channels")
    }
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      try fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    }
  }
}
