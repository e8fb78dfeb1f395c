import SprintKernels
import SprintModel
import Testing

@Suite struct TokenDropTests {
  private func ids(_ drop: TokenDrop, grid: Int, draw: UInt64) -> [Int32] {
    var ids = [Int32](repeating: -1, count: drop.keptCount(grid: grid))
    ids.withUnsafeMutableBufferPointer {
      drop.draw(Philox(seed: 4, purpose: .keptTokens), draw: draw, grid: grid, into: $0)
    }
    return ids
  }

  @Test(
    "Structured drop keeps the right number of different tokens in every group",
    arguments: [(2, 1), (2, 2), (3, 2), (4, 6), (6, 36)])
  func structured(group: Int, kept: Int) {
    for draw in 0..<20 as Range<UInt64> {
      let ids = ids(.structured(group: group, kept: kept), grid: 12, draw: draw)
      #expect(Set(ids).count == ids.count)
      let perGroup = Dictionary(grouping: ids.map { Int($0) }) { (id: Int) -> [Int] in
        [id / 12 / group, id % 12 / group]
      }
      #expect(perGroup.count == (12 / group) * (12 / group) && perGroup.values.allSatisfy { $0.count == kept })
    }
  }

  @Test("Random drop keeps floor(N (1 - ratio)) different tokens, all equally often", arguments: [0.1, 0.5, 0.77])
  func random(ratio: Double) {
    var counts = [Int](repeating: 0, count: 36)
    for draw in 0..<3000 as Range<UInt64> {
      let ids = ids(.random(ratio: ratio), grid: 6, draw: draw)
      #expect(Set(ids).count == Int(36 * (1 - ratio)))
      for id in ids { counts[Int(id)] += 1 }
    }
    let expected = 3000 * Double(Int(36 * (1 - ratio))) / 36
    #expect(counts.allSatisfy { abs(Double($0) - expected) < 6 * expected.squareRoot() })
  }

  @Test("The published drop ratios drop that share of the tokens")
  func published() {
    for (ratio, drop) in TokenDrop.published {
      #expect(drop.problem(grid: 16) == nil && Double(drop.keptCount(grid: 16)) == 256 * (1 - ratio))
    }
  }

  @Test("A drop that cannot work is refused, and the message says why")
  func problems() {
    #expect(TokenDrop.structured(group: 3, kept: 1).problem(grid: 16)?.contains("does not divide") == true)
    #expect(TokenDrop.structured(group: 2, kept: 5).problem(grid: 16) != nil)
    #expect(TokenDrop.structured(group: 0, kept: 1).problem(grid: 16) != nil)
    #expect(TokenDrop.random(ratio: 1).problem(grid: 16) != nil)
    #expect(TokenDrop.random(ratio: 0.9999).problem(grid: 4) != nil)
  }
}
