import Foundation
import SprintCommunication
import SprintData
import SprintModel

/// Saves the training state: from a snapshot while training goes on, or at once without the snapshot's memory. Every
/// rank has one, and all ranks call it together; rank zero writes.
final class CheckpointSaver {
  private let settings: Configuration.Checkpoints
  private let optimizer: Optimizer
  private let journal: RunJournal
  private let writer: CheckpointWriter?
  private let snapshot: TrainingSnapshot?
  /// Why the last save failed, if it did.
  private var failure: (any Error)?
  /// The newest checkpoint that is known to be whole, at rank zero.
  private(set) var lastCheckpoint: String?
  /// The step of the newest save, at every rank.
  private(set) var lastStep: Int
  /// The longest save that nothing else ran beside, in seconds. Until one is measured it is estimated: four arenas at a
  /// rate that slow disks reach.
  private(set) var longestSave: Double

  init(
    _ configuration: Configuration, _ store: CheckpointStore, _ network: Network, _ optimizer: Optimizer,
    _ journal: RunJournal, from start: RunStart
  ) {
    (settings, self.optimizer, self.journal) = (configuration.checkpoint, optimizer, journal)
    (lastCheckpoint, lastStep) = (start.checkpoint?.path, start.position.step)
    let writes = optimizer.communicator.rank == 0 && settings.isOn
    writer = writes ? CheckpointWriter(store, configuration, start.training) : nil
    snapshot = writes && settings.isBackground ? TrainingSnapshot(network) : nil
    longestSave = 2 + Double(TrainingPart.bytes(weights: network.layout.count)) / 200e6
  }

  /// Whether the last save failed.
  var hasFailed: Bool { failure != nil }

  /// Prepares the snapshot's memory in the background.
  func prepare() { if let snapshot { writer?.prepare(snapshot) } }

  /// Saves the state after `position`.
  ///
  /// - Parameter isUrgent: no training is left to do, so wait for the end of the save
  func save(_ position: TrainingPosition, isUrgent: Bool) throws {
    guard settings.isOn else { return }
    // The snapshot may still be on its way to the disk.
    takeOutcomes(wait: true)
    lastStep = position.step
    guard settings.isBackground else { return try saveNow(position) }
    let began = ContinuousClock.now
    try optimizer.collect(into: snapshot)
    journal.tookSnapshot(step: position.step, seconds: (ContinuousClock.now - began) / .seconds(1))
    if let snapshot { writer?.write(position, snapshot, isUrgent: isUrgent) }
    if isUrgent { takeOutcomes(wait: true) }
  }

  /// Saves without a snapshot: brings the parts together one after another in the borrowed memory of the gradients.
  private func saveNow(_ position: TrainingPosition) throws {
    var remaining = TrainingPart.allCases[...]
    func whole(_ part: TrainingPart) throws -> ParameterArena {
      remaining = remaining.dropFirst()
      if part == .weights { return optimizer.weights }
      try optimizer.collect(part, into: optimizer.communicator.rank == 0 ? optimizer.gradients.elements : nil)
      return optimizer.gradients
    }
    writer?.writeNow(position, whole)
    // Other ranks, and rank zero where writing has failed, still take part in the remaining collections.
    while let part = remaining.first { _ = try whole(part) }
    optimizer.clearGradients()
    takeOutcomes(wait: true)
  }

  /// Records how saves ended; with `wait`, after the one under way has ended.
  func takeOutcomes(wait: Bool) {
    for outcome in writer?.takeOutcomes(wait: wait) ?? [] {
      switch outcome {
      case .success(let saved):
        (lastCheckpoint, failure) = (saved.path, nil)
        if saved.isUrgent { longestSave = max(longestSave, saved.seconds) }
        journal.saved(step: saved.step, path: saved.path, seconds: saved.seconds)
      case .failure(let error):
        failure = error
        journal.note("no checkpoint was written: \(error); older ones are unchanged")
      }
    }
  }

  /// Waits for the last save. If it failed there is no state to go on from, and every rank throws.
  func finish() throws {
    takeOutcomes(wait: true)
    try optimizer.communicator.agree { if let failure { throw RunError.unsaved("\(failure)") } }
  }
}
