import Foundation

/// An npy file of format 1.0 with several extents.
func npyFile(_ values: [Float], _ extents: [Int]) -> Data {
  let shape = extents.map(String.init).joined(separator: ", ")
  let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(shape)), }"
  let padded = header + String(repeating: " ", count: 117 - header.utf8.count) + "\n"
  return Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(padded.utf8.count), 0]) + Data(padded.utf8)
    + values.withUnsafeBytes { Data($0) }
}
