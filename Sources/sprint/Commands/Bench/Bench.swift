import ArgumentParser

/// `sprint bench`
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measures parts of sprint on this machine.",
    subcommands: [BenchTrain.self, BenchSample.self, BenchData.self, BenchReduce.self, BenchCheckpoint.self])
}
