import ArgumentParser
import Foundation
import SprintDiffusion
import SprintInstruments
import SprintKernels
import SprintTraining

/// `sprint bench sample`
struct BenchSampleCommand: ParsableCommand, Stoppable {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Measures sampling from a published network with random weights.",
    discussion: "Example: sprint bench sample --size B --batch 16 --steps 10 --guidance cfg")

  @Option(help: "The network.")
  var size: PublishedSize = .base

  @Option(help: "Images in a round.")
  var batch: Int = 16

  @Option(help: "Sampling steps.")
  var steps: Int = 10

  @Option(help: "none, cfg (classifier-free) or pdg (path-drop).")
  var guidance: Guidance.Kind = .classifierFree

  @Option(help: "Number of rounds; the median is shown.")
  var rounds: Int = 3

  @Option(help: "The number format of the products: float32 or bfloat16.")
  var precision: Precision = .float32

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  func validate() throws {
    for (name, value) in [("batch", batch), ("steps", steps), ("rounds", rounds)] {
      try check(name, value, 1...100_000)
    }
  }

  func run() throws {
    let job = try Job()
    let settings = SamplerSettings(steps: steps, guidance: Guidance(guidance, scale: 1.5))
    let bench = try SamplingBench(
      size: size.rawValue, batch: batch, settings: settings, precision: precision, workers: threading.workers)
    let result = try bench.run(rounds: rounds, job.communicator, stop: job.stop)
    Console.printKernelNotice()
    if let result { try show(result) }
    try job.end()
    if job.stop.isRequested { throw Console.restart }
  }

  private func show(_ result: SamplingBench.Result) throws {
    try output.show(
      result,
      [
        ("network", "\(result.size), \(result.batch) images, \(result.steps) steps, guidance \(result.guidance)"),
        ("precision", result.precision.rawValue),
        ("ranks x threads", "\(result.ranks) x \(result.threads)"),
        ("images/s", String(format: "%.4f", result.imagesPerSecond)),
        ("a round", String(format: "%.3f s", result.seconds)),
        ("work done", String(format: "%.1f GFLOP/s", result.gflops)),
        ("matrix products", String(format: "%.1f GFLOP/s at a large size", result.peakGflops)),
        ("share of that peak", String(format: "%.3f", result.peakShare)),
        ("peak memory", String(format: "%.2f GiB", result.peakGib)),
      ])
  }
}
