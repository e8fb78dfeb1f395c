import Foundation
import SprintFormats

/// Scale and shift of each channel, computed from a file of statistics.
struct LatentStatistics {
  let scale, shift: [Float]

  /// How two entries of a file are meant.
  private struct Reading {
    /// What is subtracted first, if there is anything, and what follows.
    let center: String?
    let factor: String
    /// Whether the factor is divided by, not multiplied with.
    let divides: Bool

    func isIn(_ names: [String]) -> Bool { names.contains(factor) && center.map(names.contains) ?? true }
  }

  private static let readings =
    [("mean", "std"), ("latents_mean", "latents_std"), ("latent_mean", "latent_std"), ("mu", "sigma")]
    .map { Reading(center: $0, factor: $1, divides: true) }
    + [("latents_bias", "latents_scale"), ("bias", "scale"), ("shift_factor", "scaling_factor")]
    .map { Reading(center: $0, factor: $1, divides: false) }

  /// An autoencoder's configuration of diffusers, in which `shift_factor` is null.
  private static let factorAlone = Reading(center: nil, factor: "scaling_factor", divides: false)

  /// Reads `mean` and `std`, which stand for (z - mean) / std; or `latents_bias` and `latents_scale`, which stand for
  /// (z - bias) · scale; or one of the other names that are used for these pairs; or `scaling_factor` alone. Other
  /// entries are left aside.
  ///
  /// - Parameters:
  ///   - path: a .safetensors, .npz or .json file with one number for each channel, or one for all
  ///   - multiplier: an additional factor
  init(path: String, channels: Int, multiplier: Float) throws {
    let file = try StatisticsFile(path)
    let found = Self.readings.filter { $0.isIn(file.names) }
    guard let reading = found.first ?? (Self.factorAlone.isIn(file.names) ? Self.factorAlone : nil) else {
      throw FileError.unusable(
        path: path,
        problem: "holds \(file.names.prefix(20)), expected mean and std, or latents_bias and latents_scale")
    }
    guard found.count <= 1 else {
      let pairs = found.map { "\($0.center ?? "") and \($0.factor)" }
      throw FileError.unusable(
        path: path, problem: "holds \(pairs.joined(separator: ", and ")): keep one of these pairs")
    }
    let center = try reading.center.map { try file.numbers($0, channels) } ?? Array(repeating: 0, count: channels)
    let factor = try file.numbers(reading.factor, channels)
    guard !reading.divides || factor.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw FileError.unusable(path: path, problem: "`\(reading.factor)` is \(factor), expected positive numbers")
    }
    let scale = factor.map { Float(reading.divides ? Double(multiplier) / $0 : Double(multiplier) * $0) }
    let shift = zip(center, scale).map { -Float($0) * $1 }
    guard (scale + shift).allSatisfy(\.isFinite), scale.allSatisfy({ $0 != 0 }) else {
      throw FileError.unusable(
        path: path, problem: "leads to scale \(scale) and shift \(shift), expected finite numbers and no scale of 0")
    }
    (self.scale, self.shift) = (scale, shift)
  }
}

/// The named arrays of a .safetensors, .npz or .json file.
private struct StatisticsFile {
  let path: String
  /// In ascending order.
  let names: [String]
  private let read: (String) throws -> [Double]

  init(_ path: String) throws {
    self.path = path
    switch (path as NSString).pathExtension.lowercased() {
    case "safetensors":
      let file = try SafetensorsFile(path: path)
      (names, read) = (file.entries.keys.sorted(), { try file.doubles($0) })
    case "npz":
      let archive = try ZipArchive(reading: path)
      names = archive.names.filter { $0.hasSuffix(".npy") }.map { String($0.dropLast(4)) }.sorted()
      read = { try NPYArray(archive.contents(of: "\($0).npy"), name: "\(path): \($0)").doubles() }
    case "json":
      let json = try? JSONSerialization.jsonObject(with: RandomAccessFile(reading: path).contents())
      guard let table = json as? [String: Any] else {
        throw FileError.unusable(path: path, problem: #"is not {"mean": [...], "std": [...]}"#)
      }
      let values = table.compactMapValues(Self.flat)
      (names, read) = (values.keys.sorted(), { values[$0] ?? [] })
    case "npy":
      throw FileError.unusable(
        path: path,
        problem: "one array, expected two with names; put them together with Python: import numpy as np; "
          + "np.savez('OUT.npz', mean=np.load('MEAN.npy'), std=np.load('STD.npy'))")
    default:
      try Pickle.refuse(path)
      throw FileError.unusable(path: path, problem: "expected statistics in a .safetensors, .npz or .json file")
    }
  }

  /// Returns the numbers of nested lists, or nil if there is anything else in them.
  private static func flat(_ value: Any) -> [Double]? {
    if let number = value as? Double { return [number] }
    guard let list = value as? [Any] else { return nil }
    let parts = list.map(flat)
    return parts.contains { $0 == nil } ? nil : parts.flatMap { $0 ?? [] }
  }

  /// Returns one number for each channel.
  func numbers(_ name: String, _ channels: Int) throws -> [Double] {
    let numbers = try read(name)
    guard numbers.count == channels || numbers.count == 1 else {
      throw FileError.unusable(
        path: path,
        problem: "`\(name)` has \(numbers.count) numbers, expected one for each of \(channels) channels, or one for all"
      )
    }
    return numbers.count == channels ? numbers : Array(repeating: numbers[0], count: channels)
  }
}
