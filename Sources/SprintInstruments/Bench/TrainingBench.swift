import SprintTraining
import Foundation
import SprintCommunication
import SprintData
import SprintKernels
import SprintModel

/// Measures training steps of a published network on noise: the trainer itself, with its reader, optimizer and ranks, but without
/// checkpoints, validation and pictures.
package struct TrainingBench: Sendable {
  /// S, B, L or XL.
  package var size: String
  /// Images of a step, of all ranks together.
  package var batch: Int
  /// Share of tokens that the middle blocks do not see.
  package var ratio: Double
  /// Steps; the first third of them warms up.
  package var steps: Int
  /// Threads of each rank.
  package var threads: Int
  /// What the backward pass computes once more.
  package var recompute = PassSize.Recompute.none

  /// A bench of a network, with so many images a step.
  package init(size: String, batch: Int, ratio: Double, steps: Int, threads: Int) {
    (self.size, self.batch, self.ratio, self.steps, self.threads) = (size, batch, ratio, steps, threads)
  }

  /// Seconds a step by what they were spent on at rank zero: time of all threads over their number.
  package struct Parts: Sendable, Encodable {
    /// Computing, by what is computed.
    package var matrixProducts, attention, elementWise, optimizer: Double
    /// Waiting, by what is waited for.
    package var waitingForData, waitingForRanks: Double
    /// What one thread does alone, and threads that wait for others.
    package var other: Double
  }

  /// What was measured; seconds are medians.
  package struct Result: Sendable, Encodable {
    /// The network.
    package var size: String
    /// Images of a step, of all ranks together.
    package var batch: Int
    /// Share of tokens that the middle blocks do not see.
    package var ratio: Double
    /// Ranks, and threads of each.
    package var ranks, threads: Int
    /// Steps, those that warm up included.
    package var steps: Int
    /// The speed of a whole step.
    package var secondsPerStep, imagesPerSecond: Double
    /// 10⁹ FLOP/s by the published algorithm's work, and of large matrix products on all ranks.
    package var gflops, peakGflops: Double
    /// Their ratio.
    package var peakShare: Double
    /// The largest resident memory of rank zero so far.
    package var peakGib: Double
    /// What of it activations may take.
    package var activationsGib: Double
    /// Seconds of a step by what they were spent on.
    package var parts: Parts
  }

  /// Trains for some steps. Rank zero gets the result, if no stop was asked for.
  package func run(_ communicator: Communicator = .single(), stop: StopRequest) throws -> Result? {
    let folder = try BenchFolder(communicator)
    defer { folder.remove() }
    let configuration = try communicator.agree {
      try describe(latents: "\(folder.path)/latents-\(communicator.rank).h5")
    }
    try communicator.agree {
      let model = configuration.model
      try SyntheticLatents.write(
        configuration.data.train[0], samples: max(1024, batch), channels: model.channels, side: model.side,
        classes: model.classes)
    }
    let record = Record(threads: threads)
    let trainer = try Trainer(
      configuration, folder: RunFolder(path: "\(folder.path)/run"), resume: .never, communicator: communicator,
      report: record.note)
    let before = try communicator.measurePeak(trainer.network.workers)
    Meter.start()
    defer { Meter.stop() }
    guard try trainer.run(stop: stop) == .finished else { return nil }
    let memory = (peak: ResidentMemory.peak, activations: Double(4 * trainer.activationMemory.elements.count))
    let peak = max(before, try communicator.measurePeak(trainer.network.workers))
    guard communicator.rank == 0 else { return nil }
    return result(configuration, record.steps, peak: peak, memory: memory, ranks: communicator.size)
  }

  private func describe(latents: String) throws -> Configuration {
    try .forBench(
      size: size, latents: latents,
      """
      threads: \(threads)
      stages: [{steps: \(steps), batch: \(batch), drop: {ratio: \(ratio)}}]
      checkpoint: {keep: 0}
      memory: {recompute: \(recompute.rawValue)}
      """)
  }

  private func result(
    _ configuration: Configuration, _ all: [Record.Step], peak: Double, memory: (peak: Double, activations: Double),
    ranks: Int
  ) -> Result {
    let steady = Array(all.dropFirst(all.count / 3))
    let seconds = median(steady.map(\.seconds))
    let kept = configuration.stages[0].drop.keptCount(grid: configuration.model.grid)
    let rate = Double(batch) / seconds * configuration.model.trainingWork(kept: kept)
    func part(_ value: (Parts) -> Double) -> Double { median(steady.map { value($0.parts) }) }
    return Result(
      size: size, batch: batch, ratio: ratio, ranks: ranks, threads: threads, steps: all.count,
      secondsPerStep: seconds, imagesPerSecond: Double(batch) / seconds, gflops: rate / 1e9, peakGflops: peak / 1e9,
      peakShare: rate / peak, peakGib: memory.peak / 0x1p30, activationsGib: memory.activations / 0x1p30,
      parts: Parts(
        matrixProducts: part(\.matrixProducts), attention: part(\.attention), elementWise: part(\.elementWise),
        optimizer: part(\.optimizer), waitingForData: part(\.waitingForData), waitingForRanks: part(\.waitingForRanks),
        other: part(\.other)))
  }

  /// What the trainer tells of its steps.
  private final class Record {
    typealias Step = (seconds: Double, parts: Parts)
    private let threads: Int
    private(set) var steps: [Step] = []

    init(threads: Int) { self.threads = threads }

    func note(_ event: TrainingEvent) {
      guard case .step(let step) = event else { return }
      let spent = Meter.take().mapValues { $0 / Double(threads) }
      func seconds(_ part: Meter.Part) -> Double { spent[part] ?? 0 }
      let computing = seconds(.tasks)
      let named = seconds(.matrixProducts) + seconds(.attention) + seconds(.optimizer)
      steps.append(
        (
          step.seconds,
          Parts(
            matrixProducts: seconds(.matrixProducts), attention: seconds(.attention),
            elementWise: max(0, computing - named), optimizer: seconds(.optimizer), waitingForData: step.dataSeconds,
            waitingForRanks: step.reductionWait,
            other: max(0, step.seconds - computing - step.dataSeconds - step.reductionWait))
        ))
    }
  }
}
