import Foundation
import SprintFormats
import SprintKernels
import SprintTraining

/// Reports on a run: its curves, stages, samples, speed, ranks, checkpoints and configuration.
package struct RunReport {
  private let folder: RunFolder
  private let history: RunHistory
  private let checkpointFiles: [String]
  private let configurationText: String
  private let configuration: Configuration?
  private static let maximumPictures = 12

  /// Reads the folder of a run, which may still be under way.
  package init(run path: String) throws {
    folder = RunFolder(path: path)
    checkpointFiles = Self.files(in: folder.checkpoints, ending: ".h5")
    history = try RunHistory(folder, checkpoints: checkpointFiles)
    configurationText = (try? String(contentsOfFile: folder.configuration, encoding: .utf8)) ?? ""
    configuration = try? Configuration(ConfigurationDocument(text: configurationText, source: folder.configuration))
  }

  /// Writes the report as one HTML page that needs no other file.
  package func writeHTML(to path: String) throws { try AtomicFile.write(Data(page.html.utf8), to: path) }

  /// Writes the numbers of all steps as CSV.
  package func writeCSV(to path: String) throws { try StepTable(folder, names: history.names).write(to: path) }

  private static func files(in folder: String, ending: String) -> [String] {
    ((try? FolderListing.names(in: folder)) ?? []).filter { $0.hasPrefix("step-") && $0.hasSuffix(ending) }
      .sorted(by: isEarlier)
  }

  private var page: ReportPage {
    ReportPage(
      title: URL(fileURLWithPath: folder.path).lastPathComponent, headline: headline, facts: facts, charts: charts,
      pictures: pictures, caption: history.lastStart?.caption ?? "",
      tables: [stages, angles, starts, checkpoints].compactMap(\.self),
      configuration: configurationText)
  }

  private var headline: String {
    let total = configuration?.totalSteps
    return "step \(history.lastStep)\(total.map { " of \($0)" } ?? ""), stage \(history.stages.last?.name ?? "")"
  }

  private var facts: [(name: String, value: String)] {
    var facts = [
      (name: "weights", value: "\(history.lastStart?.weights ?? 0)"),
      ("images of the data set", "\(history.lastStart?.images ?? 0)"),
      ("loss of the last step", String(format: "%.4f", history.lastLoss)),
      ("time in steps", duration(history.seconds)),
    ]
    if let best = history.validations.best {
      facts.append(("lowest validation loss", String(format: "%.4f at step ", best.loss) + "\(best.step)"))
    }
    if let skipped = history.curve("skipped")?.columns.map(\.high).max(), skipped > 0 {
      facts.append(("updates skipped in a stage, at most", String(format: "%.0f", skipped)))
    }
    if let gaps = history.gaps.description { facts.append(("steps that the log lacks", gaps)) }
    return facts
  }

  private var charts: [LineChart] {
    [
      lossChart, chart("alignment", "Alignment loss of features", "loss", isLoss: true),
      chart("attention", "Alignment loss of attention", "loss", isLoss: true),
      chart("class_token", "Loss of the class token", "loss", isLoss: true),
      chart("contrast", "Contrast with the sample before", "loss"),
      chart("gradient_norm", "Norm of the gradients", "norm", isLoss: true),
      chart("learning_rate", "Learning rate", "learning rate"), chart("images_per_second", "Throughput", "images/s"),
      chart("peak_share", "Share of the matrix products' peak", "%", factor: 100),
      chart("data_seconds", "Waiting for data", "ms a step", factor: 1000),
      chart("reduction_wait", "Waiting for gradients of other ranks", "ms a step", factor: 1000),
    ].compactMap(\.self)
  }

  private func chart(
    _ name: String, _ title: String, _ unit: String, factor: Double = 1, isLoss: Bool = false
  ) -> LineChart? {
    history.curve(name).map { curve in
      LineChart(
        title: title, axes: ("step", unit), end: Double(max(history.lastStep, 1)),
        series: [LineChart.Series(columns: curve.columns.map { $0.scaled(by: factor) })],
        marks: history.stages.map { (Double($0.firstStep), $0.name) }, offersLogarithm: isLoss)
    }
  }

  /// The losses of training, and those of validation as points.
  private var lossChart: LineChart? {
    let points = history.validations.points.elements.map { ChartColumn($0.loss, at: Double($0.step)) }
    guard var chart = chart("loss", "Loss", "loss", isLoss: true), let last = points.last else {
      return chart("loss", "Loss", "loss", isLoss: true)
    }
    chart.series[0].name = "training"
    chart.series.append(LineChart.Series(name: "validation of the average", columns: points, isDots: true))
    chart.end = max(chart.end, last.x)
    return chart
  }

  /// Pictures spread evenly over the run, the last one included.
  private var pictures: [ReportPage.Picture] {
    let names = Self.files(in: folder.samples, ending: ".png")
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
    let rows = history.stages.map { stage in
      [
        stage.name, "\(stage.steps)", String(format: "%.0f", stage.images),
        String(format: "%.3g", stage.median("seconds")), String(format: "%.4g", stage.median("images_per_second")),
        String(format: "%.0f%%", 100 * stage.median("peak_share")), duration(stage.seconds),
      ]
    }
    return ReportPage.Table(
      title: "Stages", heads: ["stage", "steps", "images", "median s/step", "images/s", "share of peak", "time"],
      rows: rows)
  }

  private var angles: ReportPage.Table? {
    guard history.angles.count > 0 else { return nil }
    let rows = history.angles.elements.map { ["\($0.step)", String(format: "%.4f", $0.cosine)] }
    return ReportPage.Table(
      title: "Angle between the gradients of denoising and alignment", heads: ["step", "mean cosine"], rows: rows)
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
    let rows = checkpointFiles.map { file in
      let path = "\(folder.checkpoints)/\(file)"
      let size = (try? RandomAccessFile(reading: path).size) ?? 0
      let hasManifest = FileManager.default.fileExists(atPath: Checkpoint.manifest(of: path))
      return [
        "\(Int(file.dropFirst(5).dropLast(3)) ?? 0)", file + (hasManifest ? "" : " (no manifest)"),
        String(format: "%.1f MB", Double(size) / 1e6), history.saves[file].map { String(format: "%.2f s", $0) } ?? "",
      ]
    }
    return ReportPage.Table(title: "Checkpoints", heads: ["step", "file", "size", "written in"], rows: rows)
  }
}
