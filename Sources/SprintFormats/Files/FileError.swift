import Foundation

/// What a user can do about an error. The module that throws the error defines the remedies; the command line names the
/// options that they stand for.
package protocol Remedy: Sendable {}

/// An error that may know what the user can do about it.
package protocol RemediableError: Error {
  /// What the user can do, where the command line has an option for it.
  var remedy: (any Remedy)? { get }
}

/// Why a file could not be read, written or used. There is one error type for files, wherever they are read.
package enum FileError: RemediableError, CustomStringConvertible {
  /// A system call failed.
  case system(path: String, action: String, code: Int32)
  /// The file is too short.
  case truncated(path: String, expected: Int)
  /// The content of the file, or of an entry of an archive, cannot be used.
  case unusable(path: String, problem: String, remedy: (any Remedy)? = nil)

  /// One line: the file, what was found, what was expected.
  package var description: String {
    switch self {
    case .system(let path, let action, let code):
      "\(path): cannot \(action): \(String(cString: strerror(code)))" + Self.help(code, path)
    case .unusable(let path, let problem, _): "\(path): \(problem)"
    case .truncated(let path, let expected): "\(path): truncated: expected at least \(expected) bytes"
    }
  }

  /// What the user can do, where the command line has an option for it.
  package var remedy: (any Remedy)? {
    if case .unusable(_, _, let remedy) = self { remedy } else { nil }
  }

  /// Whether the same call may work later: the disk is full, or it or its server does not answer. Nobody has to change
  /// the command.
  package var mayPass: Bool {
    guard case .system(_, _, let code) = self else { return false }
    return Self.passingCodes.contains(code)
  }

  /// Whether another file would do: the fault is in this one, and not in a disk that does not answer or in what an
  /// option settles.
  package var concernsOneFile: Bool {
    if case .system(_, _, let code) = self { return [ENOENT, ENOTDIR, EISDIR].contains(code) }
    return remedy == nil
  }

  private static let passingCodes: Set<Int32> = [
    ENOSPC, EDQUOT, EIO, EREMOTEIO, ESTALE, ENOTCONN, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH, ENETDOWN, ENETUNREACH,
    ECONNREFUSED, ECONNRESET, ECONNABORTED, ENOLINK, ECOMM,
  ]

  /// What helps against an error of the system that no option of the command line can help against.
  private static func help(_ code: Int32, _ path: String) -> String {
    switch code {
    case EMFILE: "; raise the limit with `ulimit -n`, here \(OpenFileLimit.current)"
    case ENOENT where !path.hasPrefix("/"): "; the path starts at \(FileManager.default.currentDirectoryPath)"
    default: ""
    }
  }

  /// The error of the system call that has just failed.
  package static func last(_ path: String, _ action: String) -> FileError {
    .system(path: path, action: action, code: errno)
  }

  /// A tensor, data set or attribute of the file differs from what is needed.
  package static func unexpected(path: String, name: String, found: String, expected: String) -> FileError {
    .unusable(path: path, problem: "`\(name)` is \(found), expected \(expected)")
  }
}
