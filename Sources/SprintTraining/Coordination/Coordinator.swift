/// What rank zero knows, besides the ranks' reports, when it decides about a step.
package struct Circumstances {
  /// Someone created the stop file.
  package var stopFileFound = false
  /// The last checkpoint could not be written.
  package var lastSaveFailed = false
  /// The longest of the recent saves, in seconds, or an estimate.
  package var longestSave = 0.0
  /// A checkpoint is being written.
  package var isSaving = false
  /// The moment of the decision.
  package var now = ContinuousClock.now

  /// Nothing happened.
  package init() {}

  /// The seconds of all saves until the end of the run: the one under way, one that is due, and the last one.
  func secondsOfSaves(isDue: Bool = false) -> Double {
    longestSave * (1 + (isSaving ? 1 : 0) + (isDue ? 1 : 0))
  }
}

/// Decides at rank zero, once a step, what all ranks do: go on, validate, save, stop. It touches no file. Stages end
/// without it, at their last step or at a plateau that every rank sees.
package struct Coordinator {
  private let configuration: Configuration
  private let hasValidation: Bool
  private let until: Int
  private var budget: TimeBudget
  private var slowRanks = SlowRankWatch()
  /// When the peak of matrix products is measured again.
  private var nextMeasurement: ContinuousClock.Instant
  /// What the last decision brought besides its directive.
  package private(set) var notices = Notices()

  /// What the user should hear about a decision.
  package struct Notices {
    /// Why the run stops, if it does.
    package fileprivate(set) var stopReason: StopReason?
    /// A rank that falls behind, when it is time to warn.
    package fileprivate(set) var slowRank: SlowRank?
  }

  /// - Parameters:
  ///   - hasValidation: there is held-out data
  ///   - until: the last step to train
  ///   - budget: the time until the deadline
  ///   - now: the moment of the run's first measurement of the peak
  package init(
    _ configuration: Configuration, hasValidation: Bool, until: Int, budget: TimeBudget,
    now: ContinuousClock.Instant = .now
  ) {
    (self.configuration, self.hasValidation, self.until) = (configuration, hasValidation, until)
    (self.budget, nextMeasurement) = (budget, now + Self.measurementInterval)
  }

  /// The time from one measurement of the peak to the next.
  package static let measurementInterval = Duration.seconds(600)

  /// Notes what a part of the run took.
  package mutating func took(_ seconds: Double, _ part: TimeBudget.Part, at position: TrainingPosition) {
    budget.took(seconds, part, in: configuration.stages[position.stage])
  }

  /// Decides about the step that leads onwards from `position`: what happens to its gradients, and what follows it.
  package mutating func directive(
    _ reports: [RankReport], at position: TrainingPosition, _ circumstances: Circumstances = Circumstances()
  ) -> Directive {
    var directive = Directive()
    for report in reports { directive.losses.add(report.losses) }
    directive.gradientNorm = reports.reduce(0) { $0 + $1.squaredNorm }.squareRoot()
    directive.update = update(directive, reports, at: position)
    var next = position
    next.advance(batch: 0, isSkipped: directive.update == .skip)
    notices.slowRank = slowRanks.look(at: reports.map(\.seconds))
    notices.stopReason = reasonToStop(reports, after: next, circumstances)
    decideDuties(&directive, after: next)
    directive.measuresPeak = !directive.stops && circumstances.now >= nextMeasurement
    if directive.measuresPeak { nextMeasurement = circumstances.now + Self.measurementInterval }
    return directive
  }

  /// So many skipped updates in a row end the run: the weights are lost, and no batch will be good again.
  package static let mostSkipped = 50

  private func update(
    _ directive: Directive, _ reports: [RankReport], at position: TrainingPosition
  ) -> Directive.Update {
    let isFinite = (directive.losses.numbers + [directive.gradientNorm]).allSatisfy(\.isFinite)
    // A step without all of its data, or with a number that a check caught, is never skipped.
    let hasFailed = reports.contains { $0.hasNonFinite || $0.dataFailed }
    if isFinite, !hasFailed { return .make }
    let maySkip = configuration.nonFinite == .skip && position.skippedInARow + 1 < Self.mostSkipped
    return maySkip && !hasFailed ? .skip : .fail
  }

  private func decideDuties(_ directive: inout Directive, after position: TrainingPosition) {
    directive.stops = notices.stopReason != nil
    // A hurried stop leaves out what takes long; resuming makes up for it.
    let isHurried = directive.stops && notices.stopReason != .until
    let due = due(after: position)
    directive.validates = due.validation && !isHurried
    directive.drawsSamples = due.samples && !isHurried
    // The weights after a skipped update are in a checkpoint already, or in none that is worth one.
    let isWorthSaving = directive.update != .skip || position.hasFinishedStage(of: configuration)
    directive.savesCheckpoint = due.checkpoint && isWorthSaving || directive.stops
  }

  /// What is due after a step by its number alone.
  package func due(after position: TrainingPosition) -> (validation: Bool, samples: Bool, checkpoint: Bool) {
    let step = position.step
    let isLast = position.hasFinishedStage(of: configuration)
    return (
      hasValidation && (isLast || step % configuration.validation.interval == 0),
      configuration.samples.interval.map { isLast || step % $0 == 0 } ?? false,
      isLast || step % configuration.checkpoint.interval == 0
    )
  }

  /// Whether the deadline is too near for another round of a part that is under way; then it is the reason to stop.
  package mutating func isOutOfTime(
    during part: TimeBudget.Part, at position: TrainingPosition, _ circumstances: Circumstances
  ) -> Bool {
    stopsForDeadline(
      if: budget.isOver(
        during: part, in: configuration.stages[position.stage], saves: circumstances.secondsOfSaves(),
        at: circumstances.now))
  }

  /// Whether the deadline is too near for another step after what was due; then it is the reason to stop.
  package mutating func isOutOfTime(after position: TrainingPosition, _ circumstances: Circumstances) -> Bool {
    stopsForDeadline(if: isOutOfTime(for: [], after: position, isSaveDue: false, circumstances))
  }

  private mutating func stopsForDeadline(if isOutOfTime: Bool) -> Bool {
    if isOutOfTime { notices.stopReason = .deadline }
    return isOutOfTime
  }

  /// Whether the deadline is too near for what is due, the next step, and the saves that are due until then.
  private func isOutOfTime(
    for duties: [TimeBudget.Part], after position: TrainingPosition, isSaveDue: Bool, _ circumstances: Circumstances
  ) -> Bool {
    let isLast = position.hasFinished(configuration) || position.step >= until
    let entersStage = position.hasFinishedStage(of: configuration) && !isLast
    return budget.isOver(
      for: duties + (isLast ? [] : [.step]), in: configuration.stages[position.stage + (entersStage ? 1 : 0)],
      saves: circumstances.secondsOfSaves(isDue: isSaveDue), at: circumstances.now)
  }

  private func reasonToStop(
    _ reports: [RankReport], after position: TrainingPosition, _ circumstances: Circumstances
  ) -> StopReason? {
    let signalled = reports.indices.filter { reports[$0].stopRequested }
    if !signalled.isEmpty { return .signal(ranks: signalled) }
    if circumstances.lastSaveFailed, configuration.checkpoint.onFailure == .stop { return .failedSave }
    let due = due(after: position)
    let duties: [TimeBudget.Part] = (due.validation ? [.validation] : []) + (due.samples ? [.pictures] : [])
    if isOutOfTime(for: duties, after: position, isSaveDue: due.checkpoint, circumstances) { return .deadline }
    if position.step >= until { return .until }
    return circumstances.stopFileFound ? .stopFile : nil
  }
}
