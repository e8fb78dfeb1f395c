import Foundation
import SprintTestSupport
import SprintTraining
import Testing

/// Each step stands in metrics.jsonl once and in order, or the log says that it is missing.
@Suite struct MetricsLogTests {
  private let folder: TemporaryFolder
  private let path: String

  init() throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.file("run"), withIntermediateDirectories: true)
    path = folder.file("run/metrics.jsonl")
  }

  private var text: String { get throws { try String(contentsOfFile: path, encoding: .utf8) } }

  private func lines(_ numbers: some Sequence<Int>, stage: String = "a") -> String {
    numbers.map { "{\"step\": \($0), \"stage\": \"\(stage)\", \"loss\": 1.0}\n" }.joined()
  }

  private static func validation(_ step: Int) -> String { "{\"step\": \(step), \"validation_loss\": 0.5}" }

  private func write(_ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }

  private func add(_ steps: some Sequence<Int>, stage: String = "a", to log: MetricsLog) throws {
    for step in steps { try log.write(.step(step, stage: stage, numbers: [("loss", .number(1))])) }
  }

  @Test("A byte that is not UTF-8 hides no line of the log, and the damaged line is moved aside")
  func badByte() throws {
    let bytes =
      Data("{\"step\": 1, \"loss\": 1}\n{\"st".utf8) + [0xff] + Data("ep\": 2}\n{\"step\": 2, \"loss\": 1}\n".utf8)
    try (bytes + Data("{\"step\": 3, \"loss\": 1}\n".utf8)).write(to: URL(fileURLWithPath: path))
    #expect(try MetricsLog(path: path, after: 2).damagedLines == 1)
    #expect(try text == "{\"step\": 1, \"loss\": 1}\n{\"step\": 2, \"loss\": 1}\n")
    #expect(FileManager.default.contents(atPath: path + ".damaged")?.contains(0xff) == true)
  }

  @Test("A validation of the step that a run goes on from stands once, however often the run comes back to it")
  func repeatedValidation() throws {
    for _ in 0..<3 {
      let log = try MetricsLog(path: path, after: 0)
      try add(1...50, to: log)
      try log.write(.validation(step: 50, loss: 0.5))
      for _ in 0..<3 { try MetricsLog(path: path, after: 50).write(.validation(step: 50, loss: 0.5)) }
      #expect(try text == lines(1...50) + Self.validation(50) + "\n")
    }
    // As older versions left it.
    try write(lines(1...2) + String(repeating: Self.validation(2) + "\n", count: 3) + lines([2, 3, 2, 3]))
    try add(3...4, to: MetricsLog(path: path, after: 3))
    #expect(try text == lines(1...2) + Self.validation(2) + "\n" + lines(3...4))
  }

  @Test("Late lines of kept steps stay when later steps are removed")
  func lateLines() throws {
    let late = "{\"step\": 2, \"checkpoint\": \"step-000000002.h5\", \"seconds\": 0.5}\n"
    let other = "{\"step\": 1, \"by\": {\"another\": [\"program\"]}}\n"
    try write(lines(1...4) + late + lines(5...6) + other + "\n" + lines([7]).dropLast())
    _ = try MetricsLog(path: path, after: 2)
    #expect(try text == lines(1...2) + late + other)
  }

  @Test("Steps that the log lacks are marked where they are missing, once")
  func gaps() throws {
    func gap(_ from: Int, _ to: Int) -> String { "{\"step\": \(from), \"gap_to\": \(to)}\n" }
    try write(lines(1...3) + "damaged\n" + lines(5...6) + gap(7, 9) + lines(10...12))
    let whole = lines(1...3) + gap(4, 4) + lines(5...6) + gap(7, 9) + lines(10...12) + gap(13, 14)
    for _ in 0..<2 {
      _ = try MetricsLog(path: path, after: 14)
      #expect(try text == whole)
    }
    // A gap ends where the run goes on.
    _ = try MetricsLog(path: path, after: 8)
    #expect(try text == lines(1...3) + gap(4, 4) + lines(5...6) + gap(7, 8))
    try FileManager.default.removeItem(atPath: path)
    _ = try MetricsLog(path: path, after: 8)
    #expect(try text == gap(1, 8))
  }

  @Test("Lines that cannot be written are written later, in order; those without room become a gap")
  func backlog() throws {
    let log = try MetricsLog(path: path, after: 0)
    try add(1...2, to: log)
    let kept = folder.file("kept")
    func obstruct() throws {
      try FileManager.default.moveItem(atPath: path, toPath: kept)
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    func clear() throws {
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.moveItem(atPath: kept, toPath: path)
    }
    try obstruct()
    for step in 3...9 { #expect(throws: (any Error).self) { try add([step], to: log) } }
    #expect(log.unwritten == 3...9)
    try clear()
    try add([10], to: log)
    #expect(try text == lines(1...10) && log.unwritten == nil)

    try obstruct()
    // Four megabytes are some two thousand lines of two kilobytes.
    let stage = String(repeating: "long", count: 500)
    for step in 11...3000 { #expect(throws: (any Error).self) { try add([step], stage: stage, to: log) } }
    let lost = try #require(log.lost)
    #expect(lost.lowerBound == 11 && (500...1500).contains(lost.upperBound))
    try clear()
    try log.flush()
    #expect(
      try text == lines(1...10) + "{\"step\": 11, \"gap_to\": \(lost.upperBound)}\n"
        + lines(lost.upperBound + 1...3000, stage: stage))
  }

  @Test("A log that was replaced is continued on a line of its own; one that is no file is refused in one line")
  func replaced() throws {
    let log = try MetricsLog(path: path, after: 0)
    try add([1], to: log)
    try FileManager.default.removeItem(atPath: path)
    try write("{\"step\": 1, \"torn")
    try add([2], to: log)
    #expect(try text == "{\"step\": 1, \"torn\n" + lines([2]))
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    #expect { try MetricsLog(path: path, after: 0) } throws: {
      "\($0)".hasSuffix("metrics.jsonl: cannot open for writing: Is a directory")
    }
  }
}
