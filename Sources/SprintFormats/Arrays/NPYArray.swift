import Foundation

/// An array in numpy's own format (npy 1.0, 2.0 or 3.0), little-endian and in C order.
package struct NPYArray: Sendable {
  /// Types of elements, by numpy's names.
  package enum Element: String, Sendable, CaseIterable {
    case float16 = "<f2"
    case float32 = "<f4"
    case float64 = "<f8"
    case int64 = "<i8"
    case int32 = "<i4"
    case uint8 = "|u1"
    case bool = "|b1"

    /// Bytes of an element.
    var size: Int {
      switch self {
      case .float64, .int64: 8
      case .float32, .int32: 4
      case .float16: 2
      case .uint8, .bool: 1
      }
    }
  }

  /// Type of the elements.
  package let element: Element
  /// Extents, outermost first; none for a single number.
  package let shape: [Int]
  /// How many elements there are.
  package let count: Int
  private let name: String
  private let data: Data

  /// Reads a file.
  package init(path: String) throws { try self.init(RandomAccessFile(reading: path).contents(), name: path) }

  /// Takes the bytes of a file; `name` is for messages.
  package init(_ file: Data, name: String) throws {
    func malformed(_ problem: String) -> FileError { .unusable(path: name, problem: problem) }
    self.name = name
    guard file.count >= 10, file.prefix(6).elementsEqual([0x93] + Array("NUMPY".utf8)) else {
      throw malformed("not an npy file: it does not start as one (\(file.count) bytes)")
    }
    let bytes = [UInt8](file.prefix(12))
    guard (1...3).contains(bytes[6]) else {
      throw malformed("npy version \(bytes[6]).\(bytes[7]), expected 1.0, 2.0 or 3.0")
    }
    let lengthBytes = bytes[6] == 1 ? 2 : 4
    guard bytes.count >= 8 + lengthBytes else { throw malformed("truncated inside the npy header") }
    let length = bytes[8..<8 + lengthBytes].reversed().reduce(0) { $0 << 8 | Int($1) }
    let start = 8 + lengthBytes + length
    guard start <= file.count else {
      throw malformed("truncated: a header of \(length) bytes in a file of \(file.count)")
    }
    let header = try NPYHeader([UInt8](file[file.startIndex + 8 + lengthBytes..<file.startIndex + start])) {
      malformed("its npy header \($0)")
    }
    (element, shape, count) = (header.element, header.shape, header.count)
    let found = file.count - start
    guard found == count * element.size else {
      throw malformed(
        "\(found < count * element.size ? "truncated: " : "")\(found) bytes of elements, "
          + "\(shape) of \(element.rawValue) need \(count * element.size)")
    }
    data = file.suffix(found)
  }

  /// The elements as floats; whole numbers and doubles are rejected.
  package func floats(into values: UnsafeMutableBufferPointer<Float>) throws {
    precondition(values.count == count, "\(count) elements for room of \(values.count)")
    switch element {
    case .float32: data.copyBytes(to: UnsafeMutableRawBufferPointer(values), from: data.indices)
    case .float16:
      data.withUnsafeBytes { bytes in
        for i in values.indices { values[i] = Float(bytes.loadUnaligned(fromByteOffset: 2 * i, as: Float16.self)) }
      }
    default: throw FileError.unusable(path: name, problem: "elements of type \(element.rawValue), expected <f4 or <f2")
    }
  }

  /// The elements as whole numbers; others are rejected.
  package func integers() throws -> [Int64] {
    try data.withUnsafeBytes { bytes in
      try (0..<count).map { i in
        switch element {
        case .int64: bytes.loadUnaligned(fromByteOffset: 8 * i, as: Int64.self)
        case .int32: Int64(bytes.loadUnaligned(fromByteOffset: 4 * i, as: Int32.self))
        case .uint8: Int64(bytes[i])
        default:
          throw FileError.unusable(
            path: name, problem: "elements of type \(element.rawValue), expected <i8, <i4 or |u1")
        }
      }
    }
  }
}

/// The header: a Python dictionary with `descr`, `fortran_order` and `shape`.
private struct NPYHeader {
  private(set) var element = NPYArray.Element.uint8
  private(set) var shape: [Int] = []
  private(set) var count = 1
  private var scanner: PythonScanner

  init(_ bytes: [UInt8], _ malformed: (String) -> FileError) throws {
    scanner = PythonScanner(bytes)
    var known: Set<String> = []
    guard scanner.take("{") else { throw malformed("is no dictionary") }
    while !scanner.take("}") {
      guard let key = scanner.string(), scanner.take(":") else { throw malformed("is no dictionary of texts") }
      guard known.insert(key).inserted else { throw malformed("has `\(key)` twice") }
      try read(key, malformed)
      guard scanner.take(",") || scanner.isNext("}") else { throw malformed("does not end") }
    }
    guard known == ["descr", "fortran_order", "shape"] else {
      throw malformed("has the keys \(known.sorted()), expected descr, fortran_order and shape")
    }
  }

  private mutating func read(_ key: String, _ malformed: (String) -> FileError) throws {
    switch key {
    case "descr":
      guard let text = scanner.string() else { throw malformed("describes no plain type of elements") }
      guard let element = NPYArray.Element(rawValue: text) else {
        let remedy =
          text.hasPrefix(">") ? "big-endian; convert it with a.astype('\(text.replacing(">", with: "<"))')" : ""
        throw malformed(
          "names elements of type \(text)\(remedy.isEmpty ? "" : ", \(remedy)"); known are "
            + NPYArray.Element.allCases.map(\.rawValue).joined(separator: ", "))
      }
      self.element = element
    case "fortran_order":
      guard scanner.take("False") else {
        throw malformed("says Fortran order, expected C order; save numpy.ascontiguousarray(a)")
      }
    case "shape":
      guard let extents = scanner.tuple(), extents.count <= 32 else { throw malformed("has no tuple of extents") }
      shape = extents
      for extent in extents {
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard !overflow, product < Int.max / 8 else { throw malformed("has the impossible shape \(extents)") }
        count = product
      }
    default: throw malformed("has the unknown key `\(key)`")
    }
  }
}

/// Reads the few kinds of Python literals that stand in such headers.
private struct PythonScanner {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private mutating func skipSpace() {
    while place < bytes.count, [0x20, 0x0a, 0x0d, 0x09].contains(bytes[place]) { place += 1 }
  }

  mutating func isNext(_ token: String) -> Bool {
    skipSpace()
    return bytes[place...].starts(with: token.utf8)
  }

  mutating func take(_ token: String) -> Bool {
    guard isNext(token) else { return false }
    place += token.utf8.count
    return true
  }

  /// A text in single or double quotes, without escapes.
  mutating func string() -> String? {
    guard isNext("'") || isNext("\"") else { return nil }
    guard let end = bytes[(place + 1)...].firstIndex(of: bytes[place]) else { return nil }
    defer { place = end + 1 }
    return String(decoding: bytes[place + 1..<end], as: UTF8.self)
  }

  /// A whole number of at most 18 digits.
  mutating func integer() -> Int? {
    skipSpace()
    let digits = bytes[place...].prefix { (0x30...0x39).contains($0) }
    guard (1...18).contains(digits.count) else { return nil }
    place += digits.count
    _ = take("L")  // Python 2 wrote long integers so.
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  /// `()`, `(8,)` or `(8, 32, 32)`.
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
