import ArgumentParser
import Foundation
import SprintCommunication
import SprintFormats
import SprintKernels
import SprintTraining
import Synchronization

/// Standard output, standard error and exit codes. Only rank zero prints to standard output.
enum Console {
  /// Interrupted: start the same command again with `--resume auto`.
  static let restart = ExitCode(75)
  private static let usersMistake: Int32 = 2
  private static let failure: Int32 = 1
  private static let ownRank = Atomic(0)
  /// Why standard output lost text: the error number of the first failed write, or 0.
  private static let outputFailure = Atomic<Int32>(0)
  /// Whether the current line of the terminal is a status.
  private static let hasStatus = Atomic(false)

  /// The rank of this process.
  static var rank: Int {
    get { ownRank.load(ordering: .relaxed) }
    set { ownRank.store(newValue, ordering: .relaxed) }
  }

  /// Whether a person watches. A launcher gives its processes a terminal even if its own output goes to a file.
  static var isTerminal: Bool { Launch.current == nil && isatty(STDOUT_FILENO) == 1 }

  static func line(_ text: String) { if rank == 0 { write(text + "\n", to: .standardOutput) } }

  static func error(_ text: String) {
    if hasStatus.exchange(false, ordering: .relaxed) { write("\r\u{1B}[K", to: .standardOutput) }
    write(text + "\n", to: .standardError)
  }

  /// Replaces the current line on a terminal.
  static func status(_ text: String) {
    guard rank == 0 else { return }
    hasStatus.store(!text.isEmpty, ordering: .relaxed)
    write("\r\u{1B}[K" + text, to: .standardOutput)
  }

  /// Prints a line if OpenBLAS's kernels are slow for this CPU or sprint restarted for better ones, and one if the
  /// library allows a single thread. Commands that compute for long call it once they know that their arguments are
  /// right.
  static func printKernelNotice() {
    guard rank == 0 else { return }
    for notice in [CoreChoice.current.notice, BLAS.notice].compactMap(\.self) { error("sprint: \(notice)") }
  }

  /// Ends the process for an error: prints help as it is, and every other error as one line on standard error. The exit
  /// code is 1 if training or sampling failed by itself, memory is too little or output was lost, 75 if the ranks lost
  /// each other or a disk is full or away, and 2 otherwise.
  static func exit(for error: any Error) -> Never {
    if let code = error as? ExitCode { leave(code.rawValue) }
    if Sprint.exitCode(for: error) == .success {
      line(Sprint.message(for: error))
      leave(0)
    }
    if error is CommunicationError { abandon(error) }
    let code = exitCode(for: error)
    if code == failure { leaveMark("SPRINT_FAILED") }
    if rank > 0, isShared(error) {
      // Rank zero reports an error that all ranks meet. Its exit code has to be the first one that the launcher sees.
      sleep(2)
      leave(code)
    }
    Self.error("sprint: \(rank > 0 ? "rank \(rank): " : "")\(message(for: error))")
    leave(code)
  }

  private static func exitCode(for error: any Error) -> Int32 {
    switch error {
    case RunError.notFinite, RunError.unsaved, RunError.unreadable, is SampleError: failure
    case is MemoryShortage, is OutputError, is BackgroundThread.StartError: failure
    case let error as FileError where error.mayPass: restart.rawValue
    default: usersMistake
    }
  }

  /// Whether all ranks throw this error together.
  private static func isShared(_ error: any Error) -> Bool {
    switch error {
    case RunError.notFinite, RunError.unreadable: true
    default: error is FailureElsewhere
    }
  }

  /// Returns one line: the error and, if an option helps, what to do.
  static func message(for error: any Error) -> String {
    let text = Sprint.message(for: error).split(separator: "\n").joined(separator: " ")
    return ([text] + [advice(for: error)].compactMap(\.self)).joined(separator: "; ")
  }

  /// Ends this process at once because the ranks lost each other. A launcher that cannot reach a frozen host would wait
  /// for ever, so this also creates the file SPRINT_ABANDONED, if that is set, for the script that started the
  /// launcher.
  @Sendable static func abandon(_ error: any Error) -> Never {
    Self.error("sprint: rank \(rank): \(message(for: error))")
    leaveMark("SPRINT_ABANDONED")
    if case CommunicationError.notConnected = error { leave(usersMistake) }
    leave(restart.rawValue)
  }

  /// Creates the file that a variable names, for the script that started the launcher: the launcher's own exit code
  /// does not tell how a rank ended.
  private static func leaveMark(_ variable: String) {
    guard let path = ProcessInfo.processInfo.environment[variable] else { return }
    _ = FileManager.default.createFile(atPath: path, contents: Data())
  }

  /// Ends the process without the clean-up of libraries, whose threads may still be working.
  static func leave(_ code: Int32) -> Never { _exit(code) }

  /// Standard output lost text, because a disk is full for example.
  struct OutputError: Error, CustomStringConvertible {
    let code: Int32
    var description: String { "standard output: cannot write: \(String(cString: strerror(code)))" }
  }

  /// Throws if the arguments of the process are unknown: Swift reads them from `/proc`, and without them every command
  /// would print its help and succeed.
  static func checkArguments() throws {
    guard CommandLine.arguments.isEmpty else { return }
    throw ValidationError("cannot read the arguments of this process from /proc; mount it")
  }

  /// Throws `OutputError` if standard output lost text. A pipe that its reader has closed loses nothing that anybody
  /// wants.
  static func checkOutput() throws {
    let code = outputFailure.load(ordering: .relaxed)
    if code != 0 { throw OutputError(code: code) }
  }

  private static func write(_ text: String, to handle: FileHandle) {
    do { try handle.write(contentsOf: Data(text.utf8)) } catch {
      // No reason to lose a run: the command goes on, and its end reports the error.
      let code = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError).code
      guard handle === FileHandle.standardOutput, code != EPIPE else { return }
      outputFailure.store(Int32(truncatingIfNeeded: code), ordering: .relaxed)
    }
  }
}
