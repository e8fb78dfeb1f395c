import Foundation
import SprintFormats
import SprintTestSupport
import Testing

@Suite struct TensorBoardFileTests {
  private func files(_ folder: TemporaryFolder) throws -> [(name: String, data: Data)] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      .map { ($0, try Data(contentsOf: URL(fileURLWithPath: folder.file($0)))) }
  }

  @Test(
    "A resumed run cuts off later steps and an unfinished record, and begins a file whose name sorts last")
  func resuming() throws {
    let folder = try TemporaryFolder()
    let first = try TensorBoardFile(folder: folder.path, after: -1)
    try first.add([("loss", 1)], step: 1)
    let upToFirst = try #require(files(folder).first).data
    try first.add([("loss", 2)], step: 2)
    let upToSecond = try #require(files(folder).first).data
    try first.add([("loss", 3)], step: 3)
    let name = try #require(files(folder).first).name

    _ = try TensorBoardFile(folder: folder.path, after: 2)
    #expect(try files(folder).count == 2 && files(folder)[0].name == name)
    #expect(try files(folder)[0].data == upToSecond)

    // The last record of a killed writer is not whole.
    try (upToFirst + upToSecond.dropFirst(upToFirst.count).dropLast(3)).write(
      to: URL(fileURLWithPath: folder.file(name)))
    _ = try TensorBoardFile(folder: folder.path, after: 2)
    #expect(try files(folder).count == 3 && files(folder)[0].data == upToFirst)
  }

  @Test("A flipped bit cuts the file off before its record")
  func damage() throws {
    let folder = try TemporaryFolder()
    let file = try TensorBoardFile(folder: folder.path, after: -1)
    try file.add([("loss", 1)], step: 1)
    var (name, data) = try #require(files(folder).first)
    let before = data.count
    try file.add([("loss", 2)], step: 1)
    data = try #require(files(folder).first).data
    data[before + 14] ^= 1
    try data.write(to: URL(fileURLWithPath: folder.file(name)))
    _ = try TensorBoardFile(folder: folder.path, after: 9)
    #expect(try files(folder)[0].data.count == before)
  }
}
