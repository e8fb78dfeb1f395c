import SprintKernels

/// What one worker computes an image in. Views whose lives do not overlap share memory.
final class DINOv2Memory: Sendable {
  /// [T, D] the residual stream; T tokens.
  let x: Matrix<Float>
  /// [T, D] normalised tokens, or the outputs of the heads.
  let normalized: Matrix<Float>
  /// [T, D] what a branch adds to `x`.
  let branch: Matrix<Float>
  /// [T, 3 D], [T, hidden] and [patches, 3 side²], in the same memory.
  let queriesKeysValues, hidden, patches: Matrix<Float>
  /// [heads at once, T, T]
  let scores: Matrix<Float>
  /// [T, heads at once]
  let logSumExp: Matrix<Float>
  private let arena: Arena

  /// The heads whose scores are computed at once: they stay in the second cache for images of 224 pixels.
  static let headsAtOnce = 2

  init(_ shape: DINOv2Shape, tokens: Int) {
    let heads = min(Self.headsAtOnce, shape.heads)
    let widest = tokens * max(3 * shape.width, shape.hidden, shape.patchCount)
    let sizes = [
      tokens * shape.width, tokens * shape.width, tokens * shape.width, widest, heads * tokens * tokens, tokens * heads,
    ]
    arena = Arena(count: sizes.reduce(0) { $0 + Arena.aligned($1) })
    x = arena.matrix(rows: tokens, columns: shape.width)
    normalized = arena.matrix(rows: tokens, columns: shape.width)
    branch = arena.matrix(rows: tokens, columns: shape.width)
    let wide: Matrix<Float> = arena.matrix(rows: 1, columns: widest)
    queriesKeysValues = Matrix(wide.base, rows: tokens, columns: 3 * shape.width)
    hidden = Matrix(wide.base, rows: tokens, columns: shape.hidden)
    patches = Matrix(wide.base, rows: tokens - shape.prefix, columns: shape.patchCount)
    scores = arena.matrix(rows: heads * tokens, columns: tokens)
    logSumExp = arena.matrix(rows: tokens, columns: heads)
  }

  /// Memory for the scores of the first `heads` heads. Probabilities overwrite them.
  func scratch(heads: Int) -> AttentionScratch<Float> {
    let tokens = x.rows
    let stack = MatrixStack(scores.rows(0..<tokens), count: heads, distance: tokens * tokens)
    return AttentionScratch(scores: stack, probabilities: stack, scoreGradients: stack, differences: stack)
  }
}
