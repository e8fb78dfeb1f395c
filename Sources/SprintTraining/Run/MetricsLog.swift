import Foundation
import SprintFormats

/// `metrics.jsonl`: one JSON object a line.
package final class MetricsLog {
  private let file: UnsafeMutablePointer<FILE>
  private let path: String

  /// Opens the log to append to it, after cutting off the lines of steps after `step`, so that no step appears twice.
  package init(path: String, after step: Int) throws {
    self.path = path
    if let text = try? String(contentsOfFile: path, encoding: .utf8) {
      let kept = text.split(separator: "\n").filter { line in
        guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
          return false
        }
        return (object["step"] as? Int).map { $0 <= step } ?? false
      }
      try AtomicFile.write(Data(kept.map { $0 + "\n" }.joined().utf8), to: path)
    }
    guard let file = fopen(path, "a") else { throw FileError.last(path, "open") }
    self.file = file
  }

  deinit { fclose(file) }

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
    case .text(let value): "\"\(value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }
  }
}
