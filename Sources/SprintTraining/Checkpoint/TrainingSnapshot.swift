import SprintCommunication
import SprintKernels
import SprintModel

/// What training keeps, part by part; the raw values are the names in a checkpoint.
package enum TrainingPart: String, CaseIterable, Sendable {
  /// The weights in training.
  case weights = "model"
  /// Their moving average.
  case average = "ema"
  /// AdamW's moments.
  case firstMoment = "adam/m", secondMoment = "adam/v"
}

/// Everything that training keeps, as it was after one step: what a checkpoint is written from while training goes on. Rank zero
/// has one, of four times the weights' size; the shards of other ranks arrive straight at their place in it.
package final class TrainingSnapshot: Sendable {
  private let arenas: [TrainingPart: ParameterArena]

  package init(_ network: Network) {
    arenas = Dictionary(uniqueKeysWithValues: TrainingPart.allCases.map { ($0, ParameterArena(network)) })
  }

  /// One part of it.
  package subscript(part: TrainingPart) -> ParameterArena {
    guard let arena = arenas[part] else { preconditionFailure("a snapshot has all parts") }
    return arena
  }
}

extension Optimizer {
  /// What this rank has of a part: all weights, its own places of the others.
  private func own(_ part: TrainingPart) -> Vector {
    switch part {
    case .weights: weights.elements
    case .average: average
    case .firstMoment: firstMoment
    case .secondMoment: secondMoment
    }
  }

  /// Brings all of a part to rank zero; all ranks call it, rank zero with memory for it.
  package func collect(_ part: TrainingPart, into whole: Vector?, _ communicator: Communicator, _ plan: BucketPlan) throws {
    let own = own(part)
    if own.count < weights.elements.count {
      try communicator.gatherShards(own, into: whole, plan)
    } else if let whole {
      copy(own, to: whole)
    }
  }

  /// Takes a snapshot; all ranks call it, rank zero with the snapshot to be filled.
  package func collect(into snapshot: TrainingSnapshot?, _ communicator: Communicator, _ plan: BucketPlan) throws {
    for part in TrainingPart.allCases { try collect(part, into: snapshot?[part].elements, communicator, plan) }
  }

  /// Sets everything from rank zero's file; all ranks call it, rank zero with a checkpoint.
  package func restore(_ checkpoint: Checkpoint?, _ communicator: Communicator) throws {
    let staging = gradients.elements
    for part in TrainingPart.allCases {
      try communicator.agree { try checkpoint?.read(part, into: gradients) }
      try communicator.broadcast(staging)
      if part == .weights { copy(staging, to: weights.elements) } else { take(from: staging, into: own(part)) }
    }
    clearGradients()
  }

  /// Calls `body` with the whole moving average at every rank, in the borrowed memory of the gradients.
  func withAverage<Result>(
    _ communicator: Communicator, _ plan: BucketPlan, _ body: (ParameterArena) throws -> Result
  ) throws -> Result {
    for slice in owned { copy(average[slice.state], to: gradients.elements[slice.place]) }
    if average.count < gradients.elements.count { try communicator.allGather(gradients.elements, plan) }
    defer { clearGradients() }
    return try body(gradients)
  }
}
