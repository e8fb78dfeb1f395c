import Foundation
import SprintFormats
import SprintKernels
import SprintTraining

/// Reports on a run: its curves, stages, samples, speed, ranks, checkpoints and configuration.
package struct RunReport {
  private let folder: RunFolder
  private let history: RunHistory
  private let configurationText: String
  private let configuration: Configuration?
  private static let maximumPictures = 12

  /// Reads the folder of a run, which may still be under way.
  package init(run path: String) throws {
    folder = RunFolder(path: path)
    history = try RunHistory(folder)
    configurationText = (try? String(contentsOfFile: folder.configuration, encoding: .utf8)) ?? ""
    configuration = try? Configuration(ConfigurationDocument(text: configurationText, source: folder.configuration))
  }

  /// Writes the report as one HTML page that needs no other file.
  package func writeHTML(to path: String) throws { try AtomicFile.write(Data(page.html.utf8), to: path) }

  /// Writes the numbers of all steps as CSV.
  package func writeCSV(to path: String) throws { try AtomicFile.write(Data(history.csv.utf8), to: path) }

  private var page: ReportPage {
    ReportPage(
      title: URL(fileURLWithPath: folder.path).lastPathComponent, headline: headline, facts: facts, charts: charts,
      pictures: pictures, caption: history.lastStart?.caption ?? "", tables: [stages, starts, checkpoints],
      configuration: configurationText)
  }

  private var headline: String {
    let total = configuration?.totalSteps
    let step = history.steps.last ?? 0
    return "step \(step)\(total.map { " of \($0)" } ?? ""), stage \(history.stages.last ?? "")"
  }

  private var facts: [(name: String, value: String)] {
    let seconds = history.values("seconds").filter(\.isFinite).reduce(0, +)
    let best = history.validations.min { $0.loss < $1.loss }
    var facts = [
      (name: "weights", value: "\(history.lastStart?.weights ?? 0)"),
      ("images of the data set", "\(history.lastStart?.images ?? 0)"),
      ("loss of the last step", String(format: "%.4f", history.values("loss").last ?? .nan)),
      ("time in steps", duration(seconds)),
    ]
    if let best {
      facts.append(("lowest validation loss", String(format: "%.4f at step ", best.loss) + "\(best.step)"))
    }
    if let skipped = history.values("skipped").max(), skipped > 0 {
      facts.append(("updates skipped in a stage, at most", String(format: "%.0f", skipped)))
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

  /// Pictures spread evenly over the run, the last one included.
  private var pictures: [ReportPage.Picture] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.samples)) ?? [])
      .filter { $0.hasPrefix("step-") && $0.hasSuffix(".png") }.sorted(by: Self.isEarlier)
    let count = min(names.count, Self.maximumPictures)
    let chosen = (0..<count).map { names[($0 + 1) * names.count / count - 1] }
    return chosen.compactMap { name in
      FileManager.default.contents(atPath: "\(folder.samples)/\(name)").map {
        ReportPage.Picture(step: Int(name.dropFirst(5).dropLast(4)) ?? 0, png: $0)
      }
    }
  }

  /// Whether file `name` belongs to an earlier step than file `other`. Steps after 999,999,999 do not sort as text.
  private static func isEarlier(_ name: String, _ other: String) -> Bool {
    (CheckpointStore.step(of: name) ?? -1, name) < (CheckpointStore.step(of: other) ?? -1, other)
  }

  private var stages: ReportPage.Table {
    let starts = history.stageStarts
    let rows = starts.enumerated().map { index, start in
      stage(start..<(index + 1 < starts.count ? starts[index + 1] : history.steps.count))
    }
    return ReportPage.Table(
      title: "Stages", heads: ["stage", "steps", "images", "median s/step", "images/s", "share of peak", "time"],
      rows: rows)
  }

  /// Returns the row of the stage whose steps are `range` in the history.
  private func stage(_ range: Range<Int>) -> [String] {
    func values(_ name: String) -> [Double] {
      let all = history.values(name)
      return all.isEmpty ? [] : all[range].filter(\.isFinite)
    }
    let seconds = values("seconds")
    let images = zip(seconds, values("images_per_second")).reduce(0) { $0 + $1.0 * $1.1 }
    return [
      history.stages[range.lowerBound], "\(range.count)", String(format: "%.0f", images),
      String(format: "%.3g", median(seconds)),
      String(format: "%.4g", median(values("images_per_second"))),
      String(format: "%.0f%%", 100 * median(values("peak_share"))),
      duration(seconds.reduce(0, +)),
    ]
  }

  private var starts: ReportPage.Table {
    let rows = history.starts.map {
      ["\($0.step)", $0.date, "\($0.ranks)", "\($0.threads)", String(format: "%.0f", $0.peakGflops), $0.hosts]
    }
    return ReportPage.Table(
      title: "Ranks and hosts", heads: ["from step", "when", "ranks", "threads", "GFLOP/s of products", "hosts"],
      rows: rows)
  }

  private var checkpoints: ReportPage.Table {
    let saves = Dictionary(history.saves.map { ($0.file, $0.seconds) }) { $1 }
    let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder.checkpoints)) ?? [])
      .filter { $0.hasSuffix(".h5") }.sorted(by: Self.isEarlier)
    let rows = files.map { file in
      let path = "\(folder.checkpoints)/\(file)"
      let size = (try? RandomAccessFile(reading: path).size) ?? 0
      let hasManifest = FileManager.default.fileExists(atPath: Checkpoint.manifest(of: path))
      return [
        "\(Int(file.dropFirst(5).dropLast(3)) ?? 0)", file + (hasManifest ? "" : " (no manifest)"),
        String(format: "%.1f MB", Double(size) / 1e6), saves[file].map { String(format: "%.2f s", $0) } ?? "",
      ]
    }
    return ReportPage.Table(title: "Checkpoints", heads: ["step", "file", "size", "written in"], rows: rows)
  }
}
