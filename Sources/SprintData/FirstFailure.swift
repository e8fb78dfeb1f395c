import Synchronization

/// The failure of the first of some samples that are read side by side.
package final class FirstFailure: Sendable {
  private let found = Mutex<(index: Int, error: any Error)?>(nil)

  /// No failure yet.
  package init() {}

  /// Keeps a failure, unless one of an earlier sample is known.
  package func note(_ index: Int, _ error: any Error) {
    found.withLock { if $0.map({ index < $0.index }) ?? true { $0 = (index, error) } }
  }

  /// Whether a sample before `index` has failed.
  package func isBefore(_ index: Int) -> Bool { found.withLock { $0.map { $0.index < index } ?? false } }

  /// Throws the failure that was kept, if any.
  package func rethrow() throws { if let error = found.withLock({ $0?.error }) { throw error } }
}
