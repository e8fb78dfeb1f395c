import SprintInstruments
import ArgumentParser
import Foundation
import SprintModel
import SprintTraining

extension PassSize.Recompute: ExpressibleByArgument {}

/// `sprint bench train`
struct BenchTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a published network on noise for some steps and shows where the time goes.",
    discussion: "Example: sprint bench train --size B --batch 16 --ratio 0.75 --steps 8")

  @Option(help: "The network: S, B, L or XL.")
  var size: String = "B"

  @Option(help: "Images of a step, of all ranks together.")
  var batch: Int = 16

  @Option(help: "Share of tokens that the middle blocks do not see: 0, 0.5, 0.625, 0.75 or 0.875.")
  var ratio: Double = 0.75

  @Option(help: "Steps; the first third warms up, medians of the others are shown.")
  var steps: Int = 8

  @Option(help: "What the backward pass computes once more to save memory: none or blocks.")
  var recompute: PassSize.Recompute = .none

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  func validate() throws {
    try check("steps", steps, 2...100_000)
  }

  func run() throws {
    let job = try Job()
    var bench = TrainingBench(
      size: size, batch: batch, ratio: ratio, steps: steps, threads: threading.workers.count)
    bench.recompute = recompute
    if let result = try bench.run(job.communicator, stop: job.stop) { try show(result) }
    try job.end()
    if job.stop.isRequested { throw Console.restart }
  }

  private func show(_ r: TrainingBench.Result) throws {
    func seconds(_ value: Double) -> String {
      String(format: "%.3f s  %4.1f%%", value, 100 * value / r.secondsPerStep)
    }
    try output.show(
      r,
      [
        ("network", "\(r.size), batch \(r.batch), \(Int(100 * r.ratio))% of tokens dropped"),
        ("ranks x threads", "\(r.ranks) x \(r.threads)"),
        ("images/s", String(format: "%.3f", r.imagesPerSecond)),
        ("a step", String(format: "%.3f s", r.secondsPerStep)),
        ("work done", String(format: "%.1f GFLOP/s, counted as published", r.gflops)),
        ("matrix products", String(format: "%.1f GFLOP/s at a large size", r.peakGflops)),
        ("share of that peak", String(format: "%.3f", r.peakShare)),
        ("peak memory", String(format: "%.2f GiB, activations %.2f GiB", r.peakGib, r.activationsGib)),
        ("  matrix products", seconds(r.parts.matrixProducts)),
        ("  attention", seconds(r.parts.attention)),
        ("  element-wise", seconds(r.parts.elementWise)),
        ("  optimizer", seconds(r.parts.optimizer)),
        ("  waiting for data", seconds(r.parts.waitingForData)),
        ("  waiting for ranks", seconds(r.parts.waitingForRanks)),
        ("  other", seconds(r.parts.other)),
      ])
  }
}
