/// Scans the few Python literals that occur in npy headers.
struct PythonScanner {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private mutating func skipSpace() {
    while place < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[place]) { place += 1 }
  }

  /// Skips space and returns whether `token` follows.
  mutating func isNext(_ token: String) -> Bool {
    skipSpace()
    return bytes[place...].starts(with: token.utf8)
  }

  /// Skips `token` if it follows; returns whether it does.
  mutating func take(_ token: String) -> Bool {
    guard isNext(token) else { return false }
    place += token.utf8.count
    return true
  }

  /// Returns the next byte and skips it; nil at the end.
  mutating func next() -> UInt8? {
    guard place < bytes.count else { return nil }
    defer { place += 1 }
    return bytes[place]
  }

  /// Scans a text in single or double quotes, without escapes.
  mutating func string() -> String? {
    guard isNext("'") || isNext("\"") else { return nil }
    guard let end = bytes[(place + 1)...].firstIndex(of: bytes[place]) else { return nil }
    defer { place = end + 1 }
    return String(decoding: bytes[place + 1..<end], as: UTF8.self)
  }

  /// Scans a whole number of at most 18 digits.
  mutating func integer() -> Int? {
    skipSpace()
    let digits = bytes[place...].prefix { (0x30...0x39).contains($0) }
    guard (1...18).contains(digits.count) else { return nil }
    place += digits.count
    _ = take("L")  // Python 2 writes long integers this way.
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  /// Scans a tuple: `()`, `(8,)` or `(8, 32, 32)`.
  mutating func tuple() -> [Int]? {
    guard take("(") else { return nil }
    var numbers: [Int] = []
    while !take(")") {
      guard let number = integer(), take(",") || isNext(")") else { return nil }
      numbers.append(number)
    }
    return numbers
  }
}
