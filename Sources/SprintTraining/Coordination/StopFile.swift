import Foundation

/// The file `stop` in a run's folder: whoever creates it stops the run.
package final class StopFile {
  private let path: String
  private var lastLook = Date.distantPast

  /// Watches for a file at `path`.
  package init(path: String) { self.path = path }

  /// Returns true once the file exists, and removes it. It looks at most once a second, to spare a file system under
  /// load.
  package func isFound(now: Date = Date()) -> Bool {
    guard now.timeIntervalSince(lastLook) >= 1 else { return false }
    lastLook = now
    guard FileManager.default.fileExists(atPath: path) else { return false }
    unlink(path)
    return true
  }
}
