/// The steps that a log lacks.
struct LogGaps {
  private var ranges: [ClosedRange<Int>] = []
  /// How many gaps there are, and the last step that the log holds or calls lost.
  private var (count, covered) = (0, 0)
  /// Lines about gaps come before the step that follows; then they count once.
  private var announced: ClosedRange<Int>?
  private static let most = 8

  /// Notes that the log holds a step.
  mutating func take(step: Int) {
    end()
    if step > covered + 1 { add(covered + 1...step - 1) }
    covered = max(covered, step)
  }

  /// Notes a line about a gap.
  mutating func take(gap: ClosedRange<Int>) {
    end()
    announced = gap
  }

  /// Notes the end of the log.
  mutating func end() {
    guard let gap = announced else { return }
    announced = nil
    add(gap)
    covered = max(covered, gap.upperBound)
  }

  private mutating func add(_ range: ClosedRange<Int>) {
    count += 1
    if ranges.count < Self.most { ranges.append(range) }
  }

  /// The gaps in words; nil for a log without gaps.
  var description: String? {
    guard count > 0 else { return nil }
    let all = ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound)" }
    return all.joined(separator: ", ") + (count > all.count ? " and \(count - all.count) more gaps" : "")
  }
}
