import Foundation
import SprintFormats
import SprintTestSupport
import Testing

/// Reading line by line, and writing a file anew in parts.
@Suite struct FileRevisionTests {
  private func file(_ data: Data) throws -> (TemporaryFolder, RandomAccessFile) {
    let folder = try TemporaryFolder()
    try data.write(to: URL(fileURLWithPath: folder.file("f")))
    return (folder, try RandomAccessFile(writing: folder.file("f")))
  }

  @Test("Lines come whole and with their places, whatever their length; the longest have no bytes")
  func lines() throws {
    let long = 1 << 20
    for lengths in [
      [], [0], [1, 0, 0, 3], [long - 1, 2, long, 5], [long + 1, 7], [3 * long, 1], [5, 2 * long + 1],
    ] {
      for isWhole in [true, false] {
        var data = Data(lengths.map { String(repeating: "x", count: $0) }.joined(separator: "\n").utf8)
        if isWhole, !lengths.isEmpty { data.append(0x0a) }
        let (_, file) = try file(data)
        var (found, end) = ([Int](), 0)
        try file.forEachLine { line in
          #expect(line.range.lowerBound == end && line.bytes.allSatisfy { $0 == 0x78 })
          end = line.range.upperBound
          let length = line.range.count - (isWhole || end < data.count ? 1 : 0)
          #expect(line.bytes.count == (length <= long ? length : 0) && line.isBlank == (length == 0))
          found.append(length)
        }
        // A last line of no bytes that nothing ends is no line.
        #expect(found == (isWhole || lengths.last != 0 ? lengths : lengths.dropLast()) && end == data.count)
      }
    }
  }

  @Test("A revision has the kept and the added parts in order; one that only gets shorter stays the same file")
  func revision() throws {
    let (folder, file) = try file(Data("0123456789".utf8))
    func text() throws -> String { try String(contentsOfFile: folder.file("f"), encoding: .utf8) }
    let shorter = FileRevision(of: file)
    for place in 0..<8 { try shorter.keep(place..<place + 1) }
    try shorter.finish()
    #expect(try text() == "01234567" && !file.isReplaced)
    let other = FileRevision(of: file)
    for range in [0..<2, 3..<4, 4..<5] { try other.keep(range) }
    try other.add(Data("-".utf8))
    try other.keep(5..<6)
    try other.keep(7..<8)
    #expect(try text() == "01234567", "not before it is whole")
    try other.finish()
    #expect(try text() == "0134-57")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["f"])
  }

  @Test("A revision that is given up leaves the file as it was, and nothing beside it")
  func givenUp() throws {
    let (folder, file) = try file(Data("0123456789".utf8))
    do { try FileRevision(of: file).keep(3..<4) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["f"] && file.size == 10)
  }

  @Test("A folder that cannot be listed is an error and not an empty folder; a missing one has no list")
  func listing() throws {
    let folder = try TemporaryFolder()
    #expect(try FolderListing.names(in: folder.file("missing")) == nil)
    #expect(try FolderListing.names(in: folder.path) == [])
    try Data().write(to: URL(fileURLWithPath: folder.file("a")))
    #expect(try FolderListing.names(in: folder.path) == ["a"])
    #expect(throws: FileError.self) { try FolderListing.names(in: folder.file("a")) }
  }
}
