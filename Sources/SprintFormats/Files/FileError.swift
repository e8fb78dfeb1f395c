import Foundation

/// Why a file could not be written or read.
package enum FileError: Error, CustomStringConvertible {
  /// A system call failed.
  case system(path: String, action: String, code: Int32)
  /// The file is shorter than it has to be.
  case truncated(path: String, expected: Int)

  /// What stands in the file, or in an entry of an archive, cannot be used.
  case unusable(path: String, problem: String)

  /// One line: what failed, where, and why.
  package var description: String {
    switch self {
    case .system(let path, let action, let code): "\(path): cannot \(action): \(String(cString: strerror(code)))"
    case .unusable(let path, let problem): "\(path): \(problem)"
    case .truncated(let path, let expected): "\(path): truncated: it has to have at least \(expected) bytes"
    }
  }

  /// The error of the system call that has just failed.
  package static func last(_ path: String, _ action: String) -> FileError {
    .system(path: path, action: action, code: errno)
  }
}
