import Synchronization

/// A request that training stops at the next step: made by the program, or by something outside that it watches, such
/// as signals.
package final class StopRequest: Sendable {
  private let flag = Atomic(false)
  private let isRequestedOutside: @Sendable () -> Bool

  /// No request yet.
  ///
  /// - Parameter isRequestedOutside: says whether something outside requests the stop
  package init(_ isRequestedOutside: @escaping @Sendable () -> Bool = { false }) {
    self.isRequestedOutside = isRequestedOutside
  }

  /// Requests the stop.
  package func request() { flag.store(true, ordering: .relaxed) }

  /// Whether the stop has been requested.
  package var isRequested: Bool { flag.load(ordering: .relaxed) || isRequestedOutside() }
}
