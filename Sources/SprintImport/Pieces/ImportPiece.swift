/// Memory for the samples of one piece, as the data sets store them.
final class ImportPiece: @unchecked Sendable {
  let count: Int
  /// The entries of the samples in each data set, by its name.
  private let entries: [String: UnsafeMutableRawBufferPointer]

  /// The class of a sample that is left out.
  static let leftOut: Int64 = -1

  init(_ count: Int, _ sets: [ImportedSet]) {
    self.count = count
    entries = Dictionary(
      uniqueKeysWithValues: sets.map { ($0.name, .allocate(byteCount: count * $0.bytes, alignment: 64)) })
  }

  /// The entries of the samples in a data set.
  subscript(set: String) -> UnsafeMutableRawBufferPointer {
    guard let bytes = entries[set] else { preconditionFailure("the piece has no \(set)") }
    return bytes
  }

  /// [count] the classes.
  var labels: UnsafeMutableBufferPointer<Int64> { self[ImportedSet.labels.name].assumingMemoryBound(to: Int64.self) }

  /// Marks a sample as left out, and clears its numbers.
  func leaveOut(_ place: Int) {
    for numbers in entries.values {
      let bytes = numbers.count / count
      UnsafeMutableRawBufferPointer(rebasing: numbers[place * bytes..<(place + 1) * bytes])
        .initializeMemory(as: UInt8.self, repeating: 0)
    }
    labels[place] = Self.leftOut
  }

  deinit { for bytes in entries.values { bytes.deallocate() } }
}
