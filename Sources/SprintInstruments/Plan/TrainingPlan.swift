import SprintCommunication
import SprintKernels
import SprintModel
import SprintTraining

/// Predicts the work, memory, transfer, time and disk space of a configuration before it runs.
package struct TrainingPlan: Sendable, Encodable {
  /// The prediction for a stage.
  package struct StagePlan: Sendable, Encodable {
    /// The stage's name.
    package var name: String
    /// The number of updates, of images in an update, and of tokens that the middle blocks compute.
    package var steps, batch, keptTokens: Int
    /// 10⁹ FLOP for one image by the published algorithm; a multiplication with its addition counts as two.
    package var forwardGflop, trainingGflop: Double
    /// The forward work as a share of the dense model's.
    package var shareOfDense: Double
    /// 10⁹ FLOP of the projector for one image in training, and the share of the steps that have them.
    package var projectorGflop, alignedShare: Double
    /// Predicted speed and time on the given ranks.
    package var secondsPerStep, imagesPerSecond, hours: Double
  }

  /// The prediction for a number of ranks.
  package struct Scaling: Sendable, Encodable {
    /// The number of ranks that share a batch.
    package var ranks: Int
    /// Predicted speed in the first stage.
    package var secondsPerStep, imagesPerSecond: Double
    /// Images per second as a share of those of one rank times the number of ranks.
    package var efficiency: Double
    /// Predicted time of all stages.
    package var hours, coreHours: Double
  }

  /// The number of weights.
  package var weights: Int
  /// The given number of ranks, and of threads of each.
  package var ranks, threads: Int
  /// The rates that the prediction uses.
  package var rates: MachineRates
  /// The stages.
  package var stages: [StagePlan]
  /// The memory of a rank by part.
  package var memory: [MemoryNeed.Part]
  /// Bytes that rank zero needs, and that this machine has for it; nil if the system does not say.
  package var memoryNeeded: Double, memoryAvailable: Double?
  /// Bytes that a rank sends in a step; it receives as many.
  package var wireBytes: Double
  /// Predictions for 1 to 1024 ranks, up to the size of the smallest batch.
  package var scaling: [Scaling]
  /// Predicted time to the end on the given ranks.
  package var hours, coreHours: Double
  /// Bytes of one checkpoint, and of all checkpoints that exist at the same time.
  package var checkpointBytes, diskBytes: Double
  /// Bytes of the teacher's features of one image in a data set, stored as float16; 0 without their alignment.
  package var featureBytes: Double
  /// Bytes of the teacher's attention of one image, stored as float16: as probabilities, and as queries and keys of
  /// heads of width 64; 0 without its alignment.
  package var attentionBytes, queryAndKeyBytes: Double

  /// Whether rank zero fits into this machine; nil if the system does not say what it has.
  package var fits: Bool? { memoryAvailable.map { memoryNeeded <= $0 } }

  /// Predicts a run on `ranks` ranks of `threads` threads each.
  package init(
    _ configuration: Configuration, ranks: Int, threads: Int, rates: MachineRates, machine: MachineMemory = .current
  ) throws {
    try configuration.check(ranks: ranks)
    let count = ParameterLayout(configuration.model).count
    let cost = StepCost(configuration, rates, weights: count)
    (weights, self.ranks, self.threads, self.rates) = (count, ranks, threads, rates)
    stages = configuration.stages.indices.map { Self.plan(stage: $0, configuration, cost, ranks) }
    let need = MemoryNeed(configuration, ranks: ranks, threads: threads)
    (memory, memoryNeeded) = (need.parts, need.bytes(isRankZero: true))
    memoryAvailable = MachineMemory.Limit.allCases.compactMap { limit in
      machine[limit].map { max(0, $0 - need.overhead(of: limit)) }
    }.min()
    let wire = cost.wireBytes(ranks: ranks)
    wireBytes = wire.reduction + wire.gather
    let smallest = configuration.stages.map(\.batch).min() ?? 1
    scaling = (0...10).map { 1 << $0 }.filter { $0 <= smallest }.map {
      Self.scaling(configuration, cost, ranks: $0, threads: threads)
    }
    hours = stages.reduce(0) { $0 + $1.hours }
    coreHours = hours * Double(ranks * threads)
    (checkpointBytes, diskBytes) = Self.disk(configuration, count)
    let model = configuration.model
    featureBytes = model.projector.map { 2 * Double(model.patches * $0.featureWidth) } ?? 0
    featureBytes += 2 * Double(model.classToken ?? 0)
    let rows = model.attentionAlignment.map { Double($0.blocks.count * $0.heads * model.tokens) } ?? 0
    (attentionBytes, queryAndKeyBytes) = (2 * rows * Double(model.tokens), 2 * rows * 2 * 64)
  }

  private static func plan(stage index: Int, _ configuration: Configuration, _ cost: StepCost, _ ranks: Int)
    -> StagePlan
  {
    let stage = configuration.stages[index]
    let model = configuration.model
    let kept = configuration.keptTokens(in: stage)
    let work = model.forwardWork(kept: kept)
    let seconds = cost.seconds(stage: index, ranks: ranks)
    return StagePlan(
      name: stage.name, steps: stage.steps, batch: stage.batch, keptTokens: kept, forwardGflop: work / 1e9,
      trainingGflop: model.trainingWork(kept: kept) / 1e9, shareOfDense: work / model.forwardWork(kept: model.tokens),
      projectorGflop: 3 * model.projectorWork(kept: kept) / 1e9,
      alignedShare: configuration.alignedShare(ofStage: index),
      secondsPerStep: seconds, imagesPerSecond: Double(stage.batch) / seconds,
      hours: Double(stage.steps) * seconds / 3600)
  }

  private static func scaling(_ configuration: Configuration, _ cost: StepCost, ranks: Int, threads: Int) -> Scaling {
    let stages = configuration.stages
    let seconds = cost.seconds(stage: 0, ranks: ranks)
    let hours = stages.indices.reduce(0) {
      $0 + Double(stages[$1].steps) * cost.seconds(stage: $1, ranks: ranks) / 3600
    }
    return Scaling(
      ranks: ranks, secondsPerStep: seconds, imagesPerSecond: Double(stages[0].batch) / seconds,
      efficiency: cost.seconds(stage: 0, ranks: 1) / (seconds * Double(ranks)), hours: hours,
      coreHours: hours * Double(ranks * threads))
  }

  private static func checkpointBytes(_ weights: Int) -> Double { Double(TrainingPart.bytes(weights: weights)) }

  /// Returns the bytes of one checkpoint, and of all that exist while another one is written.
  private static func disk(_ configuration: Configuration, _ weights: Int) -> (one: Double, all: Double) {
    let one = checkpointBytes(weights)
    let checkpoint = configuration.checkpoint
    guard checkpoint.isOn else { return (one, 0) }
    let kept = checkpoint.keepEvery.map { configuration.totalSteps / $0 } ?? 0
    return (one, one * (Double(checkpoint.keep) + 1 + Double(kept)))
  }
}
