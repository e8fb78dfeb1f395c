import Foundation
import SprintInstruments
import SprintTestSupport
import Testing

@Suite struct RunReportTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func page(_ lines: [String]) throws -> String {
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: folder.file("metrics.jsonl")))
    let report = try RunReport(run: folder.path)
    try report.writeHTML(to: folder.file("r.html"))
    try report.writeCSV(to: folder.file("r.csv"))
    return try String(contentsOfFile: folder.file("r.html"), encoding: .utf8)
  }

  private var rows: [String] {
    get throws {
      try String(contentsOfFile: folder.file("r.csv"), encoding: .utf8).split(separator: "\n").map(String.init)
    }
  }

  private func step(_ step: Int, _ stage: String = "a", _ more: String = "") -> String {
    "{\"step\": \(step), \"stage\": \"\(stage)\", \"loss\": \(step), \"seconds\": 0.5, \"images_per_second\": 8\(more)}"
  }

  @Test("The report says which steps the log lacks, whether or not a line marks them")
  func gaps() throws {
    #expect(try !page((1...4).map { step($0) }).contains("lacks"))
    let lines = [
      step(1), step(2), step(5), "{\"step\": 6, \"gap_to\": 9}", step(10), step(12), "{\"step\": 13, \"gap_to\": 20}",
    ]
    #expect(try page(lines).contains("<dt>steps that the log lacks</dt><dd>3 to 4, 6 to 9, 11, 13 to 20</dd>"))
  }

  @Test("A long log is drawn over its whole length, with its extremes, sums and last numbers")
  func longLog() throws {
    var lines: [String] = []
    for i in 1...30_000 {
      lines.append(step(i, i <= 20_000 ? "a" : "b"))
      if i % 10 == 0 { lines.append("{\"step\": \(i), \"validation_loss\": \(abs(i - 7770))}") }
    }
    let html = try page(lines)
    for part in [
      "step 30000, stage b", "<dd>30000.0000</dd>", "<dd>0.0000 at step 7770</dd>", "<dd>4 h 10 min</dd>",
      "<td>a</td><td>20000</td><td>80000</td><td>0.5</td><td>8</td>", "<td>b</td><td>10000</td><td>40000</td>",
    ] { #expect(html.contains(part), "\(part)") }
    let curve = try #require(
      html.split(separator: "<polyline points=\"").dropFirst().first?.split(separator: "\"").first)
    let points = curve.split(separator: " ").map { $0.split(separator: ",").compactMap { Double($0) } }
    #expect(points.count == 240 && zip(points, points.dropFirst()).allSatisfy { $0[0] < $1[0] && $0[1] >= $1[1] })
    #expect(html.utf8.count < 2_000_000)
    #expect(try rows.count == 30_001 && rows[10] == "10,a,10.0,0.5,8.0,7760.0" && rows[11].hasSuffix(",8.0,"))
  }

  @Test("Columns that begin late and stages with commas are in their place in the CSV file")
  func columns() throws {
    _ = try page([step(1), step(2, "b, c", ", \"extra\": 3"), "{\"step\": 2, \"validation_loss\": 4}", step(3)])
    #expect(
      try rows == [
        "step,stage,loss,seconds,images_per_second,extra,validation_loss", "1,a,1.0,0.5,8.0,,",
        "2,\"b, c\",2.0,0.5,8.0,3.0,4.0", "3,a,3.0,0.5,8.0,,",
      ])
  }
}
