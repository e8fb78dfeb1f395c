import Foundation
import SprintData
import SprintFormats

extension ImportLayout {
  /// An LMDB database: moments of Stable Diffusion's autoencoder, with logarithms of variances. The layout of MaskDiT.
  static let maskDiT = ImportLayout(
    name: "maskdit",
    recognise: { $0.names.contains("data.mdb") ? .certain(.ownFile) : nil },
    open: { path, _ in try MaskDiTDatabase(path) },
    scaling: PublishedAutoencoder.stableDiffusion.scaling,
    secondHalf: .logVariance)
}

/// `z-I` is raw float32 (8, S, S), `y-I` the class in digits, `length` the number of samples. The mirrored image of I
/// is `z-(I + length)`.
private struct MaskDiTDatabase: LatentSource {
  let shape: SourceShape
  let count: Int
  private let database: LMDBDatabase
  /// Four channels of means, then four of logarithms of variances.
  private static let stored = 8

  init(_ path: String) throws {
    database = try LMDBDatabase(reading: path)
    let length = try database.value(of: "length").flatMap(Self.number)
    guard let length, (1...Int(Int32.max)).contains(length) else {
      throw FileError.unusable(path: path, problem: "its `length` is missing or not a number of samples")
    }
    count = length
    guard let first = try database.value(of: "z-0") else {
      throw FileError.unusable(path: path, problem: "has no `z-0`")
    }
    let side = Int(Double(first.count / 4 / Self.stored).squareRoot().rounded())
    guard side * side * Self.stored * 4 == first.count else {
      throw FileError.unusable(path: path, problem: "`z-0` has \(first.count) bytes, expected float32 of (8, S, S)")
    }
    shape = try SourceShape(
      [Self.stored, side, side], moments: true, flipped: database.value(of: "z-\(length)") != nil)
  }

  func files(_ index: Int) -> [String] { ["\(database.path)/data.mdb"] }

  func name(_ index: Int) -> String { "\(index)" }

  func read(_ index: Int, into values: UnsafeMutableBufferPointer<Float>, flipped: UnsafeMutableBufferPointer<Float>?)
    throws -> Int
  {
    try read("z-\(index)", into: values)
    if let flipped { try read("z-\(index + count)", into: flipped) }
    guard let label = try database.value(of: "y-\(index)").flatMap(Self.number) else {
      throw UnfitSample("`y-\(index)` is missing or no number")
    }
    return label
  }

  private func read(_ key: String, into values: UnsafeMutableBufferPointer<Float>) throws {
    guard let value = try database.value(of: key) else { throw UnfitSample("`\(key)` is missing") }
    guard value.count == values.count * 4 else {
      throw UnfitSample("`\(key)` has \(value.count) bytes, expected \(values.count * 4)")
    }
    value.copyBytes(to: UnsafeMutableRawBufferPointer(values), from: value.indices)
  }

  private static func number(_ value: Data) -> Int? { Int(String(decoding: value, as: UTF8.self)) }
}
