import Foundation
import SprintTraining

/// A progress bar on a terminal; prints nothing elsewhere.
final class ProgressBar {
  private let began = ContinuousClock.now
  private var initiallyDone: Int?
  private var shown: ContinuousClock.Instant?

  /// Shows that `done` of `total` items are done; `what` names the items. Calls within a tenth of a second show
  /// nothing.
  func show(_ done: Int, of total: Int, _ what: String) {
    guard Console.isTerminal else { return }
    let now = ContinuousClock.now
    if initiallyDone == nil { initiallyDone = done }
    if let shown, now - shown < .milliseconds(100), done < total { return }
    shown = now
    let rate = Double(done - (initiallyDone ?? 0)) / max((now - began) / .seconds(1), 1e-3)
    let filled = total == 0 ? 0 : 30 * done / total
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
    let speed =
      rate > 0 ? String(format: ", %.*f/s, ", rate < 10 ? 1 : 0, rate) + "\(Self.left(total - done, rate))" : ""
    Console.status("[\(bar)] \(done) of \(total) \(what)\(speed)")
  }

  private static func left(_ items: Int, _ rate: Double) -> String { "\(duration(Double(items) / rate)) left" }

  /// Removes the bar.
  func finish() { if Console.isTerminal, initiallyDone != nil { Console.status("") } }
}
