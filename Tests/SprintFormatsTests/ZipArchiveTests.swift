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
}
