import SprintCommunication
import SprintKernels
import SprintModel

// The whole training state, gathered from all ranks and given back to them.

extension Optimizer {
  /// What this rank has of a part: all weights, its own ranges of the others.
  private func own(_ part: TrainingPart) -> Vector {
    switch part {
    case .weights: weights.elements
    case .average: state.average
    case .firstMoment: state.firstMoment
    case .secondMoment: state.secondMoment
    }
  }

  /// Brings all of a part to rank zero. All ranks call it, rank zero with memory for it.
  func collect(_ part: TrainingPart, into whole: Vector?) throws {
    let own = own(part)
    if isSharded, part != .weights {
      try communicator.gatherShards(own, into: whole, plan)
    } else if let whole {
      copy(own, to: whole)
    }
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
      if part == .weights { copy(staging, to: weights.elements) } else { take(from: staging, into: own(part)) }
    }
    clearGradients()
  }

  /// Calls `body` with the whole moving average at every rank, in the borrowed memory of the gradients.
  func withAverage<Result>(_ body: (ParameterArena) throws -> Result) throws -> Result {
    for range in shards.ranges { copy(state.average[range.state], to: gradients.elements[range.place]) }
    if isSharded { try communicator.allGather(gradients.elements, plan) }
    defer { clearGradients() }
    return try body(gradients)
  }
}
