import SprintCommunication
import SprintData
import SprintDiffusion
import SprintKernels
import SprintModel

/// The loss on held-out data: all tokens, no dropped labels, the same noise and times at every call.
struct HeldOutLoss {
  private let dataset: LatentDataset
  private let configuration: Configuration
  private let network: Network
  /// How many samples the loss is a mean of.
  let samples: Int
  /// Samples that a rank computes at once.
  static let batch = 32

  init(_ dataset: LatentDataset, _ configuration: Configuration, _ network: Network) {
    (self.dataset, self.configuration, self.network) = (dataset, configuration, network)
    samples = min(dataset.count, configuration.validation.samples)
  }

  /// Returns the mean squared error of the velocity under some weights, in the same bits on any number of ranks; nil
  /// where a rank asked to stop. All ranks call it, each with all weights.
  func loss(_ weights: ParameterArena<Float>, _ communicator: Communicator, stopRequested: () -> Bool) throws -> Double?
  {
    let batch = min(Self.batch, samples)
    let batches = stride(from: 0, to: samples, by: batch).map { $0..<min($0 + batch, samples) }
    let objective = FlowMatching(
      network, interpolant: configuration.interpolant,
      memory: PassMemory(network, PassSize(batch: batch, training: false)))
    let memory = Memory(configuration.model, batch: batch)
    // Each batch belongs to one rank; the others add nothing to its sum.
    var sums = [Double](repeating: 0, count: batches.count)
    for first in stride(from: 0, to: batches.count, by: communicator.size) {
      let own = first + communicator.rank
      // Where a rank cannot read its data, all ranks throw.
      try communicator.agree {
        if own < batches.count { sums[own] = try sum(weights, batches[own], objective, memory) }
      }
      if try communicator.anyRank(stopRequested()) { return nil }
    }
    return try communicator.sum(sums).reduce(0, +) / Double(samples)
  }

  private func sum(
    _ weights: ParameterArena<Float>, _ range: Range<Int>, _ objective: FlowMatching, _ memory: Memory
  ) throws -> Double {
    let (data, noise) = (memory.data, memory.noise)
    let noiseDraws = Philox(seed: configuration.seed, purpose: .validationNoise)
    let timeDraws = Philox(seed: configuration.seed, purpose: .validationTime)
    let random = LatentRandomness(seed: configuration.seed, validation: true)
    for (b, index) in range.enumerated() {
      try dataset.latent(index, random: random, draw: UInt64(index), into: data.vector(b))
      noiseDraws.fillNormal(noise.vector(b).buffer, draw: UInt64(index))
      try readClassToken(index, b, memory.classTokens)
    }
    let losses = objective.losses(
      weights,
      TrainingBatch(
        data: data.rows(0..<range.count), noise: noise.rows(0..<range.count),
        classTokens: memory.classTokens?.rows(0..<range.count),
        times: range.map { configuration.timeShift(configuration.time.draw(timeDraws, draw: UInt64($0))) },
        labels: range.map { configuration.model.id(ofLabel: dataset.label($0)) },
        deepPath: .all(batch: range.count)))
    return losses.denoising * Double(range.count)
  }

  private func readClassToken(_ index: Int, _ b: Int, _ tokens: TrainingBatch.ClassTokens?) throws {
    guard let tokens else { return }
    try dataset.classToken(index, into: tokens.data.vector(b))
    Philox(seed: configuration.seed, purpose: .validationClassTokenNoise)
      .fillNormal(tokens.noise.vector(b).buffer, draw: UInt64(index))
  }

  /// The samples of a batch and their noise.
  private struct Memory {
    let data, noise: Matrix<Float>
    let classTokens: TrainingBatch.ClassTokens?
    private let arena: Arena

    init(_ model: ModelConfiguration, batch: Int) {
      let (elements, width) = (model.latentElements, model.classToken ?? 0)
      let arena = Arena(count: 2 * Arena.aligned(batch * elements) + 2 * Arena.aligned(batch * width))
      (data, noise) = (arena.matrix(rows: batch, columns: elements), arena.matrix(rows: batch, columns: elements))
      classTokens = model.classToken.map { TrainingBatch.ClassTokens(batch: batch, width: $0, in: arena) }
      self.arena = arena
    }
  }
}
