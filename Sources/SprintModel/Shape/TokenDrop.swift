import SprintKernels

/// The rule by which the deep path keeps tokens. SPRINT, arXiv 2510.21986, section 3.2.
package enum TokenDrop: Sendable, Equatable {
  /// Every token.
  case none
  /// `kept` tokens at random places of every group of `group` x `group` neighbours.
  case structured(group: Int, kept: Int)
  /// floor(N · (1 - ratio)) tokens at random places of the whole image.
  case random(ratio: Double)

  /// The published drop ratios and their groups.
  package static let published: [Double: TokenDrop] = [
    0: .none, 0.5: .structured(group: 2, kept: 2), 0.625: .structured(group: 4, kept: 6),
    0.75: .structured(group: 2, kept: 1), 0.875: .structured(group: 4, kept: 2),
  ]

  /// M, the number of kept tokens of a grid x grid image.
  package func keptCount(grid: Int) -> Int {
    let tokens = grid * grid
    switch self {
    case .none: return tokens
    case .structured(let group, let kept): return tokens / (group * group) * kept
    case .random(let ratio): return Int(Double(tokens) * (1 - ratio))
    }
  }

  /// The reason why this rule cannot work on a grid x grid image, or nil.
  package func problem(grid: Int) -> String? {
    switch self {
    case .none: return nil
    case .structured(let group, let kept):
      if group < 1 || grid % group != 0 {
        return "group side \(group) does not divide the \(grid) x \(grid) token grid"
      }
      if kept < 1 || kept > group * group {
        return "\(kept) kept tokens a group of \(group) x \(group); it has to be 1 to \(group * group)"
      }
      return nil
    case .random(let ratio):
      if !(ratio >= 0 && ratio < 1) { return "drop ratio \(ratio); it has to be at least 0 and below 1" }
      return keptCount(grid: grid) < 1 ? "drop ratio \(ratio) keeps no token of \(grid * grid)" : nil
    }
  }

  /// Draws the M kept token ids of one sample, unsorted. They depend on the generator and the draw alone.
  package func draw(_ random: Philox, draw: UInt64, grid: Int, into ids: UnsafeMutableBufferPointer<Int32>) {
    precondition(ids.count == keptCount(grid: grid), "room for \(ids.count) of \(keptCount(grid: grid)) ids")
    switch self {
    case .none:
      for token in ids.indices { ids[token] = Int32(token) }
    case .structured(let group, let kept):
      let across = grid / group
      for cell in 0..<across * across {
        TokenDrop.choose(kept, of: group * group, random, draw, lane: UInt64(cell)) { i, place in
          let row = cell / across * group + place / group
          let column = cell % across * group + place % group
          ids[cell * kept + i] = Int32(row * grid + column)
        }
      }
    case .random:
      TokenDrop.choose(ids.count, of: grid * grid, random, draw, lane: 0) { ids[$0] = Int32($1) }
    }
  }

  /// Draws `count` different numbers below `total`: the first steps of a Fisher-Yates shuffle.
  private static func choose(
    _ count: Int, of total: Int, _ random: Philox, _ draw: UInt64, lane: UInt64,
    _ take: (_ i: Int, _ place: Int) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: total) { places in
      for i in 0..<total { places[i] = i }
      for i in 0..<count {
        let word = random.words(draw: draw, lane: lane << 32 | UInt64(i))
        // 64 random bits over a few thousand places: the bias of the remainder is below 1e-15.
        let wide = UInt64(word[0]) << 32 | UInt64(word[1])
        places.swapAt(i, i + Int(wide % UInt64(total - i)))
        take(i, places[i])
      }
    }
  }
}
