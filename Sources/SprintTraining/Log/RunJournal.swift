import Foundation
import SprintData
import SprintFormats
import SprintModel

/// Keeps what happens in a run: the log, TensorBoard's curves, and the events for the user. At ranks other than zero it
/// keeps nothing.
final class RunJournal {
  private let configuration: Configuration
  private let folder: RunFolder
  private let ranks: Int
  private let report: (TrainingEvent) -> Void
  private var log: MetricsLog?
  private var curves: TensorBoardFile?
  private var pictures = PictureFiles()
  private var trouble = WriteTrouble()
  /// FLOP/s of all ranks in matrix products, in the best moment so far: training itself may be the first to see a quiet
  /// machine.
  private var peak = 0.0

  init(
    _ configuration: Configuration, _ folder: RunFolder, ranks: Int, _ report: @escaping (TrainingEvent) -> Void
  ) {
    (self.configuration, self.folder, self.ranks, self.report) = (configuration, folder, ranks, report)
  }

  /// Opens log and curves at rank zero, for a run that goes on after `position`.
  func open(at position: TrainingPosition) throws {
    let log = try MetricsLog(path: folder.metrics, after: position.step)
    if log.damagedLines > 0 {
      note("\(folder.metrics): moved \(log.damagedLines) damaged lines to metrics.jsonl.damaged")
    }
    self.log = log
    guard configuration.writesTensorBoard else { return }
    // A run that starts anew keeps no curves of an earlier one that never saved.
    let curves = try TensorBoardFile(
      folder: folder.tensorBoard, after: position.step == 0 ? -1 : position.step, renaming: CurveTag.renamed)
    curves.problems.forEach(note)
    self.curves = curves
    guard position.step == 0 else { return }
    plot(step: 0) { try $0.add(text: "```yaml\n\(configuration.text)```", tag: CurveTag.configuration, step: 0) }
  }

  /// Reports something worth a line.
  func note(_ text: String) { report(.note(text)) }

  /// Records who takes part from a step on.
  func started(at step: Int, _ roster: RankRoster, _ dataset: LatentDataset, weights: Int) {
    peak = roster.peak
    let grid = SampleGrid(channels: dataset.channels, side: dataset.side, dataset.properties)
    write(
      .start(
        RunStartRecord(
          step: step, ranks: roster.entries.count, threads: roster.entries.reduce(0) { $0 + $1.threads },
          date: Date().ISO8601Format(), hosts: roster.hosts.joined(separator: ", "), peakGflops: peak / 1e9,
          caption: configuration.samples.decodedCaption ?? grid.caption ?? "", weights: weights, images: dataset.count))
    )
  }

  /// Takes a measurement of the peak that was repeated during the run.
  func measuredPeak(_ rate: Double) { peak = max(peak, rate) }

  /// Records a step that led to `position`.
  func stepped(to position: TrainingPosition, _ directive: Directive, learningRate: Double, _ timing: StepTiming) {
    guard log != nil else { return }
    let stage = configuration.stages[position.stage]
    let work = configuration.trainingWork(of: stage)
    let imagesPerSecond = Double(stage.batch) / timing.seconds
    peak = max(peak, imagesPerSecond * work)
    let step = StepReport(
      position: position, stage: stage.name, totalSteps: configuration.totalSteps, losses: directive.losses,
      gradientNorm: directive.gradientNorm,
      learningRate: learningRate, timing: timing, imagesPerSecond: imagesPerSecond,
      peakShare: imagesPerSecond * work / peak,
      secondsLeft: configuration.workLeft(from: position) / (imagesPerSecond * work))
    record(step)
    if !pictures.isEmpty { attempt(.pictures) { try pictures.flush() } }
    if position.stageStep == 1 { describe(stage, at: position) }
    report(.step(step))
  }

  private func record(_ step: StepReport) {
    let numbers = StepColumn.all.filter { $0.applies(configuration, ranks) }.map { (column: $0, value: $0.value(step)) }
    write(.step(step.position.step, stage: step.stage, numbers: numbers.map { ($0.column.name, $0.value) }))
    let scalars = numbers.map { ($0.column.tag, $0.value.number) }
    plot(step: step.position.step) {
      try $0.add(scalars + [(CurveTag.stage, Double(step.position.stage + 1))], step: step.position.step)
    }
  }

  private func describe(_ stage: Stage, at position: TrainingPosition) {
    let kept = configuration.keptTokens(in: stage)
    let text =
      "`\(stage.name)`: \(stage.steps) steps of \(stage.batch) images, \(kept) of \(configuration.model.tokens) tokens "
      + "in the middle blocks"
    plot(step: position.step) { try $0.add(text: text, tag: CurveTag.stageText, step: position.step) }
  }

  /// Whether the log holds the validation loss of a step of an earlier start.
  func hasValidation(of step: Int) -> Bool { log?.lastValidation == step }

  /// Records a validation loss.
  func validated(step: Int, loss: Double) {
    write(.validation(step: step, loss: loss))
    plot(step: step) { try $0.add([(CurveTag.validation, loss)], step: step) }
    report(.validation(step: step, loss: loss))
  }

  /// Records the cosine of the angle between the gradients of denoising and alignment before the next step.
  func measuredAngle(step: Int, cosine: Double, endsAlignment: Bool) {
    write(.angle(step: step, cosine: cosine))
    plot(step: step) { try $0.add([(CurveTag.cosine, cosine)], step: step) }
    let what = endsAlignment ? "the alignment ends here" : "the alignment goes on"
    note(String(format: "step %d: mean cosine between denoising and alignment gradients %.4f; %@", step, cosine, what))
  }

  /// Writes and records a picture.
  func drew(_ picture: Picture, at path: String, step: Int) {
    do {
      let png = try picture.png
      plot(step: step) {
        try $0.add(image: png, width: picture.width, height: picture.height, tag: CurveTag.samples, step: step)
      }
      if attempt(.pictures, { try pictures.write(png, to: path, step: step) }) != nil { report(.samples(path: path)) }
    } catch { note("\(error)") }
  }

  /// Records the seconds of a snapshot.
  func tookSnapshot(step: Int, seconds: Double) { write(.snapshot(step: step, seconds: seconds)) }

  /// Records a checkpoint that was written.
  func saved(step: Int, path: String, seconds: Double) {
    write(.checkpoint(step: step, file: (path as NSString).lastPathComponent, seconds: seconds))
    report(.checkpoint(path: path, seconds: seconds))
  }

  private func write(_ line: LogLine) { writeLog { try $0.write(line) } }

  private func writeLog(_ write: (MetricsLog) throws -> Void) {
    guard let log else { return }
    let lost = log.lost
    if attempt(.log, { try write(log) }) != nil, let lost {
      note("\(folder.metrics): lines of steps \(lost.lowerBound) to \(lost.upperBound) are lost; a line marks the gap")
    }
  }

  private func plot(step: Int, _ add: (TensorBoardFile) throws -> Void) {
    if let curves { attempt(.curves) { try add(curves) } }
  }

  /// Reports a failed write and goes on: a log is no reason to stop training.
  @discardableResult
  private func attempt<T>(_ part: WriteTrouble.Part, _ write: () throws -> T) -> T? {
    trouble.attempt(part, note, write)
  }

  /// Tries once more to write what waits, and says what stays unwritten.
  func finish() {
    writeLog { try $0.flush() }
    if let curves { attempt(.curves, curves.flush) }
    attempt(.pictures) { try pictures.flush() }
    for (path, steps) in [
      (folder.metrics, log?.unwritten), (folder.tensorBoard, curves?.unwritten), (folder.samples, pictures.unwritten),
    ] {
      if let steps { note("\(path): steps \(steps.lowerBound) to \(steps.upperBound) could not be written to the end") }
    }
  }
}
