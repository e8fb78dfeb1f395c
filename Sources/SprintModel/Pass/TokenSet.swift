/// The tokens that a section of blocks works on. A slot is the place of one sample in the section.
struct TokenSet: Sendable {
  /// The tokens of every slot: N, or M in the middle.
  private(set) var tokens = 1
  /// The sample in each slot.
  private(set) var samples: [Int] = []
  /// The number of slots, from the first, that go through the whole section. The others go as far as an alignment
  /// reads.
  private(set) var lasting = 0
  /// [slots, tokens] the number of each token in its sample.
  private(set) var positions: [Int32] = []
  /// [slots, tokens] the row of each token among all tokens of all samples.
  private(set) var rows: [Int32] = []

  /// Becomes all `tokens` tokens of `batch` samples.
  mutating func takeAll(batch: Int, tokens: Int) {
    guard samples.count != batch || self.tokens != tokens else { return }
    (self.tokens, samples, lasting) = (tokens, Array(0..<batch), batch)
    positions = (0..<batch).flatMap { _ in 0..<Int32(tokens) }
    rows = Array(0..<Int32(batch * tokens))
  }

  /// Becomes the tokens of a deep path, in the memory of the last ones: first those of the samples that keep their deep
  /// path, then, with `includingDropped`, those of the others.
  mutating func take(_ path: DeepPath, of all: Int, includingDropped: Bool) {
    let batch = path.dropped.count
    samples.removeAll(keepingCapacity: true)
    samples.append(contentsOf: (0..<batch).lazy.filter { !path.dropped[$0] })
    lasting = samples.count
    if includingDropped { samples.append(contentsOf: (0..<batch).lazy.filter { path.dropped[$0] }) }
    tokens = path.kept?.perSample ?? all
    positions.removeAll(keepingCapacity: true)
    for sample in samples {
      if let kept = path.kept {
        precondition(kept.ids.count == batch * tokens, "kept tokens of another batch")
        positions.append(contentsOf: kept.ids[sample * tokens..<(sample + 1) * tokens])
      } else {
        positions.append(contentsOf: 0..<Int32(tokens))
      }
    }
    rows.removeAll(keepingCapacity: true)
    for i in positions.indices { rows.append(Int32(samples[i / tokens] * all) + positions[i]) }
  }

  /// The rows of `slots`.
  func rows(_ slots: Range<Int>) -> Range<Int> { slots.lowerBound * tokens..<slots.upperBound * tokens }

  /// The slots that a worker takes through a section at once in training: enough for matrix products at peak speed.
  /// Their rows come closest to `rowsPerChunk`: with a class token 8 samples of 257 tokens, not 7.
  var slotsPerChunk: Int { max(1, (TokenSet.rowsPerChunk + tokens / 2) / tokens) }

  /// The most rows of a chunk in training, if a sample has `tokens` tokens and a worker's share is `samples`.
  static func mostRowsPerChunk(samples: Int, tokens: Int) -> Int {
    max(tokens, min(samples * tokens, rowsPerChunk + tokens / 2))
  }

  /// The slots that a worker takes through a section at once without a backward pass. The chunks never depend on the
  /// number of workers, and are small enough for several workers to share a sampler's tile.
  var slotsPerFixedChunk: Int { max(1, TokenSet.rowsPerFixedChunk / tokens) }

  /// OpenBLAS packs the weights again for every product, which still costs some percent at 512 rows.
  static let rowsPerChunk = 2048
  static let rowsPerFixedChunk = 512
}
