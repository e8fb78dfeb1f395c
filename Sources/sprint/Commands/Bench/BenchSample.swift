import SprintInstruments
import ArgumentParser
import Foundation
import SprintDiffusion
import SprintTraining

/// `sprint bench sample`
struct BenchSample: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Draws images from a published network that has learnt nothing.",
    discussion: "Example: sprint bench sample --size B --batch 16 --steps 10 --guidance cfg")

  @Option(help: "The network: S, B, L or XL.")
  var size: String = "B"

  @Option(help: "Images of a round.")
  var batch: Int = 16

  @Option(help: "Sampling steps.")
  var steps: Int = 10

  @Option(help: "none, cfg (classifier-free) or pdg (path-drop).")
  var guidance: Guidance.Kind = .classifierFree

  @Option(help: "How many rounds; the median is shown.")
  var rounds: Int = 3

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
    let bench = try SamplingBench(size: size, batch: batch, settings: settings, workers: threading.workers)
    if let result = try bench.run(rounds: rounds, job.communicator, stop: job.stop) { try show(result) }
    try job.end()
    if job.stop.isRequested { throw Console.restart }
  }

  private func show(_ r: SamplingBench.Result) throws {
    try output.show(
      r,
      [
        ("network", "\(r.size), \(r.batch) images, \(r.steps) steps, guidance \(r.guidance)"),
        ("ranks x threads", "\(r.ranks) x \(r.threads)"),
        ("images/s", String(format: "%.4f", r.imagesPerSecond)),
        ("a round", String(format: "%.3f s", r.seconds)),
        ("work done", String(format: "%.1f GFLOP/s", r.gflops)),
        ("matrix products", String(format: "%.1f GFLOP/s at a large size", r.peakGflops)),
        ("share of that peak", String(format: "%.3f", r.peakShare)),
        ("peak memory", String(format: "%.2f GiB", r.peakGib)),
      ])
  }
}
