import Foundation

/// What every rank tells rank zero in each step, once its gradients are reduced.
package struct RankReport: Equatable {
  /// Sums over the rank's samples of the losses' shares in the global batch.
  package var loss = 0.0, alignment = 0.0
  /// Σ g² of the shards that the rank looks after.
  package var squaredNorm = 0.0
  /// Seconds until the gradients were computed, of which waiting for data.
  package var seconds = 0.0, dataSeconds = 0.0
  /// Whether a signal asked for a stop.
  package var stopRequested = false
  /// Whether a check found a number that is not finite.
  package var hasNonFinite = false

  package var numbers: [Double] {
    [loss, alignment, squaredNorm, seconds, dataSeconds, stopRequested ? 1 : 0, hasNonFinite ? 1 : 0]
  }

  package init() {}

  package init(_ numbers: [Double]) {
    (loss, alignment, squaredNorm, seconds, dataSeconds) = (numbers[0], numbers[1], numbers[2], numbers[3], numbers[4])
    (stopRequested, hasNonFinite) = (numbers[5] != 0, numbers[6] != 0)
  }
}

/// What rank zero tells every rank in each step.
package struct Directive: Equatable {
  /// What becomes of the gradients.
  package enum Update: Int {
    case make, skip, fail
  }

  /// The losses of the global batch.
  package var loss = 0.0, alignment = 0.0
  /// The norm of all gradients.
  package var gradientNorm = 0.0
  /// What becomes of the gradients.
  package var update = Update.make
  /// What is to be done after the update.
  package var validates = false, drawsSamples = false, savesCheckpoint = false, stops = false

  package var numbers: [Double] {
    let flags = [validates, drawsSamples, savesCheckpoint, stops].map { $0 ? 1.0 : 0 }
    return [loss, alignment, gradientNorm, Double(update.rawValue)] + flags
  }

  package init() {}

  package init(_ numbers: [Double]) {
    (loss, alignment, gradientNorm) = (numbers[0], numbers[1], numbers[2])
    update = Update(rawValue: Int(numbers[3])) ?? .fail
    (validates, drawsSamples) = (numbers[4] != 0, numbers[5] != 0)
    (savesCheckpoint, stops) = (numbers[6] != 0, numbers[7] != 0)
  }
}

/// Decides at rank zero, once a step, what all ranks do: go on, validate, save, stop. Stages end by themselves, at their last
/// step or at a plateau that every rank sees.
package struct Coordinator {
  /// Why a run stops before its end.
  package enum StopReason: Equatable, CustomStringConvertible {
    /// A signal, at the ranks given.
    case signal(ranks: [Int])
    /// There is just time for a last save.
    case deadline
    /// The file `stop` in the run's folder, which is removed.
    case stopFile
    /// The step that was asked for.
    case until
    /// A checkpoint could not be written, and the configuration says `on_failure: stop`.
    case failedSave

    package var description: String {
      switch self {
      case .signal(let ranks): "stopping: a signal reached rank \(ranks.map(String.init).joined(separator: ", "))"
      case .deadline: "stopping: the deadline leaves time for one save"
      case .stopFile: "stopping: the run's folder had a file `stop`, which is removed"
      case .until: "stopping: the step that was asked for is reached"
      case .failedSave: "stopping: a checkpoint could not be written"
      }
    }
  }

  private let configuration: Configuration
  private let hasValidation: Bool
  private let until: Int
  private let deadline: Date?
  private let stopFile: String
  private var lastLook = Date.distantPast
  private var slowSteps = 0
  private var hasFailedSave = false
  /// The longest of the last steps and saves, in seconds.
  private var longestStep = 0.0
  private var longestSave: Double

  /// Why the run stops, once it does.
  package private(set) var stopReason: StopReason?
  /// The rank that is much slower than the others, when it is to be told of.
  package private(set) var slowRank: (rank: Int, seconds: Double, median: Double)?

  /// - Parameters:
  ///   - hasValidation: whether there is held-out data
  ///   - until: the last step that was asked for
  ///   - deadline: when the run has to be over
  ///   - stopFile: a file that, once it exists, stops the run
  ///   - saveEstimate: seconds of a save, until one was measured
  package init(
    _ configuration: Configuration, hasValidation: Bool, until: Int, deadline: Date?, stopFile: String,
    saveEstimate: Double
  ) {
    (self.configuration, self.hasValidation, self.until) = (configuration, hasValidation, until)
    (self.deadline, self.stopFile, longestSave) = (deadline, stopFile, saveEstimate)
  }

  /// A checkpoint was written; `seconds` are those of a save that nothing else ran beside, as the last one will be.
  package mutating func saved(seconds: Double? = nil) {
    (longestSave, hasFailedSave) = (max(longestSave, seconds ?? 0), false)
  }

  /// A checkpoint could not be written.
  package mutating func saveFailed() { hasFailedSave = true }

  /// A step took so long, with all that came after it.
  package mutating func stepped(seconds: Double) { longestStep = max(longestStep * 0.9, seconds) }

  /// What is to be done with the gradients of the step that leads from `position` onwards, and after it.
  package mutating func directive(_ reports: [RankReport], at position: TrainingPosition, now: Date = Date())
    -> Directive
  {
    var directive = Directive()
    directive.loss = reports.reduce(0) { $0 + $1.loss }
    directive.alignment = reports.reduce(0) { $0 + $1.alignment }
    directive.gradientNorm = reports.reduce(0) { $0 + $1.squaredNorm }.squareRoot()
    let isFinite = (directive.loss + directive.alignment + directive.gradientNorm).isFinite
    if !isFinite || reports.contains(where: \.hasNonFinite) {
      directive.update = configuration.nonFinite == .skip && !reports.contains(where: \.hasNonFinite) ? .skip : .fail
    }
    lookForSlowRank(reports)
    var next = position
    next.advance(batch: 0, isSkipped: false)
    stopReason = reasonToStop(reports, after: next.step, now)
    directive.stops = stopReason != nil
    let isHurried = directive.stops && stopReason != .until
    let due = due(after: next)
    // What a hurried stop leaves out is made up for on resuming.
    directive.validates = due.validation && !isHurried
    directive.drawsSamples = due.samples && !isHurried
    directive.savesCheckpoint = due.checkpoint || directive.stops
    return directive
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

  /// Notes a validation loss; the stage is over when it has reached its plateau.
  package static func note(validation loss: Double, _ plateau: Stage.Plateau?, in position: inout TrainingPosition) {
    position.validated = position.step
    guard let plateau else { return }
    if loss < position.bestValidation * (1 - plateau.threshold) || position.bestValidation == .infinity {
      (position.bestValidation, position.validationsWithoutGain) = (loss, 0)
    } else {
      position.validationsWithoutGain += 1
      if position.validationsWithoutGain >= plateau.patience { position.isStageOver = true }
    }
  }

  private mutating func reasonToStop(_ reports: [RankReport], after step: Int, _ now: Date) -> StopReason? {
    let signalled = reports.indices.filter { reports[$0].stopRequested }
    if !signalled.isEmpty { return .signal(ranks: signalled) }
    if hasFailedSave, configuration.checkpoint.onFailure == .stop { return .failedSave }
    if let deadline, now.addingTimeInterval(2 * longestStep + 1.5 * longestSave) >= deadline { return .deadline }
    if step >= until { return .until }
    // A file system under load is not asked more than once a second.
    if now.timeIntervalSince(lastLook) >= 1 {
      lastLook = now
      if FileManager.default.fileExists(atPath: stopFile) {
        unlink(stopFile)
        return .stopFile
      }
    }
    return nil
  }

  /// A rank that took half as long again as the median in ten steps on end is told of, and again after a hundred.
  private mutating func lookForSlowRank(_ reports: [RankReport]) {
    slowRank = nil
    let sorted = reports.map(\.seconds).sorted()
    let median = sorted[(sorted.count - 1) / 2]
    guard let slowest = reports.indices.max(by: { reports[$0].seconds < reports[$1].seconds }),
      reports[slowest].seconds > 1.5 * median, reports.count > 1
    else {
      slowSteps = 0
      return
    }
    slowSteps += 1
    if slowSteps % 100 == 10 { slowRank = (slowest, reports[slowest].seconds, median) }
  }
}
