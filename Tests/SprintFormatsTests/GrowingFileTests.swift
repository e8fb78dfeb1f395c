import Foundation
import SprintFormats
import SprintTestSupport
import Testing

/// What happens to a file while it is written must not cost a record.
@Suite struct GrowingFileTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.file("run"), withIntermediateDirectories: true)
    path = folder.file("run/log")
  }

  private func open() throws -> GrowingFile {
    try GrowingFile(path, createsFolder: true) { (try $0.size, Data((try $0.size == 0 ? "head " : "").utf8)) }
  }

  private func move(_ from: String, _ to: String) throws {
    try FileManager.default.moveItem(atPath: folder.file(from), toPath: folder.file(to))
  }

  private var text: String { get throws { try String(contentsOfFile: path, encoding: .utf8) } }

  @Test("Records written while the folder is elsewhere are in the file when it comes back")
  func moved() throws {
    let file = try open()
    try file.append(Data("a".utf8))
    try move("run", "away")
    try file.append(Data("b".utf8))
    try move("away", "run")
    try file.append(Data("c".utf8))
    #expect(try text == "head abc")
  }

  @Test("After the removal of the file or its folder records go to a new file at the path, which begins anew")
  func removed() throws {
    let file = try open()
    try file.append(Data("a".utf8))
    try FileManager.default.removeItem(atPath: path)
    try file.append(Data("b".utf8))
    #expect(try text == "head b")
    try FileManager.default.removeItem(atPath: folder.file("run"))
    try file.append(Data("c".utf8))
    #expect(try text == "head c")
  }

  @Test("A record that cannot be written leaves nothing behind, and a file that came to the path is continued")
  func replaced() throws {
    let file = try open()
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    #expect(throws: FileError.self) { try file.append(Data("a".utf8)) }
    try FileManager.default.removeItem(atPath: path)
    try Data("other ".utf8).write(to: URL(fileURLWithPath: path))
    try file.append(Data("b".utf8))
    #expect(try text == "other b")
  }

  @Test("A backlog keeps the order, writes again what failed, and names the steps that gave way")
  func backlog() throws {
    struct Full: Error {}
    var (written, isFull) = ("", true)
    func write(_ data: Data) throws {
      if isFull { throw Full() }
      written += String(decoding: data, as: UTF8.self)
    }
    func gap(_ steps: ClosedRange<Int>) -> Data? { Data("[\(steps)]".utf8) }
    var backlog = Backlog(limit: 30)
    for step in 1...9 {
      #expect(throws: Full.self) { try backlog.write(Data("(step \(step))".utf8), step: step, gap: gap, to: write) }
    }
    #expect(backlog.lost == 1...6 && backlog.steps == 1...9)
    isFull = false
    try backlog.writeAll(gap: gap, to: write)
    #expect(written == "[1...6](step 7)(step 8)(step 9)" && backlog.isEmpty)
    try backlog.write(Data("!".utf8), step: 10, gap: gap, to: write)
    #expect(written.hasSuffix("(step 9)!"))
  }
}
