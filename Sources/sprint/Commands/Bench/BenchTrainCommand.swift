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

  @Option(help: "The network: S, B, L or XL; B if not given.")
  var size: String?

  @Option(help: "Images in a step, over all ranks; 16 if not given.")
  var batch: Int?

  @Option(help: "Share of tokens that the middle blocks drop: 0, 0.5, 0.625, 0.75 or 0.875; 0.75 if not given.")
  var ratio: Double?

  @Option(help: "A configuration (.yaml) in place of a published network; --set replaces its values.")
  var config: String?

  @Option(name: .customLong("set"), help: "Replaces a value of the configuration: KEY=VALUE.")
  var settings: [String] = []

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
    guard config != nil else {
      guard settings.isEmpty else { throw ValidationError("--set changes a configuration, expected --config FILE") }
      return
    }
    let published: [(String, String?, String)] = [
      ("size", size, "model.size"), ("batch", batch.map(String.init), "stages[0].batch"),
      ("ratio", ratio.map { "\($0)" }, "stages[0].drop.ratio"), ("recompute", recompute?.rawValue, "memory.recompute"),
      ("precision", precision?.rawValue, "precision"), ("wire", wire?.rawValue, "distribution.wire"),
    ]
    for (option, value, key) in published {
      if let value { throw ValidationError("--\(option) does not go with --config; give --set \(key)=\(value)") }
    }
  }

  func run() throws {
    let job = try Job()
    let threads = try threading.workers.count
    let configuration = try job.communicator.agree { try self.configuration(threads: threads) }
    var bench = TrainingBench(configuration, name: config ?? size ?? "B", steps: steps, threads: threads)
    bench.trace = trace
    let result = try bench.run(job.communicator, stop: job.stop)
    Console.printKernelNotice()
    if let result { try show(result) }
    try job.end()
    if job.stop.isRequested { throw Console.restart }
  }

  private func configuration(threads: Int) throws -> Configuration {
    if let config {
      return try Configuration(ConfigurationDocument(path: config, settings: settings, settingsName: "--set"))
    }
    return try .forBench(
      size: size ?? "B",
      """
      precision: \((precision ?? .float32).rawValue)
      stages: [{steps: \(steps), batch: \(batch ?? 16), drop: {ratio: \(ratio ?? 0.75)}}]
      distribution: {wire: \((wire ?? .float32).rawValue)}
      memory: {recompute: \((recompute ?? .none).rawValue)}
      """)
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
