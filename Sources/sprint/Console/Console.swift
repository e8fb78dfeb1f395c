import ArgumentParser
import Foundation
import SprintCommunication
import SprintTraining
import Synchronization

/// Standard output and standard error, and the program's exit codes. Of several ranks the first one speaks.
enum Console {
  /// The run can be continued: start the same command again with `--resume auto`.
  static let restart = ExitCode(75)
  private static let usersMistake: Int32 = 2
  private static let failure: Int32 = 1
  private static let ownRank = Atomic(0)

  /// Which rank this is.
  static var rank: Int {
    get { ownRank.load(ordering: .relaxed) }
    set { ownRank.store(newValue, ordering: .relaxed) }
  }

  /// A launcher gives its processes a terminal of its own making, even where its output goes to a file.
  static var isTerminal: Bool { Launch.current == nil && isatty(STDOUT_FILENO) == 1 }

  static func line(_ text: String) { if rank == 0 { write(text + "\n", to: .standardOutput) } }

  static func error(_ text: String) { write(text + "\n", to: .standardError) }

  /// Replaces the line under way on a terminal.
  static func status(_ text: String) { if rank == 0 { write("\r\u{1B}[K" + text, to: .standardOutput) } }

  /// Help and exit codes as they are; every other error as one line on standard error: exit code 1 where training went wrong by
  /// itself, 75 where ranks have lost each other, else 2.
  static func exit(for error: any Error) -> Never {
    if let code = error as? ExitCode { leave(code.rawValue) }
    if Sprint.exitCode(for: error) == .success {
      line(Sprint.message(for: error))
      leave(0)
    }
    var code = usersMistake
    switch error {
    case RunError.notFinite, RunError.unsaved, RunError.unreadable: code = failure
    default: break
    }
    var isShared = error is FailureElsewhere
    if case RunError.notFinite = error { isShared = true }
    if error is CommunicationError { abandon(error) }
    // What all ranks have met rank zero tells, and its exit code is to be the first.
    if rank > 0, isShared {
      sleep(2)
      leave(code)
    }
    let text = message(of: error).split(separator: "\n").joined(separator: " ")
    Self.error("sprint: \(rank > 0 ? "rank \(rank): " : "")\(text)")
    leave(code)
  }

  /// Ends this process at once, as the others will: ranks have lost each other. A launcher that cannot reach a frozen host hangs then;
  /// for its wrapper a file is left, where it asked for one.
  @Sendable static func abandon(_ error: any Error) -> Never {
    let advice = (error as? CommunicationError)?.advice.map { "; \($0)" } ?? ""
    Self.error("sprint: rank \(rank): \(error)\(advice)")
    if let path = ProcessInfo.processInfo.environment["SPRINT_ABANDONED"] {
      _ = FileManager.default.createFile(atPath: path, contents: Data())
    }
    if case CommunicationError.notConnected = error { leave(usersMistake) }
    leave(restart.rawValue)
  }

  /// Ends the process without the clean-up of libraries, whose threads may still be at work.
  static func leave(_ code: Int32) -> Never { _exit(code) }

  private static func write(_ text: String, to handle: FileHandle) {
    // A reader that went away is no reason to lose a run.
    try? handle.write(contentsOf: Data(text.utf8))
  }
}
