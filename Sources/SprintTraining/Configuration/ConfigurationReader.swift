import Yams

/// Reads one mapping of a YAML document key by key: checks type and range, remembers every value including defaults, and
/// finally complains of keys that nobody asked for.
final class ConfigurationReader {
  /// Every key read so far with its value, in the order of reading; shared by all readers of a document.
  final class Record {
    fileprivate(set) var values: [(key: String, value: String)] = []
    let source: String
    /// Keys that were set on the command line.
    let overridden: Set<String>

    init(source: String, overridden: Set<String>) { (self.source, self.overridden) = (source, overridden) }
  }

  private let path: String
  private let mapping: Node.Mapping?
  private let line: Int?
  private let record: Record
  private var known: [String] = []

  /// A reader of `node`, which has to be a mapping, or nothing where a section is left out.
  init(_ node: Node?, path: String, record: Record) throws {
    (self.path, self.record) = (path, record)
    line = node?.mark?.line
    switch node {
    case nil: mapping = nil
    case .mapping(let mapping): self.mapping = mapping
    case .scalar(let scalar) where scalar.string.isEmpty || scalar.string == "null": mapping = nil
    default:
      mapping = nil
      throw ConfigurationError(
        place(path), key: path.isEmpty ? "(document)" : path, "has to be a mapping of keys to values")
    }
  }

  /// Whether the document has this key.
  func has(_ key: String) -> Bool { mapping?[Node(key)] != nil }

  /// A whole number in `range`.
  func integer(_ key: String, default value: Int? = nil, in range: ClosedRange<Int> = 1...Int.max) throws -> Int {
    try scalar(key, default: value, expected: range.description(of: "a whole number")) { text in
      Int(text.replacing("_", with: "")).flatMap { range.contains($0) ? $0 : nil }
    }
  }

  /// A number for which `accepts` holds.
  func number(
    _ key: String, default value: Double? = nil, _ expected: String = "a number",
    where accepts: (Double) -> Bool = { _ in true }
  ) throws -> Double {
    try scalar(key, default: value, expected: expected) { text in
      Double(text.replacing("_", with: "")).flatMap { $0.isFinite && accepts($0) ? $0 : nil }
    }
  }

  /// A probability, 0 to 1.
  func probability(_ key: String, default value: Double) throws -> Double {
    try number(key, default: value, "a number from 0 to 1") { (0...1).contains($0) }
  }

  /// True or false.
  func boolean(_ key: String, default value: Bool) throws -> Bool {
    try scalar(key, default: value, expected: "true or false") { ["true": true, "false": false][$0.lowercased()] }
  }

  /// A text.
  func text(_ key: String, default value: String? = nil) throws -> String {
    try scalar(key, default: value, expected: "a text") { $0 }
  }

  /// One of an enumeration's cases.
  func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, default value: Choice? = nil) throws -> Choice
  where Choice.RawValue == String {
    let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    let text: String = try scalar(key, default: value?.rawValue, expected: "one of \(names)") { text in
      Choice(rawValue: text) == nil ? nil : text
    }
    guard let choice = Choice(rawValue: text) else { preconditionFailure("a choice that was just checked") }
    return choice
  }

  /// A list of texts; a single text is a list of one.
  func texts(_ key: String, default value: [String]? = nil) throws -> [String] {
    try list(key, default: value, of: "texts") { $0.string }
  }

  /// A list of whole numbers, none negative.
  func integers(_ key: String, default value: [Int]? = nil) throws -> [Int] {
    try list(key, default: value, of: "whole numbers, none negative") {
      $0.string.flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 }
    }
  }

  /// A list of numbers.
  func numbers(_ key: String, default value: [Double]? = nil) throws -> [Double] {
    try list(key, default: value, of: "numbers") { $0.string.flatMap(Double.init) }
  }

  private func list<Element>(_ key: String, default value: [Element]?, of what: String, _ convert: (Node) -> Element?)
    throws -> [Element]
  {
    known.append(key)
    guard let node = mapping?[Node(key)] else {
      guard let value else { throw error(key, "is missing; it has to be a list of \(what)") }
      return note(key, value)
    }
    let nodes = node.sequence.map(Array.init) ?? [node]
    let elements = nodes.compactMap(convert)
    guard elements.count == nodes.count, !nodes.isEmpty else { throw error(key, "has to be a list of \(what)") }
    return note(key, elements)
  }

  /// The mapping under `key`; an empty one where it is left out.
  func section(_ key: String) throws -> ConfigurationReader {
    known.append(key)
    return try ConfigurationReader(mapping?[Node(key)], path: full(key), record: record)
  }

  /// The mappings listed under `key`, or nil where it is left out.
  func sections(_ key: String) throws -> [ConfigurationReader]? {
    known.append(key)
    guard let node = mapping?[Node(key)] else { return nil }
    guard let sequence = node.sequence, !sequence.isEmpty else { throw error(key, "has to be a list of mappings") }
    return try sequence.enumerated().map { try ConfigurationReader($1, path: "\(full(key))[\($0)]", record: record) }
  }

  /// A mapping at `path` that the document leaves out: everything in it has its default.
  func empty(_ path: String) throws -> ConfigurationReader { try ConfigurationReader(nil, path: path, record: record) }

  /// Complains of the first key that nobody asked for, and names the nearest that somebody did.
  func finish() throws {
    for pair in mapping ?? Node.Mapping([]) {
      let node = pair.key
      let key = node.string ?? "?"
      if known.contains(key) { continue }
      let nearest = known.min { key.distance(to: $0) < key.distance(to: $1) }
      // Keys that stand in no file were put there by --set.
      throw ConfigurationError(
        node.mark == nil ? "--set \(full(key))" : place(full(key), node.mark?.line), key: full(key),
        "is not a known key\(nearest.map { "; did you mean `\($0)`?" } ?? "")")
    }
  }

  /// An error about `key`, with the place it stands at.
  func error(_ key: String, _ problem: String) -> ConfigurationError {
    let node = mapping?[Node(key)]
    return ConfigurationError(place(full(key), node?.mark?.line), key: full(key), problem)
  }

  private func scalar<Value>(
    _ key: String, default value: Value?, expected: String, _ convert: (String) -> Value?
  ) throws -> Value {
    known.append(key)
    guard let node = mapping?[Node(key)] else {
      guard let value else { throw error(key, "is missing; it has to be \(expected)") }
      return note(key, value)
    }
    guard let scalar = node.scalar, let converted = convert(scalar.string) else {
      throw error(key, "is \(node.scalar.map { "`\($0.string)`" } ?? "no single value"), expected \(expected)")
    }
    return note(key, converted)
  }

  private func note<Value>(_ key: String, _ value: Value) -> Value {
    record.values.append((full(key), "\(value)"))
    return value
  }

  private func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private func place(_ key: String, _ ownLine: Int? = nil) -> String {
    if record.overridden.contains(where: { key == $0 || key.hasPrefix($0 + ".") || key.hasPrefix($0 + "[") }) {
      return "--set \(key)"
    }
    return "\(record.source)\((ownLine ?? line).map { ":\($0)" } ?? "")"
  }
}

extension ClosedRange<Int> {
  fileprivate func description(of what: String) -> String {
    upperBound == .max ? "\(what), at least \(lowerBound)" : "\(what) from \(lowerBound) to \(upperBound)"
  }
}

extension String {
  /// Levenshtein's distance: insertions, deletions and replacements between two words.
  fileprivate func distance(to other: String) -> Int {
    let (a, b) = (Array(self), Array(other))
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        (diagonal, row[j + 1]) = (row[j + 1], Swift.min(diagonal + (a[i] == b[j] ? 0 : 1), row[j] + 1, row[j + 1] + 1))
      }
    }
    return row[b.count]
  }
}
