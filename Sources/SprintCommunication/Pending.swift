import SprintKernels

/// An operation that was submitted to a communicator, and its result once it is done.
package final class Pending: @unchecked Sendable {
  let operation: @Sendable (any Transport) throws -> Void
  private let countWaiters: @Sendable (_ change: Int) -> Void
  private let condition = Condition()
  /// Guarded by `condition`.
  private var result: Result<Void, any Error>?

  /// - Parameter countWaiters: called with 1 before a thread waits for the operation, and with -1 afterwards
  init(
    countWaiters: @escaping @Sendable (_ change: Int) -> Void = { _ in },
    _ operation: @escaping @Sendable (any Transport) throws -> Void
  ) {
    (self.countWaiters, self.operation) = (countWaiters, operation)
  }

  /// Stores the result and wakes all waiting threads. Only the first call counts.
  func finish(_ error: (any Error)?) {
    condition.lock()
    result = result ?? (error.map { .failure($0) } ?? .success(()))
    condition.broadcast()
    condition.unlock()
  }

  /// Waits until the operation is done; throws its error.
  package func wait() throws {
    countWaiters(1)
    defer { countWaiters(-1) }
    condition.lock()
    defer { condition.unlock() }
    while result == nil { condition.wait() }
    try result?.get()
  }
}
