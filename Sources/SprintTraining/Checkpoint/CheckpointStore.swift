import Foundation
import SprintData
import SprintFormats
import SprintModel

/// The checkpoints in a run's folder.
package struct CheckpointStore: Sendable {
  private let folder: RunFolder

  /// The store of a run.
  package init(_ folder: RunFolder) { self.folder = folder }

  /// The file of a step's checkpoint.
  func path(step: Int) -> String {
    "\(folder.checkpoints)/\(RunFolder.name(step: step)).h5"
  }

  /// Paths of everything that is or was a checkpoint, newest first; for some only the manifest may exist. Names without
  /// a step come last. Throws where the folder cannot be listed: nobody knows then what is in it.
  package func candidates() throws -> [String] {
    let names = try FolderListing.names(in: folder.checkpoints) ?? []
    let files = names.filter { $0.hasPrefix("step-") }.compactMap { name in
      name.hasSuffix(".h5") ? name : name.hasSuffix(".manifest.json") ? "\(name.dropLast(14)).h5" : nil
    }
    // Not by text: steps after 999,999,999 have more digits.
    return Set(files).map { (step: Self.step(of: $0) ?? -1, name: $0) }.sorted(by: >)
      .map { "\(folder.checkpoints)/\($0.name)" }
  }

  /// Returns the newest checkpoint if it belongs to a step after `step`; it may be damaged.
  func newest(after step: Int) throws -> String? {
    try candidates().first.flatMap { path in Self.step(of: path).flatMap { $0 > step ? path : nil } }
  }

  /// Returns the newest whole checkpoint and what is wrong with newer ones; nil for a folder without checkpoints.
  /// Throws where there are some and none is whole.
  package func newest() throws -> (checkpoint: Checkpoint, problems: [String])? {
    var problems: [String] = []
    let candidates = try candidates()
    for path in candidates {
      do {
        return (try Checkpoint(path: path), problems)
      } catch let error as FileError where error.mayPass {
        // The checkpoint may be whole: an older one would throw away steps.
        throw error
      } catch {
        problems.append("\(error)")
      }
    }
    // A process that was killed in its very first save left a file without a manifest. It never was a checkpoint.
    let isFirst =
      candidates.count == 1 && !FileManager.default.fileExists(atPath: Checkpoint.manifest(of: candidates[0]))
    guard problems.isEmpty || isFirst else { throw RunError.noWholeCheckpoint(folder: folder.path, problems: problems) }
    return nil
  }

  /// Removes the temporary files of interrupted writes, and nothing that another command may be writing or go on with.
  /// The caller holds the folder's lock.
  func removeLeftovers() {
    for place in [folder.checkpoints, folder.samples] {
      AtomicFile.removeLeftovers(in: place) { $0.hasPrefix("step-") }
    }
    AtomicFile.removeLeftovers(in: folder.path) { $0.hasPrefix("config.yaml.") || $0.hasPrefix("metrics.jsonl.") }
  }

  /// Writes a checkpoint, then removes older ones that the settings do not keep. Returns its path.
  ///
  /// - Parameter whole: called for each part in order; returns all of it
  func save(
    _ position: TrainingPosition, _ configuration: Configuration, _ data: DataRecord, pace: Pace? = nil,
    _ whole: (TrainingPart) throws -> ParameterArena<Float>
  ) throws -> String {
    let path = path(step: position.step)
    try Checkpoint.write(position, configuration, data, pace: pace, to: path, whole)
    for old in superfluous(after: position.step, configuration.checkpoint) {
      // The manifest goes first: a file whose removal is interrupted no longer counts as a checkpoint.
      unlink(Checkpoint.manifest(of: old))
      unlink(old)
    }
    return path
  }

  /// The checkpoints to remove once that of step `newest` is whole: all older ones but the last few and every n-th
  /// step. Checkpoints of later steps belong to an abandoned continuation; training overwrites them when it gets there.
  private func superfluous(after newest: Int, _ settings: Configuration.Checkpoints) -> [String] {
    // A folder that cannot be listed now keeps what is in it until the next save.
    let older = ((try? candidates()) ?? []).compactMap { path in Self.step(of: path).map { (path: path, step: $0) } }
      .filter { $0.step <= newest }.dropFirst(settings.keep)
    return older.filter { entry in settings.keepEvery.map { entry.step % $0 != 0 } ?? true }.map(\.path)
  }

  /// Whether a path has a name that training gives to a checkpoint.
  static func isOwnName(_ path: String) -> Bool {
    step(of: path).map { "\(RunFolder.name(step: $0)).h5" } == (path as NSString).lastPathComponent
  }

  /// Returns the step in the name of a checkpoint or picture; nil for a name without one.
  package static func step(of path: String) -> Int? {
    Int(((path as NSString).lastPathComponent as NSString).deletingPathExtension.dropFirst("step-".count))
  }
}
