import Foundation
import SprintFormats

/// Where the files of a run lie.
package struct RunFolder: Sendable {
  /// The folder itself.
  package let path: String

  /// The folder of a run; it need not exist yet.
  package init(path: String) { self.path = path }

  /// The log: one line of JSON a step.
  package var metrics: String { "\(path)/metrics.jsonl" }
  /// The configuration that the run was started with.
  package var configuration: String { "\(path)/config.yaml" }
  /// The checkpoints; their names sort by step.
  package var checkpoints: String { "\(path)/checkpoints" }
  /// The lock of the process that trains here.
  package var lock: String { "\(path)/lock" }
  /// A file that stops the run with a checkpoint once it exists.
  package var stop: String { "\(path)/stop" }
  /// Event files for TensorBoard.
  package var tensorBoard: String { "\(path)/tensorboard" }
  /// Pictures drawn during training.
  package var samples: String { "\(path)/samples" }

  /// The file name of a step without its ending; names sort by step.
  static func name(step: Int) -> String {
    let digits = String(step)
    return "step-\(String(repeating: "0", count: max(0, 9 - digits.count)))\(digits)"
  }

  /// Creates the folder and those in it.
  package func create() throws {
    for folder in [checkpoints, samples] { try AtomicFile.createFolder(folder) }
  }

  /// Whether a run was ever started here. Throws where nobody can know.
  package var isOccupied: Bool {
    get throws { try FileManager.default.fileExists(atPath: metrics) || !CheckpointStore(self).candidates().isEmpty }
  }
}
