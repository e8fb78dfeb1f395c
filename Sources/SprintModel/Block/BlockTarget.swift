import SprintKernels

/// A teacher's attention for one block, and the place of what the block's attention differs from it.
struct BlockTarget: Sendable {
  /// [B, heads · M²] the attention of each sample, head after head.
  let values: Matrix<Float>
  /// The heads that are compared, and M.
  let heads, tokens: Int
  /// [B, 1] receives the cross-entropies of each sample, summed over heads and rows.
  let losses: Matrix<Float>
  /// The gradient of the objective with respect to a row's cross-entropy.
  let rowGradient: Float

  /// The target of some heads of a sample, or nil if none of them is compared.
  func heads(_ range: Range<Int>, ofSample sample: Int) -> AttentionTarget? {
    let compared = range.clamped(to: 0..<heads)
    guard !compared.isEmpty else { return nil }
    let size = tokens * tokens
    let part = values.vector(sample)[compared.lowerBound * size..<compared.upperBound * size]
    return AttentionTarget(
      MatrixStack(Matrix(part.base, rows: tokens, columns: tokens), count: compared.count, distance: size),
      rowGradient: rowGradient)
  }
}
