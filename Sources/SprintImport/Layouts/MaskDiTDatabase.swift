import Foundation
import SprintFormats

/// An LMDB database with `z-I`, raw float32 (8, S, S), `y-I`, the class in digits, and `length`; mirrored images at I + length: the layout of
/// MaskDiT.
struct MaskDiTDatabase: LatentSource {
  let shape: SourceShape
  let count: Int
  private let database: LMDBDatabase
  /// Mean and logarithm of the variance of four channels.
  private static let stored = 8

  init(_ path: String) throws {
    database = try LMDBDatabase(reading: path)
    let length = try database.value(of: "length").flatMap(Self.number)
    guard let length, length > 0 else {
      throw ImportError.source(path, "its `length` is missing or not a number of samples")
    }
    count = length
    guard let first = try database.value(of: "z-0") else { throw ImportError.source(path, "has no `z-0`") }
    let side = Int(Double(first.count / 4 / Self.stored).squareRoot().rounded())
    guard side * side * Self.stored * 4 == first.count else {
      throw ImportError.source(path, "`z-0` has \(first.count) bytes, expected float32 of (8, S, S)")
    }
    shape = try SourceShape(
      [Self.stored, side, side], moments: true, flipped: database.value(of: "z-\(length)") != nil)
  }

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
