import Foundation

/// A bar on a terminal; where output goes elsewhere there is none.
final class ProgressBar {
  private let began = ContinuousClock.now
  private var atFirst: Int?

  /// Shows that `done` of `total` are done.
  func show(_ done: Int, of total: Int, _ what: String) {
    guard Console.isTerminal else { return }
    if atFirst == nil { atFirst = done }
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    let rate = Double(done - (atFirst ?? 0)) / max(seconds, 1e-3)
    let filled = total == 0 ? 0 : 30 * done / total
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
    Console.status("[\(bar)] \(done) of \(total) \(what)\(rate > 0 ? String(format: ", %.0f/s", rate) : "")")
  }

  /// Takes the bar away.
  func finish() { if Console.isTerminal, atFirst != nil { Console.status("") } }
}
