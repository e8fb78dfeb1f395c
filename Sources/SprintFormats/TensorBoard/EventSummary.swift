/// What an event file for TensorBoard holds, of whatever program.
package struct EventSummary: Sendable {
  /// A curve, a series of pictures, or another series.
  package struct Series: Sendable {
    /// The name that TensorBoard shows.
    package let tag: String
    /// The number of its events.
    package fileprivate(set) var count = 0
    /// The lowest and the highest step.
    package fileprivate(set) var first: Int64, last: Int64
  }

  /// The series in the order in which they appear.
  package private(set) var series: [Series] = []
  /// The number of whole events.
  package private(set) var events = 0
  private var places: [String: Int] = [:]
  private static let mostSeries = 100_000

  /// Reads all events of a file; damaged ones are left out.
  package init(path: String) throws {
    try EventRecord.forEach(of: RandomAccessFile(reading: path)) { record in
      guard let event = try? Sprint_Tensorboard_Event(serializedBytes: record.contents) else { return }
      events += 1
      guard case .summary(let summary) = event.what else { return }
      for value in summary.value { add(value.tag, event.step) }
    }
  }

  private mutating func add(_ tag: String, _ step: Int64) {
    let place = places[tag, default: series.count]
    if place == series.count {
      guard series.count < Self.mostSeries else { return }
      places[tag] = place
      series.append(Series(tag: tag, first: step, last: step))
    }
    series[place].count += 1
    (series[place].first, series[place].last) = (min(series[place].first, step), max(series[place].last, step))
  }
}
