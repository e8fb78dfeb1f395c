import Foundation

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
