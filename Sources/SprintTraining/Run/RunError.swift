import SprintFormats

/// What a user can do about a run that cannot start or go on.
package enum RunRemedy: Remedy {
  /// Resume the run in the folder, or name another folder.
  case resumeOrNameAnotherFolder
  /// Restore a checkpoint, or name another folder.
  case restoreOrNameAnotherFolder
  /// Use the old configuration, or name another folder.
  case useTheOldConfigurationOrNameAnotherFolder
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
  /// A loss or gradient norm is not finite.
  case notFinite(step: Int, what: String, lastGood: String?)
  /// Data could not be read while training.
  case unreadable(step: Int, problem: String)
  /// The last checkpoint could not be written.
  case unsaved(String)
  /// The user asked for something that cannot be done.
  case unusable(String, remedy: (any Remedy)? = nil)

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
    case .notFinite(let step, let what, let lastGood):
      "step \(step): \(what); stopped. The last good checkpoint is \(lastGood ?? "missing: none was written yet"). "
        + "Try a lower learning rate, or `non_finite: skip`"
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
    case .otherConfiguration: RunRemedy.useTheOldConfigurationOrNameAnotherFolder
    case .newerCheckpoint: RunRemedy.moveAwayOrNameAnotherFolder
    case .unreadable: RunRemedy.repairAndResume
    case .unusable(_, let remedy): remedy
    case .notFinite, .unsaved: nil
    }
  }
}
