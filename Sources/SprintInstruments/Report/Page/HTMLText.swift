extension String {
  /// The text for HTML: special characters are replaced, and those that hide or reorder text are spelled out.
  var escaped: String {
    spelledOut.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
      "\"", with: "&quot;")
  }

  /// The text with characters that hide or reorder text spelled out, such as `\u{1b}`.
  var spelledOut: String {
    unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.isHidden {
        text += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

extension Unicode.Scalar {
  /// Whether it controls a terminal, or the direction of text.
  fileprivate var isHidden: Bool {
    switch self {
    case "\n", "\t", "\r": false
    case "\u{200e}", "\u{200f}", "\u{202a}"..."\u{202e}", "\u{2066}"..."\u{2069}": true
    default: properties.generalCategory == .control
    }
  }
}
