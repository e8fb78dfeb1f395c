import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintModel

/// Saves checkpoints at rank zero: in the background, where a snapshot is taken between two steps and a thread of its own writes
/// it while training goes on, or in the foreground without the snapshot's memory.
final class CheckpointWriter: @unchecked Sendable {
  /// How a save ended.
  typealias Outcome = Result<(path: String, step: Int, seconds: Double, isUrgent: Bool), any Error>

  private let store: CheckpointStore
  private let configuration: Configuration
  private let dataset: LatentDataset
  private let snapshot: TrainingSnapshot?
  /// Of the write under way, unless it is urgent; used by the thread that trains alone.
  private var pace: Pace?
  private let condition = NSCondition()
  /// Guarded by `condition`: whether the thread is at work, and what it brought.
  private var isWriting = false
  private var outcomes: [Outcome] = []

  init(_ store: CheckpointStore, _ configuration: Configuration, _ dataset: LatentDataset, _ network: Network) {
    (self.store, self.configuration, self.dataset) = (store, configuration, dataset)
    snapshot = configuration.checkpoint.isBackground ? TrainingSnapshot(network) : nil
  }

  /// Memory is slow when it is first written to: better while the first steps are computed than between two of them.
  func prepare() {
    guard let snapshot else { return }
    start(isUrgent: false) { for part in TrainingPart.allCases { snapshot[part].elements.clear() } }
  }

  /// The memory for the next snapshot, once the one before is written.
  func freeSnapshot() -> TrainingSnapshot? {
    waitForThread()
    return snapshot
  }

  /// Writes what was put into the snapshot.
  ///
  /// - Parameter isUrgent: whether nothing is left to be trained; else computing goes first
  func write(_ position: TrainingPosition, isUrgent: Bool) {
    guard let snapshot else { preconditionFailure("writing in the background needs a snapshot") }
    // Spread over sixteen times its duration a save costs a step some percent.
    let pace = isUrgent ? nil : Pace(rest: 15)
    self.pace = pace
    start(isUrgent: isUrgent) { [self] in save(position, isUrgent, pace) { snapshot[$0] } }
  }

  /// Writes at once; `whole` gives all of each part, in order.
  func writeNow(_ position: TrainingPosition, _ whole: (TrainingPart) throws -> ParameterArena) {
    save(position, true, nil, whole)
  }

  private func save(
    _ position: TrainingPosition, _ isUrgent: Bool, _ pace: Pace?, _ whole: (TrainingPart) throws -> ParameterArena
  ) {
    let began = ContinuousClock.now
    let outcome = Outcome {
      let path = try store.save(position, configuration, dataset, pace: pace, whole)
      return (path, position.step, (ContinuousClock.now - began) / .seconds(1), isUrgent)
    }
    condition.withLock { outcomes.append(outcome) }
  }

  private func start(isUrgent: Bool, _ work: @escaping @Sendable () -> Void) {
    condition.withLock { isWriting = true }
    let thread = Thread { [self] in
      // Of this thread alone: it gets what computing leaves, and hardly anything else.
      if !isUrgent { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19) }
      work()
      condition.withLock {
        isWriting = false
        condition.broadcast()
      }
    }
    thread.name = "checkpoint writer"
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// How saves ended that were not asked for yet; waits for the one under way if `wait`.
  func takeOutcomes(wait: Bool) -> [Outcome] {
    if wait { waitForThread() }
    return condition.withLock {
      defer { outcomes = [] }
      return outcomes
    }
  }

  private func waitForThread() {
    pace?.hurry()
    condition.lock()
    while isWriting { condition.wait() }
    condition.unlock()
  }
}
