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
      .gap(10...12),
    ]
    let read = try written(lines).map { try #require(LogLine(json: $0)) }
    for (found, expected) in zip(read, lines) { #expect("\(found.fields)" == "\(Self.asRead(expected).fields)") }
  }

  @Test("A start says the format of the log, and one of a log before formats is format 0")
  func formats() throws {
    let old = #"{"step": 0, "started": "2026-01-31T18:00:00Z", "ranks": 2, "hosts": "a", "threads": 4}"#
    guard case .start(let start) = try #require(LogLine(json: Data(old.utf8))) else { throw NotAStart() }
    #expect(start.format == 0 && start.ranks == 2 && start.hosts == "a")
    let new = RunStartRecord(
      step: 0, ranks: 1, threads: 1, date: "", hosts: "", peakGflops: 1, caption: "", weights: 1, images: 1)
    let line = String(decoding: try #require(try written([.start(new)]).first), as: UTF8.self)
    #expect(line.hasPrefix(#"{"step": 0, "format": 1, "#))
  }

  private struct NotAStart: Error {}
  private struct NotAStep: Error {}

  /// Numbers of a step come back as floating-point numbers.
  private static func asRead(_ line: LogLine) -> LogLine {
    guard case .step(let step, let stage, let numbers) = line else { return line }
    return .step(step, stage: stage, numbers: numbers.map { ($0.name, .number($0.value.number)) })
  }

  @Test("Numbers come in the order of the line, and an infinite one is null")
  func order() throws {
    let numbers: [(name: String, value: MetricValue)] = [
      ("zeta", .number(1)), ("skipped", .integer(0)), ("loss", .number(.infinity)), ("seconds", .number(2)),
    ]
    let text = try #require(try written([.step(1, stage: "a", numbers: numbers)]).first)
    #expect(String(decoding: text, as: UTF8.self).contains("\"loss\": null"))
    guard case .step(_, _, let found) = try #require(LogLine(json: text)) else { throw NotAStep() }
    #expect(found.map(\.name) == ["zeta", "skipped", "loss", "seconds"] && found[2].value.number.isNaN)
  }

  @Test("A stage name with a line break, a quote and a control character stays on its line")
  func stageNames() throws {
    let name = "a\nb \"c\" \u{1} d/e"
    let line = try #require(try written([.step(1, stage: name, numbers: [("loss", .number(1))])]).first)
    guard case .step(_, let found, _) = try #require(LogLine(json: line)) else { throw NotAStep() }
    #expect(found == name)
  }

  @Test("Numbers are read to the last bit, and lines of other programs may be nested, spaced and escaped")
  func foreign() throws {
    for text in [
      "{\"step\": 7, \"loss\": 0.33162277660168377}", " { \"loss\" : 0.33162277660168377 , \"step\":7.0 }\r",
      "{\"extra\": {\"a\": [1, true]}, \"step\": 7, \"loss\": 33162277660168377e-17, \"on\": true}",
      "{\"\\u0073tep\": 7, \"loss\": 0.33162277660168377, \"text\": \"\\n\"}",
    ] {
      guard case .step(7, _, let numbers)? = LogLine(json: Data(text.utf8)) else { throw NotAStep() }
      #expect(numbers.first { $0.name == "loss" }?.value.number == 0.33162277660168377, "\(text)")
    }
  }

  @Test("A damaged line is no line")
  func damage() {
    for text in [
      "", "{", "{\"loss\": 1}", "{\"step\": \"one\", \"loss\": 1}", "[1]", "{\"step\": 1}", "{\"step\": 1, \"loss\": 1",
      "{\"step\": 1, \"loss\": 01}", "{\"step\": 1, \"loss\": 1.}", "{\"step\": 1, \"loss\": -}",
      "{\"step\": 1, \"loss\": 1e}", "{\"step\": 1 \"loss\": 1}", "{\"step\": 1, \"loss\": 1} x",
      "{\"step\": 1, \"loss\": nul}", "{\"step\": 1, \"loss\": NaN}", "{\"step\": 1, \"loss\": \"a\u{1}\"}",
      "{\"step\": 1.5, \"loss\": 1}", "{\"step\": 1, \"gap_to\": 0}",
    ] {
      #expect(LogLine(json: Data(text.utf8)) == nil, "\(text)")
    }
  }

  @Test("Each column has a name of its own")
  func names() { #expect(Set(StepColumn.all.map(\.name)).count == StepColumn.all.count) }
}
