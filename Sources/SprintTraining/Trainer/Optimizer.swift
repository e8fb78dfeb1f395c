import SprintCommunication
import SprintKernels
import SprintModel

/// Weights and gradients of a whole network, the moving average and AdamW's moments of the weights that this rank
/// updates, and the pass that updates them.
package final class Optimizer: Sendable {
  /// The number format of passes, of gradients' operands and of the weights that ranks send each other.
  package let precision: Precision
  let weights: TrainedWeights
  /// The place of the gradients of a step. Between a step's update and the next step its memory may be borrowed.
  package let gradients: ParameterArena<Float>
  /// How the arenas are cut into buckets and shards.
  package let plan: BucketPlan
  /// Each rank keeps and updates a part of the state.
  package let isSharded: Bool
  let state: ShardState
  let shards: OwnedShards
  let communicator: Communicator
  let workers: Workers
  private let configuration: AdamWConfiguration
  private let partialSums: PartialSums

  /// An optimizer of `network`, all zero. All ranks create one together.
  ///
  /// - Parameters:
  ///   - precision: of the passes
  ///   - isSharded: each rank updates its own shards and keeps state for them alone; otherwise every rank updates
  ///     everything
  package init(
    _ network: Network, _ configuration: AdamWConfiguration, _ communicator: Communicator = .single(),
    precision: Precision = .float32, isSharded: Bool = true
  ) {
    gradients = ParameterArena(network)
    self.precision = precision
    (self.configuration, self.communicator, workers) = (configuration, communicator, network.workers)
    plan = BucketPlan(count: network.layout.count, ranks: communicator.size)
    self.isSharded = isSharded && communicator.size > 1
    shards = OwnedShards(
      self.isSharded ? plan.shards(ofRank: communicator.rank) : [0..<network.layout.count], of: network.layout)
    weights = TrainedWeights(network, precision, shards)
    state = ShardState(count: shards.count)
    partialSums = PartialSums(count: shards.allSlices.count)
  }

  /// The weights with which passes compute.
  package var passWeights: any NetworkWeights { weights.ofPasses }

  /// The moving average of the weights that this rank updates.
  package var average: Vector<Float> { state.average }

  /// Bytes of moving average and moments at this rank.
  package var stateBytes: Int { 3 * state.average.count * MemoryLayout<Float>.stride }

  /// Σ g² over the trained weights that this rank updates; the same sum in the same order for any number of workers.
  package func sumOfSquaredGradients() -> Double {
    workers.run(tasks: shards.allSlices.count) { [gradients, shards, partialSums] _, i in
      Meter.count(.optimizer) {
        partialSums[i] = sumOfSquares(gradients.elements[shards.allSlices[i].place])
      }
    }
    return partialSums.total
  }

  /// This rank's part of Σ g² over all weights: where state is not sharded, rank zero has all of it.
  func ownSquaredNorm() -> Double { isSharded || communicator.rank == 0 ? sumOfSquaredGradients() : 0 }

  /// Makes update number `step` (from 1): clips by the given norm, then AdamW and the moving average; then every rank
  /// has all new weights. All ranks call it.
  ///
  /// - Parameters:
  ///   - norm: the norm of all gradients
  ///   - clip: gradients are multiplied by min(1, clip / (norm + 1e-6)); nil leaves them
  ///   - ema: e in ema = e · ema + (1 - e) · weights
  ///   - resting: the place of weights that take no part in the result: only their average moves
  package func update(
    step: Int, learningRate: Double, norm: Double, clip: Double?, ema: Double, resting: Range<Int>? = nil
  ) throws {
    let update = AdamWStep(
      step: step, learningRate: learningRate, beta1: configuration.beta1, beta2: configuration.beta2,
      epsilon: configuration.epsilon, weightDecay: configuration.weightDecay,
      gradientFactor: clip.map { min(1, $0 / (norm + 1e-6)) } ?? 1, ema: ema)
    // A bucket's new weights travel while the next bucket is updated.
    let gathers = shards.slices.enumerated().compactMap { bucket, slices in
      self.update(update, slices, resting: resting)
      return isSharded ? weights.startAllGather(communicator, plan, bucket: bucket) : nil
    }
    try Trace.span("waiting", "weights") { for gather in gathers { try gather.wait() } }
  }

  private func update(_ step: AdamWStep, _ slices: [OwnedRange], resting: Range<Int>?) {
    workers.run(tasks: slices.count) { [self] _, i in
      Trace.span("optimizer", "AdamW") {
        Meter.count(.optimizer) {
          if let resting, resting.contains(slices[i].place.lowerBound) {
            updateAverage(step, weights: weights[slices[i]], average: state.average[slices[i].state])
          } else {
            weights.update(step, slices[i], gradients: gradients.elements, state)
          }
        }
      }
    }
  }

  /// Clears all gradients, where a rank has none to give.
  func clearGradients() {
    workers.run(over: gradients.elements.count, grain: 1 << 18) { [gradients] _, range in
      gradients.elements[range].clear()
    }
  }

  /// Starts afresh from the given weights: they become weights and average; moments become zero.
  package func restart(from source: ParameterArena<Float>) {
    weights.take(source.elements, shards, workers)
    restart()
  }

  /// Starts afresh from the weights as they are.
  package func restart() {
    for range in shards.ranges { workers.copy(weights[range], to: state.average[range.state]) }
    for values in [state.firstMoment, state.secondMoment] { values.clear() }
  }
}

/// One double for each slice: workers write different ones, and the total adds them in order.
private struct PartialSums: @unchecked Sendable {
  private let arena: Arena
  private let base: UnsafeMutablePointer<Double>
  private let count: Int

  init(count: Int) {
    // A double takes the room of two floats.
    arena = Arena(count: 2 * count)
    self.count = count
    base = UnsafeMutableRawPointer(arena.elements.base).bindMemory(to: Double.self, capacity: count)
  }

  subscript(slice: Int) -> Double {
    get { base[slice] }
    nonmutating set { base[slice] = newValue }
  }

  var total: Double { (0..<count).reduce(0) { $0 + base[$1] } }
}
