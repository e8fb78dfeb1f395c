import SprintTraining
import SprintCommunication
import SprintKernels
import SprintModel

/// What a configuration will take, before any of it is run: work, memory, wire, time, disk.
package struct TrainingPlan: Sendable, Encodable {
  /// One stage.
  package struct StagePlan: Sendable, Encodable {
    /// Its name.
    package var name: String
    /// Its updates, images of one, and tokens that the middle blocks see.
    package var steps, batch, keptTokens: Int
    /// 10⁹ FLOP for one image by the published algorithm, two for a multiplication with its addition.
    package var forwardGflop, trainingGflop: Double
    /// The same work over that of the dense model.
    package var shareOfDense: Double
    /// Predicted, on the ranks asked for.
    package var secondsPerStep, imagesPerSecond, hours: Double
  }

  /// What a rank keeps in memory.
  package struct MemoryPart: Sendable, Encodable {
    /// What it is.
    package var part: String
    /// Its bytes; only rank zero has some parts.
    package var bytes: Double
    /// Whether rank zero alone has it.
    package var isRankZeroOnly = false
  }

  /// A number of ranks.
  package struct Scaling: Sendable, Encodable {
    /// How many ranks share the first stage's batch.
    package var ranks: Int
    /// Predicted for the first stage.
    package var secondsPerStep, imagesPerSecond: Double
    /// Images a second over those of one rank times the ranks.
    package var efficiency: Double
    /// All stages.
    package var hours, coreHours: Double
  }

  /// How many weights the network has.
  package var weights: Int
  /// Ranks and threads of each that were asked for.
  package var ranks, threads: Int
  /// What the prediction rests on.
  package var rates: MachineRates
  /// The stages.
  package var stages: [StagePlan]
  /// Memory of a rank.
  package var memory: [MemoryPart]
  /// Bytes that a rank sends in a step, and receives.
  package var wireBytes: Double
  /// 1 to 1024 ranks, as far as the batch goes.
  package var scaling: [Scaling]
  /// Time to the end on the ranks asked for.
  package var hours, coreHours: Double
  /// Bytes of one checkpoint, and of all that will be kept.
  package var checkpointBytes, diskBytes: Double

  /// Plans a run.
  package init(_ configuration: Configuration, ranks: Int, threads: Int, rates: MachineRates) throws {
    try RunStart.checkRanks(configuration, ranks)
    let network = Network(configuration.model, workers: Workers(threads))
    let count = network.layout.count
    let model = StepModel(configuration, rates, weights: count)
    (weights, self.ranks, self.threads, self.rates) = (count, ranks, threads, rates)
    stages = configuration.stages.map { Self.plan($0, configuration, model, ranks) }
    memory = Self.memory(configuration, network, ranks)
    let wire = ranks > 1 ? model.wireBytes(ranks: ranks) : (0, 0)
    wireBytes = wire.0 + wire.1
    let smallest = configuration.stages.map(\.batch).min() ?? 1
    scaling = (0...10).map { 1 << $0 }.filter { $0 <= smallest }.map {
      Self.scaling(configuration, model, ranks: $0, threads: threads)
    }
    hours = stages.reduce(0) { $0 + $1.hours }
    coreHours = hours * Double(ranks * threads)
    (checkpointBytes, diskBytes) = Self.disk(configuration, count)
  }

  private static func plan(_ stage: Stage, _ configuration: Configuration, _ model: StepModel, _ ranks: Int)
    -> StagePlan
  {
    let network = configuration.model
    let kept = stage.drop.keptCount(grid: network.grid)
    let work = network.forwardWork(kept: kept)
    let seconds = model.seconds(stage, ranks: ranks)
    return StagePlan(
      name: stage.name, steps: stage.steps, batch: stage.batch, keptTokens: kept, forwardGflop: work / 1e9,
      trainingGflop: network.trainingWork(kept: kept) / 1e9, shareOfDense: work / network.forwardWork(kept: network.tokens),
      secondsPerStep: seconds, imagesPerSecond: Double(stage.batch) / seconds,
      hours: Double(stage.steps) * seconds / 3600)
  }

  private static func scaling(_ configuration: Configuration, _ model: StepModel, ranks: Int, threads: Int) -> Scaling {
    let first = configuration.stages[0]
    let seconds = model.seconds(first, ranks: ranks)
    let hours = configuration.stages.reduce(0) { $0 + Double($1.steps) * model.seconds($1, ranks: ranks) / 3600 }
    return Scaling(
      ranks: ranks, secondsPerStep: seconds, imagesPerSecond: Double(first.batch) / seconds,
      efficiency: model.seconds(first, ranks: 1) / (seconds * Double(ranks)), hours: hours,
      coreHours: hours * Double(ranks * threads))
  }

  private static func memory(_ configuration: Configuration, _ network: Network, _ ranks: Int) -> [MemoryPart] {
    let (model, count) = (configuration.model, Double(network.layout.count))
    let shards = configuration.distribution.isSharded ? Double(ranks) : 1
    let activations =
      configuration.stages.map { stage in
        PassMemory.count(
          network, Trainer.activationSize(stage, configuration, slice: (stage.batch + ranks - 1) / ranks))
      }.max() ?? 0
    let batch = configuration.stages.map { ($0.batch + ranks - 1) / ranks }.max() ?? 0
    let features = model.projector.map { model.tokens * $0.featureWidth } ?? 0
    var parts = [
      MemoryPart(part: "weights", bytes: 4 * count), MemoryPart(part: "gradients", bytes: 4 * count),
      MemoryPart(part: "moving average and moments", bytes: 12 * count / shards),
      MemoryPart(part: "activations", bytes: 4 * Double(activations)),
      // Two are read ahead of the one in use.
      MemoryPart(part: "batches", bytes: 3 * 4 * Double(batch * (model.latentElements + features))),
    ]
    if ranks > 1 { parts.append(MemoryPart(part: "buckets on their way", bytes: 4 * Double(BucketPlan.bucketFloats))) }
    if configuration.checkpoint.isOn, configuration.checkpoint.isBackground {
      parts.append(MemoryPart(part: "snapshot for saving", bytes: 16 * count, isRankZeroOnly: true))
    }
    return parts
  }

  /// Checkpoints hold weights, average and two moments; one more than is kept is there while it is written.
  private static func disk(_ configuration: Configuration, _ count: Int) -> (one: Double, all: Double) {
    let one = 16 * Double(count)
    let checkpoint = configuration.checkpoint
    guard checkpoint.isOn else { return (one, 0) }
    let kept = checkpoint.keepEvery.map { configuration.totalSteps / $0 } ?? 0
    return (one, one * Double(checkpoint.keep + 1 + kept))
  }
}
