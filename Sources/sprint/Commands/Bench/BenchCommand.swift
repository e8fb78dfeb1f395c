import ArgumentParser

/// `sprint bench`
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures parts of sprint on this machine.",
    subcommands: [
      BenchTrainCommand.self, BenchSampleCommand.self, BenchDataCommand.self, BenchReduceCommand.self,
      BenchCheckpointCommand.self,
    ])
}
