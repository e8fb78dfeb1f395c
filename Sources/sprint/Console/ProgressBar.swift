import Foundation

/// A progress bar on a terminal; prints nothing elsewhere.
final class ProgressBar {
  private let began = ContinuousClock.now
  private var initiallyDone: Int?

  /// Shows that `done` of `total` items are done; `what` names the items.
  func show(_ done: Int, of total: Int, _ what: String) {
    guard Console.isTerminal else { return }
    if initiallyDone == nil { initiallyDone = done }
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    let rate = Double(done - (initiallyDone ?? 0)) / max(seconds, 1e-3)
    let filled = total == 0 ? 0 : 30 * done / total
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
    Console.status("[\(bar)] \(done) of \(total) \(what)\(rate > 0 ? String(format: ", %.0f/s", rate) : "")")
  }

  /// Removes the bar.
  func finish() { if Console.isTerminal, initiallyDone != nil { Console.status("") } }
}
