import SprintKernels

/// The memory that a worker needs inside a block; its contents are useless afterwards.
struct WorkerScratch<Element: MatrixElement>: Sendable {
  /// [chunk rows, D]
  let tokens: Matrix<Element>
  /// [chunk rows, hidden]
  let hidden: Matrix<Element>
  /// [N, 2 D] queries and keys of one sample, normalised and turned.
  let turned: Matrix<Element>
  /// [heads · N, N] of as many heads as are computed at once. The gradients are needed in training only.
  private let scores, scoreGradients: Matrix<Float>

  init(rows: Int, isTraining: Bool, _ configuration: ModelConfiguration, _ cut: MatrixCutter) {
    let count = configuration.tokens
    tokens = cut(rows, configuration.width)
    hidden = cut(rows, configuration.hidden)
    turned = cut(count, 2 * configuration.width)
    let heads = Self.headsAtOnce(configuration, tokens: count)
    scores = cut(heads * count, count)
    scoreGradients = isTraining ? cut(heads * count, count) : scores
  }

  /// The heads of a sample that are computed at once. oneDNN computes some heads faster than one, as long as their
  /// scores stay in the core's cache; to OpenBLAS it makes no difference.
  static func headsAtOnce(_ configuration: ModelConfiguration, tokens: Int) -> Int {
    Element.self == Float.self ? 1 : min(configuration.heads, max(1, (1 << 17) / (tokens * tokens)))
  }

  /// Room for the scores of some heads of a sample, and for their gradients.
  func scores(heads: Int, tokens: Int) -> MatrixStack<Float> { stack(scores, heads, tokens) }
  func scoreGradients(heads: Int, tokens: Int) -> MatrixStack<Float> { stack(scoreGradients, heads, tokens) }

  private func stack(_ scratch: Matrix<Float>, _ heads: Int, _ tokens: Int) -> MatrixStack<Float> {
    precondition(heads * tokens * tokens <= scratch.rows * scratch.columns, "scores larger than their scratch")
    return MatrixStack(
      Matrix(scratch.base, rows: tokens, columns: tokens), count: heads, distance: tokens * tokens)
  }
}
