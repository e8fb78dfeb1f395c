import Foundation
import SprintData
import SprintFormats
import SprintKernels
import SprintModel

/// Writes checkpoints at rank zero: at once, or on a thread of its own while training goes on.
final class CheckpointWriter: @unchecked Sendable {
  /// A checkpoint that was written.
  struct Saved {
    let path: String
    let step: Int
    let seconds: Double
    /// The seconds without rests: what the save takes when nothing else is left to do.
    let activeSeconds: Double
  }

  private let store: CheckpointStore
  private let configuration: Configuration
  private let data: DataRecord
  private let changes: [ConfigurationChange]
  /// The pace of the write under way, unless it is urgent; only the training thread uses it.
  private var pace: Pace?
  private let condition = Condition()
  /// Guarded by `condition`: since when the thread is at work, and how saves ended.
  private var began: ContinuousClock.Instant?
  private var outcomes: [Result<Saved, any Error>] = []

  init(
    _ store: CheckpointStore, _ configuration: Configuration, _ data: DataRecord, changes: [ConfigurationChange]
  ) {
    (self.store, self.configuration, self.data, self.changes) = (store, configuration, data, changes)
  }

  /// Touches the memory of a snapshot on the thread, while the first steps are computed.
  func prepare(_ snapshot: TrainingSnapshot) throws { try start(isUrgent: false) { snapshot.prepare() } }

  /// Writes a snapshot on the thread. Where the system refuses the thread, it writes at once, then throws.
  ///
  /// - Parameters:
  ///   - isUrgent: no training is left to do; otherwise computing goes first
  ///   - keepsOlder: removes no older checkpoints
  func write(_ position: TrainingPosition, _ snapshot: TrainingSnapshot, isUrgent: Bool, keepsOlder: Bool) throws {
    // A save that is spread over sixteen times its duration costs a step some percent.
    let pace = isUrgent ? nil : Pace(rest: 15)
    self.pace = pace
    try start(isUrgent: isUrgent) { [self] in save(position, pace, keepsOlder) { snapshot[$0] } }
  }

  /// Writes at once; `whole` returns all of each part, in order.
  func writeNow(
    _ position: TrainingPosition, keepsOlder: Bool, _ whole: (TrainingPart) throws -> ParameterArena<Float>
  ) {
    save(position, nil, keepsOlder, whole)
  }

  private func save(
    _ position: TrainingPosition, _ pace: Pace?, _ keepsOlder: Bool,
    _ whole: (TrainingPart) throws -> ParameterArena<Float>
  ) {
    let began = ContinuousClock.now
    let outcome = Result {
      let path = try store.save(
        position, configuration, data, changes: changes, keepsOlder: keepsOlder, pace: pace, whole)
      let seconds = (ContinuousClock.now - began) / .seconds(1)
      return Saved(
        path: path, step: position.step, seconds: seconds, activeSeconds: seconds - (pace?.restedSeconds ?? 0))
    }
    condition.withLock { outcomes.append(outcome) }
  }

  private func start(isUrgent: Bool, _ work: @escaping @Sendable () -> Void) throws {
    condition.withLock { began = .now }
    do {
      try BackgroundThread.start("checkpoint writer") { [self] in
        // On Linux this sets the priority of this thread alone: it gets what computing leaves.
        if !isUrgent { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19) }
        work()
        markEnd()
      }
    } catch {
      pace?.hurry()
      work()
      markEnd()
      throw error
    }
  }

  private func markEnd() {
    condition.withLock {
      began = nil
      condition.broadcast()
    }
  }

  /// Returns how saves ended since the last call; with `wait`, after the one under way has ended.
  func takeOutcomes(wait: Bool) -> [Result<Saved, any Error>] {
    if wait { waitForThread() }
    return condition.withLock {
      defer { outcomes = [] }
      return outcomes
    }
  }

  /// What the write under way has taken so far, without its rests; nil while nothing is written.
  var activeSeconds: Double? {
    condition.withLock { began }.map { (ContinuousClock.now - $0) / .seconds(1) - (pace?.restedSeconds ?? 0) }
  }

  /// Waits for the write under way, which no longer rests.
  func waitForThread() {
    pace?.hurry()
    condition.lock()
    while began != nil { condition.wait() }
    condition.unlock()
  }
}
