import Foundation
import SprintFormats
import SprintTestSupport
import Testing

@Suite struct NPYReaderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The bytes of entry `index`, of `size`.
  private func entry(_ index: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: (index * size + $0) &* 31 >> 3) }
  }

  private func read(_ reader: NPYReader, _ index: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: reader.entryBytes)
    try bytes.withUnsafeMutableBytes { try reader.read(index, into: $0) }
    return bytes
  }

  private func write(_ name: String, _ count: Int, _ size: Int) throws -> String {
    let path = folder.file(name)
    let bytes = (0..<count).flatMap { entry($0, size) }
    try NPYArray.writeNPZ(
      [
        .init("other", .uint8, shape: [3], [UInt8](repeating: 7, count: 3)),
        .init("x", .uint8, shape: [count, size], bytes),
      ],
      to: path)
    return path
  }

  @Test("Entries of a stored array are read in any order, and do not pass for those of another one")
  func stored() throws {
    let reader = try NPYReader(ZipArchive(reading: write("a.npz", 40, 5000)), "x")
    #expect(reader.shape == [40, 5000] && reader.element == .uint8)
    for index in [0, 1, 39, 7, 8, 0] { #expect(try read(reader, index) == entry(index, 5000), "entry \(index)") }
  }

  @Test(
    "Entries of a deflated array are read in any order too", .enabled(if: Python.has("numpy"), "needs numpy"))
  func deflated() throws {
    let (stored, packed) = (try write("a.npz", 40, 5000), folder.file("b.npz"))
    let script = "import sys, numpy as np; np.savez_compressed(sys.argv[2], x=np.load(sys.argv[1])['x'])"
    try #require(try Python.run(["-c", script, stored, packed]).code == 0)
    let reader = try NPYReader(ZipArchive(reading: packed), "x")
    for index in [3, 4, 39, 7, 0] { #expect(try read(reader, index) == entry(index, 5000), "entry \(index)") }
  }

  @Test("An archive that ends within the array is an error, and so is an array that is missing")
  func damaged() throws {
    let path = try write("a.npz", 40, 5000)
    let archive = try ZipArchive(reading: path)
    #expect(throws: FileError.self) { try NPYReader(archive, "y") }
    let reader = try NPYReader(archive, "x")
    truncate(path, 100_000)
    #expect(try read(reader, 3) == entry(3, 5000))
    #expect(throws: FileError.self) { try read(reader, 39) }
  }

  @Test("The comment of an archive is read back")
  func comment() throws {
    let path = folder.file("a.npz")
    for text in ["", "drawn by sprint; größer"] {
      unlink(path)
      try NPYArray.writeNPZ([.init("x", .uint8, shape: [1], [UInt8(1)])], comment: text, to: path)
      #expect(try ZipArchive(reading: path).comment == text)
    }
  }
}
