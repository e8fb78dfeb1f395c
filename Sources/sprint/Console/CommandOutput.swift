import ArgumentParser
import Foundation

/// How a command shows what it found.
struct CommandOutput: ParsableArguments {
  @Flag(help: "One JSON object on one line.")
  var json = false

  /// Prints a result as JSON, or its lines of name and value as a table.
  func show(_ result: some Encodable, _ lines: [(name: String, value: String)]) throws {
    guard !json else { return try Self.printJSON(result) }
    let width = lines.map(\.name.count).max() ?? 0
    lines.forEach { Console.line($0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.value) }
  }

  /// Prints one object on one line.
  static func printJSON(_ result: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    Console.line(String(decoding: try encoder.encode(result), as: UTF8.self))
  }
}
