import Foundation
import SprintFormats
import SprintModel

// What is due after a step: validation, pictures, checkpoints. All ranks do it together.

extension Trainer {
  /// Does what a directive says. Returns false where the run is to end.
  func lookAfter(_ directive: Directive, _ stage: Stage, _ stop: StopRequest) throws -> Bool {
    try takeOutcomes(wait: false)
    var stops = directive.stops
    if directive.validates { stops = try !validate(stage, stop) || stops }
    let wasInterrupted = stops && !directive.stops
    let drawsSamples = directive.drawsSamples || position.isStageOver && configuration.samples.interval != nil
    if drawsSamples, !wasInterrupted { stops = try !drawSamples(stop) || stops }
    if directive.savesCheckpoint || stops || position.isStageOver { try save(isUrgent: stops) }
    if stops { report(.note(coordinator?.stopReason?.description ?? "stopping: a signal came")) }
    return !stops
  }

  /// What a stop left out after the step of the checkpoint. Returns false where another stop came.
  func catchUp(_ stop: StopRequest) throws -> Bool {
    guard position.step > 0 else { return true }
    let isValidationMissing = coordinator?.due(after: position).validation == true && position.validated < position.step
    if try communicator.broadcast([isValidationMissing ? 1 : 0])[0] > 0,
      try !validate(configuration.stages[position.stage], stop)
    {
      return false
    }
    // The stage may be over only now.
    let isPictureMissing =
      coordinator?.due(after: position).samples == true && !FileManager.default.fileExists(atPath: picturePath)
    return try communicator.broadcast([isPictureMissing ? 1 : 0])[0] == 0 || drawSamples(stop)
  }

  /// Returns false where a rank wishes to stop; then there is no loss.
  private func validate(_ stage: Stage, _ stop: StopRequest) throws -> Bool {
    guard let validation else { return true }
    let loss = try optimizer.withAverage(communicator, plan) {
      try validation.loss($0, communicator) { stop.isRequested }
    }
    guard let loss else { return false }
    Coordinator.note(validation: loss, stage.plateau, in: &position)
    write([("step", .integer(position.step)), ("validation_loss", .number(loss))])
    plot { try $0.add([("validation_loss", loss)], step: position.step) }
    report(.validation(step: position.step, loss: loss))
    if position.isStageOver { report(.note("stage `\(stage.name)` has reached its plateau")) }
    return true
  }

  private var picturePath: String {
    let name = (store.path(step: position.step) as NSString).lastPathComponent.replacing(".h5", with: ".png")
    return "\(folder.samples)/\(name)"
  }

  /// Returns false where a rank wishes to stop; then there is no picture.
  private func drawSamples(_ stop: StopRequest) throws -> Bool {
    let labels = configuration.samples.classes.flatMap { Array(repeating: $0, count: configuration.samples.perClass) }
    var samples: [[Float]] = []
    let isDone = try optimizer.withAverage(communicator, plan) { average in
      let generator = SampleGenerator(
        network, weights: average, settings: configuration.samples.sampler, seed: configuration.seed)
      return try generator.draw(labels: labels, communicator) {
        stop.isRequested
      } deliver: {
        samples += $0
      }
    }
    guard isDone else { return false }
    guard communicator.rank == 0 else { return true }
    do {
      let grid = SampleGrid(channels: dataset.channels, side: dataset.side, dataset.properties)
      let picture = grid.picture(samples, labels: labels)
      try picture.writePNG(to: picturePath)
      report(.samples(path: picturePath))
      plot {
        try $0.add(
          image: RandomAccessFile(reading: picturePath).contents(), width: picture.width, height: picture.height,
          tag: "samples", step: position.step)
      }
    } catch { report(.note("\(error)")) }
    return true
  }

  /// Saves: from a snapshot while training goes on, or at once. Waits for the end where nothing is left to be trained.
  func save(isUrgent: Bool) throws {
    guard configuration.checkpoint.isOn else { return }
    let snapshot = writer?.freeSnapshot()
    try takeOutcomes(wait: true)
    guard configuration.checkpoint.isBackground else { return try saveNow() }
    let began = ContinuousClock.now
    try optimizer.collect(into: snapshot, communicator, plan)
    if communicator.rank == 0 {
      write([
        ("step", .integer(position.step)), ("snapshot_seconds", .number((ContinuousClock.now - began) / .seconds(1))),
      ])
    }
    writer?.write(position, isUrgent: isUrgent)
    if isUrgent { try takeOutcomes(wait: true) }
  }

  /// Saves without a snapshot: parts are brought together one after another in the borrowed memory of the gradients.
  private func saveNow() throws {
    var left = TrainingPart.allCases[...]
    func whole(_ part: TrainingPart) throws -> ParameterArena {
      left = left.dropFirst()
      if part == .weights { return optimizer.weights }
      try optimizer.collect(
        part, into: communicator.rank == 0 ? optimizer.gradients.elements : nil, communicator, plan)
      return optimizer.gradients
    }
    writer?.writeNow(position, whole)
    // The other ranks, and rank zero where writing has failed, still have to take part in what is left.
    while let part = left.first { _ = try whole(part) }
    optimizer.clearGradients()
    try takeOutcomes(wait: true)
  }

  /// Tells how saves ended.
  private func takeOutcomes(wait: Bool) throws {
    for outcome in writer?.takeOutcomes(wait: wait) ?? [] {
      switch outcome {
      case .success(let saved):
        (lastCheckpoint, failedSave) = (saved.path, nil)
        coordinator?.saved(seconds: saved.isUrgent ? saved.seconds : nil)
        write([
          ("step", .integer(saved.step)), ("checkpoint", .text((saved.path as NSString).lastPathComponent)),
          ("seconds", .number(saved.seconds)),
        ])
        report(.checkpoint(path: saved.path, seconds: saved.seconds))
      case .failure(let error):
        failedSave = error
        coordinator?.saveFailed()
        report(.note("no checkpoint was written: \(error); older ones are as they were"))
      }
    }
  }

  /// Waits for the last save. If it failed there is nothing to go on from, and every rank is told.
  func finishSaving() throws {
    try takeOutcomes(wait: true)
    try communicator.agree { if let failedSave { throw RunError.unsaved("\(failedSave)") } }
  }
}
