import SprintCommunication

/// What is due after a step: the save, the validation, the picture.
extension Trainer {
  /// Does what a directive says. Returns false if the run ends here.
  func perform(_ directive: Directive, _ stop: StopRequest) throws -> Bool {
    saver.takeOutcomes(wait: false)
    // First the save: whatever happens to those who look at the state, the state is safe.
    if directive.savesCheckpoint { try saver.save(position, isUrgent: directive.stops) }
    let isDone = try look(directive.validates, directive.drawsSamples, stop)
    let stops = directive.stops || !isDone
    if directive.measuresPeak { try measurePeak() }
    if stops || position.isStageOver, !saver.covers(position) { try saver.save(position, isUrgent: stops) }
    if stops { journal.note(coordinator?.notices.stopReason?.description ?? "stopping: a signal arrived") }
    return !stops
  }

  /// Measures the matrix products of all ranks at once, which other work may have disturbed before.
  private func measurePeak() throws {
    journal.measuredPeak(try communicator.measurePeak(configuration.precision, network.workers).best)
  }

  /// Does what an interrupted run left out after the step of its checkpoint. Returns false where another stop arrives.
  func catchUp(_ stop: StopRequest) throws -> Bool {
    // A checkpoint is older than the validation of its step. What a plateau needs to know is in no file.
    let hasPlateau = configuration.stages[position.stage].plateau != nil
    if !hasPlateau, journal.hasValidation(of: position.step) { position.validated = position.step }
    let missing = missing
    return try look(communicator.anyRank(missing.validation), communicator.anyRank(missing.pictures), stop)
  }

  /// What was due after the last step and has not happened, as rank zero knows it.
  var missing: (validation: Bool, pictures: Bool) {
    guard position.step > 0, let due = coordinator?.due(after: position) else { return (false, false) }
    return (due.validation && position.validated < position.step, due.samples && !pictures.exists(step: position.step))
  }

  /// Validates and draws. Returns false where the run has to stop, because a rank is asked to or the deadline is near.
  private func look(_ validates: Bool, _ drawsSamples: Bool, _ stop: StopRequest) throws -> Bool {
    if validates, try !measured(.validation, { try validate { hasToStop(during: .validation, stop) } }) { return false }
    // The validation may have ended the stage, and a stage's end draws a picture.
    let draws = drawsSamples || position.isStageOver && configuration.samples.interval != nil
    if draws, try !measured(.pictures, { try drawPictures { hasToStop(during: .pictures, stop) } }) { return false }
    guard validates || draws else { return true }
    return try !communicator.anyRank(coordinator?.isOutOfTime(after: position, saver.circumstances) ?? false)
  }

  /// Whether the next step begins with a measurement of the angle between gradients.
  var isAngleDue: Bool {
    configuration.isAligned(at: position) && configuration.alignment?.angle?.isDue(after: position.step) ?? false
  }

  /// Measures the angle between the gradients of denoising and alignment, and ends the alignment where it is too large.
  /// Returns false where a rank has to stop; a run that resumes measures it again.
  func measureAngle(_ work: StageWork, _ stop: StopRequest) throws -> Bool {
    guard let rule = configuration.alignment?.angle else { return true }
    let cosine = try readingData {
      try step.angle(rule, work, at: position) { hasToStop(during: .angle, stop) }
    }
    guard let cosine else { return false }
    position.isAlignmentOver = cosine < rule.threshold
    journal.measuredAngle(step: position.step, cosine: cosine, endsAlignment: position.isAlignmentOver)
    return true
  }

  /// Ends the run before the next step, because a rank has to stop. Returns false: the run ends here.
  func stopBeforeStep() throws -> Bool {
    try saveLastGood()
    journal.note(coordinator?.notices.stopReason?.description ?? "stopping: a signal arrived")
    return false
  }

  /// Notes the seconds of a part of the run that came to its end.
  func measured(_ part: TimeBudget.Part, _ work: () throws -> Bool) throws -> Bool {
    let began = ContinuousClock.now
    guard try work() else { return false }
    coordinator?.took((ContinuousClock.now - began) / .seconds(1), part, at: position)
    return true
  }

  private func hasToStop(during part: TimeBudget.Part, _ stop: StopRequest) -> Bool {
    stop.isRequested || coordinator?.isOutOfTime(during: part, at: position, saver.circumstances) ?? false
  }

  /// Validates the moving average. Returns false where a rank has to stop; then there is no loss.
  private func validate(hasToStop: () -> Bool) throws -> Bool {
    guard let heldOut else { return true }
    guard let loss = try heldOutLoss(heldOut, hasToStop) else { return false }
    let stage = configuration.stages[position.stage]
    position.note(validationLoss: loss, stage.plateau)
    journal.validated(step: position.step, loss: loss)
    if position.isStageOver { journal.note("stage `\(stage.name)` has reached its plateau") }
    return true
  }

  /// The loss, or nil where a rank has to stop.
  private func heldOutLoss(_ heldOut: HeldOutLoss, _ hasToStop: () -> Bool) throws -> Double? {
    try readingData { try optimizer.withAverage { try heldOut.loss($0, communicator, stopRequested: hasToStop) } }
  }

  /// Does what reads data between two steps. Data that cannot be used end the run, but lose no step of it.
  private func readingData<Result>(_ work: () throws -> Result) throws -> Result {
    do {
      return try work()
    } catch  where !(error is CommunicationError) {
      try saveLastGood()
      if error is FailureElsewhere { throw error }
      throw RunError.unreadable(step: position.step, problem: "\(error)")
    }
  }

  /// Draws the step's picture. Returns false where a rank has to stop; then there is no picture.
  private func drawPictures(hasToStop: () -> Bool) throws -> Bool {
    try pictures.draw(step: position.step, optimizer, stopRequested: hasToStop)
  }
}
