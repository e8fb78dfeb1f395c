import Foundation
import SprintCommunication
import SprintData
import SprintModel

/// Saves the training state: from a snapshot while training goes on, or at once without the snapshot's memory. Every
/// rank has one, and all ranks call it together; rank zero writes.
final class CheckpointSaver {
  private let settings: Configuration.Checkpoints
  private let store: CheckpointStore
  private let optimizer: Optimizer
  private let journal: RunJournal
  private let writer: CheckpointWriter?
  private let snapshot: TrainingSnapshot?
  /// Why the last save failed, if it did.
  private var failure: (any Error)?
  /// The newest checkpoint that is known to be whole, at rank zero.
  private(set) var lastCheckpoint: String?
  /// The step of the newest save, at every rank.
  private var lastStep: Int
  /// The longest of the recent saves, in seconds. Until one is measured it is estimated: four arenas at a rate that
  /// slow disks reach.
  private var longestSave: Double
  private var hasMeasured = false

  init(
    _ configuration: Configuration, _ store: CheckpointStore, _ network: Network, _ optimizer: Optimizer,
    _ journal: RunJournal, from start: RunStart
  ) {
    (settings, self.store, self.optimizer, self.journal) = (configuration.checkpoint, store, optimizer, journal)
    (lastCheckpoint, lastStep) = (start.checkpoint?.path, start.position.step)
    writer = settings.isOn ? start.data.map { CheckpointWriter(store, configuration, $0, changes: start.changes) } : nil
    snapshot = writer != nil && settings.isBackground ? TrainingSnapshot(network) : nil
    longestSave = settings.isOn ? 0.5 + Double(TrainingPart.bytes(weights: network.layout.count)) / 200e6 : 0
  }

  /// What rank zero's decisions need to know about saves.
  var circumstances: Circumstances {
    var circumstances = Circumstances()
    let current = writer?.activeSeconds
    (circumstances.lastSaveFailed, circumstances.isSaving) = (failure != nil, current != nil)
    // A save that is slower than expected will not be the last such one.
    circumstances.longestSave = max(longestSave, current ?? 0)
    return circumstances
  }

  /// Whether the state of a step is saved or on its way to the disk.
  func covers(_ position: TrainingPosition) -> Bool { position.step <= lastStep }

  /// Prepares the snapshot's memory in the background.
  func prepare() { if let snapshot { notingForeground { try writer?.prepare(snapshot) } } }

  /// Does `work` and notes that training had to wait for it, if the system refused a thread.
  private func notingForeground(_ work: () throws -> Void) {
    do { try work() } catch { journal.note("\(error); until then training waits for every save") }
  }

  /// Saves the state after `position`.
  ///
  /// - Parameters:
  ///   - isUrgent: no training is left to do, so wait for the end of the save
  ///   - hasFailed: the next step failed; no older checkpoint is removed. Nor is one while updates are skipped: only
  ///     older ones may hold good weights then.
  func save(_ position: TrainingPosition, isUrgent: Bool, hasFailed: Bool = false) throws {
    let keepsOlder = hasFailed || position.skippedInARow > 0
    lastStep = position.step
    guard settings.isOn else { return }
    // The snapshot may still be on its way to the disk.
    takeOutcomes(wait: true)
    guard settings.isBackground else { return try saveNow(position, keepsOlder) }
    let began = ContinuousClock.now
    try optimizer.collect(into: snapshot)
    journal.tookSnapshot(step: position.step, seconds: (ContinuousClock.now - began) / .seconds(1))
    if let snapshot {
      notingForeground { try writer?.write(position, snapshot, isUrgent: isUrgent, keepsOlder: keepsOlder) }
    }
    if isUrgent { takeOutcomes(wait: true) }
  }

  /// Saves without a snapshot: brings the parts together one after another in the borrowed memory of the gradients.
  private func saveNow(_ position: TrainingPosition, _ keepsOlder: Bool) throws {
    var remaining = TrainingPart.allCases[...]
    func whole(_ part: TrainingPart) throws -> ParameterArena<Float> {
      remaining = remaining.dropFirst()
      return try optimizer.whole(part)
    }
    writer?.writeNow(position, keepsOlder: keepsOlder, whole)
    // Other ranks, and rank zero where writing has failed, still take part in the remaining collections.
    while let part = remaining.first { _ = try whole(part) }
    takeOutcomes(wait: true)
  }

  /// Records how saves ended; with `wait`, after the one under way has ended.
  func takeOutcomes(wait: Bool) {
    for outcome in writer?.takeOutcomes(wait: wait) ?? [] {
      switch outcome {
      case .success(let saved):
        (lastCheckpoint, failure) = (saved.path, nil)
        note(seconds: saved.activeSeconds)
        journal.saved(step: saved.step, path: saved.path, seconds: saved.seconds)
      case .failure(let error):
        failure = error
        journal.note("no checkpoint was written: \(error); older ones are unchanged")
      }
    }
  }

  private func note(seconds: Double) {
    longestSave = hasMeasured ? max(0.9 * longestSave, seconds) : seconds
    hasMeasured = true
  }

  /// Waits for the last save. If it failed there is no state to go on from, and every rank throws.
  func finish() throws {
    takeOutcomes(wait: true)
    try optimizer.communicator.agree { if let failure { throw RunError.unsaved("\(failure)") } }
  }

  /// Marks the checkpoints with the weights with which the step after `position` failed, at rank zero. Returns the
  /// newest one that holds others.
  func markFailure(at position: TrainingPosition) throws -> String? {
    guard settings.isOn, optimizer.communicator.rank == 0 else { return nil }
    let lastUpdate = position.step - position.skippedInARow
    try store.mark(lastUpdate...position.step)
    return store.lastUnmarked(before: lastUpdate)
  }
}
