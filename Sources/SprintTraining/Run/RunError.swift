import SprintFormats

/// What a user can do about a run that cannot start or go on.
package enum RunRemedy: Remedy {
  /// Resume the run in the folder, or name another folder.
  case resumeOrNameAnotherFolder
  /// Restore a checkpoint, or name another folder.
  case restoreOrNameAnotherFolder
  /// Use the old values, or begin another run.
  case useTheOldValuesOrBeginAnotherRun
  /// Skip what is not finite, or begin another run.
  case skipOrBeginAnotherRun
  /// Go on after a number that was not finite.
  case goOn(RunError.WayOut)
  /// Move the newer checkpoint away, or name another folder.
  case moveAwayOrNameAnotherFolder
  /// Wait for the other process, or name another folder.
  case waitOrNameAnotherFolder
  /// Repair the cause, then resume.
  case repairAndResume
}

/// Why a run cannot start or go on.
package enum RunError: RemediableError, CustomStringConvertible {
  /// The folder already holds a run, and the user did not ask to continue it.
  case occupied(folder: String, step: Int)
  /// The folder holds checkpoints, but none of them is whole.
  case noWholeCheckpoint(folder: String, problems: [String])
  /// The checkpoint belongs to another configuration.
  case otherConfiguration(path: String, differences: [String])
  /// The folder holds a newer checkpoint than the one to resume from.
  case newerCheckpoint(newer: String, path: String)
  /// The log mentions checkpoints, but none is left.
  case checkpointsGone(folder: String)
  /// The stages cannot go on from the checkpoint.
  case otherStages(path: String, problems: [String])
  /// A loss or gradient norm is not finite, or has not been for too many steps in a row.
  case notFinite(step: Int, what: String, WayOut)
  /// No checkpoint is left from before the numbers that are not finite.
  case noEarlierCheckpoint(path: String)
  /// Data could not be read while training.
  case unreadable(step: Int, problem: String)
  /// The last checkpoint could not be written.
  case unsaved(String)
  /// The user asked for something that cannot be done.
  case unusable(String, remedy: (any Remedy)? = nil)

  /// Where a run can go on whose loss is not finite.
  package struct WayOut: Sendable, Equatable {
    /// The key of the learning rate, and a lower one.
    package let key: String
    package let rate: Double
    /// Whether updates may be skipped already, and how many were.
    package let skips: Bool
    package let skipped: Int
    /// The checkpoint with the weights of the failed step, and the newest one with earlier weights.
    package let saved, earlier: String?
    /// Without earlier weights the run starts anew: it has not come further than to its first checkpoint.
    package let isEarly: Bool
    /// The options that a start from step 0 needs again.
    package var start: [String] = []

    init(_ configuration: Configuration, _ position: TrainingPosition, saved: String?, earlier: String?) {
      key = "stages[\(position.stage)].learning_rate"
      rate = min(configuration.stages[position.stage].learningRate / 10, 1e-4)
      (skips, skipped) = (configuration.nonFinite == .skip, position.skippedInARow + 1)
      (self.saved, self.earlier) = (saved, earlier)
      isEarly = position.isBeforeFirstCheckpoint(of: configuration)
    }
  }

  /// One line: what was found, what was expected, what to do.
  package var description: String {
    switch self {
    case .occupied(let folder, let step): "\(folder): already holds a run, at step \(step)"
    case .noWholeCheckpoint(let folder, let problems):
      "\(folder): none of its checkpoints is whole (\(problems.joined(separator: "; ")))"
    case .checkpointsGone(let folder): "\(folder): metrics.jsonl mentions checkpoints, but none of them exists"
    case .otherConfiguration(let path, let differences):
      "\(path): made with another configuration: \(differences.joined(separator: "; "))"
    case .newerCheckpoint(let newer, let path):
      "\(newer) is newer than \(path), and the next start would resume from it"
    case .otherStages(let path, let problems): "\(path): \(problems.joined(separator: "; "))"
    case .notFinite(let step, let what, let way):
      "step \(step): \(what); stopped"
        + (way.skipped >= Coordinator.mostSkipped ? " after \(way.skipped) such steps in a row" : "")
    case .noEarlierCheckpoint(let path):
      "\(path): a number of the steps after it is not finite, and no earlier checkpoint is left"
    case .unreadable(let step, let problem): "step \(step): \(problem)"
    case .unsaved(let problem): "the last checkpoint was not written: \(problem); older ones are unchanged"
    case .unusable(let problem, _): problem
    }
  }

  /// What the user can do, where the command line has an option for it.
  package var remedy: (any Remedy)? {
    switch self {
    case .occupied: RunRemedy.resumeOrNameAnotherFolder
    case .noWholeCheckpoint, .checkpointsGone: RunRemedy.restoreOrNameAnotherFolder
    case .otherConfiguration: RunRemedy.useTheOldValuesOrBeginAnotherRun
    case .newerCheckpoint: RunRemedy.moveAwayOrNameAnotherFolder
    case .unreadable: RunRemedy.repairAndResume
    case .unusable(_, let remedy): remedy
    case .notFinite(_, _, let way): RunRemedy.goOn(way)
    case .noEarlierCheckpoint: RunRemedy.skipOrBeginAnotherRun
    case .unsaved, .otherStages: nil
    }
  }
}
