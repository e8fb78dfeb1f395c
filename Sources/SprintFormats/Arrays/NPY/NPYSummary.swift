import Foundation

/// The header of an npy array of any type, also of those that sprint does not compute with.
package struct NPYSummary: Sendable {
  /// The type of the elements under numpy's name, such as `<f4`; `records` for several fields.
  package private(set) var type = "?"
  /// The extents, outermost first.
  package private(set) var shape: [Int] = []
  /// Whether the first index varies fastest.
  package private(set) var isFortran = false

  /// Whether the elements are objects of Python, stored as a pickle.
  package var hasObjects: Bool { type.contains("O") }

  /// Whether the file at `path` is an array of Python's objects.
  package static func hasObjects(_ path: String) -> Bool {
    guard let file = try? RandomAccessFile(reading: path), let size = try? file.size,
      let head = try? file.bytes(at: 0, count: min(size, headBytes))
    else { return false }
    return NPYSummary(head: Data(head))?.hasObjects ?? false
  }

  /// Enough for the header of every array but those of very many fields.
  package static let headBytes = 1 << 16

  /// Parses the beginning of a file; nil if it is none of an npy array.
  package init?(head: Data) {
    let bytes = [UInt8](head.prefix(Self.headBytes))
    guard bytes.count > 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else { return nil }
    let start = bytes[6] == 1 ? 10 : 12
    let length = bytes[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    var scanner = PythonScanner(Array(bytes.dropFirst(start).prefix(length)))
    guard scanner.take("{") else { return nil }
    while !scanner.take("}") {
      guard let key = scanner.string(), scanner.take(":"), read(key, &scanner) else { return nil }
      _ = scanner.take(",")
    }
  }

  private mutating func read(_ key: String, _ scanner: inout PythonScanner) -> Bool {
    switch key {
    case "descr":
      if let text = scanner.string() { type = text } else { type = "records" }
      return type != "records" || scanner.skipList()
    case "fortran_order":
      isFortran = scanner.take("True")
      return isFortran || scanner.take("False")
    case "shape":
      guard let extents = scanner.tuple() else { return false }
      shape = extents
      return true
    default: return false
    }
  }
}

extension PythonScanner {
  /// Skips a list, with the lists and tuples in it; returns whether there is one.
  mutating func skipList() -> Bool {
    guard isNext("[") else { return false }
    var depth = 0
    while let byte = next() {
      if byte == UInt8(ascii: "[") || byte == UInt8(ascii: "(") { depth += 1 }
      if byte == UInt8(ascii: "]") || byte == UInt8(ascii: ")") { depth -= 1 }
      if depth == 0 { return true }
    }
    return false
  }
}
