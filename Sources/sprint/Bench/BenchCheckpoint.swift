import ArgumentParser
import Foundation
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

  @Flag(help: "One JSON object on one line.")
  var json = false

  @OptionGroup var threading: ThreadOptions

  func validate() throws {
    guard (1...1000).contains(rounds) else { throw ValidationError("--rounds is \(rounds), expected 1 to 1000") }
  }

  func run() throws {
    let bench = try CheckpointBench(size: size, folder: folder, workers: threading.workers)
    let results = try (0..<rounds).map { _ in try bench.round() }
    func median(_ part: (CheckpointBench.Round) -> Double) -> Double { results.map(part).sorted()[rounds / 2] }
    let (save, write, load, read) = (median(\.save), median(\.plainWrite), median(\.load), median(\.plainRead))
    if json {
      Console.line(
        "{\"bytes\": \(bench.bytes), \"save_seconds\": \(save), \"plain_write_seconds\": \(write), "
          + "\"load_seconds\": \(load), \"plain_read_seconds\": \(read)}")
    } else {
      Console.line(String(format: "%.2f GB, medians of %d rounds", Double(bench.bytes) / 1e9, rounds))
      Console.line(
        String(format: "save %.2f s, written and hashed plainly %.2f s, ratio %.2f", save, write, save / write))
      Console.line(String(format: "load %.2f s, read and hashed plainly %.2f s, ratio %.2f", load, read, load / read))
    }
  }
}
