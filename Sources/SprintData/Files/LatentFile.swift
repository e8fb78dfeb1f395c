import Foundation
import SprintFormats
import SprintKernels

/// One HDF5 file of latents: `/latents` [N, C, S, S], or [N, S, S] of one channel, drawn; or `/moments` [N, 2C, S, S],
/// mean then standard deviation; `/labels` [N]; optionally `/latents_flip` or `/moments_flip`, of the mirrored images,
/// and a teacher's features and attention.
final class LatentFile: Sendable {
  let path: String
  let count, channels, side: Int
  let hasMoments: Bool
  /// Classes; zeros where the file has none.
  let labels: [Int32]
  /// Whether the file has classes.
  let hasLabels: Bool
  let properties: LatentProperties
  let source: String
  /// The attributes, and the data sets and groups of the root, that sprint does not read.
  let unread: [String]
  private let values: StoredArray
  private let flipped: StoredArray?
  private let teacher: StoredTeacher
  private let mirroredTeacher: StoredTeacher?
  /// The names of all data sets that are read.
  private let names: [String]

  /// Opens a file and checks everything that can be checked without reading the samples.
  ///
  /// - Parameters:
  ///   - teacher: what is read of a teacher
  ///   - flips: whether mirrored images are read, and what the teacher says of them
  init(path: String, _ teacher: TeacherNames, flips: Bool) throws {
    self.path = path
    let stored = try StoredFile(path)
    let file = try HDF5File(reading: path, followsOtherFiles: true)
    hasMoments = file.has("/moments")
    let name = hasMoments ? "/moments" : "/latents"
    values = try Self.values(file, stored, name, hasMoments: hasMoments)
    let shape = values.shape
    let (count, first) = (shape[0], shape.count == 3 ? 1 : shape[1])
    (self.count, channels, side) = (count, hasMoments ? first / 2 : first, shape[shape.count - 1])
    flipped = try Self.flipped(file, stored, "\(name)_flip", shape)
    hasLabels = file.has("/labels")
    labels = hasLabels ? try Self.labels(file, count) : Array(repeating: 0, count: count)
    self.teacher = try StoredTeacher(file, stored, teacher, mirrored: false, count)
    mirroredTeacher = flips ? try StoredTeacher(file, stored, teacher, mirrored: true, count) : nil
    properties = try LatentProperties(of: file, dataset: name, channels: channels)
    source = try file.text("source") ?? ""
    unread = try Self.unread(file, name, hasFlipped: flipped != nil)
    names = [name, "\(name)_flip", "/labels"] + self.teacher.names + (mirroredTeacher?.names ?? [])
    if let difference = mirroredTeacher?.difference(from: self.teacher) {
      throw FileError.unusable(path: path, problem: "holds, of the mirrored images, \(difference)")
    }
  }

  /// The other files in which numbers of this one lie, by links or external storage.
  var otherFiles: [String] {
    get throws {
      let file = try HDF5File(reading: path, followsOtherFiles: true)
      return Set(try names.flatMap { try file.otherFiles(of: $0) }).sorted()
    }
  }

  private static func values(
    _ file: HDF5File, _ stored: StoredFile, _ name: String, hasMoments: Bool
  ) throws -> StoredArray {
    guard file.has(name) else {
      let found = try file.names(in: "/").prefix(8).map { "/\($0)" }.joined(separator: ", ")
      throw FileError.unusable(
        path: file.path,
        problem: "holds \(found.isEmpty ? "nothing" : found), expected /latents [N, C, S, S] or /moments [N, 2C, S, S]")
    }
    let values = try StoredArray(file, stored, name)
    let shape = values.shape
    let isSquare = shape.count >= 3 && shape[shape.count - 1] == shape[shape.count - 2]
    let hasChannels = shape.count == 4 && (!hasMoments || shape[1] % 2 == 0) || shape.count == 3 && !hasMoments
    guard isSquare, hasChannels, shape.allSatisfy({ $0 > 0 }) else {
      let isChannelsLast = shape.count == 4 && shape[1] == shape[2]
      throw FileError.unusable(
        path: file.path,
        problem: "\(name) has shape \(shape), expected [N, \(hasMoments ? "2C" : "C"), S, S] with N at least 1"
          + (isChannelsLast ? "; channels come first: store x.transpose(0, 3, 1, 2)" : ""))
    }
    return values
  }

  private static func flipped(
    _ file: HDF5File, _ stored: StoredFile, _ name: String, _ shape: [Int]
  ) throws -> StoredArray? {
    guard file.has(name) else { return nil }
    let flipped = try StoredArray(file, stored, name)
    guard flipped.shape == shape else {
      throw FileError.unusable(path: file.path, problem: "\(name) has shape \(flipped.shape), expected \(shape)")
    }
    return flipped
  }

  private static func labels(_ file: HDF5File, _ count: Int) throws -> [Int32] {
    let shape = try file.describe("/labels").shape
    guard shape.reduce(1, *) == count else {
      let isOneHot = shape.count == 2 && shape[0] == count
      throw FileError.unusable(
        path: file.path,
        problem: "/labels has shape \(shape), expected [\(count)]"
          + (isOneHot ? "; if its rows are one-hot, store y.argmax(1)" : ""))
    }
    let labels = try file.integers("/labels")
    if let bad = labels.firstIndex(where: { $0 < 0 || $0 > Int64(Int32.max) }) {
      throw FileError.unusable(
        path: file.path,
        problem: "sample \(bad) has label \(labels[bad]), expected 0 to \(Int32.max)"
          + (labels[bad] < 0 ? "; for data without classes, leave /labels out and use `classes: 0`" : ""))
    }
    return labels.map { Int32($0) }
  }

  /// Returns what nobody reads, among it numbers that might be meant to scale the latents.
  private static func unread(_ file: HDF5File, _ name: String, hasFlipped: Bool) throws -> [String] {
    let known = LatentProperties.attributes + ["source"]
    let read =
      [name, "\(name)_flip", "/labels", LatentDataset.classNames]
      + TeacherGroup.allCases.flatMap { [$0.path(), $0.path(mirrored: true)] }
    let others = try file.names(in: "/").map { "/\($0)" }.filter { !read.contains($0) }
    let own = try (file.attributeNames() + file.attributeNames(of: name)).filter { !known.contains($0) }
    let elsewhere = (["/labels"] + (hasFlipped ? ["\(name)_flip"] : [])).filter(file.has)
    return others + own
      + (try elsewhere.flatMap { place in
        try file.attributeNames(of: place).filter(known.contains).map { "\($0) of \(place)" }
      })
  }

  /// Returns how the samples differ in kind from those of another file, or nil if they belong together.
  func difference(from other: LatentFile) -> String? {
    let (shape, others) = ([channels, side, side], [other.channels, other.side, other.side])
    return (shape == others ? nil : "latents \(shape) instead of \(others)")
      ?? (hasMoments == other.hasMoments
        ? nil : hasMoments ? "moments instead of latents" : "latents instead of moments")
      ?? properties.difference(from: other.properties)
      ?? teacher.difference(from: other.teacher)
  }

  /// What the file holds of the teacher with which it was opened.
  func teacher(mirrored: Bool) -> StoredTeacher { mirrored ? mirroredTeacher ?? teacher : teacher }

  /// Whether the file holds latents of the mirrored images too.
  var hasFlipped: Bool { flipped != nil }

  /// Bytes of all samples.
  var bytes: Int { values.bytes }

  /// Reads entry `index` as stored: [C or 2C, S, S].
  func read(_ index: Int, flipped isFlipped: Bool, into target: UnsafeMutableBufferPointer<Float>) throws {
    try (isFlipped ? flipped ?? values : values).read(index, into: target)
  }
}
