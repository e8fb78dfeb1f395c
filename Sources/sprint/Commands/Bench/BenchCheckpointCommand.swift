import ArgumentParser
import Foundation
import SprintInstruments
import SprintKernels
import SprintTraining

/// `sprint bench checkpoint`
struct BenchCheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract:
      "Compares saving and loading the training state of a network with writing and reading as many plain bytes.",
    discussion: "Example: sprint bench checkpoint --size B --rounds 5")

  @Option(help: "The network.")
  var size: PublishedSize = .base

  @Option(help: "Number of rounds; the medians are shown.")
  var rounds: Int = 5

  @Option(help: "The folder for the files. (default: runs/bench)", transform: nonEmptyPath)
  var folder: String = "runs/bench"

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  func validate() throws {
    try check("rounds", rounds, 1...1000)
  }

  func run() throws {
    let bench = try CheckpointBench(size: size.rawValue, folder: folder, workers: threading.workers)
    Console.printKernelNotice()
    let results = try (0..<rounds).map { _ in try bench.round() }
    let medians = Result(
      bytes: bench.bytes, saveSeconds: median(results.map(\.save)),
      plainWriteSeconds: median(results.map(\.plainWrite)),
      loadSeconds: median(results.map(\.load)), plainReadSeconds: median(results.map(\.plainRead)))
    func line(_ own: Double, _ plain: Double) -> String {
      String(format: "%.2f s; plain bytes with a hash %.2f s; ratio %.2f", own, plain, own / plain)
    }
    try output.show(
      medians,
      [
        ("state", String(format: "%.2f GB, medians of %d rounds", Double(medians.bytes) / 1e9, rounds)),
        ("save", line(medians.saveSeconds, medians.plainWriteSeconds)),
        ("load", line(medians.loadSeconds, medians.plainReadSeconds)),
      ])
  }

  private struct Result: Encodable {
    let bytes: Int
    let saveSeconds, plainWriteSeconds, loadSeconds, plainReadSeconds: Double
  }
}
