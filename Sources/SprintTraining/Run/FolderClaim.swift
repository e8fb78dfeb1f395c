import Foundation
import SprintFormats

/// A run's folder in the hands of this process: its lock, which keeps other processes out, its stop file, and the
/// patience with its disk.
final class FolderClaim {
  let folder: RunFolder
  let patience: Patience
  private let stopFile: StopFile
  private var lock: ExclusiveLock?

  /// Locks the folder if it exists, before anything in it is read; throws where another process trains there.
  ///
  /// - Parameter isRankZero: the other ranks read and lock nothing
  init(_ folder: RunFolder, _ patience: Patience, isRankZero: Bool) throws {
    (self.folder, self.patience, stopFile) = (folder, patience, StopFile(path: folder.stop))
    if isRankZero, FileManager.default.fileExists(atPath: folder.path) { try patience { try takeLock() } }
  }

  private func takeLock() throws {
    lock = try ExclusiveLock(path: folder.lock, staysBehind: true, remedy: RunRemedy.waitOrNameAnotherFolder)
  }

  /// Creates the folder, or goes on in it, at rank zero.
  func open(note: (String) -> Void) throws {
    try folder.create()
    if lock == nil {
      try takeLock()
      // Another process may have created the folder and trained in it since this one looked.
      if try folder.isOccupied { throw RunError.occupied(folder: folder.path, step: 0) }
    }
    if let warning = lock?.warning { note(warning) }
  }

  /// Gives the folder back.
  func release() { lock = nil }

  /// Whether someone created the stop file.
  var isStopRequested: Bool { stopFile.isFound() }
}
