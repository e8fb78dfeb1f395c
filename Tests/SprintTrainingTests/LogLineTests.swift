import Foundation
import SprintTestSupport
import SprintTraining
import Testing

/// The lines of metrics.jsonl.
@Suite struct LogLineTests {
  private func written(_ lines: [LogLine]) throws -> [Data] {
    let folder = try TemporaryFolder()
    let log = try MetricsLog(path: folder.file("metrics.jsonl"), after: 0)
    for line in lines { try log.write(line) }
    let text = try String(contentsOfFile: folder.file("metrics.jsonl"), encoding: .utf8)
    return text.split(separator: "\n").map { Data($0.utf8) }
  }

  @Test("Every kind of line is read back as it was written; the report would show wrong numbers otherwise")
  func roundTrip() throws {
    let start = RunStartRecord(
      step: 7, ranks: 2, threads: 4, date: "2026-01-31T18:00:00Z", hosts: "a \"quoted\" host, b", peakGflops: 12.5,
      caption: "", weights: 10, images: 20)
    let lines: [LogLine] = [
      .step(8, stage: "masked", numbers: [("loss", .number(0.5)), ("skipped", .integer(3))]),
      .validation(step: 8, loss: 0.25), .snapshot(step: 9, seconds: 0.125),
      .checkpoint(step: 9, file: "step-000000009.h5", seconds: 1.5), .start(start),
    ]
    let read = try written(lines).map { try #require(LogLine(json: $0)) }
    for (found, expected) in zip(read, lines) { #expect("\(found.fields)" == "\(Self.asRead(expected).fields)") }
  }

  private struct NotAStep: Error {}

  /// Numbers of a step come back as floating-point numbers.
  private static func asRead(_ line: LogLine) -> LogLine {
    guard case .step(let step, let stage, let numbers) = line else { return line }
    return .step(step, stage: stage, numbers: numbers.map { ($0.name, .number($0.value.number)) })
  }

  @Test("Numbers come in the order of the columns, unknown ones after them, and an infinite one is null")
  func order() throws {
    let numbers: [(name: String, value: MetricValue)] = [
      ("zeta", .number(1)), ("skipped", .integer(0)), ("loss", .number(.infinity)), ("seconds", .number(2)),
    ]
    let text = try #require(try written([.step(1, stage: "a", numbers: numbers)]).first)
    #expect(String(decoding: text, as: UTF8.self).contains("\"loss\": null"))
    guard case .step(_, _, let found) = try #require(LogLine(json: text)) else { throw NotAStep() }
    #expect(found.map(\.name) == ["loss", "seconds", "skipped", "zeta"] && found[0].value.number.isNaN)
  }

  @Test("A damaged line is no line")
  func damage() {
    for text in ["", "{", "{\"loss\": 1}", "{\"step\": \"one\", \"loss\": 1}", "[1]", "{\"step\": 1}"] {
      #expect(LogLine(json: Data(text.utf8)) == nil, "\(text)")
    }
  }

  @Test("Each column has a name of its own")
  func names() { #expect(Set(StepColumn.all.map(\.name)).count == StepColumn.all.count) }
}
