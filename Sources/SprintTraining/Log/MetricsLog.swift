import Foundation
import SprintFormats

/// `metrics.jsonl`: one JSON object a line. Each step stands in it once and in order. Lines that cannot be written wait
/// in memory and are written when it works again; so many that there is no room for them become a line about a gap.
package final class MetricsLog {
  private let file: GrowingFile
  private var logged: LoggedSteps
  /// Some ten thousand steps.
  private var backlog = Backlog(limit: 4 << 20)
  /// How many damaged lines were moved aside.
  package let damagedLines: Int

  /// Opens the log to append to it, after the removal of everything that a run which goes on after `step` writes again.
  /// Damaged lines go into a file beside the log.
  package init(path: String, after step: Int) throws {
    let repair = try LogRepair(path, after: step)
    (logged, damagedLines) = (repair.logged, repair.damagedLines)
    file = try GrowingFile(path, begin: GrowingFile.afterLastLine)
    if let missing = logged.missing(before: step + 1) { try write(.gap(missing)) }
  }

  /// Appends a line, after those that wait; does nothing for one that stands already. Throws where it has to wait too.
  package func write(_ line: LogLine) throws {
    guard logged.admits(line) else { return }
    try backlog.write(line.text, step: line.step, gap: { LogLine.gap($0).text }, to: file.append)
  }

  /// Writes the lines that wait.
  package func flush() throws { try backlog.writeAll(gap: { LogLine.gap($0).text }, to: file.append) }

  /// The step of the last validation in the log.
  package var lastValidation: Int { logged.validation }

  /// The steps of lines that wait or had to give way.
  package var unwritten: ClosedRange<Int>? { backlog.steps }

  /// The steps of lines that had to give way.
  package var lost: ClosedRange<Int>? { backlog.lost }
}
