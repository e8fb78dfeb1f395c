import Foundation
import SprintFormats

/// `metrics.jsonl`: one JSON object a line.
final class MetricsLog {
  private let file: UnsafeMutablePointer<FILE>
  private let path: String

  /// Opens the log to append to it; lines of steps after `step` are cut off first, so that no step appears twice.
  init(path: String, after step: Int) throws {
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

  /// Whether the log of a run speaks of a checkpoint that was written.
  static func mentionsCheckpoint(path: String) -> Bool {
    (try? String(contentsOfFile: path, encoding: .utf8))?.contains("\"checkpoint\": ") ?? false
  }

  /// Appends one line with the given fields in their order.
  func write(_ fields: [(String, MetricValue)]) throws {
    let line = "{" + fields.map { "\"\($0)\": \($1.json)" }.joined(separator: ", ") + "}\n"
    guard fputs(line, file) >= 0, fflush(file) == 0 else { throw FileError.last(path, "write") }
  }
}

/// A value in the log.
enum MetricValue {
  case integer(Int), number(Double), text(String)

  var json: String {
    switch self {
    case .integer(let value): "\(value)"
    // JSON knows no infinities.
    case .number(let value): value.isFinite ? "\(value)" : "null"
    case .text(let value): "\"\(value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }
  }
}
