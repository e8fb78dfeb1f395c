import SprintKernels

/// Which tokens of which samples a section of blocks works on. A slot is one sample's place in the section.
struct TokenSet: Sendable {
  /// Tokens of every slot: N, or M in the middle.
  private(set) var tokens: Int
  /// The sample in each slot.
  private(set) var samples: [Int]
  /// How many slots, from the first on, go through the whole section; the others only as far as the alignment reads.
  private(set) var lasting: Int
  /// The grid position of each token of each slot: [slots, tokens].
  private(set) var positions: [Int32]

  /// All tokens of all samples.
  init(batch: Int, tokens: Int) {
    (self.tokens, samples, lasting) = (tokens, Array(0..<batch), batch)
    positions = (0..<batch).flatMap { _ in 0..<Int32(tokens) }
  }

  /// Becomes the tokens that the deep path sees: of the samples that keep it first, then, if `readsAll`, of those whose result is
  /// dropped. The memory of the last set is used again.
  mutating func choose(_ path: DeepPath, tokens all: Int, readsAll: Bool) {
    let batch = path.dropped.count
    samples.removeAll(keepingCapacity: true)
    samples.append(contentsOf: (0..<batch).lazy.filter { !path.dropped[$0] })
    lasting = samples.count
    if readsAll { samples.append(contentsOf: (0..<batch).lazy.filter { path.dropped[$0] }) }
    tokens = path.kept?.perSample ?? all
    positions.removeAll(keepingCapacity: true)
    for sample in samples {
      if let kept = path.kept {
        precondition(kept.ids.count == batch * tokens, "kept tokens for another batch")
        positions.append(contentsOf: kept.ids[sample * tokens..<(sample + 1) * tokens])
      } else {
        positions.append(contentsOf: 0..<Int32(tokens))
      }
    }
  }

  /// The row of each token in a [B · all, D] matrix of all tokens, in place of what `rows` held.
  func find(_ rows: inout [Int32], ofAll all: Int) {
    rows.removeAll(keepingCapacity: true)
    for i in positions.indices { rows.append(Int32(samples[i / tokens] * all) + positions[i]) }
  }

  /// Rows of the section that belong to `slots`.
  func rows(_ slots: Range<Int>) -> Range<Int> { slots.lowerBound * tokens..<slots.upperBound * tokens }

  /// Slots that a worker takes through a whole section at once: enough for a matrix product to run at its peak.
  var slotsPerChunk: Int { max(1, TokenSet.rowsPerChunk / tokens) }

  /// The same where there is no backward pass: few enough for several workers to share a sampler's tile, which is always cut alike.
  var slotsPerFixedChunk: Int { max(1, TokenSet.rowsPerFixedChunk / tokens) }

  /// OpenBLAS packs the weights anew for every product: at 512 rows that still costs some percent.
  static let rowsPerChunk = 2048
  static let rowsPerFixedChunk = 512
}
