import Foundation

/// The parts of a shell command that a message tells the user to run.
package enum ToldCommand {
  /// A text as one word of a shell.
  package static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "'\\''"))'" }

  /// The first of `stem.ending`, `stem-SUFFIX.ending`, `stem-SUFFIX-2.ending`, ... that does not exist yet.
  static func newPath(_ stem: String, _ suffix: String, _ ending: String) -> String {
    var (out, number) = ("\(stem).\(ending)", 1)
    while FileManager.default.fileExists(atPath: out) {
      out = "\(stem)-\(suffix)\(number == 1 ? "" : "-\(number)").\(ending)"
      number += 1
    }
    return out
  }
}
