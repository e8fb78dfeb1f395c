import Dispatch
import Foundation
import SprintCommunication
import SprintTraining

/// The processes that a launcher started for one command, or the one process that nobody launched.
struct Job {
  let communicator: Communicator
  /// Whether a signal asked for a stop.
  let stop = StopRequest()
  private let signals: [any DispatchSourceSignal]

  /// Hears signals from now on and joins the other processes.
  init() throws {
    signals = Self.listen(stop)
    if let launch = Launch.current, launch.size != 1 {
      Console.rank = launch.rank
      communicator = try .mpi(timeout: 60, onFailure: { Console.abandon($0) }, describe: message(of:)) {
        Console.error("sprint: \($0)")
      }
      Console.rank = communicator.rank
    } else {
      communicator = .single()
    }
  }

  /// Leaves the job once all processes are here.
  func end() throws {
    try communicator.close()
    signals.forEach { $0.cancel() }
  }

  /// Interrupt, termination and the first user signal ask for a stop with a checkpoint.
  private static func listen(_ stop: StopRequest) -> [any DispatchSourceSignal] {
    [SIGINT, SIGTERM, SIGUSR1].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { stop.request() }
      source.resume()
      return source
    }
  }
}
