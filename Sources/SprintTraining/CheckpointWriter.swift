import Foundation
import SprintCommunication
import SprintData
import SprintFormats
import SprintModel

/// Saves checkpoints at rank zero while training goes on: a snapshot is taken between two steps, a thread of its own writes it.
final class CheckpointWriter: @unchecked Sendable {
  /// How a save ended.
  typealias Outcome = Result<(path: String, step: Int, seconds: Double), any Error>

  private let store: CheckpointStore
  private let configuration: Configuration
  private let dataset: LatentDataset
  private let network: Network
  private lazy var snapshot = TrainingSnapshot(network)
  private let condition = NSCondition()
  /// Guarded by `condition`.
  private var isWriting = false
  private var outcomes: [Outcome] = []

  init(_ store: CheckpointStore, _ configuration: Configuration, _ dataset: LatentDataset, _ network: Network) {
    (self.store, self.configuration, self.dataset, self.network) = (store, configuration, dataset, network)
  }

  /// The memory for the next snapshot, once the one before is written.
  func freeSnapshot() -> TrainingSnapshot {
    waitForThread()
    return snapshot
  }

  /// Writes what was put into the snapshot.
  ///
  /// - Parameter isUrgent: whether nothing is left to be trained; else computing goes first
  func write(_ position: TrainingPosition, isUrgent: Bool) {
    condition.withLock { isWriting = true }
    let thread = Thread { [self] in
      // Of this thread alone. With a niceness of 10 a busy core gives the writer about a tenth of its time.
      if !isUrgent { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
      let began = ContinuousClock.now
      let outcome = Outcome {
        let path = try store.save(snapshot, position, configuration, dataset)
        return (path, position.step, (ContinuousClock.now - began) / .seconds(1))
      }
      condition.withLock {
        isWriting = false
        outcomes.append(outcome)
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
    condition.lock()
    while isWriting { condition.wait() }
    condition.unlock()
  }
}
