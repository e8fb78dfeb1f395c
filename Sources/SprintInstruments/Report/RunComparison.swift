import Foundation
import SprintFormats
import SprintTraining

/// Several runs in one page: their losses against steps, FLOP, images or hours, and what each loss cost each of them.
package struct RunComparison {
  private let runs: [RunProgress]

  /// Reads the folders of runs, which may still be under way.
  package init(runs paths: [String]) throws { runs = try paths.map(RunProgress.init(run:)) }

  /// Writes the comparison as one HTML page that needs no other file.
  package func writeHTML(to path: String) throws { try AtomicFile.write(Data(try page.utf8), to: path) }

  private var hasValidation: Bool { runs.allSatisfy { !$0.validation.isEmpty } }

  private func points(_ run: RunProgress) -> [RunProgress.Point] { hasValidation ? run.validation : run.training }

  /// Losses that are worth asking for: from what every run goes below soon to the best of all.
  private var levels: [Double] {
    let losses = runs.map { points($0).map(\.loss) }
    guard let best = losses.compactMap({ $0.min() }).min(), let first = losses.compactMap(\.first).min(), best < first
    else { return [] }
    return (1...Self.levelCount).map { first - (first - best) * Double($0) / Double(Self.levelCount) }
  }

  private static let levelCount = 8

  private var rows: [[String]] {
    levels.map { level in
      let reached = runs.map { points($0).first { $0.loss <= level } }
      return [String(format: "%.4f", level)]
        + reached.flatMap { point in
          point.map { [String(format: "%.3g", $0.flop), duration($0.hours * 3600), String(format: "%.0f", $0.step)] }
            ?? ["not reached", "", ""]
        }
    }
  }

  private var chart: LineChart {
    let series = runs.map { run in
      LineChart.Series(name: run.name, columns: points(run).map { ChartColumn($0.loss, at: $0.flop) })
    }
    let end = series.flatMap { $0.columns.map(\.x) }.max() ?? 1
    return LineChart(
      title: "Losses of the runs", axes: ("FLOP", hasValidation ? "validation loss" : "training loss"), end: end,
      series: series, offersLogarithm: true)
  }

  private var page: String {
    get throws {
      let heads = ["loss at most"] + runs.flatMap { ["FLOP, \($0.name)", "time", "step"] }
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      // A name of a run must not end the script.
      let data = String(decoding: try encoder.encode(runs), as: UTF8.self).replacing("<", with: "\\u003c")
      let kind = hasValidation ? "validation loss of the average" : "training loss, means over stretches of steps"
      let table = ReportPage.Table(title: "What a loss costs (\(kind))", heads: heads, rows: rows)
      return ComparisonPage(
        data: data, names: runs.map(\.name), chart: chart, table: table, hasValidation: hasValidation
      ).html
    }
  }
}
