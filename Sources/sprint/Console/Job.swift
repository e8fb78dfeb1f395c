import SprintCommunication
import SprintTraining

/// All processes of one command: those that a launcher started, or a single one.
struct Job {
  let communicator: Communicator
  /// Whether a signal requests a stop.
  let stop = StopRequest { Signals.areRequestingStop }

  /// Joins the other processes.
  init() throws {
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
  func end() throws { try communicator.close() }
}
