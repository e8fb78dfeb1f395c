import Foundation
import SprintData
import SprintFormats
import SprintModel

/// The checkpoints in a run's folder.
package struct CheckpointStore: Sendable {
  private let folder: RunFolder

  /// The store of a run.
  package init(_ folder: RunFolder) { self.folder = folder }

  /// The file of a step; names sort by step.
  func path(step: Int) -> String {
    let digits = String(step)
    return "\(folder.checkpoints)/step-\(String(repeating: "0", count: max(0, 9 - digits.count)))\(digits).h5"
  }

  /// Everything that is or was a checkpoint, the newest first; of some only the manifest may be left.
  package func candidates() -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.checkpoints)) ?? []
    let files = names.filter { $0.hasPrefix("step-") }.compactMap { name in
      name.hasSuffix(".h5") ? name : name.hasSuffix(".manifest.json") ? "\(name.dropLast(14)).h5" : nil
    }
    return Set(files).sorted(by: >).map { "\(folder.checkpoints)/\($0)" }
  }

  /// The newest whole checkpoint, and what is wrong with newer ones; nil where there is none at all.
  package func newest() throws -> (checkpoint: Checkpoint, problems: [String])? {
    var problems: [String] = []
    for path in candidates() {
      do {
        return (try Checkpoint(path: path), problems)
      } catch {
        problems.append("\(error)")
      }
    }
    guard problems.isEmpty else { throw RunError.noWholeCheckpoint(folder: folder.path, problems: problems) }
    return nil
  }

  /// Removes what an interrupted save left behind.
  func removeLeftovers() {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.checkpoints)) ?? []
    for name in names where name.hasSuffix(".partial") { unlink("\(folder.checkpoints)/\(name)") }
  }

  /// Writes a checkpoint, then removes older ones that are no longer to be kept.
  ///
  /// - Parameter whole: called for each part in order, gives all of it
  func save(
    _ position: TrainingPosition, _ configuration: Configuration, _ dataset: LatentDataset, pace: Pace? = nil,
    _ whole: (TrainingPart) throws -> ParameterArena
  ) throws -> String {
    let path = path(step: position.step)
    try Checkpoint.write(
      position, configuration, dataset.properties, samples: dataset.count, pace: pace, to: path, whole)
    for old in superfluous(after: path, configuration.checkpoint) {
      // The manifest goes first: what is left when this is interrupted is no checkpoint.
      unlink(Checkpoint.manifest(of: old))
      unlink(old)
    }
    return path
  }

  /// What may go once `newest` is whole: all that is older, but for the last few and every n-th step. What bears a later step is
  /// left over from a time line that was given up, for its steps to be written over.
  private func superfluous(after newest: String, _ settings: Configuration.Checkpoints) -> [String] {
    candidates().filter { $0 <= newest }.dropFirst(settings.keep).filter { path in
      guard let every = settings.keepEvery, let step = Self.step(of: path) else { return true }
      return step % every != 0
    }
  }

  private static func step(of path: String) -> Int? {
    Int(((path as NSString).lastPathComponent as NSString).deletingPathExtension.dropFirst("step-".count))
  }
}
