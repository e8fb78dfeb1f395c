/// Memory for the samples of one piece, as the data set stores them.
final class ImportPiece: @unchecked Sendable {
  let count: Int
  /// [count, stored channels, S, S] float16 or float32.
  let values: UnsafeMutableRawBufferPointer
  /// The mirrored images, of the same shape.
  let flipped: UnsafeMutableRawBufferPointer?
  /// [count]
  let labels: UnsafeMutableBufferPointer<Int64>

  /// The class of a sample that is left out.
  static let leftOut: Int64 = -1

  init(_ count: Int, _ shape: SourceShape, isHalf: Bool) {
    self.count = count
    let bytes = count * shape.elements * (isHalf ? 2 : 4)
    values = .allocate(byteCount: bytes, alignment: 64)
    flipped = shape.hasFlipped ? .allocate(byteCount: bytes, alignment: 64) : nil
    labels = .allocate(capacity: count)
  }

  /// Marks a sample as left out, and clears its numbers.
  func leaveOut(_ place: Int) {
    for numbers in [values, flipped].compactMap(\.self) {
      let bytes = numbers.count / count
      UnsafeMutableRawBufferPointer(rebasing: numbers[place * bytes..<(place + 1) * bytes])
        .initializeMemory(as: UInt8.self, repeating: 0)
    }
    labels[place] = Self.leftOut
  }

  deinit {
    values.deallocate()
    flipped?.deallocate()
    labels.deallocate()
  }
}
