import ArgumentParser
import SprintCommunication
import SprintKernels

/// The number of threads that a command uses.
struct ThreadOptions: ParsableArguments {
  @Option(help: "Worker threads of each process; without it, one for each core.")
  var threads: Int?

  func validate() throws {
    if let threads { try check("threads", threads, 1...4096) }
  }

  /// The workers, whose threads have started.
  var workers: Workers {
    get throws {
      let workers = Workers(threads ?? Launch.threadsPerRank)
      try workers.start()
      return workers
    }
  }
}
