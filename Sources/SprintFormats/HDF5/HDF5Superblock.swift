/// The first bytes of an HDF5 file. They tell why the library refuses a file. HDF5 file format, section II.A.
struct HDF5Superblock {
  /// The version of the format: 0 to 3 in files that HDF5 1.10 reads.
  let version: Int
  /// The end of the file as its header tells it, in bytes from the superblock.
  private let end: Int
  private let start: Int

  static let signature: [UInt8] = [0x89] + Array("HDF\r\n".utf8) + [0x1a, 0x0a]
  private static let newest = 3
  /// Enough for every version.
  private static let mostBytes = 64

  /// Returns the place of the signature, which may stand at 0, 512, 1024, 2048, ...; nil for a file without one.
  static func start(in file: RandomAccessFile) throws -> Int? {
    let size = try file.size
    var start = 0
    while start + signature.count <= size {
      if try file.bytes(at: start, count: signature.count) == signature { return start }
      start = start == 0 ? 512 : start * 2
    }
    return nil
  }

  /// Nil for a file without a signature, or that ends within its superblock.
  init?(_ file: RandomAccessFile) throws {
    guard let start = try Self.start(in: file), try file.size >= start + Self.mostBytes else { return nil }
    let bytes = try file.bytes(at: start, count: Self.mostBytes)
    (version, self.start) = (Int(bytes[8]), start)
    // The base address and one more stand before the end.
    let (width, first) = version < 2 ? (Int(bytes[13]), version == 0 ? 24 : 28) : (Int(bytes[9]), 12)
    let place = first + 2 * width
    let field = width <= 8 && place + width <= bytes.count ? bytes[place..<place + width] : []
    end = Int(clamping: field.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  /// Returns why HDF5 1.10 cannot open a file.
  static func reason(_ file: RandomAccessFile) throws -> String {
    guard let block = try HDF5Superblock(file) else { return "it is no HDF5 file" }
    guard block.version <= newest else {
      return "a newer HDF5 library wrote it (format \(block.version), expected at most \(newest)); "
        + "where that library is, repack it: h5repack --low=0 --high=2 IN OUT"
    }
    let (size, expected) = (try file.size, block.start + block.end)
    if size < expected { return "it is truncated: \(size) of \(expected) bytes" }
    return "its header is damaged, or its writer did not close it"
  }
}
