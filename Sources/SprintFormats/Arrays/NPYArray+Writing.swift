import Foundation

extension NPYArray {
  /// Writes an npz file with one array of bytes, without compression.
  ///
  /// - Parameters:
  ///   - name: the array's name, e.g. `arr_0`
  ///   - shape: the extents, outermost first
  ///   - comment: text about the file
  package static func writeNPZ(
    _ values: [UInt8], shape: [Int], name: String, comment: String = "", to path: String
  ) throws {
    try ZipArchive.write(npy(values, shape), name: "\(name).npy", comment: comment, to: path)
  }

  /// Returns an npy file, format 1.0: magic, version, header padded to 64 bytes, elements in C order.
  private static func npy(_ values: [UInt8], _ shape: [Int]) -> Data {
    precondition(shape.reduce(1, *) == values.count, "\(values.count) values for \(shape)")
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(extents)), }"
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
    withUnsafeBytes(of: UInt16(header.utf8.count).littleEndian) { data.append(contentsOf: $0) }
    data.append(contentsOf: header.utf8)
    data.append(contentsOf: values)
    return data
  }
}
