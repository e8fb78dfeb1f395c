import Foundation
import SprintKernels

/// Looks at every buffer after every operation and remembers the first one that is not finite, for debugging.
package final class FiniteCheck: @unchecked Sendable {
  private let lock = NSLock()
  private var found: String?

  /// A check that has found nothing yet.
  package init() {}

  /// The first bad buffer, as "block, operation, tensor", or nil.
  package var firstFailure: String? { lock.withLock { found } }

  /// Scans `values`, named by where they stand.
  func look(_ values: Matrix, _ block: String, _ operation: String, _ tensor: String) {
    for r in 0..<values.rows {
      for c in 0..<values.columns where !values[r, c].isFinite {
        report("\(block), \(operation), \(tensor)[\(r), \(c)] is \(values[r, c])")
        return
      }
    }
  }

  private func report(_ failure: String) {
    lock.withLock { found = found ?? failure }
  }
}
