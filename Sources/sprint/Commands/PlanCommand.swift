import ArgumentParser
import Foundation
import SprintInstruments
import SprintTraining

/// `sprint plan`
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Predicts what a configuration takes: work, memory, communication, time and disk.",
    discussion: """
      sprint measures the rates that you do not give on this machine; under mpirun it also measures the network \
      between the ranks.
      Example: sprint plan configs/imagenet256-B.yaml --ranks 16 --threads 32 --gflops 4000 --memory 200 --bandwidth 25
      """)

  @OptionGroup var input: ConfigurationOptions

  @Option(help: "Number of ranks; without it, those of mpirun, or one.")
  var ranks: Int?

  @Option(help: "Rate of matrix products of a rank with all its threads, in GFLOP/s; measured if not given.")
  var gflops: Double?

  @Option(help: "Memory of a rank, in GB/s that its threads read and write; measured if not given.")
  var memory: Double?

  @Option(help: "Network of a rank in Gbit/s; if not given, measured under mpirun and otherwise 10.")
  var bandwidth: Double?

  @OptionGroup var threading: ThreadOptions
  @OptionGroup var output: CommandOutput

  func validate() throws {
    if let ranks { try check("ranks", ranks, 1...1_000_000) }
    for (name, value) in [("gflops", gflops), ("memory", memory), ("bandwidth", bandwidth)] {
      if let value, !(value > 0 && value.isFinite) {
        throw ValidationError("--\(name) is \(value), expected a positive number")
      }
    }
  }

  func run() throws {
    let job = try Job()
    let configuration = try job.communicator.agree { try input.read() }
    let rates = try MachineRates(
      job.communicator, try threading.workers, configuration.precision, matrixProducts: gflops.map { $0 * 1e9 },
      memory: memory.map { $0 * 1e9 }, linkBandwidth: bandwidth.map { $0 * 1e9 / 8 })
    let plan = try job.communicator.agree {
      try TrainingPlan(
        configuration, ranks: ranks ?? job.communicator.size, threads: try threading.workers.count, rates: rates)
    }
    if gflops == nil { Console.printKernelNotice() }
    try show(plan)
    try job.end()
  }

  private func show(_ plan: TrainingPlan) throws {
    guard !output.json else { return try output.show(plan, []) }
    try output.show(plan, general(plan))
    Console.line("")
    table(
      ["stage", "steps", "batch", "tokens", "GFLOP forward", "training", "of dense", "s/step", "images/s", "time"],
      plan.stages.map {
        [
          $0.name, "\($0.steps)", "\($0.batch)", "\($0.keptTokens)", String(format: "%.2f", $0.forwardGflop),
          String(format: "%.2f", $0.trainingGflop), String(format: "%.0f%%", 100 * $0.shareOfDense),
          String(format: "%.3g", $0.secondsPerStep), String(format: "%.3g", $0.imagesPerSecond),
          duration($0.hours * 3600),
        ]
      })
    Console.line("")
    table(
      ["memory of a rank", "MiB"],
      plan.memory.map {
        [$0.part + ($0.isRankZeroOnly ? " (rank zero alone)" : ""), String(format: "%.0f", $0.bytes / 0x1p20)]
      } + [["all, at rank zero", String(format: "%.0f", plan.memory.reduce(0) { $0 + $1.bytes } / 0x1p20)]])
    if let available = plan.memoryAvailable, let fits = plan.fits {
      let found = "this machine has \(MemoryShortage.gibibytes(available)): "
      Console.line(found + (fits ? "rank zero fits" : "too little; use \(MemoryShortage.remedies)"))
    }
    Console.line("")
    table(
      ["ranks", "s/step", "images/s", "efficiency", "time", "core-hours"],
      plan.scaling.map {
        [
          "\($0.ranks)", String(format: "%.3g", $0.secondsPerStep), String(format: "%.4g", $0.imagesPerSecond),
          String(format: "%.0f%%", 100 * $0.efficiency), duration($0.hours * 3600),
          String(format: "%.0f", $0.coreHours),
        ]
      })
    if let most = plan.scaling.last?.ranks, most < 1024 {
      Console.line("more than \(most) ranks need a larger batch")
    }
  }

  private func general(_ plan: TrainingPlan) -> [(name: String, value: String)] {
    let rates = plan.rates
    return [
      ("weights", "\(plan.weights)"), ("ranks x threads", "\(plan.ranks) x \(plan.threads)"),
      (
        "rates of a rank",
        String(
          format: "%.0f GFLOP/s%@, memory %.1f GB/s%@, network %.1f Gbit/s%@", rates.matrixProducts / 1e9,
          rates.spread.map { measured(spread: $0, rates.disturbance) } ?? "", rates.memory / 1e9,
          memory == nil ? " (measured)" : "",
          rates.linkBandwidth * 8 / 1e9,
          rates.isLinkAssumed ? " (assumed; see --bandwidth)" : bandwidth == nil ? " (measured)" : "")
      ),
      ("sent by a rank in a step", String(format: "%.1f MB", plan.wireBytes / 1e6)),
      ("time to the end", String(format: "%@, %.0f core-hours", duration(plan.hours * 3600), plan.coreHours)),
      (
        "a checkpoint",
        String(format: "%.2f GB; at most %.2f GB of them at once", plan.checkpointBytes / 1e9, plan.diskBytes / 1e9)
      ),
    ] + teacher(plan)
  }

  /// What is said of a rate of products that was measured.
  private func measured(spread: Double, _ disturbance: String?) -> String {
    let faster = Int((100 / (1 - spread) - 100).rounded())
    return " (measured, the best try was \(faster)% faster\(disturbance.map { "; \($0)" } ?? ""))"
  }

  /// What alignment with a teacher costs.
  private func teacher(_ plan: TrainingPlan) -> [(name: String, value: String)] {
    let work = plan.stages.map {
      String(format: "%.2f GFLOP an image in %.0f%% of %@", $0.projectorGflop, 100 * $0.alignedShare, $0.name)
    }
    return [
      ("projector, training", plan.featureBytes, { _ in work.joined(separator: ", ") }),
      ("teacher's features", plan.featureBytes, stored), ("teacher's attention", plan.attentionBytes, stored),
      ("  as queries and keys", plan.queryAndKeyBytes, stored),
    ].filter { $0.1 > 0 }.map { ($0.0, $0.2($0.1)) }
  }

  private func stored(_ bytes: Double) -> String {
    String(
      format: "%.2f MB an image in float16, %.0f GB for ImageNet's 1,281,167", bytes / 1e6, bytes * 1_281_167 / 1e9)
  }

  /// Prints columns under their headings: the first flush left, the others flush right.
  private func table(_ heads: [String], _ rows: [[String]]) {
    let widths = heads.indices.map { column in ([heads] + rows).map { $0[column].count }.max() ?? 0 }
    for row in [heads] + rows {
      let cells = row.enumerated().map { column, text in
        let space = String(repeating: " ", count: widths[column] - text.count)
        return column == 0 ? text + space : space + text
      }
      Console.line(cells.joined(separator: "  "))
    }
  }
}
