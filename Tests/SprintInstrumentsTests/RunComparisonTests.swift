import Foundation
import SprintInstruments
import SprintTestSupport
import Testing

@Suite struct RunComparisonTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Writes a run of ten steps of eight images, whose validation loss falls by `fall` a step.
  private func run(_ name: String, ratio: Double, fall: Double, validates: Bool = true) throws -> String {
    let path = folder.file(name)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let configuration = """
      model: { width: 16, heads: 2, depth: [1, 1, 1], side: 8, channels: 1, patch: 1, classes: 3 }
      data: { train: [some.h5] }
      stages: [{ name: only, steps: 10, batch: 8, drop: { ratio: \(ratio) } }]
      """
    try Data(configuration.utf8).write(to: URL(fileURLWithPath: "\(path)/config.yaml"))
    let lines = (1...10).flatMap { step in
      [
        "{\"step\": \(step), \"stage\": \"only\", \"loss\": \(10 - step), \"seconds\": 360, "
          + "\"images_per_second\": \(8.0 / 360)}"
      ] + (validates ? ["{\"step\": \(step), \"validation_loss\": \(1 - fall * Double(step))}"] : [])
    }
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: "\(path)/metrics.jsonl"))
    return path
  }

  private func page(_ runs: [String]) throws -> String {
    try RunComparison(runs: runs).writeHTML(to: folder.file("c.html"))
    return try String(contentsOfFile: folder.file("c.html"), encoding: .utf8)
  }

  private func cells(_ html: String) -> [[Substring]] {
    html.split(separator: "<tr>").dropFirst(2).map {
      $0.split(separator: "<td>", omittingEmptySubsequences: false).dropFirst().map {
        $0.split(separator: "</td>", omittingEmptySubsequences: false)[0]
      }
    }
  }

  @Test("The table says what each loss cost each run, and which runs did not reach it")
  func table() throws {
    let html = try page([run("masked", ratio: 0.75, fall: 0.02), run("dense", ratio: 0, fall: 0.09)])
    #expect(html.contains("validation loss of the average") && html.contains("<option value=\"flop\" selected>"))
    let rows = cells(html)
    try #require(rows.count == 8 && rows.allSatisfy { $0.count == 7 })
    #expect(rows[7][0] == "0.1000" && rows[7][1] == "not reached" && rows[7][6] == "10" && rows[7][5] == "1 h 0 min")
    // Down to 0.91 - 0.81 / 8 = 0.80875: ten steps at 0.02 a step, three at 0.09.
    #expect(rows[0][0] == "0.8088" && rows[0][3] == "10" && rows[0][6] == "3")
    let (masked, dense) = (try #require(Double(rows[0][1])), try #require(Double(rows[0][4])))
    #expect(masked / 10 < 0.8 * dense / 3, "a masked step takes less work")
  }

  @Test("Runs without validation are compared by their training loss, and names cannot end the script")
  func training() throws {
    let html = try page([run("a<i>b", ratio: 0, fall: 0), run("b", ratio: 0, fall: 0, validates: false)])
    #expect(html.contains("training loss, means over stretches") && !html.contains("a<i>"))
    #expect(html.contains("a&lt;i&gt;b") && html.contains("a\\u003ci>b"))
  }

  @Test("A folder without a run, or without its configuration, is an error that names it")
  func noRun() throws {
    let good = try run("good", ratio: 0, fall: 0.1)
    #expect { try page([good, folder.file("none")]) } throws: { "\($0)".contains("none") }
    try FileManager.default.removeItem(atPath: "\(good)/metrics.jsonl")
    #expect { try page([good, good]) } throws: { "\($0)".contains("metrics.jsonl") }
  }
}
