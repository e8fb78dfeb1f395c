import Foundation

/// An array in numpy's own format (npy 1.0, 2.0 or 3.0), in C order.
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
package struct NPYArray: Sendable {
  /// The type of the elements.
  package let element: NumberType
  /// The extents, outermost first; none for a single number.
  package let shape: [Int]
  /// The number of elements.
  package let count: Int
  private let name: String
  private let data: Data

  /// Reads a file.
  package init(path: String) throws {
    let contents = try RandomAccessFile(reading: path).contents()
    do { try self.init(contents, name: path) } catch {
      throw Pickle.refusal(of: path, .npy) ?? FileError.otherKind(path, expected: .npy) ?? error
    }
  }

  /// Parses the bytes of a file; error messages call the file `name`.
  package init(_ file: Data, name: String) throws {
    func malformed(_ problem: String) -> FileError { .unusable(path: name, problem: problem) }
    self.name = name
    let range = try Self.headerRange(of: file, malformed)
    let header = try NPYHeader([UInt8](file[file.startIndex + range.lowerBound..<file.startIndex + range.upperBound])) {
      malformed("its npy header \($0)")
    }
    (element, shape, count) = (header.element, header.shape, header.count)
    let found = file.count - range.upperBound
    guard found == count * element.size else {
      throw malformed(
        "\(found < count * element.size ? "truncated: " : "")\(found) bytes of elements, "
          + "\(shape) of \(header.elementName) need \(count * element.size)")
    }
    data = header.isBigEndian ? Self.swapped(file.suffix(found), element.size) : file.suffix(found)
  }

  private static func swapped(_ big: Data, _ size: Int) -> Data {
    var little = Data(capacity: big.count)
    for start in stride(from: big.startIndex, to: big.endIndex, by: size) {
      little.append(contentsOf: big[start..<start + size].reversed())
    }
    return little
  }

  /// Returns the place of the header, behind the magic bytes, the version and the header's length.
  static func headerRange(of file: Data, _ malformed: (String) -> FileError) throws -> Range<Int> {
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
    let start = 8 + lengthBytes
    guard start + length <= file.count else {
      throw malformed("truncated: a header of \(length) bytes in a file of \(file.count)")
    }
    return start..<start + length
  }

  /// Copies the elements as float32; throws unless they are floats.
  package func floats(into values: UnsafeMutableBufferPointer<Float>) throws {
    precondition(values.count == count, "\(count) elements for room of \(values.count)")
    switch element {
    case .float32: data.copyBytes(to: UnsafeMutableRawBufferPointer(values), from: data.indices)
    case .float16:
      data.withUnsafeBytes { bytes in
        for i in values.indices { values[i] = Float(bytes.loadUnaligned(fromByteOffset: 2 * i, as: Float16.self)) }
      }
    case .float64:
      data.withUnsafeBytes { bytes in
        for i in values.indices { values[i] = Float(bytes.loadUnaligned(fromByteOffset: 8 * i, as: Double.self)) }
      }
    default:
      throw FileError.unusable(
        path: name, problem: "elements of type \(element.numpy ?? ""), expected floats: <f4, <f2 or <f8")
    }
  }

  /// Returns the elements, whatever type they are stored in.
  package func doubles() -> [Double] { data.withUnsafeBytes { element.doubles($0) } }

  /// Returns the elements as whole numbers, whatever type they are stored in; throws if one of them is none.
  package func integers() throws -> [Int64] {
    try data.withUnsafeBytes { try element.integers($0) { .unusable(path: name, problem: $0) } }
  }
}
