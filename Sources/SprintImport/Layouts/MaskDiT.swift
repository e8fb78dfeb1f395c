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
    let length = try Self.length(of: database)
    try Self.checkLabels(of: database, length)
    let mirroring = try MaskDiTMirroring(database, length: length, choice: isMirrored)
    shape = try SourceShape.ofMost(length, in: path, { "\($0)" }) {
      try Self.shape(of: database, $0, isMirrored: mirroring.isMirrored)
    }
    (self.database, count, notes) = (database, mirroring.count, mirroring.notes)
  }

  private static func length(of database: LMDBDatabase) throws -> Int {
    let value = try database.value(of: "length")
    guard let length = value.flatMap(number), (1...Int(Int32.max)).contains(length) else {
      throw FileError.unusable(
        path: database.path,
        problem: "its `length` is \(value.map(described) ?? "missing"), expected a whole number from 1 on as text, "
          + "such as `1281167`")
    }
    return length
  }

  private static let labelsToCheck = 8

  /// Throws if the first classes are there and none of them is text.
  private static func checkLabels(of database: LMDBDatabase, _ length: Int) throws {
    let values = try (0..<min(length, labelsToCheck)).compactMap { try database.value(of: "y-\($0)") }
    guard let first = values.first, values.allSatisfy({ number($0) == nil }) else { return }
    throw FileError.unusable(
      path: database.path,
      problem: "its labels `y-I` are no whole numbers as text: the first is \(described(first)), expected text such as "
        + "`207`")
  }

  /// A value as a message shows it: text, or bytes in hexadecimal digits.
  private static func described(_ value: Data) -> String {
    let start = value.prefix(16)
    let more = value.count > start.count ? "..." : ""
    if start.allSatisfy({ (0x20..<0x7f).contains($0) }) {
      return "`\(String(decoding: start, as: UTF8.self))\(more)`"
    }
    return "\(value.count) bytes (\(start.map { String(format: "%02x", $0) }.joined())\(more))"
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

  /// The number that Python's `int` reads in a text.
  static func number(_ value: Data) -> Int? {
    Int(String(decoding: value, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
  }
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
    guard try classes.count == 1 || isCycle(database, half) else { return true }
    // Equal classes say nothing where they come in a cycle; mirrored images look like mirrored latents.
    if try areLatentsMirrored(database, half) { return true }
    throw unusable(
      "its `length` \(2 * half) counts \(2 * half) images, or \(half) and their mirrored ones: their "
        + "classes are the same or come in a cycle, so that nothing tells", .sayMirrored)
  }

  /// Whether the classes of all images come in a cycle that is shorter than half of them.
  private static func isCycle(_ database: LMDBDatabase, _ half: Int) throws -> Bool {
    let first = try (0..<min(2 * half, 2 * classesToCompare)).map { try database.value(of: "y-\($0)") }
    let period = period(of: first)
    guard period < half, 2 * period <= first.count else { return false }
    for index in stride(from: 0, to: 2 * half, by: max(1, half / classesToCompare)) {
      guard try database.value(of: "y-\(index)") == first[index % period] else { return false }
    }
    return true
  }

  /// Returns the least distance at which a list repeats itself up to its end.
  private static func period(of list: [Data?]) -> Int {
    // The longest part, shorter than the whole, that each beginning of the list both starts and ends with.
    var borders = [0]
    for index in list.indices.dropFirst() {
      var border = borders[index - 1]
      while border > 0, list[border] != list[index] { border = borders[border - 1] }
      borders.append(list[border] == list[index] ? border + 1 : 0)
    }
    return list.count - (borders.last ?? 0)
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

  /// The means of a latent less that of their channel, in which even unlike images are alike.
  private static func means(_ database: LMDBDatabase, _ index: Int) throws -> (values: [Float], side: Int)? {
    guard let value = try database.value(of: "z-\(index)") else { return nil }
    let side = Int(Double(value.count / 32).squareRoot().rounded())
    guard side > 0, side * side * 32 == value.count else { return nil }
    var values = [Float](repeating: 0, count: value.count / 4)
    _ = values.withUnsafeMutableBytes { value.copyBytes(to: $0, from: value.indices) }
    let plane = side * side
    return (
      (0..<4).flatMap { channel in
        let own = values[channel * plane..<(channel + 1) * plane]
        let mean = own.reduce(0, +) / Float(plane)
        return own.map { $0 - mean }
      }, side
    )
  }
}
