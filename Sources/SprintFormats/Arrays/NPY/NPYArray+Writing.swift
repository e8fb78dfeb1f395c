import Foundation

extension NPYArray {
  /// An array of an npz file that is written piece by piece.
  package struct Output {
    fileprivate let entry: ZipArchive.Entry

    /// Describes an array.
    ///
    /// - Parameters:
    ///   - name: e.g. `arr_0`
    ///   - element: a type that numpy has
    ///   - shape: the extents, outermost first
    ///   - read: fills memory with the bytes of the elements, in C order, from an offset on
    package init(
      _ name: String, _ element: NumberType, shape: [Int],
      read: @escaping (_ target: UnsafeMutableRawBufferPointer, _ offset: Int) throws -> Void
    ) {
      let header = NPYArray.header(element, shape)
      let bytes = shape.reduce(element.size, *)
      entry = ZipArchive.Entry(name: "\(name).npy", size: header.count + bytes) { target, offset in
        let start = min(target.count, max(0, header.count - offset))
        if start > 0 { target.copyBytes(from: header[offset..<offset + start]) }
        let rest = UnsafeMutableRawBufferPointer(rebasing: target[start...])
        if !rest.isEmpty { try read(rest, offset + start - header.count) }
      }
    }

    /// Describes an array of numbers in memory.
    package init<Number: BitwiseCopyable>(_ name: String, _ element: NumberType, shape: [Int], _ values: [Number]) {
      precondition(
        shape.reduce(element.size, *) == values.count * MemoryLayout<Number>.stride, "\(values.count) values")
      self.init(name, element, shape: shape) { target, offset in
        values.withUnsafeBytes {
          target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + target.count]))
        }
      }
    }
  }

  /// Writes an npz file without compression, in one piece or not at all.
  ///
  /// - Parameter comment: text about the file
  package static func writeNPZ(_ arrays: [Output], comment: String = "", to path: String) throws {
    try ZipArchive.write(arrays.map(\.entry), comment: comment, to: path)
  }

  /// The beginning of an npy file, format 1.0: magic, version, header padded to 64 bytes.
  private static func header(_ element: NumberType, _ shape: [Int]) -> [UInt8] {
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '\(element.numpy ?? "")', 'fortran_order': False, 'shape': (\(extents)), }"
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    let length = withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) { Array($0) }
    return [0x93] + Array("NUMPY".utf8) + [1, 0] + length + Array(header.utf8)
  }
}
