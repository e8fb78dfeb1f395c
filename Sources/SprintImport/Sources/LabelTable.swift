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
    let isAscending = zip(pairs, pairs.dropFirst()).allSatisfy { $0.name < $1.name }
    let sorted = isAscending ? pairs : pairs.sorted { $0.name < $1.name }
    if let twice = zip(sorted, sorted.dropFirst()).first(where: { $0.name == $1.name }) {
      throw FileError.unusable(path: path, problem: "names `\(twice.0.name)` twice")
    }
    guard !sorted.isEmpty else { throw FileError.unusable(path: path, problem: "names no sample") }
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

  /// Reads a `dataset.json`: `{"labels": [["00000/img-mean-std-00000000.npy", 6], ...]}`.
  init(json: Data, of path: String) throws {
    struct Document: Decodable {
      let labels: [Pair]?
    }
    struct Pair: Decodable {
      let name: String
      let label: Int

      init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        (name, label) = (try list.decode(String.self), try list.decode(Int.self))
      }
    }
    let document: Document
    do { document = try JSONDecoder().decode(Document.self, from: json) } catch {
      throw FileError.unusable(path: path, problem: #"is not {"labels": [["FILE", CLASS], ...]}"#)
    }
    guard let labels = document.labels else {
      throw FileError.unusable(path: path, problem: "says `labels: null`", remedy: ImportRemedy.nameLabels)
    }
    if let outside = labels.first(where: { !Self.staysBelow($0.name) }) {
      throw FileError.unusable(path: path, problem: "names `\(outside.name)`, which is not below its folder")
    }
    try self.init(labels.map { ($0.name, $0.label) }, of: path)
  }

  private static func staysBelow(_ name: String) -> Bool {
    !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
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
  ///   - names: returns all names; called only if `choice` is a .npy or `none`
  init(_ choice: String?, own: Data?, of path: String, names: () throws -> [String]) throws {
    switch choice {
    case nil:
      guard let own else {
        throw FileError.unusable(
          path: path, problem: "has no dataset.json with the classes", remedy: ImportRemedy.nameLabels)
      }
      try self.init(json: own, of: "\(path)/dataset.json")
    case "none": try self.init(names().map { ($0, 0) }, of: path)
    case let file? where file.hasSuffix(".npy"):
      let (names, labels) = (try names().sorted(), try NPYArray(path: file).integers())
      guard names.count == labels.count else {
        throw FileError.unusable(
          path: file, problem: "\(labels.count) classes for \(names.count) samples of \(path)")
      }
      try self.init(zip(names, labels).map { ($0, Int($1)) }, of: file)
    case let file?: try self.init(json: RandomAccessFile(reading: file).contents(), of: file)
    }
  }
}
