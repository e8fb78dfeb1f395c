import Foundation

/// An event file for TensorBoard, with curves, pictures and texts. Across the files of a run every step appears once.
/// Events that cannot be written wait in memory, as far as there is room, and are written when it works again.
package final class TensorBoardFile {
  private let file: GrowingFile
  private var backlog = Backlog(limit: 16 << 20)
  /// The step that the run goes on from, and the series that have their value of this step already.
  private let start: (step: Int, series: Set<EventSeries>)
  /// What is wrong with older files.
  package let problems: [String]
  private static let prefix = "events.out.tfevents."

  /// Begins a file for a run that continues after `step`. Removes later steps, damaged events and those that stand
  /// twice from the older files in the folder.
  ///
  /// - Parameter renamed: new tags of series in the older files, which go on under them
  package init(folder: String, after step: Int, renaming renamed: [EventSeries: String] = [:]) throws {
    try AtomicFile.createFolder(folder)
    let older = (try FolderListing.names(in: folder) ?? []).filter { $0.hasPrefix(Self.prefix) }.sorted()
    var repair = EventRepair(after: step, renaming: renamed)
    for name in older { try repair.repair("\(folder)/\(name)") }
    (start, problems) = ((step, repair.series(at: step)), repair.problems)
    // Readers go through the files in the order of their names.
    let seconds = max(Int(Date().timeIntervalSince1970), (older.last.flatMap(Self.seconds) ?? 0) + 1)
    let name = "\(Self.prefix)\(seconds).\(ProcessInfo.processInfo.hostName)"
    file = try GrowingFile("\(folder)/\(name)", createsFolder: true) { file in
      let end = try EventRepair.end(of: file)
      return (end, end > 0 ? Data() : try Self.record(step: 0) { $0.fileVersion = "brain.Event:2" })
    }
    // Tells readers that have already seen later steps to forget them.
    try append(try Self.record(step: step + 1) { $0.sessionLog.status = .start }, step: step)
  }

  /// The seconds in the name of a file; nil where it is none that sprint could have made.
  private static func seconds(of name: String) -> Int? {
    name.dropFirst(prefix.count).split(separator: ".").first.flatMap { Int($0) }.flatMap { $0 < 1 << 40 ? $0 : nil }
  }

  /// Adds a point to each curve.
  package func add(_ scalars: [(tag: String, value: Double)], step: Int) throws {
    try append(
      scalars.map { scalar in
        .with {
          $0.tag = scalar.tag
          $0.simpleValue = Float(scalar.value)
        }
      }, step: step)
  }

  /// Adds a picture: the bytes of a PNG file.
  package func add(image png: Data, width: Int, height: Int, tag: String, step: Int) throws {
    try append(
      [
        .with {
          $0.tag = tag
          $0.image.width = Int32(width)
          $0.image.height = Int32(height)
          $0.image.colorspace = 3
          $0.image.encodedImageString = png
        }
      ], step: step)
  }

  /// Adds a text in Markdown.
  package func add(text: String, tag: String, step: Int) throws {
    try append(
      [
        .with {
          $0.tag = tag
          $0.metadata.pluginData.pluginName = "text"
          $0.tensor.dtype = .dtString
          $0.tensor.tensorShape = .init()
          $0.tensor.stringVal = [Data(text.utf8)]
        }
      ], step: step)
  }

  /// Writes the events that wait.
  package func flush() throws { try backlog.writeAll(to: file.append) }

  /// The steps whose events wait.
  package var unwritten: ClosedRange<Int>? { backlog.steps }

  private func append(_ values: [Sprint_Tensorboard_Summary.Value], step: Int) throws {
    let values = step == start.step ? values.filter { !start.series.contains($0.series) } : values
    if !values.isEmpty { try append(try Self.record(step: step) { $0.summary.value = values }, step: step) }
  }

  private func append(_ record: Data, step: Int) throws {
    try backlog.write(record, step: step, to: file.append)
  }

  private static func record(step: Int, _ fill: (inout Sprint_Tensorboard_Event) -> Void) throws -> Data {
    var event = Sprint_Tensorboard_Event()
    event.wallTime = Date().timeIntervalSince1970
    event.step = Int64(step)
    fill(&event)
    return EventRecord.framed(try event.serializedData())
  }
}
