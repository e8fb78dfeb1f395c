import SprintCommunication
import SprintKernels
import SprintModel

/// Everything that training keeps, as it was after one step: what a checkpoint is written from while training goes on. Rank zero
/// has one, of four times the weights' size; the shards of other ranks arrive straight at their place in it.
package final class TrainingSnapshot: Sendable {
  package let weights, average, firstMoment, secondMoment: ParameterArena

  init(_ network: Network) {
    weights = ParameterArena(network)
    average = ParameterArena(network)
    firstMoment = ParameterArena(network)
    secondMoment = ParameterArena(network)
  }

  /// Names of the parts in a file, and the parts.
  var parts: [(name: String, values: ParameterArena)] {
    Array(zip(Self.names, [weights, average, firstMoment, secondMoment]))
  }

  static let names = ["model", "ema", "adam/m", "adam/v"]
}

extension Optimizer {
  /// Takes a snapshot; all ranks call it, rank zero with the snapshot to be filled.
  func collect(into snapshot: TrainingSnapshot?, _ communicator: Communicator, _ plan: BucketPlan) throws {
    let whole = snapshot.map { [$0.average, $0.firstMoment, $0.secondMoment] }
    if let snapshot { copy(weights.elements, to: snapshot.weights.elements) }
    for (index, own) in [average, firstMoment, secondMoment].enumerated() {
      let place = whole?[index].elements
      if own.count == weights.elements.count {
        if let place { copy(own, to: place) }
      } else {
        try communicator.gatherShards(own, into: place, plan)
      }
    }
  }

  /// Sets everything from rank zero's file; all ranks call it, rank zero with a checkpoint.
  func restore(_ checkpoint: Checkpoint?, _ communicator: Communicator) throws {
    let staging = gradients.elements
    for (index, name) in TrainingSnapshot.names.enumerated() {
      try communicator.agree { try checkpoint?.read(name, into: gradients) }
      try communicator.broadcast(staging)
      switch index {
      case 0: weights.elements.copy(from: staging)
      case 1: take(from: staging, into: average)
      case 2: take(from: staging, into: firstMoment)
      default: take(from: staging, into: secondMoment)
      }
    }
    clearGradients()
  }

  /// Calls `body` with the whole moving average at every rank, in the borrowed memory of the gradients.
  func withAverage<Result>(
    _ communicator: Communicator, _ plan: BucketPlan, _ body: (ParameterArena) throws -> Result
  ) throws -> Result {
    var start = 0
    for place in owned {
      copy(average[start..<start + place.count], to: gradients.elements[place])
      start += place.count
    }
    if average.count < gradients.elements.count { try communicator.allGather(gradients.elements, plan) }
    defer { clearGradients() }
    return try body(gradients)
  }
}
