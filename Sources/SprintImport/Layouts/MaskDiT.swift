import Foundation
import SprintData
import SprintFormats

extension ImportLayout {
  /// An LMDB database: moments of Stable Diffusion's autoencoder, with logarithms of variances. The layout of MaskDiT.
  static let maskDiT = ImportLayout(
    name: "maskdit",
    recognise: { $0.names.contains("data.mdb") || $0.isDatabase ? .certain(.ownFile) : nil },
    open: { path, options in try MaskDiTDatabase(path, isMirrored: options.isMirrored) },
    takesMirrored: true,
    scaling: PublishedAutoencoder.stableDiffusion.scaling,
    secondHalf: .logVariance)
}

/// `z-I` is raw float32 (8, S, S), `y-I` the class in digits. The mirrored image of I is `z-(I + N)`, with the same
/// class. `length` is N, or 2N as MaskDiT's own script writes it where it mirrors.
private struct MaskDiTDatabase: LatentSource {
  let shape: SourceShape
  let count: Int
  let notes: [String]
  private let database: LMDBDatabase
  /// Four channels of means, then four of logarithms of variances.
  private static let stored = 8

  init(_ path: String, isMirrored: Bool?) throws {
    let database = try LMDBDatabase(reading: path)
    let length = try database.value(of: "length").flatMap(Self.number)
    guard let length, (1...Int(Int32.max)).contains(length) else {
      throw FileError.unusable(path: path, problem: "its `length` is missing or not a number of samples")
    }
    let mirroring = try MaskDiTMirroring(database, length: length, choice: isMirrored)
    shape = try SourceShape.ofMost(length, in: path, { "\($0)" }) {
      try Self.shape(of: database, $0, isMirrored: mirroring.isMirrored)
    }
    (self.database, count, notes) = (database, mirroring.count, mirroring.notes)
  }

  private static func shape(of database: LMDBDatabase, _ index: Int, isMirrored: Bool) throws -> SourceShape {
    guard let value = try database.value(of: "z-\(index)") else { throw UnfitSample("`z-\(index)` is missing") }
    let side = Int(Double(value.count / 4 / stored).squareRoot().rounded())
    guard side * side * stored * 4 == value.count, side > 0 else {
      throw UnfitSample("`z-\(index)` has \(value.count) bytes, expected float32 of (8, S, S)")
    }
    return try SourceShape([stored, side, side], moments: true, flipped: isMirrored)
  }

  func files(_ index: Int) -> [String] { [database.dataPath] }

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

  static func number(_ value: Data) -> Int? { Int(String(decoding: value, as: UTF8.self)) }
}

/// What `length` counts, and whether mirrored images follow.
private struct MaskDiTMirroring {
  /// The number of images.
  let count: Int
  let isMirrored: Bool
  private(set) var notes: [String] = []

  private static let classesToCompare = 4096
  private static let latentsToCompare = 8

  /// - Parameter choice: whether the second half of `length` are the mirrored images of the first, if the user says so
  init(_ database: LMDBDatabase, length: Int, choice: Bool?) throws {
    func unusable(_ problem: String, _ remedy: ImportRemedy) -> FileError {
      .unusable(path: database.path, problem: problem, remedy: remedy)
    }
    if try database.value(of: "z-\(length)") != nil {
      guard choice == nil else {
        throw unusable("`z-\(length)` is there, so that `length` counts no mirrored images", .leaveOutMirrored)
      }
      (count, isMirrored) = (length, true)
      return
    }
    let half = length / 2
    guard length % 2 == 0 else {
      guard choice != true else { throw unusable("its `length` \(length) is odd", .leaveOutMirrored) }
      (count, isMirrored) = (length, false)
      return
    }
    let found = try choice ?? Self.isMirrored(database, half, unusable)
    (count, isMirrored) = (found ? half : length, found)
    if found, choice == nil {
      notes = [
        "`length` \(length) counts \(half) images and their mirrored ones: there is no `z-\(length)`, and the classes "
          + "of both halves are the same; if they are \(length) different images, use --mirrored no"
      ]
    }
  }

  private static func isMirrored(
    _ database: LMDBDatabase, _ half: Int, _ unusable: (String, ImportRemedy) -> FileError
  ) throws -> Bool {
    var classes: Set<Data> = []
    for index in stride(from: 0, to: half, by: max(1, half / classesToCompare)) {
      let (one, other) = (try database.value(of: "y-\(index)"), try database.value(of: "y-\(index + half)"))
      guard let one, one == other else { return false }
      classes.insert(one)
    }
    guard classes.count == 1 else { return true }
    // Equal classes say nothing where there is one class; mirrored images look like mirrored latents.
    if try areLatentsMirrored(database, half) { return true }
    throw unusable(
      "its `length` \(2 * half) counts \(2 * half) images, or \(half) and their mirrored ones: all have the same "
        + "class, so that nothing tells", .sayMirrored)
  }

  /// Whether the means of the second half are about those of the first half, mirrored.
  private static func areLatentsMirrored(_ database: LMDBDatabase, _ half: Int) throws -> Bool {
    var products: (both: Double, one: Double, other: Double) = (0, 0, 0)
    for index in 0..<min(half, latentsToCompare) {
      guard let one = try means(database, index), let other = try means(database, index + half),
        one.values.count == other.values.count
      else { continue }
      for (place, value) in one.values.enumerated() {
        let mirrored = other.values[place - place % one.side + one.side - 1 - place % one.side]
        products.both += Double(value * mirrored)
        products.one += Double(value * value)
        products.other += Double(mirrored * mirrored)
      }
    }
    return products.both > 0.5 * (products.one * products.other).squareRoot()
  }

  private static func means(_ database: LMDBDatabase, _ index: Int) throws -> (values: [Float], side: Int)? {
    guard let value = try database.value(of: "z-\(index)") else { return nil }
    let side = Int(Double(value.count / 32).squareRoot().rounded())
    guard side > 0, side * side * 32 == value.count else { return nil }
    var values = [Float](repeating: 0, count: value.count / 4)
    _ = values.withUnsafeMutableBytes { value.copyBytes(to: $0, from: value.indices) }
    return (Array(values[..<(values.count / 2)]), side)
  }
}
