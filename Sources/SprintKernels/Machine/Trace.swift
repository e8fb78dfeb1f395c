import Foundation
import Synchronization

/// The timeline of all threads, while it is recorded: what each of them did from when to when.
package enum Trace {
  /// One stretch of a thread's time.
  package struct Span: Sendable {
    /// What the thread did.
    package let name: String
    /// The kind of work, by which viewers filter: `product`, `attention`, `block`, ...
    package let category: String
    /// The thread.
    package let thread: UInt
    package let began, ended: ContinuousClock.Instant
  }

  private static let isOn = Atomic(false)
  private static let spans = Mutex<[Span]>([])

  /// Starts to record, from nothing.
  package static func start() {
    spans.withLock { $0.removeAll() }
    isOn.store(true, ordering: .relaxed)
  }

  /// Ends recording and returns the spans in the order of their ends.
  package static func stop() -> [Span] {
    isOn.store(false, ordering: .relaxed)
    return spans.withLock { $0 }
  }

  /// Runs `body`, and records it while recording is on.
  @inline(__always)
  package static func span<T>(
    _ category: String, _ name: @autoclosure () -> String, _ body: () throws -> T
  ) rethrows -> T {
    guard isOn.load(ordering: .relaxed) else { return try body() }
    let began = ContinuousClock.now
    defer { add(Span(name: name(), category: category, thread: thread, began: began, ended: .now)) }
    return try body()
  }

  private static var thread: UInt { UInt(pthread_self()) }

  private static func add(_ span: Span) { spans.withLock { $0.append(span) } }
}
