import SprintFormats

/// What a file or a folder is, some remarks, and what is in it.
struct FileInspection: Inspected {
  /// A part of the file.
  struct Entry: Encodable {
    let name: String
    var type: String?
    var shape: [Int]?
    /// How deep it stands below the first level; for the text only.
    var depth = 0

    private enum CodingKeys: CodingKey {
      case name, type, shape
    }

    fileprivate var line: String {
      let words = [name, type, shape.map { "\($0)" }].compactMap(\.self)
      return String(repeating: "  ", count: depth + 1) + words.joined(separator: " ")
    }
  }

  /// One line: what it is.
  let what: String
  /// More lines about it.
  var notes: [String] = []
  /// What is in it.
  var entries: [Entry] = []

  private static let mostEntries = 30

  var lines: [String] {
    [what] + notes.map { "  \($0)" } + Self.cut(entries.map(\.line), to: Self.mostEntries)
  }

  /// The first lines, and how many more there are.
  static func cut(_ lines: [String], to most: Int) -> [String] {
    lines.count <= most ? lines : lines.prefix(most) + ["  ... and \(lines.count - most) more, see --json"]
  }

  /// Several names in one line, the first few of them.
  static func listed(_ names: some Collection<String>, most: Int = 5) -> String {
    names.prefix(most).joined(separator: ", ") + (names.count > most ? ", ... (\(names.count) in all)" : "")
  }

  /// A number with its noun.
  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  /// A size such as `12.3 MB`.
  static func size(_ bytes: Int) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    return unit == 0 ? count(bytes, "byte") : "\((value * 10).rounded() / 10) \(units[unit])"
  }

  /// What an error says without the path in front of it.
  static func problem(_ error: any Error, of path: String) -> String {
    let text = "\(error)"
    return text.hasPrefix("\(path): ") ? String(text.dropFirst(path.count + 2)) : text
  }
}
