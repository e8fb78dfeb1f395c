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

  /// M, the number of kept tokens of a grid x grid image behind `prefix` other tokens.
  package func keptCount(grid: Int, prefix: Int = 0) -> Int {
    switch self {
    case .none: return prefix + grid * grid
    case .structured(let group, let kept): return prefix + grid * grid / (group * group) * kept
    case .random(let ratio):
      let count = Int(Double(prefix + grid * grid) * (1 - ratio))
      // SR-DiT, whose class token may be dropped too, keeps at least one.
      return prefix > 0 ? max(1, count) : count
    }
  }

  /// M, the number of kept tokens of a network.
  package func keptCount(in model: ModelConfiguration) -> Int { keptCount(grid: model.grid, prefix: model.prefix) }

  /// The reason why this rule cannot work on a grid x grid image behind `prefix` other tokens, or nil.
  package func problem(grid: Int, prefix: Int = 0) -> String? {
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
      return keptCount(grid: grid, prefix: prefix) < 1 ? "drop ratio \(ratio) keeps no token of \(grid * grid)" : nil
    }
  }

  /// Draws the M kept token ids of one sample, unsorted. They depend on the generator and the draw alone. A structured
  /// drop keeps all tokens of the prefix; a random one treats them like all others.
  package func draw(
    _ random: Philox, draw: UInt64, grid: Int, prefix: Int = 0, into ids: UnsafeMutableBufferPointer<Int32>
  ) {
    let count = keptCount(grid: grid, prefix: prefix)
    precondition(ids.count == count, "room for \(ids.count) of \(count) ids")
    switch self {
    case .none:
      for token in ids.indices { ids[token] = Int32(token) }
    case .structured(let group, let kept):
      let across = grid / group
      for token in 0..<prefix { ids[token] = Int32(token) }
      for cell in 0..<across * across {
        TokenDrop.choose(kept, of: group * group, random, draw, lane: UInt64(cell)) { i, place in
          let row = cell / across * group + place / group
          let column = cell % across * group + place % group
          ids[prefix + cell * kept + i] = Int32(prefix + row * grid + column)
        }
      }
    case .random:
      TokenDrop.choose(ids.count, of: prefix + grid * grid, random, draw, lane: 0) { ids[$0] = Int32($1) }
    }
  }

  /// Draws the M kept token ids of one sample of a network.
  package func draw(
    _ random: Philox, draw: UInt64, in model: ModelConfiguration, into ids: UnsafeMutableBufferPointer<Int32>
  ) {
    self.draw(random, draw: draw, grid: model.grid, prefix: model.prefix, into: ids)
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
