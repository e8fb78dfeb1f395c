import SprintInstruments
import ArgumentParser
import Foundation
import SprintKernels
import SprintTraining

/// `sprint bench checkpoint`
struct BenchCheckpoint: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "Saves and loads the full training state of a network, and as many plain bytes, in turn.",
    discussion: "Example: sprint bench checkpoint --size B --rounds 5")

  @Option(help: "The network: S, B, L or XL.")
  var size: String = "B"

  @Option(help: "How many rounds; medians are shown.")
  var rounds: Int = 5

  @Option(help: "Where the files are written.")
  var folder: String = "runs/bench"

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  func validate() throws {
    try check("rounds", rounds, 1...1000)
  }

  func run() throws {
    let bench = try CheckpointBench(size: size, folder: folder, workers: threading.workers)
    let results = try (0..<rounds).map { _ in try bench.round() }
    let found = Result(
      bytes: bench.bytes, saveSeconds: median(results.map(\.save)),
      plainWriteSeconds: median(results.map(\.plainWrite)),
      loadSeconds: median(results.map(\.load)), plainReadSeconds: median(results.map(\.plainRead)))
    func line(_ own: Double, _ plain: Double) -> String {
      String(format: "%.2f s; plainly, with a hash, %.2f s; ratio %.2f", own, plain, own / plain)
    }
    try output.show(
      found,
      [
        ("state", String(format: "%.2f GB, medians of %d rounds", Double(found.bytes) / 1e9, rounds)),
        ("save", line(found.saveSeconds, found.plainWriteSeconds)),
        ("load", line(found.loadSeconds, found.plainReadSeconds)),
      ])
  }

  private struct Result: Encodable {
    let bytes: Int
    let saveSeconds, plainWriteSeconds, loadSeconds, plainReadSeconds: Double
  }
}
