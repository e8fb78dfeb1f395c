import Foundation
import SprintKernels

/// Looks through every buffer after every operation and remembers the first value that is not finite, for debugging.
package final class FiniteCheck: @unchecked Sendable {
  private let lock = NSLock()
  private var found: String?

  /// Makes a check that has found nothing yet.
  package init() {}

  /// The first value that is not finite, as "block, operation, tensor[row, column] is value", or nil.
  package var firstFailure: String? { lock.withLock { found } }

  /// Looks through `values`; the names are for the message.
  func look<Element: MatrixElement>(_ values: Matrix<Element>, _ block: String, _ operation: String, _ tensor: String) {
    for r in 0..<values.rows {
      for c in 0..<values.columns where !values[r, c].float.isFinite {
        report("\(block), \(operation), \(tensor)[\(r), \(c)] is \(values[r, c].float)")
        return
      }
    }
  }

  private func report(_ failure: String) {
    lock.withLock { found = found ?? failure }
  }
}
