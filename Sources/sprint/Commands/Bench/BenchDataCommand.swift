import ArgumentParser
import Foundation
import SprintData
import SprintInstruments
import SprintTraining

/// `sprint bench data`
struct BenchDataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Reads samples at random, with and without the preparation that training needs.",
    discussion: """
      Without --file it writes a file of noise to the temporary folder.
      Example: sprint bench data --threads 2
      """)

  @Option(name: .customLong("file"), help: "A data set; may be given several times.", transform: nonEmptyPath)
  var files: [String] = []

  @Option(help: "Size of the file of noise, in MB.")
  var megabytes: Int = 2000

  @Option(help: "Number of rounds; the medians are shown.")
  var rounds: Int = 3

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  func validate() throws {
    try check("megabytes", megabytes, 1...1_000_000)
    try check("rounds", rounds, 1...1000)
  }

  func run() throws {
    guard files.isEmpty else { return try measure(files) }
    let path = FileManager.default.temporaryDirectory.path + "/sprint-bench-\(getpid()).h5"
    defer { unlink(path) }
    // Moments of 4 x 32 x 32 latents in float32.
    try SyntheticLatents.write(
      path, samples: max(1, megabytes * 1_000_000 / (2 * 4 * 32 * 32 * 4)), channels: 4, side: 32, classes: 1000,
      moments: true)
    try measure([path])
  }

  private func measure(_ paths: [String]) throws {
    let result = try DataBench(paths: paths, workers: threading.workers).run(rounds: rounds)
    Console.printKernelNotice()
    try output.show(
      result,
      [
        ("samples", "\(result.samples), " + String(format: "%.2f GB", Double(result.bytes) / 1e9)),
        ("threads", "\(result.threads)"),
        ("read", String(format: "%.0f samples/s", result.readPerSecond)),
        ("drawn, scaled and shifted", String(format: "%.0f samples/s", result.preparedPerSecond)),
      ])
  }
}
