import Yams

extension ConfigurationReader {
  /// Throws an error for the first key that no configuration has, here and in the sections below, and says what it may
  /// mean. A misspelt key thus comes before the value that is missing because of it.
  func checkKeys() throws {
    for (key, value) in mapping ?? Node.Mapping([]) {
      guard let name = key.string, keys.contains(name) else { throw unknown(key) }
      for child in try children(name, value) { try child.checkKeys() }
    }
  }

  private var section: String { ConfigurationKeys.section(at: path) }

  /// Returns readers of the mappings under a key. Values of other kinds are reported where they are read.
  private func children(_ key: String, _ node: Node) throws -> [ConfigurationReader] {
    let entries = node.sequence.map(Array.init) ?? []
    let paths = [full(key)] + entries.indices.map { "\(full(key))[\($0)]" }
    return try zip(paths, [node] + entries).filter { path, node in
      node.mapping != nil && ConfigurationKeys.sections[ConfigurationKeys.section(at: path)] != nil
    }.map { try ConfigurationReader($1, path: $0, record: record) }
  }

  private func unknown(_ node: Node) -> ConfigurationError {
    let key = node.string ?? "?"
    let usual = UsualNames.entry(of: key, in: section)
    let what = usual.map(meaning) ?? question(key)
    return unread(node, "is not a known key\(what)", remedy: usual?.remedy)
  }

  /// What other trainers' name for a key means here, as the end of a message.
  private func meaning(_ usual: UsualNames.Entry) -> String {
    guard let key = usual.key else { return usual.note.map { "; \($0)" } ?? "" }
    return "; sprint calls it `\(shown(key))`" + (usual.note.map { ", \($0)" } ?? "")
  }

  /// Asks whether the user meant a similar key, else lists those of this section, as the end of a message.
  private func question(_ key: String) -> String {
    if let dot = key.firstIndex(of: ".") {
      return "; write sections as mappings: \(Self.shortened(String(key[..<dot]))): { ... }"
    }
    let all = ConfigurationKeys.sections.sorted { $0.key < $1.key }.flatMap { section, names in
      names.map { name in
        Suggestion(name, shown: shown(ConfigurationKeys.path(section, name)), isHere: section == self.section)
      }
    }
    let closest = all.closest(to: key)
    guard closest.isEmpty else { return closest.question }
    return "; \(path.isEmpty ? "a configuration" : "`\(path)`") has \(keys.joined(separator: ", "))"
  }

  /// Returns a key as a user of this section writes it: alone if it stands here, else in full; a stage's key in the
  /// stage that this section belongs to, or in the first one.
  private func shown(_ key: String) -> String {
    let own = ConfigurationKeys.path(section, "")
    if !own.isEmpty, key.hasPrefix(own), keys.contains(String(key.dropFirst(own.count))) {
      return String(key.dropFirst(own.count))
    }
    let index = path.firstMatch(of: /\[\d+\]/).map { String($0.output) } ?? "[0]"
    return key.replacing("[]", with: index)
  }
}
