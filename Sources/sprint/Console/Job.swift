import Dispatch
import Foundation
import SprintCommunication
import SprintTraining

/// All processes of one command: those that a launcher started, or a single one.
struct Job {
  let communicator: Communicator
  /// Records that a signal requests a stop.
  let stop = StopRequest()
  private let signals: [any DispatchSourceSignal]

  /// Starts to listen for signals and joins the other processes.
  init() throws {
    signals = Self.listen(stop)
    if let launch = Launch.current, launch.size != 1 {
      Console.rank = launch.rank
      communicator = try .mpi(timeout: 60, onFailure: { Console.abandon($0) }, describe: { Console.message(for: $0) }) {
        Console.error("sprint: \($0)")
      }
      Console.rank = communicator.rank
    } else {
      communicator = .single()
    }
  }

  /// Waits for all processes and leaves the job.
  func end() throws {
    try communicator.close()
    signals.forEach { $0.cancel() }
  }

  /// Turns SIGINT, SIGTERM and SIGUSR1 into a request to save and stop.
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
