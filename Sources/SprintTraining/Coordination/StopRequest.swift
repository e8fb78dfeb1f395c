import Synchronization

/// A request, from a signal for example, that training stops at the next step.
package final class StopRequest: Sendable {
  private let flag = Atomic(false)

  /// No request yet.
  package init() {}

  /// Requests the stop.
  package func request() { flag.store(true, ordering: .relaxed) }

  /// Whether the stop has been requested.
  package var isRequested: Bool { flag.load(ordering: .relaxed) }
}
