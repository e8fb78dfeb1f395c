import ArgumentParser
import Foundation
import SprintTraining

/// Standard output and standard error, and the program's exit codes.
enum Console {
  /// The run can be continued: start the same command again with `--resume auto`.
  static let restart = ExitCode(75)
  private static let usersMistake: Int32 = 2
  private static let failure: Int32 = 1

  static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  static func line(_ text: String) { write(text + "\n", to: .standardOutput) }

  static func error(_ text: String) { write(text + "\n", to: .standardError) }

  /// Replaces the line under way on a terminal.
  static func status(_ text: String) { write("\r\u{1B}[K" + text, to: .standardOutput) }

  /// Help and exit codes as they are; every other error as one line on standard error: exit code 1 where
  /// training went wrong by itself, else 2.
  static func exit(for error: any Error) -> Never {
    if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
    if Sprint.exitCode(for: error) == .success {
      line(Sprint.message(for: error))
      Foundation.exit(0)
    }
    Self.error("sprint: \(Sprint.message(for: error).split(separator: "\n").joined(separator: " "))")
    if case RunError.notFinite = error { Foundation.exit(failure) }
    Foundation.exit(usersMistake)
  }

  private static func write(_ text: String, to handle: FileHandle) {
    // A reader that went away is no reason to lose a run.
    try? handle.write(contentsOf: Data(text.utf8))
  }
}
