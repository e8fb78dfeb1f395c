import SprintCommunication
import SprintKernels
import SprintModel

// The whole training state, gathered from all ranks and given back to them.

extension Optimizer {
  /// Brings all of a part to rank zero. All ranks call it, rank zero with memory for it.
  package func collect(_ part: TrainingPart, into whole: Vector<Float>?) throws {
    switch (part, weights) {
    case (.weights, .float32(let weights)):
      if let whole { workers.copy(weights.elements, to: whole) }
    case (.weights, .bfloat16(_, let exact)): try collect(exact.elements, into: whole)
    case (.average, _): try collect(state.average, into: whole)
    case (.firstMoment, _): try collect(state.firstMoment, into: whole)
    case (.secondMoment, _): try collect(state.secondMoment, into: whole)
    }
  }

  /// Brings what ranks keep of their shards to rank zero.
  private func collect(_ own: Vector<Float>, into whole: Vector<Float>?) throws {
    if isSharded {
      try communicator.gatherShards(own, into: whole, plan)
    } else if let whole {
      workers.copy(own, to: whole)
    }
  }

  /// Returns all of a part at rank zero, where it may lie in the borrowed memory of the gradients. All ranks call it.
  func whole(_ part: TrainingPart) throws -> ParameterArena<Float> {
    if part == .weights, case .float32(let weights) = weights { return weights }
    try collect(part, into: communicator.rank == 0 ? gradients.elements : nil)
    return gradients
  }

  /// Takes a snapshot. All ranks call it, rank zero with the snapshot to fill.
  package func collect(into snapshot: TrainingSnapshot?) throws {
    for part in TrainingPart.allCases { try collect(part, into: snapshot?[part].elements) }
  }

  /// Restores everything from rank zero's file. All ranks call it, rank zero with a checkpoint.
  package func restore(_ checkpoint: Checkpoint?) throws {
    let staging = gradients.elements
    for part in TrainingPart.allCases {
      try communicator.agree { try checkpoint?.read(part, into: gradients) }
      try communicator.broadcast(staging)
      switch part {
      case .weights: weights.take(staging, shards, workers)
      case .average: shards.take(from: staging, into: state.average)
      case .firstMoment: shards.take(from: staging, into: state.firstMoment)
      case .secondMoment: shards.take(from: staging, into: state.secondMoment)
      }
    }
  }

  /// Calls `body` with the whole moving average at every rank, in the borrowed memory of the gradients.
  func withAverage<Result>(_ body: (ParameterArena<Float>) throws -> Result) throws -> Result {
    for range in shards.ranges { workers.copy(state.average[range.state], to: gradients.elements[range.place]) }
    if isSharded { try communicator.allGather(gradients.elements, plan) }
    return try body(gradients)
  }
}
