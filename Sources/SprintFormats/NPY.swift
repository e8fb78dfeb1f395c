import CZlib
import Foundation

/// Arrays for numpy.
public enum NPY {
  /// An npz file with one array of bytes, stored without compression.
  ///
  /// - Parameters:
  ///   - name: what the array is called, e.g. `arr_0`
  ///   - shape: extents, outermost first
  public static func writeNPZ(_ values: [UInt8], shape: [Int], name: String, to path: String) throws {
    try AtomicFile.write(zip(npy(values, shape), name: "\(name).npy"), to: path)
  }

  /// Format 1.0: magic, version, header padded to 64 bytes, elements in C order.
  private static func npy(_ values: [UInt8], _ shape: [Int]) -> Data {
    precondition(shape.reduce(1, *) == values.count, "\(values.count) values for \(shape)")
    let extents = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(extents)), }"
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0])
    data.append(UInt16(header.utf8.count))
    data.append(contentsOf: header.utf8)
    data.append(contentsOf: values)
    return data
  }

  /// A zip archive with one stored entry.
  private static func zip(_ contents: Data, name: String) -> Data {
    let checksum = contents.withUnsafeBytes {
      UInt32(crc32_z(0, $0.bindMemory(to: UInt8.self).baseAddress, $0.count))
    }
    var entry = Data()
    for field in [20, 0, 0, 0, 0x21] as [UInt16] { entry.append(field) }  // version, flags, stored, time, 1980-01-01
    for field in [checksum, UInt32(contents.count), UInt32(contents.count)] { entry.append(field) }
    entry.append(UInt16(name.utf8.count))
    entry.append(UInt16(0))

    var archive = Data()
    archive.append(UInt32(0x0403_4b50))
    archive.append(entry)
    archive.append(contentsOf: name.utf8)
    archive.append(contents)
    let directory = archive.count
    archive.append(UInt32(0x0201_4b50))
    archive.append(UInt16(20))
    archive.append(entry)
    for field in [0, 0, 0, 0, 0, 0, 0] as [UInt16] { archive.append(field) }  // comment, disk, attributes, offset 0
    archive.append(contentsOf: name.utf8)
    let size = archive.count - directory
    archive.append(UInt32(0x0605_4b50))
    for field in [0, 0, 1, 1] as [UInt16] { archive.append(field) }
    for field in [UInt32(size), UInt32(directory)] { archive.append(field) }
    archive.append(UInt16(0))
    return archive
  }
}

extension Data {
  /// Appends a number in little-endian order.
  fileprivate mutating func append<Number: FixedWidthInteger>(_ number: Number) {
    Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
  }
}
