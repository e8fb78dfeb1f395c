import Foundation
import SprintFormats
import SprintTestSupport
import Testing

@Suite struct ZipArchiveTests {
  @Test("An archive is read back, equal contents make equal files, and damage is found")
  func roundTrip() throws {
    let folder = try TemporaryFolder()
    let contents = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    for name in ["a.zip", "b.zip"] { try ZipArchive.write(contents, name: "x.npy", to: folder.file(name)) }
    let archive = try ZipArchive(reading: folder.file("a.zip"))
    #expect(archive.names == ["x.npy"] && archive.has("x.npy") && !archive.has("y.npy"))
    #expect(try archive.contents(of: "x.npy") == contents)
    #expect(throws: FileError.self) { try archive.contents(of: "y.npy") }
    var bytes = try Data(contentsOf: URL(fileURLWithPath: folder.file("a.zip")))
    #expect(try bytes == Data(contentsOf: URL(fileURLWithPath: folder.file("b.zip"))))
    bytes[50_000] ^= 1
    try bytes.write(to: URL(fileURLWithPath: folder.file("c.zip")))
    #expect(throws: FileError.self) { try ZipArchive(reading: folder.file("c.zip")).contents(of: "x.npy") }
    try bytes.dropLast(5).write(to: URL(fileURLWithPath: folder.file("d.zip")))
    #expect(throws: FileError.self) { try ZipArchive(reading: folder.file("d.zip")) }
  }

  @Test("Entries are written piece by piece; what stops their reading is the error, and no file is left")
  func pieces() throws {
    struct Stop: Error {}
    let folder = try TemporaryFolder()
    func entry(_ name: String, _ size: Int, failing: Bool = false) -> ZipArchive.Entry {
      ZipArchive.Entry(name: name, size: size) { target, offset in
        if failing, offset > size / 2 { throw Stop() }
        for i in target.indices { target[i] = UInt8(truncatingIfNeeded: (offset + i) &* 7) }
      }
    }
    try ZipArchive.write([entry("a", 100_000), entry("b", 0), entry("c", 5)], comment: "x", to: folder.file("a.zip"))
    let archive = try ZipArchive(reading: folder.file("a.zip"))
    #expect(archive.names == ["a", "b", "c"])
    for (name, size) in [("a", 100_000), ("b", 0), ("c", 5)] {
      #expect(try archive.contents(of: name) == Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }))
    }
    #expect(throws: Stop.self) {
      try ZipArchive.write([entry("a", 9), entry("b", 100_000, failing: true)], to: folder.file("b.zip"))
    }
    #expect(try FolderListing(folder.path).names == ["a.zip"])
  }

  /// Returns the bytes of an archive with one stored entry `x` of four bytes, whose directory claims other sizes.
  private func archive(size: UInt64, packed: UInt64, method: UInt16 = 0) -> Data {
    func bytes(_ numbers: [any FixedWidthInteger]) -> Data {
      numbers.reduce(into: Data()) { data, number in
        withUnsafeBytes(of: UInt64(truncatingIfNeeded: number).littleEndian) { data += $0.prefix(number.bitWidth / 8) }
      }
    }
    let name = Data("x".utf8)
    // Sizes of 32 bits say that those of 64 bits follow.
    let sizes = bytes([UInt32(0xEFBB_3D8C), UInt32.max, UInt32.max])
    let wide = bytes([UInt16(1), UInt16(16), size, packed])
    let common = bytes([UInt16(45), UInt16(0), method, UInt32(0x21_0000)]) + sizes
    let lengths = bytes([UInt16(1), UInt16(wide.count)])
    let local = bytes([UInt32(0x0403_4B50)]) + common + lengths + name + wide + Data("abcd".utf8)
    let entry =
      bytes([UInt32(0x0201_4B50), UInt16(45)]) + common + lengths
      + bytes([UInt16(0), UInt16(0), UInt16(0), UInt32(0), UInt32(0)]) + name + wide
    let end = bytes([
      UInt32(0x0605_4B50), UInt16(0), UInt16(0), UInt16(1), UInt16(1), UInt32(entry.count), UInt32(local.count),
      UInt16(0),
    ])
    return local + entry + end
  }

  @Test(
    "An entry that claims an impossible size, or is packed in an unknown way, is an error and takes no memory",
    arguments: [
      (UInt64(4), UInt64.max, UInt16(0)), (.max, .max, 0), (1 << 62, 1 << 62, 8), (1 << 40, 4, 8), (1 << 28, 4, 8),
      (.max / 1100, .max, 8), (4, 4, 12),
    ])
  func claims(size: UInt64, packed: UInt64, method: UInt16) throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.zip")
    try archive(size: size, packed: packed, method: method).write(to: URL(fileURLWithPath: path))
    #expect(throws: FileError.self) { try ZipArchive(reading: path).contents(of: "x") }
  }
}
