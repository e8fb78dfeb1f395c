import SprintModel

/// The parts of the training state; raw values are their names in a checkpoint.
package enum TrainingPart: String, CaseIterable, Sendable {
  /// The weights in training.
  case weights = "model"
  /// Their moving average.
  case average = "ema"
  /// AdamW's moments.
  case firstMoment = "adam/m", secondMoment = "adam/v"

  /// The bytes of all parts together for a network with so many weights: those of a checkpoint, and of a snapshot.
  package static func bytes(weights: Int) -> Int { allCases.count * weights * MemoryLayout<Float>.stride }
}

/// The whole training state as it was after one step. A checkpoint is written from it while training goes on. Rank zero
/// has one; it takes four times the memory of the weights. The shards of other ranks arrive straight at their place in
/// it.
package final class TrainingSnapshot: Sendable {
  private let arenas: [TrainingPart: ParameterArena<Float>]

  /// A snapshot of zeros for a network.
  package init(_ network: Network) {
    arenas = Dictionary(uniqueKeysWithValues: TrainingPart.allCases.map { ($0, ParameterArena(network)) })
  }

  /// One part of the state.
  package subscript(part: TrainingPart) -> ParameterArena<Float> {
    guard let arena = arenas[part] else { preconditionFailure("a snapshot has all parts") }
    return arena
  }

  /// Touches all memory: the first write to a page is slow, and should not delay a step.
  func prepare() {
    for part in TrainingPart.allCases { self[part].elements.clear() }
  }
}
