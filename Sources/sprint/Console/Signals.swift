import Foundation
import Synchronization

/// A command that saves what it has when a signal asks it to stop. Every other command ends as the system ends it.
protocol Stoppable {}

/// The signals that ask a process to stop: INT, TERM, HUP, USR1 and USR2.
enum Signals {
  private static let numbers = [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2]
  private static let count = Atomic(0)
  /// When the first signal arrived, in milliseconds of a clock that only goes forward.
  private static let first = Atomic(0)
  /// Launchers and terminals often send one request several times. What arrives later than this is another request.
  private static let patience = 500

  /// Whether a signal has arrived.
  static var areRequestingStop: Bool { count.load(ordering: .relaxed) > 0 }

  /// Holds signals back until `listen`, also across a restart of the program. Call it first thing in `main`: no signal
  /// is lost, and none ends a process that does not listen yet.
  static func hold() { mask(SIG_BLOCK) }

  /// Counts signals from now on, those that were held back included. A closed pipe is an error of the write to it, not
  /// the end of the process.
  static func listen() {
    // Initialised here: a signal handler must not do it.
    _ = (count.load(ordering: .relaxed), first.load(ordering: .relaxed), patience)
    signal(SIGPIPE, SIG_IGN)
    for number in numbers { signal(number) { Signals.arrived($0) } }
    mask(SIG_UNBLOCK)
  }

  /// Lets signals end the process, as those that have already arrived should have done.
  static func endTheProcess() {
    for number in numbers { signal(number, SIG_DFL) }
    if areRequestingStop { raise(SIGTERM) }
  }

  /// Runs in the signal handler: it may only use atomic variables and system calls.
  private static func arrived(_ number: Int32) {
    let now = milliseconds
    if count.wrappingAdd(1, ordering: .relaxed).oldValue == 0 { return first.store(now, ordering: .relaxed) }
    // The user signals are polite: they never end a save. The others mean it when they come again.
    guard number != SIGUSR1, number != SIGUSR2, now - first.load(ordering: .relaxed) > patience else { return }
    _exit(Console.restart.rawValue)
  }

  private static var milliseconds: Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  private static func mask(_ change: Int32) {
    var set = sigset_t()
    sigemptyset(&set)
    for number in numbers { sigaddset(&set, number) }
    pthread_sigmask(change, &set, nil)
  }
}
