import Foundation

/// Records that could not be written yet, in order. Their number of bytes is limited: the oldest give way.
package struct Backlog {
  private struct Entry {
    let step: Int
    let record: Data
  }

  private var entries: [Entry] = []
  /// The entries before this one are written.
  private var first = 0
  private var bytes = 0
  private let limit: Int
  /// The steps of the records that gave way.
  package private(set) var lost: ClosedRange<Int>?

  /// - Parameter limit: the most bytes to keep
  package init(limit: Int) { self.limit = limit }

  /// Whether nothing waits and nothing was lost.
  package var isEmpty: Bool { first == entries.count && lost == nil }

  /// The steps of everything that waits or was lost.
  package var steps: ClosedRange<Int>? { entries[first...].reduce(lost) { ClosedRange($0, and: $1.step) } }

  /// Adds a record and writes all in order; those that `write` throws at stay.
  ///
  /// - Parameter gap: returns the record that stands for lost ones, if there is such a record
  package mutating func write(
    _ record: Data, step: Int, gap: (ClosedRange<Int>) -> Data? = { _ in nil }, to write: (Data) throws -> Void
  ) throws {
    entries.append(Entry(step: step, record: record))
    bytes += record.count
    defer { giveWay() }
    try writeAll(gap: gap, to: write)
  }

  /// Writes all in order; those that `write` throws at stay.
  package mutating func writeAll(gap: (ClosedRange<Int>) -> Data? = { _ in nil }, to write: (Data) throws -> Void)
    throws
  {
    if let steps = lost {
      if let record = gap(steps) { try write(record) }
      lost = nil
    }
    while first < entries.count {
      try write(entries[first].record)
      removeFirst()
    }
    (entries, first) = ([], 0)
  }

  private mutating func giveWay() {
    while bytes > limit, first < entries.count {
      lost = ClosedRange(lost, and: entries[first].step)
      removeFirst()
    }
    if first > entries.count / 2 {
      entries.removeFirst(first)
      first = 0
    }
  }

  private mutating func removeFirst() {
    bytes -= entries[first].record.count
    first += 1
  }
}

extension ClosedRange<Int> {
  /// From the first to the last of the steps of a range, if there is one, and another step.
  package init(_ range: ClosedRange<Int>?, and step: Int) {
    self = Swift.min(range?.lowerBound ?? step, step)...Swift.max(range?.upperBound ?? step, step)
  }
}
