import ArgumentParser
import Foundation
import SprintCommunication
import SprintInstruments
import SprintKernels
import SprintModel
import SprintTraining

extension PassSize.Recompute: ExpressibleByArgument {}
extension Precision: ExpressibleByArgument {}

/// `sprint bench train`
struct BenchTrainCommand: ParsableCommand, Stoppable {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains a published network on noise for a few steps and shows where the time goes.",
    discussion: "Example: sprint bench train --size B --batch 16 --ratio 0.75 --steps 8")

  @Option(help: "The network: S, B, L or XL.")
  var size: String = "B"

  @Option(help: "Images in a step, over all ranks.")
  var batch: Int = 16

  @Option(help: "Share of tokens that the middle blocks drop: 0, 0.5, 0.625, 0.75 or 0.875.")
  var ratio: Double = 0.75

  @Option(help: "Steps; the first third warms up, and the medians of the rest are shown.")
  var steps: Int = 8

  @Option(help: "What the backward pass computes a second time to save memory: none or blocks.")
  var recompute: PassSize.Recompute = .none

  @Option(help: "The number format of the products: float32 or bfloat16.")
  var precision: Precision = .float32

  @Option(help: "The number format in which gradients travel between ranks: f32 or bf16.")
  var wire: GradientReduction.Wire = .float32

  @Option(
    help: "A file for the timeline of the last step, as Chrome trace events, which ui.perfetto.dev shows.",
    transform: nonEmptyPath)
  var trace: String?

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  func validate() throws {
    try check("steps", steps, 2...100_000)
  }

  func run() throws {
    let job = try Job()
    var bench = TrainingBench(
      size: size, batch: batch, ratio: ratio, steps: steps, threads: try threading.workers.count)
    bench.recompute = recompute
    (bench.precision, bench.wire, bench.trace) = (precision, wire, trace)
    let result = try bench.run(job.communicator, stop: job.stop)
    Console.printKernelNotice()
    if let result { try show(result) }
    try job.end()
    if job.stop.isRequested { throw Console.restart }
  }

  private func show(_ result: TrainingBench.Result) throws {
    func seconds(_ value: Double) -> String {
      String(format: "%.3f s  %4.1f%%", value, 100 * value / result.secondsPerStep)
    }
    try output.show(
      result,
      [
        ("network", "\(result.size), batch \(result.batch), \(Int(100 * result.ratio))% of tokens dropped"),
        ("precision", result.precision.rawValue),
        ("ranks x threads", "\(result.ranks) x \(result.threads)"),
        ("images/s", String(format: "%.3f", result.imagesPerSecond)),
        ("a step", String(format: "%.3f s", result.secondsPerStep)),
        ("work done", String(format: "%.1f GFLOP/s, counted as published", result.gflops)),
        ("matrix products", String(format: "%.1f GFLOP/s at a large size", result.peakGflops)),
        ("share of that peak", String(format: "%.3f", result.peakShare)),
        ("sent in a step", String(format: "%.1f MB to other ranks", result.bytesSentPerStep / 1e6)),
        ("peak memory", String(format: "%.2f GiB, activations %.2f GiB", result.peakGib, result.activationsGib)),
        ("  matrix products", seconds(result.parts.matrixProducts)),
        ("  attention", seconds(result.parts.attention)),
        ("  element-wise", seconds(result.parts.elementWise)),
        ("  optimizer", seconds(result.parts.optimizer)),
        ("  waiting for data", seconds(result.parts.waitingForData)),
        ("  waiting for ranks", seconds(result.parts.waitingForRanks)),
        ("  other", seconds(result.parts.other)),
      ])
  }
}
