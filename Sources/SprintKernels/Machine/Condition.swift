import Foundation

/// A lock, shared by the conditions that guard the same state.
package final class Lock: @unchecked Sendable {
  fileprivate let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  /// Makes an open lock.
  package init() {
    let code = pthread_mutex_init(mutex, nil)
    precondition(code == 0, "pthread_mutex_init: \(code)")
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }
}

/// A lock and a condition to wait for. Foundation's condition waits on the clock on the wall: when that is set back by
/// an hour, a wait of a millisecond takes an hour. This one uses a clock that only goes forward.
package final class Condition: @unchecked Sendable {
  private let guardian: Lock
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  /// - Parameter lock: the lock of several conditions; a new one if left out
  package init(_ lock: Lock = Lock()) {
    guardian = lock
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    let code = pthread_cond_init(condition, &attributes)
    pthread_condattr_destroy(&attributes)
    precondition(code == 0, "pthread_cond_init: \(code)")
  }

  deinit {
    pthread_cond_destroy(condition)
    condition.deallocate()
  }

  /// Takes the lock.
  package func lock() { pthread_mutex_lock(guardian.mutex) }

  /// Gives the lock back.
  package func unlock() { pthread_mutex_unlock(guardian.mutex) }

  /// Does `body` with the lock.
  package func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
    lock()
    defer { unlock() }
    return try body()
  }

  /// Waits, without the lock, until somebody calls `signal` or `broadcast`, or for no reason.
  package func wait() { pthread_cond_wait(condition, guardian.mutex) }

  /// Waits like `wait`, but not longer than `seconds`.
  package func wait(seconds: Double) {
    var end = timespec()
    clock_gettime(CLOCK_MONOTONIC, &end)
    let nanoseconds = end.tv_nsec + Int(seconds * 1e9)
    (end.tv_sec, end.tv_nsec) = (end.tv_sec + nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
    pthread_cond_timedwait(condition, guardian.mutex, &end)
  }

  /// Wakes one thread that waits.
  package func signal() { pthread_cond_signal(condition) }

  /// Wakes all threads that wait.
  package func broadcast() { pthread_cond_broadcast(condition) }
}
