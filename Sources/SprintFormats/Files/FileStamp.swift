import Foundation

/// The size of a file and when it was last written: they tell whether a file is still the one that was read before.
package struct FileStamp: Sendable, Equatable, CustomStringConvertible {
  private let size, seconds, nanoseconds: Int

  /// Looks at the file at `path`.
  package init(path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw FileError.last(path, "look at") }
    self.init(status)
  }

  init(_ status: stat) {
    (size, seconds, nanoseconds) = (Int(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
  }

  /// A text that differs between different stamps.
  package var description: String { "\(size) \(seconds).\(nanoseconds)" }
}
