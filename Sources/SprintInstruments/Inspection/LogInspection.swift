import Foundation
import SprintFormats
import SprintTraining

/// What a log of a run says: how far it is, and the last losses.
struct LogInspection {
  private(set) var steps = 0
  private(set) var lastStep = 0
  private(set) var stage = ""
  private(set) var losses: [Double] = []
  private(set) var starts = 0
  private(set) var otherLines = 0
  private static let mostLosses = 5

  /// Reads a log; nil for a file whose first line is none of a log.
  init?(path: String) throws {
    var isFirst = true
    do {
      try RandomAccessFile(reading: path).forEachLine { line in
        let entry = LogLine(line)
        if isFirst, entry == nil { throw NoLog() }
        isFirst = false
        if let entry { take(entry) } else { otherLines += line.isBlank ? 0 : 1 }
      }
    } catch is NoLog { return nil }
    if isFirst { return nil }
  }

  private struct NoLog: Error {}

  private mutating func take(_ line: LogLine) {
    switch line {
    case .step(let step, let stage, let numbers):
      (steps, lastStep, self.stage) = (steps + 1, step, stage)
      losses = losses.suffix(Self.mostLosses - 1) + [numbers.first { $0.name == "loss" }?.value.number ?? .nan]
    case .start: starts += 1
    default: break
    }
  }

  /// The log in some lines.
  var notes: [String] {
    guard steps > 0 else { return ["no step yet, \(starts) starts"] }
    let listed = losses.map { String(format: "%.5f", $0) }.joined(separator: ", ")
    return ["last step \(lastStep), stage `\(stage)`, last losses \(listed)"]
      + (starts > 1 ? ["started \(starts) times"] : [])
      + (otherLines > 0 ? ["\(otherLines) lines are damaged or of another program"] : [])
  }
}
