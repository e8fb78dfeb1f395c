import Foundation

/// How far the log has come: the last step of each kind of line. It knows in constant memory which lines stand already.
struct LoggedSteps {
  private var steps = 0
  /// The last step with a validation.
  private(set) var validation = -1
  /// The last steps with an angle, a snapshot and a checkpoint.
  private var (angle, snapshot, checkpoint) = (-1, -1, -1)

  /// Notes a line; returns false where it stands already, so that it must not stand again.
  mutating func admits(_ line: LogLine) -> Bool {
    switch line {
    case .step(let step, _, _): Self.advance(&steps, to: step)
    case .validation(let step, _): Self.advance(&validation, to: step)
    case .angle(let step, _): Self.advance(&angle, to: step)
    case .snapshot(let step, _): Self.advance(&snapshot, to: step)
    case .checkpoint(let step, _, _): Self.advance(&checkpoint, to: step)
    case .gap(let range): Self.advance(&steps, to: range.upperBound)
    case .start: true
    }
  }

  private static func advance(_ last: inout Int, to step: Int) -> Bool {
    guard step > last else { return false }
    last = step
    return true
  }

  /// The steps whose lines are missing before `step`.
  func missing(before step: Int) -> ClosedRange<Int>? { step > steps + 1 ? steps + 1...step - 1 : nil }
}
