import Foundation
import Yams

/// A YAML document in which settings of the form `key=value` have replaced single values.
package struct ConfigurationDocument {
  let node: Node
  /// The name of the document in messages.
  let source: String
  /// The keys that settings have replaced, such as `stages[0].steps`.
  let overridden: Set<String>
  /// What messages put in front of a setting.
  let settingsName: String
  /// Whether a user names the data now; in the document of a checkpoint they may have moved since.
  private(set) var namesData = false

  /// Reads a file and applies settings.
  ///
  /// - Parameters:
  ///   - settings: each `key=value`, with keys such as `stages[0].steps` or `stages.0.steps`
  ///   - settingsName: what messages put in front of a setting, such as the option that it comes from
  package init(path: String, settings: [String] = [], settingsName: String = "setting") throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ConfigurationError("\(path): the configuration file does not exist or cannot be read")
    }
    guard data.count <= YAMLBounds.largest else {
      throw ConfigurationError(
        "\(path): a configuration file of \(data.count) bytes, expected at most \(YAMLBounds.largest)")
    }
    // Few texts begin with a mark of UTF-16 or have a zero among their first bytes by another reason.
    let isUTF16 = data.starts(with: [0xFF, 0xFE]) || data.starts(with: [0xFE, 0xFF]) || data.prefix(2).contains(0)
    guard !isUTF16, let text = String(data: data, encoding: .utf8) else {
      throw ConfigurationError(
        "\(path): the configuration file is \(isUTF16 ? "UTF-16, expected" : "not") UTF-8 text; save it as UTF-8")
    }
    try self.init(text: text, source: path, settings: settings, settingsName: settingsName)
    namesData = true
  }

  /// Parses text and applies settings.
  ///
  /// - Parameters:
  ///   - source: the name of the document in messages
  ///   - settings: each `key=value`, with keys such as `stages[0].steps` or `stages.0.steps`
  ///   - settingsName: what messages put in front of a setting, such as the option that it comes from
  package init(
    text: String, source: String, settings: [String] = [], settingsName: String = "setting"
  ) throws {
    (self.source, self.settingsName) = (source, settingsName)
    var node: Node
    do {
      if let problem = YAMLBounds.problem(in: text) { throw ConfigurationError("\(source)\(problem)") }
      node = try (compose(yaml: text) ?? Node([:])).merged(source)
    } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
      throw ConfigurationError(
        "\(source):\(context.mark.line): `\(keys.sorted().joined(separator: "`, `"))` stands more than once in a "
          + "mapping; keep one of them")
    } catch let error as YamlError {
      let remedy =
        "\(error)".contains("${") ? "; sprint does not replace variables such as ${NAME}: write their value" : ""
      throw ConfigurationError("\(source): not valid YAML: \(Self.oneLine(error))\(remedy)")
    }
    var overridden: Set<String> = []
    for setting in settings {
      let name = "\(settingsName) \(setting)"
      let (key, value) = try Self.split(setting, name: name, example: "\(settingsName) stages[0].steps=100")
      let parts = key.replacing("[", with: ".").replacing("]", with: "").split(separator: ".").map(String.init)
      node = try Self.replacing(parts[...], in: node, with: value, name: name)
      overridden.insert(Self.canonical(parts))
    }
    (self.node, self.overridden) = (node, overridden)
  }

  /// Whether the document has a part that only configurations of runs have.
  package var isConfiguration: Bool { node.mapping?["model"] != nil || node.mapping?["stages"] != nil }

  /// The whole document as YAML.
  package func text() throws -> String { try serialize(node: node) }

  private static func split(_ setting: String, name: String, example: String) throws -> (String, Node) {
    let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty, YAMLBounds.problem(in: parts[1]) == nil,
      let value = try? compose(yaml: parts[1])?.merged(name)
    else {
      throw ConfigurationError("\(name): expected key=value, for example \(example)")
    }
    return (parts[0], value)
  }

  /// Returns `node` with `value` at `path`; mappings that are missing on the way are added.
  private static func replacing(_ path: ArraySlice<String>, in node: Node?, with value: Node, name: String) throws
    -> Node
  {
    guard let key = path.first else { return value }
    if let index = Int(key) {
      guard var sequence = node?.sequence, sequence.indices.contains(index) else {
        throw ConfigurationError("\(name): there is no entry \(index) in a list of \(node?.sequence?.count ?? 0)")
      }
      sequence[index] = try replacing(path.dropFirst(), in: sequence[index], with: value, name: name)
      return .sequence(sequence)
    }
    guard node?.sequence == nil else {
      throw ConfigurationError("\(name): `\(key)` would stand in a list; number the entry, as in stages[0].steps")
    }
    guard node == nil || node?.mapping != nil else {
      throw ConfigurationError("\(name): `\(key)` would stand inside a value that is not a mapping")
    }
    var mapping = node?.mapping ?? Node.Mapping([])
    mapping[Node(key)] = try replacing(path.dropFirst(), in: mapping[Node(key)], with: value, name: name)
    return .mapping(mapping)
  }

  /// Returns the key in the form `stages[0].steps`.
  private static func canonical(_ parts: [String]) -> String {
    parts.reduce("") { $0 + (Int($1) == nil ? ($0.isEmpty ? $1 : ".\($1)") : "[\($1)]") }
  }

  private static func oneLine(_ error: YamlError) -> String {
    let text = "\(error)".split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
    // The error quotes the whole line of the document, which may be long.
    return text.count > 300 ? "\(text.prefix(300))..." : text
  }
}
