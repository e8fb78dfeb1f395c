/// The fuzzer's bytes as choices, so that they make a file that its library accepts. A recipe that is over chooses the
/// first of everything, which is what a good file has.
struct Recipe {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// Whether all bytes were used.
  var isOver: Bool { place >= bytes.count }

  /// Returns the next byte.
  mutating func next() -> UInt8 {
    guard place < bytes.count else { return 0 }
    place += 1
    return bytes[place - 1]
  }

  /// Returns one of several choices.
  mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[Int(next()) % choices.count] }

  /// Returns an extent, a size or a count: `usual`, or one that readers stumble over.
  mutating func number(_ usual: UInt64) -> UInt64 {
    pick([
      usual, usual, usual, 0, 1, 2, 3, 5, 8, 64, 255, 1 << 12, 1 << 16, 1 << 20, 1 << 31, 1 << 33, 1 << 47, 1 << 62,
    ])
  }

  /// Returns bytes to fill a value with.
  mutating func bytes(_ count: Int) -> [UInt8] {
    let pattern = (0..<min(count, Int(next()) % 17)).map { _ in next() }
    guard !pattern.isEmpty else { return [UInt8](repeating: 0, count: count) }
    return (0..<count).map { pattern[$0 % pattern.count] }
  }
}
