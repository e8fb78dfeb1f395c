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

  @Test("Control characters of a name are spelled out, in the page and in the data of its script, and end neither")
  func hiddenCharacters() throws {
    let name = #"a\u001b[31m\u202e</script><b>"#
    let html = try page([step(1, name), step(2, name)])
    #expect(!html.unicodeScalars.contains { "\u{1b}\u{202e}".unicodeScalars.contains($0) } && !html.contains("<b>"))
    #expect(html.contains(#">a\u{1b}[31m\u{202e}&lt;/script&gt;&lt;b&gt;<"#))
    #expect(html.contains(#""a\\u{1b}[31m\\u{202e}\u003c\/script>\u003cb>""#))
  }

  @Test("The numbers that the script draws are those of the log, with the extremes of columns that hold several steps")
  func data() throws {
    struct Chart: Decodable {
      struct Series: Decodable {
        let x, y: [Double]
        let low, high: [Double]?
        let dots: Bool
      }
      let series: [Series]
      let end: Double
      let log: Bool
    }
    func losses(_ count: Int) throws -> Chart {
      let html = try page((1...count).map { step($0) } + ["{\"step\": 2, \"validation_loss\": 7}"])
      let json = html.components(separatedBy: #"<script type="application/json">"#)[1]
      return try JSONDecoder().decode(Chart.self, from: Data(json.prefix { $0 != "<" }.utf8))
    }
    let short = try losses(3)
    #expect(short.series[0].x == [1, 2, 3] && short.series[0].y == [1, 2, 3] && short.series[0].low == nil)
    #expect(short.series[1].dots && short.series[1].x == [2] && short.series[1].y == [7] && short.end == 3 && short.log)
    let long = try #require(try losses(10_001).series.first)
    let (low, high) = (try #require(long.low), try #require(long.high))
    #expect(low.first == 1 && high.last == 10_001 && (1000...2048).contains(long.x.count))
    #expect(zip(low, high).allSatisfy { $0 < $1 } && zip(long.x, long.y).allSatisfy { abs($0 - $1) <= 1e-4 * $0 })
  }

  @Test("The report refuses a log of a later format, and names both formats")
  func laterFormat() throws {
    let start = #"{"step": 0, "format": 2, "ranks": 1, "started": ""}"#
    #expect { try page([start, step(1)]) } throws: { "\($0)".contains("has format 2, expected at most 1") }
  }
}
