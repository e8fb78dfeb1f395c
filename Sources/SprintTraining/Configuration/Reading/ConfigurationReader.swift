import Foundation
import Yams

/// Reads one mapping of a YAML document key by key. It checks types and ranges, records every value, defaults included,
/// and at the end reports keys without effect.
final class ConfigurationReader {
  /// The keys read so far with their values, in the order of reading. All readers of a document share it.
  final class Record {
    fileprivate(set) var values: [(key: String, value: String)] = []
    fileprivate let document: ConfigurationDocument

    init(_ document: ConfigurationDocument) { self.document = document }
  }

  let path: String
  let mapping: Node.Mapping?
  let record: Record
  /// The keys that the mapping may have.
  let keys: [String]
  private let line: Int?
  private var readKeys: [String] = []

  /// Makes a reader of `node`, which has to be a mapping, or nil for a section that is left out.
  init(_ node: Node?, path: String, record: Record) throws {
    (self.path, self.record) = (path, record)
    keys = ConfigurationKeys.sections[ConfigurationKeys.section(at: path)] ?? []
    line = node?.mark?.line
    switch node {
    case nil: mapping = nil
    case .mapping(let mapping): self.mapping = mapping
    case let node? where node.isAbsent: mapping = nil
    default:
      mapping = nil
      throw ConfigurationError(
        place(path), key: path.isEmpty ? "(document)" : path, "has to be a mapping of keys to values")
    }
  }

  /// Returns whether the mapping has a key with a value.
  func has(_ key: String) -> Bool {
    noteReading(key)
    return value(key) != nil
  }

  /// Returns the node of a key; nil for a key without a value.
  private func value(_ key: String) -> Node? { mapping?[Node(key)].flatMap { $0.isAbsent ? nil : $0 } }

  /// Numbers of steps, samples and the like. A sum of a thousand of them does not overflow.
  static let counts = 1...1_000_000_000_000

  /// Reads a whole number in `range`.
  func integer(_ key: String, default value: Int? = nil, in range: ClosedRange<Int> = counts) throws -> Int {
    try scalar(key, default: value, expected: range.description(of: "a whole number")) { text in
      Self.whole(text).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// Returns the whole number that a text stands for: `1000`, `1_000`, `1e3` or `1000.0`.
  private static func whole(_ text: String) -> Int? {
    let digits = text.replacing("_", with: "")
    return Int(digits) ?? Double(digits).flatMap { abs($0) <= 0x1p53 ? Int(exactly: $0) : nil }
  }

  /// Reads a number that `accepts` accepts; `expected` describes such numbers.
  func number(
    _ key: String, default value: Double? = nil, _ expected: String = "a number",
    where accepts: (Double) -> Bool = { _ in true }
  ) throws -> Double {
    try scalar(key, default: value, expected: expected) { text in
      Double(text.replacing("_", with: "")).flatMap { $0.isFinite && accepts($0) ? $0 : nil }
    }
  }

  /// Reads a number in `range`, which `expected` describes.
  func number(_ key: String, default value: Double? = nil, _ expected: String, in range: ClosedRange<Double>) throws
    -> Double
  {
    try number(key, default: value, expected) { range.contains($0) }
  }

  /// Reads a probability, from 0 to 1.
  func probability(_ key: String, default value: Double) throws -> Double {
    try number(key, default: value, "a number from 0 to 1", in: 0...1)
  }

  /// Reads `true` or `false`.
  func boolean(_ key: String, default value: Bool) throws -> Bool {
    try scalar(key, default: value, expected: "true or false") { ["true": true, "false": false][$0.lowercased()] }
  }

  /// Reads a text.
  func text(_ key: String, default value: String? = nil) throws -> String {
    try scalar(key, default: value, expected: "a text") { $0 }
  }

  /// Reads a text on one line: line breaks, tabs and control characters in it count as spaces.
  func line(_ key: String, default value: String) throws -> String {
    try scalar(key, default: value, expected: "a text") { text in
      text.split { $0.isWhitespace || $0.unicodeScalars.contains { $0.properties.generalCategory == .control } }
        .joined(separator: " ")
    }
  }

  /// Reads one of an enumeration's cases.
  func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, default value: Choice? = nil) throws -> Choice
  where Choice.RawValue == String {
    let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    let text: String = try scalar(key, default: value?.rawValue, expected: "one of \(names)") { text in
      Choice(rawValue: text) == nil ? nil : text
    }
    guard let choice = Choice(rawValue: text) else { preconditionFailure("`scalar` accepts only the cases") }
    return choice
  }

  /// Reads a list of texts; a single text is a list of one.
  func texts(_ key: String, default value: [String]? = nil) throws -> [String] {
    try list(key, default: value, of: "texts") { $0.string }
  }

  /// Reads a list of whole numbers in `range`.
  func integers(_ key: String, default value: [Int]? = nil, in range: ClosedRange<Int>) throws -> [Int] {
    try list(key, default: value, of: range.description(of: "whole numbers")) {
      $0.string.flatMap(Self.whole).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// Reads a list of numbers.
  func numbers(_ key: String, default value: [Double]? = nil) throws -> [Double] {
    try list(key, default: value, of: "numbers") { $0.string.flatMap(Double.init) }
  }

  private func list<Element>(_ key: String, default value: [Element]?, of what: String, _ convert: (Node) -> Element?)
    throws -> [Element]
  {
    noteReading(key)
    guard let node = self.value(key) else {
      guard let value else { throw error(key, "is missing; it has to be a list of \(what)") }
      return note(key, value)
    }
    let nodes = node.sequence.map(Array.init) ?? [node]
    let elements = nodes.compactMap { $0.isAbsent ? nil : convert($0) }
    guard elements.count == nodes.count, !nodes.isEmpty else { throw error(key, "has to be a list of \(what)") }
    return note(key, elements)
  }

  /// Returns a reader of the mapping under `key`, or of an empty mapping if the key is left out.
  func section(_ key: String) throws -> ConfigurationReader {
    noteReading(key)
    return try ConfigurationReader(mapping?[Node(key)], path: full(key), record: record)
  }

  /// Returns readers of the mappings listed under `key`, or nil if the key is left out.
  func sections(_ key: String) throws -> [ConfigurationReader]? {
    noteReading(key)
    guard let node = value(key) else { return nil }
    guard let sequence = node.sequence, !sequence.isEmpty else { throw error(key, "has to be a list of mappings") }
    return try sequence.enumerated().map { try ConfigurationReader($1, path: "\(full(key))[\($0)]", record: record) }
  }

  /// Throws if a path holds what a shell would replace, unless such a file exists.
  func checkPaths(_ key: String, _ paths: [String]) throws {
    guard record.document.namesData else { return }
    for path in paths where !FileManager.default.fileExists(atPath: path) {
      guard path.hasPrefix("~") || path.contains(where: { "$*?[{".contains($0) }) else { continue }
      throw error(
        key,
        "names `\(Self.shortened(path))`, which does not exist; sprint does not replace ~, $NAME or * in paths: "
          + "list each file by its whole path, or one relative to \(FileManager.default.currentDirectoryPath)")
    }
  }

  /// Returns a reader of an empty mapping at `path`, in which all keys have their defaults.
  func empty(_ path: String) throws -> ConfigurationReader { try ConfigurationReader(nil, path: path, record: record) }

  /// Throws an error for the first key that was not read, because others of the section leave it without effect.
  func finish() throws {
    for (key, _) in mapping ?? Node.Mapping([]) where !readKeys.contains(key.string ?? "?") {
      throw unread(key, "has no effect beside the other keys of `\(path)`; leave it out")
    }
  }

  /// Returns an error about a key that is not read.
  func unread(_ node: Node, _ problem: String, remedy: ConfigurationRemedy? = nil) -> ConfigurationError {
    let key = full(Self.shortened(node.string ?? "?"))
    // A key without a line comes from a setting.
    return ConfigurationError(
      node.mark == nil ? setting(key) : place(key, node.mark?.line), key: key, problem, remedy: remedy)
  }

  private func noteReading(_ key: String) {
    precondition(keys.contains(key), "`\(full(key))` is read, but not in ConfigurationKeys")
    readKeys.append(key)
  }

  /// Returns an error about `key` that names the place of the key.
  func error(_ key: String, _ problem: String) -> ConfigurationError {
    let node = mapping?[Node(key)]
    return ConfigurationError(place(full(key), node?.mark?.line), key: full(key), problem)
  }

  private func scalar<Value>(
    _ key: String, default value: Value?, expected: String, _ convert: (String) -> Value?
  ) throws -> Value {
    noteReading(key)
    guard let node = self.value(key) else {
      guard let value else { throw error(key, "is missing; it has to be \(expected)") }
      return note(key, value)
    }
    guard let scalar = node.scalar, let converted = convert(scalar.string) else {
      let found = node.scalar.map { "`\(Self.shortened($0.string))`" } ?? "no single value"
      throw error(key, "is \(found), expected \(expected)")
    }
    return note(key, converted)
  }

  /// Cuts a text for messages.
  static func shortened(_ text: String) -> String { text.count > 120 ? "\(text.prefix(120))..." : text }

  /// Records the value of a key and returns it.
  private func note<Value>(_ key: String, _ value: Value) -> Value {
    record.values.append((full(key), "\(value)"))
    return value
  }

  func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// Returns the setting that has replaced `key`, else the file and the line of the key or of this mapping.
  private func place(_ key: String, _ ownLine: Int? = nil) -> String {
    let document = record.document
    if document.overridden.contains(where: { key == $0 || key.hasPrefix($0 + ".") || key.hasPrefix($0 + "[") }) {
      return setting(key)
    }
    return "\(document.source)\((ownLine ?? line).map { ":\($0)" } ?? "")"
  }

  private func setting(_ key: String) -> String { "\(record.document.settingsName) \(key)" }
}

extension ClosedRange<Int> {
  fileprivate func description(of what: String) -> String {
    "\(what) from \(lowerBound) to \(Self.grouped(upperBound))"
  }

  /// Returns a number with the underscores that a configuration may have in it, e.g. `1_000_000`.
  private static func grouped(_ number: Int) -> String {
    guard number >= 10_000 else { return "\(number)" }
    let digits = Array("\(number)")
    return digits.indices.map { ($0 > 0 && (digits.count - $0) % 3 == 0 ? "_" : "") + String(digits[$0]) }.joined()
  }
}
