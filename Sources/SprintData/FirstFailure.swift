import Synchronization

/// Keeps the failure of the first sample, in the order of the data, while several threads read samples side by side.
package final class FirstFailure: Sendable {
  private let found = Mutex<(index: Int, error: any Error)?>(nil)

  /// Starts without a failure.
  package init() {}

  /// Keeps a failure, unless an earlier sample has failed too.
  package func note(_ index: Int, _ error: any Error) {
    found.withLock { if $0.map({ index < $0.index }) ?? true { $0 = (index, error) } }
  }

  /// Whether a sample before `index` has failed.
  package func isBefore(_ index: Int) -> Bool { found.withLock { $0.map { $0.index < index } ?? false } }

  /// Throws the kept failure, if there is one.
  package func rethrow() throws { if let error = found.withLock({ $0?.error }) { throw error } }
}
