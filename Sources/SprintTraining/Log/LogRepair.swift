import Foundation
import SprintFormats

/// Makes the log of a run fit to go on after a step: it removes the lines of later steps and those that stand twice,
/// marks missing steps, and moves damaged lines into a file beside the log. Its memory does not depend on the log.
struct LogRepair {
  private let step: Int
  private let damagedPath: String
  private var damagedFile: GrowingFile?
  /// What the repaired log holds.
  private(set) var logged = LoggedSteps()
  /// How many damaged lines were moved aside.
  private(set) var damagedLines = 0

  /// Repairs the log at `path`, if there is one.
  init(_ path: String, after step: Int) throws {
    (self.step, damagedPath) = (step, path + ".damaged")
    guard try RandomAccessFile(ifExists: path) != nil else { return }
    let file = try RandomAccessFile(writing: path)
    let revision = FileRevision(of: file)
    try file.forEachLine { try take($0, of: file, revision) }
    try revision.finish()
  }

  private mutating func take(_ line: FileLine, of file: RandomAccessFile, _ revision: FileRevision) throws {
    if line.isBlank { return }
    // The log is bytes, not text: one bad byte must not hide the lines around it.
    guard let object = FlatObject(json: line.bytes), let found = object.step else { return try moveAside(line, file) }
    guard found <= step else { return }
    // Lines of other programs stay.
    guard let known = LogLine(object) else { return try revision.keep(line.range) }
    if case .step = known, let missing = logged.missing(before: found), logged.admits(.gap(missing)) {
      try revision.add(LogLine.gap(missing).text)
    }
    if case .gap(let steps) = known, steps.upperBound > step {
      let rest = LogLine.gap(steps.lowerBound...step)
      if logged.admits(rest) { try revision.add(rest.text) }
    } else if logged.admits(known) {
      try revision.keep(line.range)
    }
  }

  private mutating func moveAside(_ line: FileLine, _ file: RandomAccessFile) throws {
    let damaged = try damagedFile ?? GrowingFile(damagedPath, begin: GrowingFile.afterLastLine)
    damagedFile = damaged
    damagedLines += 1
    try file.forEachPiece(of: line.range, damaged.append)
    if line.range.count == line.bytes.count { try damaged.append(Data("\n".utf8)) }
  }
}

extension GrowingFile {
  /// Lines go on after the last one; a line without its end gets one.
  static func afterLastLine(_ file: RandomAccessFile) throws -> (end: Int, head: Data) {
    let size = try file.size
    var last: [UInt8] = [0x0a]
    if size > 0 { try last.withUnsafeMutableBytes { try file.read(into: $0, at: size - 1) } }
    return (size, last == [0x0a] ? Data() : Data("\n".utf8))
  }
}
