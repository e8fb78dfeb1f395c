import SprintCommunication
import SprintKernels
import SprintModel

/// The weights of a network in training, in the form that the precision of its passes asks for.
enum TrainedWeights: Sendable {
  /// Passes read the weights that the optimizer updates, whole at every rank.
  case float32(ParameterArena<Float>)
  /// Passes read a rounded copy, whole at every rank; each rank keeps the exact weights of its shards, [owned weights].
  case bfloat16(ParameterArena<BFloat16>, exact: Arena)

  init(_ network: Network, _ precision: Precision, _ shards: OwnedShards) {
    self =
      switch precision {
      case .float32: .float32(ParameterArena(network))
      case .bfloat16: .bfloat16(ParameterArena(network), exact: Arena(count: shards.count))
      }
  }

  /// What passes read.
  var ofPasses: any NetworkWeights {
    switch self {
    case .float32(let weights): weights
    case .bfloat16(let rounded, _): rounded
    }
  }

  /// The exact weights of an owned range.
  subscript(owned: OwnedRange) -> Vector<Float> {
    switch self {
    case .float32(let weights): weights.elements[owned.place]
    case .bfloat16(_, let exact): exact.elements[owned.state]
    }
  }

  /// Updates an owned range.
  func update(_ step: AdamWStep, _ owned: OwnedRange, gradients: Vector<Float>, _ state: ShardState) {
    let slices = AdamWSlices(
      weights: self[owned], gradients: gradients[owned.place], firstMoment: state.firstMoment[owned.state],
      secondMoment: state.secondMoment[owned.state], average: state.average[owned.state])
    switch self {
    case .float32: adamW(step, slices)
    case .bfloat16(let rounded, _): adamW(step, slices, rounded: rounded.elements[owned.place])
    }
  }

  /// Starts to send a bucket's new weights to all ranks.
  func startAllGather(_ communicator: Communicator, _ plan: BucketPlan, bucket: Int) -> Pending {
    switch self {
    case .float32(let weights): communicator.startAllGather(weights.elements, plan, bucket: bucket)
    case .bfloat16(let rounded, _): communicator.startAllGather(rounded.elements, plan, bucket: bucket)
    }
  }

  /// Becomes the given weights of the whole network.
  func take(_ whole: Vector<Float>, _ shards: OwnedShards, _ workers: Workers) {
    switch self {
    case .float32(let weights): workers.copy(whole, to: weights.elements)
    case .bfloat16(let rounded, let exact):
      workers.copy(whole, to: rounded.elements)
      shards.take(from: whole, into: exact.elements)
    }
  }
}

extension Workers {
  /// Copies on all workers, and rounds where the target's format asks for it.
  func copy<Source, Target>(_ source: Vector<Source>, to target: Vector<Target>) {
    run(over: source.count, grain: 1 << 18) { _, range in target[range].copy(from: source[range]) }
  }
}
