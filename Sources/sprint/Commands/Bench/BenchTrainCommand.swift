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
    abstract: "Trains a network on noise for a few steps and shows where the time goes.",
    discussion: """
      The network is a published one, or that of a configuration's first stage, whose data are replaced by noise.
      Example: sprint bench train --size B --batch 16 --ratio 0.75 --steps 8
      Example: sprint bench train --config configs/imagenet256-SRDiT-B.yaml --set stages[0].batch=16 \\
        --set stages[0].accumulate=1
      """)

  @OptionGroup var input: ConfigurationOptions

  @Option(help: "A published network, instead of a configuration; B if not given.")
  var size: PublishedSize?

  @Option(help: "Images in a step, over all ranks; 16 if not given.")
  var batch: Int?

  @Option(help: "Share of tokens that the middle blocks drop: 0, 0.5, 0.625, 0.75 or 0.875; 0.75 if not given.")
  var ratio: Double?

  @Option(help: "Steps; the first third warms up, and the medians of the rest are shown.")
  var steps: Int = 8

  @Option(help: "What the backward pass computes a second time to save memory: none (the default) or blocks.")
  var recompute: PassSize.Recompute?

  @Option(help: "The number format of the products: float32 (the default) or bfloat16.")
  var precision: Precision?

  @Option(help: "The number format in which gradients travel between ranks: f32 (the default) or bf16.")
  var wire: GradientReduction.Wire?

  @Option(
    help: "A file for the timeline of the last step, as Chrome trace events, which ui.perfetto.dev shows.",
    transform: nonEmptyPath)
  var trace: String?

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  func validate() throws {
    try check("steps", steps, 2...100_000)
    guard input.isGiven else { return try checkPublished() }
    let published: [(String, String?, String)] = [
      ("size", size?.rawValue, "model.size"), ("batch", batch.map(String.init), "stages[0].batch"),
      ("ratio", ratio.map { "\($0)" }, "stages[0].drop.ratio"), ("recompute", recompute?.rawValue, "memory.recompute"),
      ("precision", precision?.rawValue, "precision"), ("wire", wire?.rawValue, "distribution.wire"),
    ]
    for (option, value, key) in published {
      if let value { throw ValidationError("--\(option) does not go with a configuration; give --set \(key)=\(value)") }
    }
  }

  /// Checks what a configuration would check, so that messages name the options.
  private func checkPublished() throws {
    guard input.settings.isEmpty else {
      throw ValidationError("--set changes a configuration, expected --config FILE")
    }
    if let batch { try check("batch", batch, 1...1_000_000) }
    if let ratio, TokenDrop.published[ratio] == nil {
      throw ValidationError(
        "--ratio is \(ratio), expected 0, 0.5, 0.625, 0.75 or 0.875, for which groups are published; for another one "
          + "give --config FILE --set stages[0].drop='{kind: random, ratio: \(ratio)}'")
    }
  }

  func run() throws {
    let job = try Job()
    let threads = try threading.workers.count
    let configuration = try job.communicator.agree { try self.configuration }
    var bench = try TrainingBench(
      configuration, name: input.isGiven ? input.path : (size ?? .base).rawValue, steps: steps, threads: threads)
    bench.trace = trace
    let result = try withOwnRemedies { try bench.run(job.communicator, stop: job.stop) }
    Console.printKernelNotice()
    if let result { try show(result) }
    try job.end()
    if job.stop.isRequested { throw Console.restart }
  }

  /// The given configuration, or that of the published network.
  private var configuration: Configuration {
    get throws {
      guard !input.isGiven else { return try input.read() }
      return try .forBench(
        size: (size ?? .base).rawValue,
        """
        precision: \((precision ?? .float32).rawValue)
        stages: [{steps: \(steps), batch: \(batch ?? 16), drop: {ratio: \(ratio ?? 0.75)}}]
        distribution: {wire: \((wire ?? .float32).rawValue)}
        memory: {recompute: \((recompute ?? .none).rawValue)}
        """)
    }
  }

  /// Names options instead of keys where memory is too little for a published network.
  private func withOwnRemedies<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch var shortage as MemoryShortage where !input.isGiven {
      shortage.remedies = "a smaller --batch, --recompute blocks, fewer --threads or more ranks"
      throw shortage
    }
  }

  private func show(_ result: TrainingBench.Result) throws {
    func seconds(_ value: Double) -> String {
      String(format: "%.3f s  %4.1f%%", value, 100 * value / result.secondsPerStep)
    }
    try output.show(
      result,
      [
        (
          "network",
          "\(result.network), batch \(result.batch), \(Int((100 * result.ratio).rounded()))% of tokens dropped"
        ),
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
