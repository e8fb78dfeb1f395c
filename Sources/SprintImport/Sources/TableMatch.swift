import SprintFormats

/// Finds the files of a source that a `dataset.json` names.
struct TableMatch {
  /// Files and classes, in ascending order of the files. A file that is not there stays under the table's name.
  private(set) var pairs: [(name: String, label: Int)]
  private var lines: [String] = []
  private let table: String
  private let names: [String]

  /// - Parameters:
  ///   - table: the path of the table, for messages
  ///   - folder: where the table lies in the source, with the `/` behind it
  ///   - names: the names in the source, in ascending order
  init(
    _ json: DatasetJSON, _ table: String, in folder: String, with names: [String], of path: String
  ) throws {
    (self.table, self.names) = (table, names)
    let entries = Self.placed(json.entries, folder, names)
    pairs = entries.map { ($0.name, $0.label) }
    guard entries.allSatisfy({ !Self.contains(names, $0.name) }) else { return }
    let first = json.entries.min { $0.place < $1.place }
    for (how, key) in [
      ("name without the ending", SampleFiles.stem), ("number at the end of the name", SampleFiles.number),
    ] {
      guard let found = Self.renamed(entries, names, key), let first else { continue }
      pairs = found.pairs.sorted { NameOrder.isBefore($0.name, $1.name) }
      lines.append(
        "\(table) names files that are not there, such as `\(first.name)`; they are taken to be those of the same "
          + "\(how), such as `\(found.example)`")
      return
    }
    let there = names.first.map { "it holds `\($0)`\(names.count > 1 ? " and \(names.count - 1) more" : "")" }
    throw FileError.unusable(
      path: table,
      problem: "`labels[\(first?.place ?? 0)]` names `\(first?.name ?? "")`, and neither it nor any other file of the "
        + "table is in \(path); \(there ?? "it holds no .npy file")")
  }

  private static func contains(_ names: [String], _ name: String) -> Bool {
    var (low, high) = (0, names.count)
    while low < high {
      let middle = (low + high) / 2
      if NameOrder.isBefore(names[middle], name) { low = middle + 1 } else { high = middle }
    }
    return low < names.count && NameOrder.isSame(names[low], name)
  }

  private static let entriesToTry = 16

  /// Returns the entries with paths from the top of the source on. They are paths from the table's own folder on, or,
  /// where those are not there, from a folder above the first file.
  private static func placed(
    _ entries: [DatasetJSON.Entry], _ folder: String, _ names: [String]
  ) -> [DatasetJSON.Entry] {
    let tried = stride(from: 0, to: entries.count, by: max(1, entries.count / entriesToTry)).map { entries[$0].name }
    var (best, most) = (folder, 0)
    for start in [folder] + folders(above: names.first ?? "") {
      let found = tried.count { contains(names, start + $0) }
      if found > most { (best, most) = (start, found) }
    }
    guard !best.isEmpty else { return entries }
    return entries.map { DatasetJSON.Entry(name: best + $0.name, label: $0.label, place: $0.place) }
  }

  private static func folders(above name: String) -> [String] {
    name.indices.filter { name[$0] == "/" }.map { String(name[...$0]) } + [""]
  }

  /// Gives entries the names of the files with the same key; nil unless every entry has one, and one of its own.
  private static func renamed(
    _ entries: [DatasetJSON.Entry], _ names: [String], _ key: (String) -> String
  ) -> (pairs: [(name: String, label: Int)], example: String)? {
    var files: [String: String] = [:]
    for name in names where files.updateValue(name, forKey: key(name)) != nil { return nil }
    var pairs: [(name: String, label: Int)] = []
    for entry in entries {
      let key = key(entry.name)
      guard !key.isEmpty, let file = files.removeValue(forKey: key) else { return nil }
      pairs.append((file, entry.label))
    }
    guard let first = entries.indices.min(by: { entries[$0].place < entries[$1].place }) else { return nil }
    return (pairs, pairs[first].name)
  }

  /// Returns lines about the match.
  ///
  /// - Parameter counts: whether a file of this name is a sample by itself
  func notes(_ counts: (String) -> Bool) -> [String] {
    var rest = pairs[...]
    var left: [String] = []
    for name in names {
      rest = rest.drop { NameOrder.isBefore($0.name, name) }
      if rest.first?.name != name, counts(name) { left.append(name) }
    }
    let reason = "\(table) names \(pairs.count) samples and gives these no class"
    return lines + [Clutter.note(left, reason)].compactMap(\.self)
  }
}
