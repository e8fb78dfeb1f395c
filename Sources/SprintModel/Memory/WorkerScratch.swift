import SprintKernels

/// The memory that a worker needs inside a block; its contents are useless afterwards.
struct WorkerScratch: Sendable {
  /// [chunk rows, D]
  let tokens: Matrix
  /// [chunk rows, hidden]
  let hidden: Matrix
  /// [N, 2 D] queries and keys of one sample, normalised and turned.
  let rotated: Matrix
  /// [N, N] of one head. The gradients are needed in training only.
  let scores, scoreGradients: Matrix

  init(rows: Int, isTraining: Bool, _ configuration: ModelConfiguration, _ cut: MatrixCutter) {
    let count = configuration.tokens
    tokens = cut(rows, configuration.width)
    hidden = cut(rows, configuration.hidden)
    rotated = cut(count, 2 * configuration.width)
    scores = cut(count, count)
    scoreGradients = isTraining ? cut(count, count) : scores
  }
}
