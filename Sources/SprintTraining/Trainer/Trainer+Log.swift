import Foundation
import SprintFormats
import SprintModel

// What rank zero tells of a step, and keeps in the log.

extension Trainer {
  func log(
    _ stage: Stage, _ kept: Int, _ directive: Directive, _ rate: Double, _ seconds: Double, _ own: RankReport
  ) {
    guard communicator.rank == 0 else { return }
    let work = configuration.model.trainingWork(kept: kept)
    let imagesPerSecond = Double(stage.batch) / seconds
    let step = StepReport(
      position: position, stage: stage.name, totalSteps: configuration.totalSteps, loss: directive.loss,
      alignment: directive.alignment, gradientNorm: directive.gradientNorm, learningRate: rate, seconds: seconds,
      dataSeconds: own.dataSeconds, reductionSeconds: reduction.secondsBusy, reductionWait: reduction.secondsWaited,
      imagesPerSecond: imagesPerSecond, peakShare: imagesPerSecond * work / peak,
      secondsLeft: workLeft / (imagesPerSecond * work), isSkipped: directive.update == .skip)
    var numbers: [(String, Double)] = [("loss", step.loss)]
    if configuration.alignment != nil { numbers.append(("alignment", step.alignment)) }
    numbers += [
      ("gradient_norm", step.gradientNorm), ("learning_rate", step.learningRate), ("seconds", seconds),
      ("images_per_second", step.imagesPerSecond), ("peak_share", step.peakShare), ("data_seconds", step.dataSeconds),
    ]
    if communicator.size > 1 {
      numbers += [("reduction_seconds", step.reductionSeconds), ("reduction_wait", step.reductionWait)]
    }
    write(
      [("step", .integer(position.step)), ("stage", .text(step.stage))] + numbers.map { ($0, .number($1)) }
        + [("skipped", .integer(position.skipped))])
    plot { try $0.add(numbers + [("stage", Double(position.stage + 1))], step: position.step) }
    if position.stageStep == 1 {
      plot {
        let text =
          "`\(stage.name)`: \(stage.steps) steps of \(stage.batch) images, \(kept) of \(network.configuration.tokens) tokens"
        try $0.add(text: text + " in the middle blocks", tag: "stage", step: position.step)
      }
    }
    report(.step(step))
  }

  /// Who takes part from here on.
  func log(_ roster: RankRoster) {
    write([
      ("step", .integer(position.step)), ("started", .text(Date().ISO8601Format())),
      ("ranks", .integer(roster.entries.count)), ("hosts", .text(roster.hosts.joined(separator: ", "))),
      ("threads", .integer(roster.entries.reduce(0) { $0 + $1.threads })), ("peak_gflops", .number(roster.peak / 1e9)),
      ("pictures", .text(SampleGrid(channels: dataset.channels, side: dataset.side, dataset.properties).caption ?? "")),
      ("weights", .integer(network.layout.count)), ("images", .integer(dataset.count)),
    ])
  }

  /// FLOP to the end of the run.
  private var workLeft: Double {
    configuration.stages.enumerated().reduce(0.0) { sum, entry in
      let (index, stage) = entry
      let done = index < position.stage ? stage.steps : index == position.stage ? position.stageStep : 0
      let work = configuration.model.trainingWork(kept: stage.drop.keptCount(grid: configuration.model.grid))
      return sum + Double((stage.steps - done) * stage.batch) * work
    }
  }

  /// A log that cannot be written is told of, but is no reason to stop.
  func write(_ fields: [(String, MetricValue)]) {
    do { try metrics?.write(fields) } catch { report(.note("step \(position.step): \(error)")) }
  }

  /// The same for the curves.
  func plot(_ add: (TensorBoardFile) throws -> Void) {
    guard let curves else { return }
    do { try add(curves) } catch { report(.note("step \(position.step): \(error)")) }
  }
}
