import Foundation
import SprintFormats

/// Why a run cannot start or go on.
package enum RunError: Error, CustomStringConvertible {
  /// The folder already holds a run that was not to be continued.
  case occupied(folder: String, step: Int)
  /// The folder holds checkpoints, but none that is whole.
  case noWholeCheckpoint(folder: String, problems: [String])
  /// The checkpoint belongs to another configuration.
  case otherConfiguration(path: String, differences: [String])
  /// The log speaks of checkpoints, but there is none left.
  case checkpointsGone(folder: String)
  /// A loss or gradient norm is not finite.
  case notFinite(step: Int, what: String, lastGood: String?)
  /// Data could not be read while training.
  case unreadable(step: Int, problem: String)
  /// The last checkpoint could not be written.
  case unsaved(String)
  /// Something that the user asked for cannot be done.
  case unusable(String)

  /// One line: what was found, what was expected, what to do.
  package var description: String {
    switch self {
    case .occupied(let folder, let step):
      "\(folder): already holds a run, at step \(step); continue it with --resume auto, or name another folder with --run"
    case .noWholeCheckpoint(let folder, let problems):
      "\(folder): none of its checkpoints is whole (\(problems.joined(separator: "; "))); restore one, or name another folder with --run"
    case .checkpointsGone(let folder):
      "\(folder): metrics.jsonl speaks of checkpoints, but none of them is there; restore one, or name another folder with --run"
    case .otherConfiguration(let path, let differences):
      "\(path): made with another configuration: \(differences.joined(separator: "; ")); use that one, or name another folder with --run"
    case .notFinite(let step, let what, let lastGood):
      "step \(step): \(what); stopped. The last good checkpoint is \(lastGood ?? "not there: none was written yet"). "
        + "Try a lower learning rate, or `non_finite: skip`"
    case .unreadable(let step, let problem): "step \(step): \(problem); go on with --resume auto once it is mended"
    case .unsaved(let problem): "the last checkpoint was not written: \(problem); older ones are as they were"
    case .unusable(let problem): problem
    }
  }
}

/// Where the files of a run lie.
package struct RunFolder: Sendable {
  /// The folder itself.
  package let path: String

  /// A run's folder, which need not exist.
  package init(path: String) { self.path = path }

  /// One line of JSON a step.
  package var metrics: String { "\(path)/metrics.jsonl" }
  /// The configuration that the run was started with.
  package var configuration: String { "\(path)/config.yaml" }
  /// Checkpoints, sorting by step.
  package var checkpoints: String { "\(path)/checkpoints" }
  /// A file that, once it exists, stops the run with a checkpoint.
  package var stop: String { "\(path)/stop" }
  /// Event files for TensorBoard.
  package var tensorBoard: String { "\(path)/tensorboard" }
  /// Pictures drawn during training.
  package var samples: String { "\(path)/samples" }

  /// Creates the folder and those in it.
  package func create() throws {
    for folder in [checkpoints, samples] { try AtomicFile.createFolder(folder) }
  }

  /// Whether a run was ever started here.
  package var isOccupied: Bool {
    FileManager.default.fileExists(atPath: metrics) || !CheckpointStore(self).candidates().isEmpty
  }
}
