import Foundation
import SprintFormats

/// What latents of a layout are multiplied by and shifted by, channel by channel, from a statistics file.
struct LatentStatistics {
  let scale, shift: [Float]

  /// Reads `mean` and `std`: (z - mean) / std, or `latents_bias` and `latents_scale` (`bias` and `scale`): (z - bias) · scale.
  ///
  /// - Parameters:
  ///   - path: a .safetensors or .npz file of tensors [1, C, 1, 1]
  ///   - multiplier: a factor besides
  init(path: String, channels: Int, multiplier: Float) throws {
    let values = try Self.values(path, channels)
    if let mean = values["mean"], let std = values["std"] {
      guard std.allSatisfy({ $0 > 0 }) else {
        throw ImportError.source(path, "`std` is \(std), expected positive numbers")
      }
      scale = std.map { multiplier / $0 }
      shift = zip(mean, scale).map { -$0 * $1 }
    } else if let bias = values["latents_bias"] ?? values["bias"],
      let factor = values["latents_scale"] ?? values["scale"]
    {
      scale = factor.map { multiplier * $0 }
      shift = zip(bias, scale).map { -$0 * $1 }
    } else {
      throw ImportError.source(
        path, "holds \(values.keys.sorted()), expected mean and std, or latents_bias and latents_scale")
    }
    guard (scale + shift).allSatisfy(\.isFinite), scale.allSatisfy({ $0 != 0 }) else {
      throw ImportError.source(path, "leads to scale \(scale) and shift \(shift), expected finite numbers")
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
      if Pickle.isOne(path) { throw ImportError.source(path, Pickle.remedy) }
      throw ImportError.source(path, "statistics are read from .safetensors or .npz")
    }
  }

  /// One number for each channel.
  private static func numbers(
    _ count: Int, _ name: String, _ path: String, _ channels: Int,
    _ fill: (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) throws -> [Float] {
    guard count == channels else {
      throw ImportError.source(path, "`\(name)` has \(count) numbers, expected one for each of \(channels) channels")
    }
    return try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      try fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    }
  }
}
