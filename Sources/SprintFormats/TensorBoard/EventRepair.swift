import Foundation

/// Makes the event files of a run, one after another, fit to go on after a step: it removes the events of later steps,
/// damaged ones and those that stand twice, and renames series. Its memory depends on the largest event alone.
struct EventRepair {
  private let step: Int
  private let renamed: [EventSeries: String]
  /// The last step with an event, and the series that have a value of it.
  private var last: (step: Int, series: Set<EventSeries>) = (.min, [])
  /// What the user should know.
  private(set) var problems: [String] = []

  /// - Parameter renamed: new tags of series
  init(after step: Int, renaming renamed: [EventSeries: String]) { (self.step, self.renamed) = (step, renamed) }

  /// The series that have a value of `step`, if that is the last step.
  func series(at step: Int) -> Set<EventSeries> { last.step == step ? last.series : [] }

  /// Repairs a file. A folder stays as it is, and so does a link, behind which somebody else's file may lie.
  mutating func repair(_ path: String) throws {
    let kind = (try? FileManager.default.attributesOfItem(atPath: path))?[.type] as? FileAttributeType
    guard kind == .typeRegular else {
      let found = kind == .typeDirectory ? "a folder" : kind == .typeSymbolicLink ? "a link" : "no file"
      return problems.append("\(path): \(found), expected an event file; skipped")
    }
    let file = try RandomAccessFile(writing: path)
    let revision = FileRevision(of: file)
    // The end of the last whole record, and whether damaged ones came before a whole one.
    var (end, isDamaged) = (0, false)
    try EventRecord.forEach(of: file) { record in
      isDamaged = isDamaged || record.place.lowerBound > end
      end = record.place.upperBound
      guard var event = try? Sprint_Tensorboard_Event(serializedBytes: record.contents) else { return isDamaged = true }
      let isRenamed = rename(&event)
      guard admits(event) else { return }
      if isRenamed {
        try revision.add(EventRecord.framed(try event.serializedData()))
      } else {
        try revision.keep(record.place)
      }
    }
    try revision.finish()
    if isDamaged { problems.append("\(path): removed damaged events") }
  }

  /// Gives the series of an event their new tags; returns false for an event that has none of them.
  private func rename(_ event: inout Sprint_Tensorboard_Event) -> Bool {
    guard case .summary(var summary) = event.what else { return false }
    var isRenamed = false
    for place in summary.value.indices {
      guard let tag = renamed[summary.value[place].series] else { continue }
      (summary.value[place].tag, isRenamed) = (tag, true)
    }
    event.summary = summary
    return isRenamed
  }

  private mutating func admits(_ event: Sprint_Tensorboard_Event) -> Bool {
    guard case .summary(let summary) = event.what else { return true }
    let (place, series) = (Int(event.step), summary.value.map(\.series))
    guard place <= step, place >= last.step else { return false }
    if place > last.step { last = (place, []) }
    defer { last.series.formUnion(series) }
    return !series.allSatisfy(last.series.contains)
  }

  /// The end of the last whole record of a file.
  static func end(of file: RandomAccessFile) throws -> Int {
    var end = 0
    try EventRecord.forEach(of: file) { end = $0.place.upperBound }
    return end
  }
}
