import Foundation

/// What rank zero knows, besides the ranks' reports, when it decides about a step.
package struct Circumstances {
  /// Someone created the stop file.
  package var stopFileFound = false
  /// The last checkpoint could not be written.
  package var lastSaveFailed = false
  /// The longest save so far, in seconds, or an estimate.
  package var longestSave = 0.0
  /// The moment of the decision.
  package var now = Date()

  /// Nothing happened.
  package init() {}
}

/// Decides at rank zero, once a step, what all ranks do: go on, validate, save, stop. It touches no file. Stages end
/// without it, at their last step or at a plateau that every rank sees.
package struct Coordinator {
  private let configuration: Configuration
  private let hasValidation: Bool
  private let until: Int
  private let deadline: Date?
  /// The longest of the recent steps, in seconds, with everything that followed them.
  private var longestStep = 0.0
  private var slowRanks = SlowRankWatch()
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
  ///   - deadline: when the run has to be over
  package init(_ configuration: Configuration, hasValidation: Bool, until: Int, deadline: Date?) {
    (self.configuration, self.hasValidation, self.until) = (configuration, hasValidation, until)
    self.deadline = deadline
  }

  /// Notes the duration of a step with everything that followed it.
  package mutating func stepped(seconds: Double) { longestStep = max(longestStep * 0.9, seconds) }

  /// Decides about the step that leads onwards from `position`: what happens to its gradients, and what follows it.
  package mutating func directive(
    _ reports: [RankReport], at position: TrainingPosition, _ circumstances: Circumstances = Circumstances()
  ) -> Directive {
    var directive = Directive()
    directive.loss = reports.reduce(0) { $0 + $1.loss }
    directive.alignment = reports.reduce(0) { $0 + $1.alignment }
    directive.gradientNorm = reports.reduce(0) { $0 + $1.squaredNorm }.squareRoot()
    directive.update = update(directive, reports)
    var next = position
    next.advance(batch: 0, isSkipped: false)
    notices.slowRank = slowRanks.look(at: reports.map(\.seconds))
    notices.stopReason = reasonToStop(reports, after: next.step, circumstances)
    decideDuties(&directive, after: next)
    return directive
  }

  private func update(_ directive: Directive, _ reports: [RankReport]) -> Directive.Update {
    let isFinite = (directive.loss + directive.alignment + directive.gradientNorm).isFinite
    // A step without all of its data, or with a number that a check caught, is never skipped.
    let hasFailed = reports.contains { $0.hasNonFinite || $0.dataFailed }
    if isFinite, !hasFailed { return .make }
    return configuration.nonFinite == .skip && !hasFailed ? .skip : .fail
  }

  private func decideDuties(_ directive: inout Directive, after position: TrainingPosition) {
    directive.stops = notices.stopReason != nil
    // A hurried stop leaves out what takes long; resuming makes up for it.
    let isHurried = directive.stops && notices.stopReason != .until
    let due = due(after: position)
    directive.validates = due.validation && !isHurried
    directive.drawsSamples = due.samples && !isHurried
    directive.savesCheckpoint = due.checkpoint || directive.stops
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

  private func reasonToStop(_ reports: [RankReport], after step: Int, _ circumstances: Circumstances) -> StopReason? {
    let signalled = reports.indices.filter { reports[$0].stopRequested }
    if !signalled.isEmpty { return .signal(ranks: signalled) }
    if circumstances.lastSaveFailed, configuration.checkpoint.onFailure == .stop { return .failedSave }
    let timeToEnd = 2 * longestStep + 1.5 * circumstances.longestSave
    if let deadline, circumstances.now.addingTimeInterval(timeToEnd) >= deadline { return .deadline }
    if step >= until { return .until }
    return circumstances.stopFileFound ? .stopFile : nil
  }
}
