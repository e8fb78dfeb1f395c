import Foundation

/// The file `stop` in a run's folder: whoever creates it stops the run.
package final class StopFile {
  private let path: String
  private var lastLook: ContinuousClock.Instant?

  /// Watches for a file at `path`.
  package init(path: String) { self.path = path }

  /// Returns true once the file exists, and removes it. It looks at most once a second, to spare a file system under
  /// load.
  package func isFound(now: ContinuousClock.Instant = .now) -> Bool {
    if let lastLook, now - lastLook < .seconds(1) { return false }
    lastLook = now
    guard FileManager.default.fileExists(atPath: path) else { return false }
    unlink(path)
    return true
  }
}
