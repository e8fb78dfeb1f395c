import Foundation
import SprintFormats

/// `metrics.jsonl`: one JSON object a line.
package final class MetricsLog {
  private let file: UnsafeMutablePointer<FILE>
  private let path: String
  /// How many damaged lines were moved aside.
  package let damagedLines: Int
  /// The steps of the validation losses that the log held when it was opened: the last one.
  package let lastValidation: Int

  /// Opens the log to append to it, after cutting off the lines of steps after `step`, so that no step appears twice.
  /// Damaged lines go into a file beside the log.
  package init(path: String, after step: Int) throws {
    self.path = path
    (damagedLines, lastValidation) =
      FileManager.default.fileExists(atPath: path) ? try Self.clean(path, after: step) : (0, 0)
    guard let file = fopen(path, "a") else { throw FileError.last(path, "open") }
    self.file = file
  }

  deinit { fclose(file) }

  private static func clean(_ path: String, after step: Int) throws -> (damaged: Int, lastValidation: Int) {
    var (kept, damaged, lastValidation) = (Data(), Data(), 0)
    // The log is bytes, not text: one bad byte must not hide the lines around it.
    for line in try RandomAccessFile(reading: path).contents().split(separator: UInt8(ascii: "\n")) {
      guard let found = Self.step(of: Data(line)) else {
        damaged += line + [UInt8(ascii: "\n")]
        continue
      }
      if found <= step, Data(line).range(of: Data("validation_loss".utf8)) != nil { lastValidation = found }
      if found <= step { kept += line + [UInt8(ascii: "\n")] }
    }
    if !damaged.isEmpty { try keep(damaged, in: path + ".damaged") }
    try AtomicFile.write(kept, to: path)
    return (damaged.count { $0 == UInt8(ascii: "\n") }, lastValidation)
  }

  private static func step(of line: Data) -> Int? {
    (try? JSONSerialization.jsonObject(with: line) as? [String: Any])?["step"] as? Int
  }

  private static func keep(_ lines: Data, in path: String) throws {
    let older = FileManager.default.contents(atPath: path) ?? Data()
    try AtomicFile.write(older + lines, to: path)
  }

  /// Appends one line.
  package func write(_ line: LogLine) throws {
    let text = "{" + line.fields.map { "\"\($0.0)\": \($0.1.json)" }.joined(separator: ", ") + "}\n"
    guard fputs(text, file) >= 0, fflush(file) == 0 else { throw FileError.last(path, "write") }
  }
}

/// A value in the log.
package enum MetricValue: Sendable {
  case integer(Int), number(Double), text(String)

  /// The value as a number; NaN for a text.
  package var number: Double {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .text: .nan
    }
  }

  var json: String {
    switch self {
    case .integer(let value): "\(value)"
    // JSON knows no infinities.
    case .number(let value): value.isFinite ? "\(value)" : "null"
    // JSON's own escapes: a line break inside a text must not end the line.
    case .text(let value):
      (try? JSONEncoder.plain.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
  }
}

extension JSONEncoder {
  /// Writes slashes as they are.
  fileprivate static var plain: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    return encoder
  }
}
