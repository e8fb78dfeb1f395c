import SprintTraining
import Foundation
import SprintFormats
import SprintKernels

/// A run in one HTML file that needs nothing besides: curves, stages, samples, speed, who took part, checkpoints, configuration.
package struct RunReport {
  private let folder: RunFolder
  private let history: RunHistory
  private let configurationText: String
  private let configuration: Configuration?
  private static let mostPictures = 12

  /// Reads the folder of a run, which may still be under way.
  package init(run path: String) throws {
    folder = RunFolder(path: path)
    history = try RunHistory(folder)
    configurationText = (try? String(contentsOfFile: folder.configuration, encoding: .utf8)) ?? ""
    configuration = try? Configuration(ConfigurationDocument(text: configurationText, source: folder.configuration))
  }

  /// Writes the page.
  package func writeHTML(to path: String) throws { try AtomicFile.write(Data(html.utf8), to: path) }

  /// Writes the numbers of all steps as CSV.
  package func writeCSV(to path: String) throws { try AtomicFile.write(Data(history.csv.utf8), to: path) }

  private var name: String { URL(fileURLWithPath: folder.path).lastPathComponent }

  private var html: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(name.escaped)</title><style>\(Self.style)</style></head><body>
    <header><h1>\(name.escaped)</h1><p>\(headline.escaped)</p></header>
    <main>
    \(Self.table(facts))
    <section><h2>Curves</h2><div class="charts">\(charts.map(\.html).joined(separator: "\n"))</div></section>
    \(pictures)
    <section><h2>Stages</h2>\(Self.table(["stage", "steps", "images", "median s/step", "images/s", "share of peak", "time"], stages))</section>
    <section><h2>Ranks and hosts</h2>\(Self.table(["from step", "when", "ranks", "threads", "GFLOP/s of products", "hosts"], starts))</section>
    <section><h2>Checkpoints</h2>\(Self.table(["step", "file", "size", "written in"], checkpoints))</section>
    <section><h2>Configuration</h2><pre>\(configurationText.escaped)</pre></section>
    </main></body></html>

    """
  }

  private var headline: String {
    let total = configuration?.totalSteps
    let step = history.steps.last ?? 0
    return "step \(step)\(total.map { " of \($0)" } ?? ""), stage \(history.stages.last ?? "")"
  }

  private var facts: [(String, String)] {
    let seconds = history.values("seconds").filter(\.isFinite).reduce(0, +)
    let best = history.validations.min { $0.loss < $1.loss }
    var facts = [
      ("weights", "\(history.starts.last?.weights ?? 0)"), ("images of the data set", "\(history.starts.last?.images ?? 0)"),
      ("loss of the last step", String(format: "%.4f", history.values("loss").last ?? .nan)),
      ("time in steps", duration(seconds)),
    ]
    if let best { facts.append(("lowest validation loss", String(format: "%.4f at step %d", best.loss, best.step))) }
    if let skipped = history.values("skipped").max(), skipped > 0 {
      facts.append(("updates skipped in a stage, at most", "\(Int(skipped))"))
    }
    return facts
  }

  private var charts: [LineChart] {
    let marks = history.stageStarts.map { (history.steps[$0], history.stages[$0]) }
    func chart(_ name: String, _ title: String, _ unit: String = "", factor: Double = 1) -> LineChart? {
      let values = history.values(name)
      guard values.contains(where: \.isFinite) else { return nil }
      return LineChart(title: title, unit: unit, steps: history.steps, values: values.map { $0 * factor }, marks: marks)
    }
    var loss = chart("loss", history.validations.isEmpty ? "Loss" : "Loss, and validation loss of the average (points)")
    loss?.points = history.validations.map { ($0.step, $0.loss) }
    return [
      loss, chart("alignment", "Alignment loss"), chart("gradient_norm", "Norm of the gradients"),
      chart("learning_rate", "Learning rate"), chart("images_per_second", "Throughput", "images/s"),
      chart("peak_share", "Share of the matrix products' peak", "%", factor: 100),
      chart("data_seconds", "Waiting for data", "ms a step", factor: 1000),
      chart("reduction_wait", "Waiting for gradients of other ranks", "ms a step", factor: 1000),
    ].compactMap(\.self)
  }

  /// Pictures spread over the run, the last one always among them.
  private var pictures: String {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.samples)) ?? [])
      .filter { $0.hasPrefix("step-") && $0.hasSuffix(".png") }.sorted()
    guard !names.isEmpty else { return "" }
    let count = min(names.count, Self.mostPictures)
    let chosen = (1...count).map { names[$0 * names.count / count - 1] }
    let figures = chosen.compactMap { name -> String? in
      guard let data = FileManager.default.contents(atPath: "\(folder.samples)/\(name)") else { return nil }
      let step = Int(name.dropFirst(5).dropLast(4)) ?? 0
      return
        #"<figure><figcaption>step \#(step)</figcaption><img alt="samples at step \#(step)" src="data:image/png;base64,\#(data.base64EncodedString())"></figure>"#
    }
    let text = history.starts.last?.caption ?? ""
    let caption = text.isEmpty ? "" : "<p>\(text.escaped)</p>"
    return
      "<section><h2>Samples</h2>\(caption)<div class=\"pictures\">\(figures.joined(separator: "\n"))</div></section>"
  }

  private var stages: [[String]] {
    let starts = history.stageStarts
    return starts.enumerated().map { index, start in
      let range = start..<(index + 1 < starts.count ? starts[index + 1] : history.steps.count)
      func of(_ name: String) -> [Double] {
        let values = history.values(name)
        return values.isEmpty ? [] : values[range].filter(\.isFinite)
      }
      let seconds = of("seconds")
      let images = zip(seconds, of("images_per_second")).reduce(0) { $0 + $1.0 * $1.1 }
      return [
        history.stages[start], "\(range.count)", String(format: "%.0f", images),
        String(format: "%.3g", median(seconds)),
        String(format: "%.4g", median(of("images_per_second"))),
        String(format: "%.0f%%", 100 * median(of("peak_share"))),
        duration(seconds.reduce(0, +)),
      ]
    }
  }

  private var starts: [[String]] {
    history.starts.map {
      ["\($0.step)", $0.date, "\($0.ranks)", "\($0.threads)", String(format: "%.0f", $0.peakGflops), $0.hosts]
    }
  }

  private var checkpoints: [[String]] {
    let saves = Dictionary(history.saves.map { ($0.file, $0.seconds) }) { $1 }
    let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder.checkpoints)) ?? [])
      .filter { $0.hasSuffix(".h5") }.sorted()
    return files.map { file in
      let path = "\(folder.checkpoints)/\(file)"
      let size = (try? RandomAccessFile(reading: path).size) ?? 0
      let isWhole = FileManager.default.fileExists(atPath: Checkpoint.manifest(of: path))
      return [
        "\(Int(file.dropFirst(5).dropLast(3)) ?? 0)", file + (isWhole ? "" : " (no manifest)"),
        String(format: "%.1f MB", Double(size) / 1e6), saves[file].map { String(format: "%.2f s", $0) } ?? "",
      ]
    }
  }

  private static func table(_ facts: [(String, String)]) -> String {
    "<dl>" + facts.map { "<div><dt>\($0.0.escaped)</dt><dd>\($0.1.escaped)</dd></div>" }.joined() + "</dl>"
  }

  private static func table(_ heads: [String], _ rows: [[String]]) -> String {
    guard !rows.isEmpty else { return "<p>none</p>" }
    func row(_ cells: [String], _ tag: String) -> String {
      "<tr>" + cells.map { "<\(tag)>\($0.escaped)</\(tag)>" }.joined() + "</tr>"
    }
    return
      "<div class=\"scroll\"><table><thead>\(row(heads, "th"))</thead><tbody>\(rows.map { row($0, "td") }.joined())</tbody></table></div>"
  }

  private static let style = """
    :root{color-scheme:light dark;--ink:#1d2129;--dim:#667085;--line:#d8dce3;--card:#fff;--page:#f4f5f7;--curve:#2563c9;--band:#2563c933;--point:#c2410c}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e8ec;--dim:#98a2b3;--line:#3a404b;--card:#1c2028;--page:#12151a;--curve:#7aa7f7;--band:#7aa7f733;--point:#fb923c}}
    *{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
    header,main{max-width:1060px;margin:auto;padding:0 16px}h1{margin:24px 0 0;overflow-wrap:anywhere}h2{margin:32px 0 8px;font-size:1.2em}header p{margin:0;color:var(--dim)}
    dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px;margin:16px 0}
    dl div,figure,table,pre{background:var(--card);border:1px solid var(--line);border-radius:8px}
    dl div{padding:8px 12px}dt{color:var(--dim);font-size:.8em}dd{margin:0;font-variant-numeric:tabular-nums}
    .pictures{display:flex;flex-wrap:wrap;gap:12px}.pictures figure{max-width:100%}.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:12px}
    figure{margin:0;padding:10px;min-width:0}figcaption{font-size:.9em;margin-bottom:4px}small{color:var(--dim)}
    svg,img{display:block;max-width:100%;height:auto}svg{width:100%}img{image-rendering:pixelated}
    svg text{font:13px system-ui,sans-serif;fill:var(--dim)}svg .y{text-anchor:end;dominant-baseline:middle}svg .x{text-anchor:middle}
    svg .grid{stroke:var(--line)}svg line.mark{stroke:var(--dim);stroke-dasharray:4 3}svg text.mark{fill:var(--ink)}
    polygon{fill:var(--band)}polyline{fill:none;stroke:var(--curve);stroke-width:1.6;stroke-linejoin:round}circle{fill:var(--point)}
    .scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9em;font-variant-numeric:tabular-nums}
    th,td{text-align:left;padding:6px 12px;border-bottom:1px solid var(--line)}th{color:var(--dim);font-weight:500}
    pre{padding:12px;overflow-x:auto;font-size:.85em}
    """
}
