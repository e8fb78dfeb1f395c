import Foundation
import Yams

/// A configuration as text: a YAML file with what was set on the command line put in its place.
package struct ConfigurationDocument {
  let node: Node
  let source: String
  let overridden: Set<String>

  /// Reads a file and applies `--set` options, each `key=value` with keys such as `stages[0].steps` or `stages.0.steps`.
  package init(path: String, settings: [String] = []) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ConfigurationError("\(path): the configuration file does not exist or cannot be read")
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw ConfigurationError("\(path): the configuration file is not UTF-8 text")
    }
    try self.init(text: text, source: path, settings: settings)
  }

  /// The same for text at hand; `source` says where it is from.
  package init(text: String, source: String, settings: [String] = []) throws {
    self.source = source
    var node: Node
    do {
      node = try compose(yaml: text) ?? Node([:])
    } catch let error as YamlError {
      throw ConfigurationError("\(source): not valid YAML: \(Self.oneLine(error))")
    }
    var overridden: Set<String> = []
    for setting in settings {
      let (key, value) = try Self.split(setting)
      let parts = key.replacing("[", with: ".").replacing("]", with: "").split(separator: ".").map(String.init)
      node = try Self.setting(value, at: parts[...], in: node, setting: setting)
      overridden.insert(Self.canonical(parts))
    }
    (self.node, self.overridden) = (node, overridden)
  }

  /// The whole document as YAML.
  package func text() throws -> String { try serialize(node: node) }

  private static func split(_ setting: String) throws -> (String, Node) {
    let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, !parts[0].isEmpty, let value = try? compose(yaml: parts[1]) else {
      throw ConfigurationError("--set \(setting): expected key=value, for example --set stages[0].steps=100")
    }
    return (parts[0], value)
  }

  private static func setting(_ value: Node, at path: ArraySlice<String>, in node: Node?, setting: String) throws
    -> Node
  {
    guard let key = path.first else { return value }
    if let index = Int(key) {
      guard var sequence = node?.sequence, sequence.indices.contains(index) else {
        throw ConfigurationError("--set \(setting): there is no entry \(index) in \(node?.sequence?.count ?? 0)")
      }
      sequence[index] = try Self.setting(value, at: path.dropFirst(), in: sequence[index], setting: setting)
      return .sequence(sequence)
    }
    guard node == nil || node?.mapping != nil else {
      throw ConfigurationError("--set \(setting): `\(key)` would stand inside a value that is no mapping")
    }
    var mapping = node?.mapping ?? Node.Mapping([])
    mapping[Node(key)] = try Self.setting(value, at: path.dropFirst(), in: mapping[Node(key)], setting: setting)
    return .mapping(mapping)
  }

  /// `stages[0].steps`, however the index was written.
  private static func canonical(_ parts: [String]) -> String {
    parts.reduce("") { $0 + (Int($1) == nil ? ($0.isEmpty ? $1 : ".\($1)") : "[\($1)]") }
  }

  private static func oneLine(_ error: YamlError) -> String {
    let text = "\(error)".split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
    // It quotes the whole line, however long that is.
    return text.count > 300 ? "\(text.prefix(300))..." : text
  }
}
