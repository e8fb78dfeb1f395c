import Crypto
import Foundation
import SprintFormats

/// The names of the samples and their classes, in ascending order of the names.
struct LabelTable: Sendable {
  /// All names, one after the other.
  private let text: [UInt8]
  private let ends: [Int]
  private let labels: [Int32]

  var count: Int { labels.count }

  /// Returns the name of a sample.
  func name(_ index: Int) -> String {
    String(decoding: text[(index == 0 ? 0 : ends[index - 1])..<ends[index]], as: UTF8.self)
  }

  /// Returns the class of a sample.
  func label(_ index: Int) -> Int { Int(labels[index]) }

  /// Sorts pairs by name; throws if a name appears twice.
  init(_ pairs: [(name: String, label: Int)], of path: String) throws {
    let isAscending = zip(pairs, pairs.dropFirst()).allSatisfy { NameOrder.isBefore($0.name, $1.name) }
    let sorted = isAscending ? pairs : pairs.sorted { NameOrder.isBefore($0.name, $1.name) }
    if let twice = zip(sorted, sorted.dropFirst()).first(where: { NameOrder.isSame($0.name, $1.name) }) {
      throw FileError.unusable(path: path, problem: "names `\(twice.0.name)` twice")
    }
    guard !sorted.isEmpty else { throw FileError.unusable(path: path, problem: "holds no sample of this layout") }
    if let bad = sorted.first(where: { Int32(exactly: $0.label) == nil }) {
      throw FileError.unusable(path: path, problem: "gives \(bad.name) the impossible class \(bad.label)")
    }
    labels = sorted.map { Int32($0.label) }
    var (text, ends): ([UInt8], [Int]) = ([], [])
    for pair in sorted {
      text += Array(pair.name.utf8)
      ends.append(text.count)
    }
    (self.text, self.ends) = (text, ends)
  }

  /// A text that differs between tables of different names or classes.
  var fingerprint: String {
    var hash = SHA256()
    text.withUnsafeBytes { hash.update(bufferPointer: $0) }
    for numbers in [ends.map(Int64.init), labels.map(Int64.init)] {
      numbers.withUnsafeBytes { hash.update(bufferPointer: $0) }
    }
    return hash.finalize().map { String(format: "%02x", $0) }.joined()
  }

  /// Reads the classes of a source: from `choice` if there is one, else from the source's own `dataset.json`.
  ///
  /// - Parameters:
  ///   - choice: a .json of that form; or a .npy with one whole number a sample, in ascending order of the names; or
  ///     `none`, which gives every sample class 0
  ///   - own: the source's own `dataset.json`, if it has one
  ///   - names: the names in the source, in ascending order
  ///   - counts: whether a file of this name is a sample by itself
  /// - Returns: the table, and lines about what it leaves aside
  static func make(
    _ choice: String?, own: (name: String, json: Data)?, of path: String, names: [String], counts: (String) -> Bool
  ) throws -> (table: LabelTable, notes: [String]) {
    switch choice {
    case nil:
      guard let own else {
        throw FileError.unusable(
          path: path, problem: "has no dataset.json with the classes", remedy: ImportRemedy.nameLabels)
      }
      let file = "\(path)/\(own.name)"
      let match = try TableMatch(
        DatasetJSON(own.json, of: file), file, in: SampleFiles.folder(of: own.name), with: names, of: path)
      return (try LabelTable(match.pairs, of: path), match.notes(counts))
    case "none": return (try LabelTable(names.filter(counts).map { ($0, 0) }, of: path), [])
    case let file? where file.hasSuffix(".npy"):
      return (try LabelTable(array: file, names.filter(counts), of: path), [])
    case let file?:
      let match = try TableMatch(
        DatasetJSON(RandomAccessFile(reading: file).contents(), of: file), file, in: "", with: names, of: path)
      return (try LabelTable(match.pairs, of: path), match.notes(counts))
    }
  }

  /// Pairs the numbers of a .npy with names in ascending order; throws if the names could be meant in another order.
  private init(array file: String, _ names: [String], of path: String) throws {
    guard !NPYSummary.hasObjects(file) else {
      throw FileError.unusable(
        path: file,
        problem: "Python's objects, expected whole numbers; save those with Python: import numpy as np; "
          + "np.save('OUT.npy', np.load('IN.npy', allow_pickle=True).astype('int64'))")
    }
    let array = try NPYArray(path: file)
    guard array.shape.filter({ $0 != 1 }).count <= 1 else {
      throw FileError.unusable(path: file, problem: "of shape \(array.shape), expected one class for each sample")
    }
    let labels = try array.integers()
    guard names.count == labels.count else {
      throw FileError.unusable(path: file, problem: "\(labels.count) classes for \(names.count) samples of \(path)")
    }
    if let (first, second) = zip(names, names.dropFirst()).first(where: { NaturalOrder.isBefore($1, $0) }) {
      throw FileError.unusable(
        path: file,
        problem: "the names have no leading zeros, so that the order of the classes is not clear: as texts `\(first)` "
          + "comes before `\(second)`, as numbers after it", remedy: ImportRemedy.pairLabels)
    }
    try self.init(zip(names, labels).map { ($0, Int($1)) }, of: file)
  }
}
