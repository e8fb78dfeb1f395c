import Foundation
import SprintFormats

/// A value of the configuration that a run changed when it resumed. Checkpoints carry the list of them.
package struct ConfigurationChange: Sendable, Equatable, Codable {
  /// The first step with the new value.
  package let step: Int
  /// The whole key, e.g. `stages[0].learning_rate`.
  package let key: String
  /// The values; `not set` for a key that a configuration lacks.
  package let from, to: String

  /// A change of a key.
  package init(step: Int, key: String, from: String, to: String) {
    (self.step, self.key, self.from, self.to) = (step, key, from, to)
  }

  /// One line for the user.
  package var description: String { "`\(key)` was \(from), now \(to), from step \(step) on" }

  /// The changes as JSON, as a checkpoint stores them.
  static func json(_ changes: [ConfigurationChange]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(changes), as: UTF8.self)
  }

  /// Reads the changes that the checkpoint at `path` stores as `json`.
  static func read(json: String, of path: String) throws -> [ConfigurationChange] {
    do { return try JSONDecoder().decode([ConfigurationChange].self, from: Data(json.utf8)) } catch {
      throw FileError.unexpected(
        path: path, name: "changes", found: "`\(json.prefix(60))`", expected: "the changes of a configuration as JSON")
    }
  }
}
