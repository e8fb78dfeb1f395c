import Foundation

/// The fields of a JSON object in their order. The lines of the log are flat; of lines that another program wrote, the
/// objects and arrays inside are left out.
struct FlatObject {
  let fields: [(name: String, value: MetricValue)]

  /// Reads a line; nil where it is not a JSON object.
  init?(json: UnsafeRawBufferPointer) {
    var scanner = JSONScanner(json)
    if let fields = scanner.flatObject() {
      self.fields = fields
    } else {
      guard let object = try? JSONSerialization.jsonObject(with: Data(json)) as? [String: Any] else { return nil }
      fields = object.keys.sorted().compactMap { name in MetricValue(object[name]).map { (name, $0) } }
    }
  }

  subscript(name: String) -> MetricValue? { fields.first { $0.name == name }?.value }

  /// The step that the line belongs to.
  var step: Int? { integer("step") }

  /// A whole number; nil where the field holds none.
  func integer(_ name: String) -> Int? {
    switch self[name] {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    case .text, nil: nil
    }
  }

  /// A text; empty where the field holds none.
  func text(_ name: String) -> String { if case .text(let text) = self[name] { text } else { "" } }
}

extension MetricValue {
  fileprivate init?(_ value: Any?) {
    switch value {
    case let text as String: self = .text(text)
    case let number as NSNumber: self = Int(exactly: number).map { .integer($0) } ?? .number(number.doubleValue)
    case is NSNull: self = .number(.nan)
    default: return nil
    }
  }
}

/// Scans flat JSON objects; much faster than a parser for all of JSON, whose answers it never contradicts.
private struct JSONScanner {
  private let bytes: UnsafeRawBufferPointer
  private var place = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// Scans an object that fills all bytes; nil where it is damaged or not flat.
  mutating func flatObject() -> [(name: String, value: MetricValue)]? {
    var fields: [(name: String, value: MetricValue)] = []
    fields.reserveCapacity(16)
    guard take("{") else { return nil }
    if take("}") { return isAtEnd ? fields : nil }
    repeat {
      guard let name = text(), take(":"), let value = value() else { return nil }
      fields.append((name, value))
    } while take(",")
    return take("}") && isAtEnd ? fields : nil
  }

  private var isAtEnd: Bool {
    mutating get {
      skipSpace()
      return place == bytes.count
    }
  }

  private var next: UInt8 { place < bytes.count ? bytes[place] : 0 }

  private mutating func skipSpace() { while [0x20, 0x09, 0x0d].contains(next) { place += 1 } }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard next == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func value() -> MetricValue? {
    skipSpace()
    switch next {
    case UInt8(ascii: "\""): return text().map { .text($0) }
    case UInt8(ascii: "n"): return take(word: "null") ? .number(.nan) : nil
    default: return number()
    }
  }

  private mutating func take(word: StaticString) -> Bool {
    guard bytes.count - place >= word.utf8CodeUnitCount,
      bytes[place...].starts(with: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    else { return false }
    place += word.utf8CodeUnitCount
    return true
  }

  private mutating func text() -> String? {
    guard take("\"") else { return nil }
    let start = place
    var hasEscapes = false
    while next >= 0x20, next != UInt8(ascii: "\"") {
      if next == UInt8(ascii: "\\") { (place, hasEscapes) = (place + 1, true) }
      place += 1
    }
    guard next == UInt8(ascii: "\"") else { return nil }
    defer { place += 1 }
    if hasEscapes { return try? JSONDecoder().decode(String.self, from: Data(bytes[start - 1...place])) }
    return String(validating: UnsafeRawBufferPointer(rebasing: bytes[start..<place]), as: UTF8.self)
  }

  private mutating func number() -> MetricValue? {
    let start = place
    if next == UInt8(ascii: "-") { place += 1 }
    let digits = place
    guard skipDigits(), bytes[digits] != UInt8(ascii: "0") || place == digits + 1 else { return nil }
    var isWhole = true
    if next == UInt8(ascii: ".") {
      (place, isWhole) = (place + 1, false)
      guard skipDigits() else { return nil }
    }
    if next | 0x20 == UInt8(ascii: "e") {
      (place, isWhole) = (place + 1, false)
      if next == UInt8(ascii: "-") || next == UInt8(ascii: "+") { place += 1 }
      guard skipDigits() else { return nil }
    }
    let token = UnsafeRawBufferPointer(rebasing: bytes[start..<place])
    if isWhole, let integer = Int(String(decoding: token, as: UTF8.self)) { return .integer(integer) }
    return Double(String(decoding: token, as: UTF8.self)).map { .number($0) }
  }

  private mutating func skipDigits() -> Bool {
    let start = place
    while UInt8(ascii: "0")...UInt8(ascii: "9") ~= next { place += 1 }
    return place > start
  }
}
