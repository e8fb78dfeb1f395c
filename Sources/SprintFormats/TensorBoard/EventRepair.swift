import Foundation

/// Makes the event files of a run, one after another, fit to go on after a step: it removes the events of later steps,
/// damaged ones and those that stand twice. Its memory depends on the largest event alone.
struct EventRepair {
  private let step: Int
  /// The last step with an event, and the series that have a value of it.
  private var last: (step: Int, series: Set<String>) = (.min, [])
  /// What the user should know.
  private(set) var problems: [String] = []

  init(after step: Int) { self.step = step }

  /// The series that have a value of `step`, if that is the last step.
  func series(at step: Int) -> Set<String> { last.step == step ? last.series : [] }

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
      guard let event = try? Sprint_Tensorboard_Event(serializedBytes: record.contents) else { return isDamaged = true }
      if admits(event) { try revision.keep(record.place) }
    }
    try revision.finish()
    if isDamaged { problems.append("\(path): removed damaged events") }
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

extension Sprint_Tensorboard_Summary.Value {
  /// The series that the value belongs to: curves, pictures and texts may have the same tag.
  var series: String {
    switch value {
    case .image: "picture \(tag)"
    case .tensor: "text \(tag)"
    case .simpleValue, nil: "curve \(tag)"
    }
  }
}
