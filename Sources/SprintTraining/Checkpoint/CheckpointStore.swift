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

  /// Paths of everything that is or was a checkpoint of this run, newest first; for some only the manifest may exist.
  /// Files of other names, such as a user's copies, are none. Throws where the folder cannot be listed: nobody knows
  /// then what is in it.
  package func candidates() throws -> [String] {
    let names = try FolderListing.names(in: folder.checkpoints) ?? []
    let steps = names.compactMap { name -> Int? in
      let stem = [".h5", ".manifest.json"].first { name.hasSuffix($0) }.map { name.dropLast($0.count) }
      // Not by text: steps after 999,999,999 have more digits.
      return stem.flatMap { stem in Self.step(of: name).flatMap { RunFolder.name(step: $0) == stem ? $0 : nil } }
    }
    return Set(steps).sorted(by: >).map(path(step:))
  }

  /// Returns the newest checkpoint if it belongs to a step after `step`; it may be damaged.
  func newest(after step: Int) throws -> String? {
    try candidates().first.flatMap { path in Self.step(of: path).flatMap { $0 > step ? path : nil } }
  }

  /// Returns the newest whole checkpoint that `suits` and what is wrong with newer ones; nil for a folder without
  /// checkpoints, or whose whole ones do not suit. Throws where there are some and none is whole.
  package func newest(where suits: (Checkpoint) throws -> Bool = { _ in true }) throws
    -> (checkpoint: Checkpoint, problems: [String])?
  {
    var (problems, hasWhole) = ([String](), false)
    let candidates = try candidates()
    for path in candidates {
      do {
        let checkpoint = try Checkpoint(path: path)
        hasWhole = true
        if try suits(checkpoint) { return (checkpoint, problems) }
        problems.append("\(path): a number of the steps after it is not finite")
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
    guard problems.isEmpty || isFirst || hasWhole else {
      throw RunError.noWholeCheckpoint(folder: folder.path, problems: problems)
    }
    return nil
  }

  // MARK: Checkpoints before numbers that are not finite

  /// The file that marks a checkpoint after which numbers are not finite.
  private func mark(of path: String) -> String { "\((path as NSString).deletingPathExtension).not-finite" }

  /// Whether training failed right after a checkpoint, or skipped every update since, because of a number that is not
  /// finite.
  package func isMarked(_ path: String) -> Bool { FileManager.default.fileExists(atPath: mark(of: path)) }

  private func unmark(_ path: String) { unlink(mark(of: path)) }

  /// Marks all checkpoints of `steps`: they hold the weights with which training failed.
  func mark(_ steps: ClosedRange<Int>) throws {
    for path in try candidates() where Self.step(of: path).map(steps.contains) == true {
      try AtomicFile.write(Data(), to: mark(of: path))
    }
  }

  /// The newest checkpoint before a step that is not marked, if there is one.
  func lastUnmarked(before step: Int) -> String? {
    (try? candidates())?.first { path in (Self.step(of: path) ?? step) < step && !isMarked(path) }
  }

  /// Removes marked checkpoints of steps after `step`, from where the run goes on: they belong to what failed.
  func removeMarked(after step: Int) {
    for path in (try? candidates()) ?? [] where isMarked(path) && (Self.step(of: path) ?? 0) > step { remove(path) }
  }

  private func remove(_ path: String) {
    // The manifest goes first: a file whose removal is interrupted no longer counts as a checkpoint.
    unlink(Checkpoint.manifest(of: path))
    unlink(path)
    unmark(path)
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
  /// - Parameters:
  ///   - keepsOlder: removes none
  ///   - whole: called for each part in order; returns all of it
  func save(
    _ position: TrainingPosition, _ configuration: Configuration, _ data: DataRecord,
    changes: [ConfigurationChange], keepsOlder: Bool, pace: Pace? = nil,
    _ whole: (TrainingPart) throws -> ParameterArena<Float>
  ) throws -> String {
    let path = path(step: position.step)
    try Checkpoint.write(position, configuration, data, changes: changes, pace: pace, to: path, whole)
    unmark(path)
    if !keepsOlder { superfluous(after: position.step, configuration.checkpoint).forEach(remove) }
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
  package static func isOwnName(_ path: String) -> Bool {
    step(of: path).map { "\(RunFolder.name(step: $0)).h5" } == (path as NSString).lastPathComponent
  }

  /// Returns the step in the name of a checkpoint or picture; nil for a name without one.
  package static func step(of path: String) -> Int? {
    let name = (path as NSString).lastPathComponent.dropFirst("step-".count)
    return Int(name.prefix { $0 != "." })
  }
}
