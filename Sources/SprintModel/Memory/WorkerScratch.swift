import SprintKernels

/// The memory that a worker needs inside a block; its contents are useless afterwards.
struct WorkerScratch<Element: MatrixElement>: Sendable {
  /// [chunk rows, D]
  let tokens: Matrix<Element>
  /// [chunk rows, hidden]
  let hidden: Matrix<Element>
  /// [chunk rows, D] in the memory of `hidden`, if that is large enough.
  let between: Matrix<Float>
  /// [N, 2 D] queries and keys of one sample, normalised and turned.
  let turned: Matrix<Element>
  /// [N, D] values of one sample, mixed with those of the first block, if blocks mix them.
  let mixedValues: Matrix<Element>?
  /// [heads · N, N] of as many heads as are computed at once. The gradients are needed in training only.
  private let scores, scoreGradients: Matrix<Float>
  private let probabilities, differences: Matrix<Element>

  init(rows: Int, isTraining: Bool, _ configuration: ModelConfiguration, _ cut: MatrixCutter) {
    let count = configuration.tokens
    tokens = cut(rows, configuration.width)
    hidden = cut(rows, configuration.hidden)
    let room = hidden.flattened.viewed(as: Float.self)
    between =
      room.count >= rows * configuration.width
      ? room[0..<rows * configuration.width].matrix(columns: configuration.width) : cut(rows, configuration.width)
    turned = cut(count, 2 * configuration.width)
    mixedValues = configuration.mixesValues ? cut(count, configuration.width) : nil
    let scoreRows = Self.headsAtOnce(configuration, tokens: count) * count
    scores = cut(scoreRows, count)
    probabilities = scores as? Matrix<Element> ?? cut(scoreRows, count)
    scoreGradients = isTraining ? cut(scoreRows, count) : scores
    differences = isTraining ? scoreGradients as? Matrix<Element> ?? cut(scoreRows, count) : probabilities
  }

  /// The heads of a sample that are computed at once. oneDNN computes some heads faster than one, as long as their
  /// scores stay in the core's cache; to OpenBLAS it makes no difference.
  static func headsAtOnce(_ configuration: ModelConfiguration, tokens: Int) -> Int {
    Element.self == Float.self ? 1 : min(configuration.heads, max(1, (1 << 17) / (tokens * tokens)))
  }

  /// Room for the scores of some heads of a sample.
  func attention(heads: Int, tokens: Int) -> AttentionScratch<Element> {
    AttentionScratch(
      scores: stack(scores, heads, tokens), probabilities: stack(probabilities, heads, tokens),
      scoreGradients: stack(scoreGradients, heads, tokens), differences: stack(differences, heads, tokens))
  }

  private func stack<Number>(_ scratch: Matrix<Number>, _ heads: Int, _ tokens: Int) -> MatrixStack<Number> {
    precondition(heads * tokens * tokens <= scratch.rows * scratch.columns, "scores larger than their scratch")
    return MatrixStack(
      Matrix(scratch.base, rows: tokens, columns: tokens), count: heads, distance: tokens * tokens)
  }
}
