import ArgumentParser
import Foundation

/// The form in which a command prints its result.
struct CommandOutput: ParsableArguments {
  @Flag(help: "Prints one JSON object on one line.")
  var json = false

  /// Prints `result` as JSON with --json, and otherwise `lines` as a table of names and values.
  func show(_ result: some Encodable, _ lines: [(name: String, value: String)]) throws {
    guard !json else { return try Self.printJSON(result) }
    let width = lines.map(\.name.count).max() ?? 0
    lines.forEach { Console.line($0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.value) }
  }

  /// Prints one JSON object on one line.
  static func printJSON(_ result: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    Console.line(String(decoding: try encoder.encode(result), as: UTF8.self))
  }
}
