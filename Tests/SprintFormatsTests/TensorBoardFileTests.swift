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

  @Test("What lies behind a link in the place of an event file stays as it is")
  func link() throws {
    let (folder, others) = (try TemporaryFolder(), try TemporaryFolder())
    let path = others.file("other")
    try Data("not yours".utf8).write(to: URL(fileURLWithPath: path))
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("events.out.tfevents.1.host"), withDestinationPath: path)
    let file = try TensorBoardFile(folder: folder.path, after: 5)
    #expect(file.problems.count == 1 && file.problems[0].contains("a link, expected an event file; skipped"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("not yours".utf8))
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

  /// How often `tag` stands in the event files.
  private func count(_ tag: String, _ folder: TemporaryFolder) throws -> Int {
    try files(folder).reduce(0) { count, file in
      var (count, rest) = (count, file.data[...])
      while let found = rest.range(of: Data(tag.utf8)) {
        count += 1
        rest = rest[found.upperBound...]
      }
      return count
    }
  }

  @Test("A damaged record costs no other one, whichever of its bytes is damaged")
  func damageInTheMiddle() throws {
    let folder = try TemporaryFolder()
    let file = try TensorBoardFile(folder: folder.path, after: -1)
    try file.add([("one", 1)], step: 1)
    let start = try #require(files(folder).first).data.count
    try file.add([("two", 2)], step: 2)
    let end = try #require(files(folder).first).data.count
    try file.add([("three", 3)], step: 3)
    let (name, data) = try #require(files(folder).first)
    for place in start..<end {
      var damaged = data
      damaged[place] ^= 1
      try damaged.write(to: URL(fileURLWithPath: folder.file(name)))
      let resumed = try TensorBoardFile(folder: folder.path, after: 3)
      #expect(try files(folder)[0].data == data[..<start] + data[end...], "byte \(place)")
      #expect(resumed.problems.count == 1, "\(resumed.problems)")
      for other in try files(folder).dropFirst() { try FileManager.default.removeItem(atPath: folder.file(other.name)) }
    }
  }

  @Test("An event of the step that a run goes on from is not written again, and one that stands twice is removed")
  func repeatedEvents() throws {
    let folder = try TemporaryFolder()
    let first = try TensorBoardFile(folder: folder.path, after: -1)
    try first.add([("loss", 1)], step: 5)
    // A text is another series than a curve with the same name.
    try first.add(text: "text", tag: "loss", step: 5)
    for _ in 0..<3 { try first.add([("validation_loss", 1)], step: 5) }
    #expect(try count("validation_loss", folder) == 3)
    for _ in 0..<2 {
      let again = try TensorBoardFile(folder: folder.path, after: 5)
      try again.add([("validation_loss", 1)], step: 5)
      #expect(try count("validation_loss", folder) == 1)
      try again.add([("other", 1)], step: 5)
      #expect(try count("other", folder) == 1 && count("loss", folder) == 3)
    }
    let last = try TensorBoardFile(folder: folder.path, after: 5)
    try last.add([("validation_loss", 2)], step: 6)
    #expect(try count("validation_loss", folder) == 2)
  }

  @Test("A series with another tag in older files goes on under the new one; other kinds with that tag keep it")
  func renamedSeries() throws {
    let folder = try TemporaryFolder()
    let first = try TensorBoardFile(folder: folder.path, after: -1)
    try first.add([("norm", 1), ("losses", 1)], step: 1)
    try first.add(text: "text", tag: "norm", step: 1)
    try first.add([("norm", 1)], step: 2)
    for _ in 0..<2 {
      let again = try TensorBoardFile(
        folder: folder.path, after: 1, renaming: [EventSeries(.curve, "norm"): "group/norm"])
      #expect(again.problems.isEmpty)
      // It has its value of this step already.
      try again.add([("group/norm", 1)], step: 1)
      #expect(try count("group/norm", folder) == 1 && count("norm", folder) == 2 && count("losses", folder) == 1)
    }
    let read = try EventSummary(path: folder.file(try #require(files(folder).first).name))
    #expect(read.series.map(\.tag) == ["group/norm", "losses", "norm"])
  }

  @Test("A folder in place of an event file does not stop a run, and is named")
  func folderInPlace() throws {
    let folder = try TemporaryFolder()
    let name = "events.out.tfevents.1000000000.host"
    try FileManager.default.createDirectory(atPath: folder.file(name), withIntermediateDirectories: true)
    let file = try TensorBoardFile(folder: folder.path, after: 5)
    try file.add([("loss", 1)], step: 6)
    #expect(file.problems.count == 1 && file.problems[0].contains(name))
  }

  @Test("Events written while the file was removed go to a new file that readers understand")
  func removedFile() throws {
    let folder = try TemporaryFolder()
    let file = try TensorBoardFile(folder: folder.path, after: -1)
    let head = try #require(files(folder).first).data
    let path = folder.file(try #require(files(folder).first).name)
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for step in 1...3 { #expect(throws: FileError.self) { try file.add([("loss \(step) ", 1)], step: step) } }
    try FileManager.default.removeItem(atPath: path)
    try file.add([("loss 4 ", 1)], step: 4)
    for step in 1...4 { #expect(try count("loss \(step) ", folder) == 1) }
    // The first record of a file is its version.
    #expect(try files(folder).first?.data.prefix(12) == head.prefix(12) && file.unwritten == nil)
  }
}
