import SprintModel

// What rank zero tells of a step, and keeps in the log.

extension Trainer {
  func log(
    _ stage: Stage, _ kept: Int, _ directive: Directive, _ rate: Double, _ seconds: Double, _ own: RankReport
  ) {
    guard communicator.rank == 0 else { return }
    let work = 3 * configuration.model.forwardWork(kept: kept)
    let imagesPerSecond = Double(stage.batch) / seconds
    let step = StepReport(
      position: position, stage: stage.name, totalSteps: configuration.totalSteps, loss: directive.loss,
      alignment: directive.alignment, gradientNorm: directive.gradientNorm, learningRate: rate, seconds: seconds,
      dataSeconds: own.dataSeconds, reductionSeconds: reduction.secondsBusy, reductionWait: reduction.secondsWaited,
      imagesPerSecond: imagesPerSecond, peakShare: imagesPerSecond * work / peak,
      secondsLeft: workLeft / (imagesPerSecond * work), isSkipped: directive.update == .skip)
    var fields: [(String, MetricValue)] = [
      ("step", .integer(position.step)), ("stage", .text(step.stage)), ("loss", .number(step.loss)),
    ]
    if configuration.alignment != nil { fields.append(("alignment", .number(step.alignment))) }
    fields += [
      ("gradient_norm", .number(step.gradientNorm)), ("learning_rate", .number(step.learningRate)),
      ("seconds", .number(seconds)), ("images_per_second", .number(step.imagesPerSecond)),
      ("peak_share", .number(step.peakShare)), ("data_seconds", .number(step.dataSeconds)),
    ]
    if communicator.size > 1 {
      fields += [
        ("reduction_seconds", .number(step.reductionSeconds)), ("reduction_wait", .number(step.reductionWait)),
      ]
    }
    write(fields + [("skipped", .integer(position.skipped))])
    report(.step(step))
  }

  /// FLOP to the end of the run.
  private var workLeft: Double {
    configuration.stages.enumerated().reduce(0.0) { sum, entry in
      let (index, stage) = entry
      let done = index < position.stage ? stage.steps : index == position.stage ? position.stageStep : 0
      let work = 3 * configuration.model.forwardWork(kept: stage.drop.keptCount(grid: configuration.model.grid))
      return sum + Double((stage.steps - done) * stage.batch) * work
    }
  }

  /// A log that cannot be written is told of, but is no reason to stop.
  func write(_ fields: [(String, MetricValue)]) {
    do { try metrics?.write(fields) } catch { report(.note("step \(position.step): \(error)")) }
  }
}
