import ArgumentParser

/// The command line: it parses and prints, and computes nothing.
struct Sprint: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sprint",
    abstract: "Trains diffusion transformers with SPRINT (sparse-dense residual fusion, arXiv 2510.21986) on CPUs.",
    discussion: """
      Exit codes: 0 success; 1 a loss or an image is not finite, the last checkpoint is not saved, data cannot be \
      read any more, or a case differs; 2 a mistake in the command, the configuration or a file; 75 interrupted, or \
      the ranks lost each other: run the same command again with --resume auto.
      To use several processes, start sprint with mpirun -np 4 sprint train ... or launch/mpirun.sh.
      """,
    version: Version.line,
    subcommands: [
      ImportCommand.self, InspectCommand.self, PlanCommand.self, TrainCommand.self, ReportCommand.self,
      SampleCommand.self, DecodeCommand.self, EvaluateCommand.self,
      ExportCommand.self, VerifyCommand.self, MachineCommand.self, BenchCommand.self,
    ])
}
