import Foundation
import SprintFormats
import SprintTestSupport
import Testing

@Suite struct RandomAccessFileTests {
  /// If this fails, texts of a few bytes are read as noise, and the memory of others is overwritten.
  @Test("The contents of a file of any size are its bytes", arguments: [0, 1, 14, 15, 16, 40, 100_000])
  func contents(count: Int) throws {
    let folder = try TemporaryFolder()
    let bytes = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) })
    try bytes.write(to: URL(fileURLWithPath: folder.file("a")))
    for _ in 0..<20 { #expect(try RandomAccessFile(reading: folder.file("a")).contents() == bytes) }
  }

  @Test("A copied piece is that of the source, also where it is longer than one step")
  func copying() throws {
    let folder = try TemporaryFolder()
    let bytes = Data((0..<(33 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) })
    try bytes.write(to: URL(fileURLWithPath: folder.file("a")))
    let (source, target) = (
      try RandomAccessFile(reading: folder.file("a")), try RandomAccessFile(creating: folder.file("b"))
    )
    try source.copy((33 << 20) - 5, from: 5, to: target, at: 3)
    #expect(try target.contents() == Data(count: 3) + bytes.dropFirst(5))
    #expect(throws: FileError.self) { try source.copy(10, from: bytes.count - 5, to: target, at: 0) }
  }
}
