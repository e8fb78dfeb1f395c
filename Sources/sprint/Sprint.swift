import ArgumentParser
import SprintCommunication
import SprintKernels

/// The command line: parsing and printing, nothing else.
struct Sprint: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sprint",
    abstract: "Trains diffusion transformers after SPRINT (sparse-dense residual fusion, arXiv 2510.21986) on CPUs.",
    discussion:
      "Exit codes: 0 done, 1 a loss that is not finite or a case that differs, 2 a mistake in what was asked for, 75 interrupted, or ranks lost each other: start it again with --resume auto. Several processes: mpirun -np 4 sprint train ..., or launch/mpirun.sh.",
    subcommands: [
      Import.self, Inspect.self, Plan.self, Train.self, Report.self, Sample.self, Export.self, Verify.self,
      Machine.self, Bench.self,
    ])
}

/// Refuses the value of an option outside of its range.
func check(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
  guard range.contains(value) else {
    throw ValidationError("--\(option) is \(value), expected \(range.lowerBound) to \(range.upperBound)")
  }
}

/// How many threads a command uses.
struct ThreadOptions: ParsableArguments {
  @Option(help: "Worker threads of each process; one a core where left out.")
  var threads: Int?

  func validate() throws {
    if let threads { try check("threads", threads, 1...4096) }
  }

  var workers: Workers { Workers(threads ?? Launch.threadsPerRank) }
}
