import SprintKernels

/// Which tokens of which samples a section of blocks works on. A slot is one sample's place in the section.
struct TokenSet: Sendable {
  /// Tokens of every slot: N, or M in the middle.
  let tokens: Int
  /// The sample in each slot.
  let samples: [Int]
  /// How many slots, from the first on, go through the whole section; the others only as far as the alignment reads.
  let lasting: Int
  /// The grid position of each token of each slot: [slots, tokens].
  let positions: [Int32]

  /// All tokens of all samples.
  init(batch: Int, tokens: Int) {
    self.init(
      tokens: tokens, samples: Array(0..<batch), lasting: batch,
      positions: (0..<batch).flatMap { _ in 0..<Int32(tokens) })
  }

  /// The tokens that the deep path sees: the samples that keep it first, then, if `readsAll`, those whose result is dropped.
  init(_ path: DeepPath, tokens: Int, readsAll: Bool) {
    let batch = path.dropped.count
    let staying = (0..<batch).filter { !path.dropped[$0] }
    let samples = readsAll ? staying + (0..<batch).filter { path.dropped[$0] } : staying
    if let kept = path.kept {
      precondition(kept.ids.count == batch * kept.perSample, "kept tokens for another batch")
      let positions = samples.flatMap { kept.ids[$0 * kept.perSample..<($0 + 1) * kept.perSample] }
      self.init(tokens: kept.perSample, samples: samples, lasting: staying.count, positions: positions)
    } else {
      let positions = samples.flatMap { _ in 0..<Int32(tokens) }
      self.init(tokens: tokens, samples: samples, lasting: staying.count, positions: positions)
    }
  }

  private init(tokens: Int, samples: [Int], lasting: Int, positions: [Int32]) {
    self.tokens = tokens
    self.samples = samples
    self.lasting = lasting
    self.positions = positions
  }

  /// The row of each token in a [B · all, D] matrix of all tokens.
  func rows(ofAll all: Int) -> [Int32] {
    positions.indices.map { Int32(samples[$0 / tokens] * all) + positions[$0] }
  }

  /// Rows of the section that belong to `slots`.
  func rows(_ slots: Range<Int>) -> Range<Int> { slots.lowerBound * tokens..<slots.upperBound * tokens }

  /// Slots whose rows a worker takes through a whole section at once: enough for a matrix product to run at its peak.
  var slotsPerChunk: Int { TokenSet.slotsPerChunk(tokens: tokens) }

  /// See `slotsPerChunk`. 512 rows were measured to be enough for OpenBLAS.
  static func slotsPerChunk(tokens: Int) -> Int { max(1, 512 / tokens) }
}
