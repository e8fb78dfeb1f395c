import Foundation
import SprintFormats

/// Tries again what a full disk or a file server that is away has prevented, for a limited time.
package struct Patience {
  private let seconds: Double
  private let stop: StopRequest
  private let note: (String) -> Void

  /// - Parameters:
  ///   - seconds: how long to try
  ///   - note: called once with what is wrong
  package init(seconds: Double, stop: StopRequest = StopRequest(), note: @escaping (String) -> Void = { _ in }) {
    (self.seconds, self.stop, self.note) = (seconds, stop, note)
  }

  /// Gives up at once.
  package static var none: Patience { Patience(seconds: 0) }

  /// Does the work, again and again while it throws an error that may pass; throws the last error.
  package func callAsFunction<T>(_ work: () throws -> T) throws -> T {
    let end = ContinuousClock.now + .seconds(seconds)
    var hasTold = false
    while true {
      do { return try work() } catch let error as FileError where error.mayPass {
        guard ContinuousClock.now < end, !stop.isRequested else { throw error }
        if !hasTold { note("\(error); trying again for \(String(format: "%g", seconds)) s") }
        hasTold = true
        wait(until: min(end, ContinuousClock.now + .seconds(1)))
      }
    }
  }

  private func wait(until moment: ContinuousClock.Instant) {
    while ContinuousClock.now < moment, !stop.isRequested { usleep(50_000) }
  }
}
