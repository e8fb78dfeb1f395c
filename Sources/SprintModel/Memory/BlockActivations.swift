import SprintKernels

/// What one block remembers of its forward pass; R rows.
struct BlockActivations: Sendable {
  /// [R, D] the block's input.
  var input: Matrix
  /// [R, 3 D] queries, keys and values before normalisation.
  var qkv: Matrix
  /// [R, D] what attention gathers.
  var attended: Matrix
  /// [R, D] that, projected.
  var projected: Matrix
  /// [R, D] the tokens between attention and feed-forward.
  var between: Matrix
  /// [R, F] the feed-forward layer before GELU.
  var hidden: Matrix
  /// [R, D] what the feed-forward layer adds.
  var added: Matrix
  /// [R, H] log of each softmax's normaliser.
  var logSumExp: Matrix
  /// [R, 2] mean and inverse deviation in front of attention.
  var inputStatistics: Matrix
  /// [R, 2] mean and inverse deviation in front of the feed-forward layer.
  var betweenStatistics: Matrix
  /// [R, D] the block's output, which is the next block's input.
  var output: Matrix

  /// Memory for all but input and output, which blocks have in common with their neighbours.
  init(_ cut: (_ rows: Int, _ columns: Int) -> Matrix, rows: Int, _ c: ModelConfiguration) {
    qkv = cut(rows, 3 * c.width)
    attended = cut(rows, c.width)
    projected = cut(rows, c.width)
    between = cut(rows, c.width)
    hidden = cut(rows, c.hidden)
    added = cut(rows, c.width)
    logSumExp = cut(rows, c.heads)
    inputStatistics = cut(rows, 2)
    betweenStatistics = cut(rows, 2)
    (input, output) = (between, between)
  }

  /// The same, of some rows.
  func rows(_ range: Range<Int>) -> BlockActivations {
    var part = self
    (part.input, part.qkv, part.attended) = (input.rows(range), qkv.rows(range), attended.rows(range))
    (part.projected, part.between, part.output) = (projected.rows(range), between.rows(range), output.rows(range))
    (part.hidden, part.added, part.logSumExp) = (hidden.rows(range), added.rows(range), logSumExp.rows(range))
    part.inputStatistics = inputStatistics.rows(range)
    part.betweenStatistics = betweenStatistics.rows(range)
    return part
  }
}

/// Gradients and recomputed activations of the block that the backward pass is in; R rows, reused from block to block.
struct BlockGradients: Sendable {
  let normalizedInput, projected, added: Matrix  // [R, D]
  let hidden: Matrix  // [R, F]
  let qkv: Matrix  // [R, 3 D]
  /// [slots, 2 · headWidth] gradients of the query and key norms, slot by slot, summed in order afterwards.
  let norms: Matrix

  init(_ cut: (_ rows: Int, _ columns: Int) -> Matrix, rows: Int, slots: Int, _ c: ModelConfiguration) {
    normalizedInput = cut(rows, c.width)
    projected = cut(rows, c.width)
    added = cut(rows, c.width)
    hidden = cut(rows, c.hidden)
    qkv = cut(rows, 3 * c.width)
    norms = cut(slots, 2 * c.headWidth)
  }
}

/// Memory of one worker inside a block.
struct WorkerScratch: Sendable {
  let tokens: Matrix  // [chunk rows, D]
  let hidden: Matrix  // [chunk rows, F]
  let rotated: Matrix  // [N, 2 D] queries and keys of one sample, normalised and turned
  let scores, scoreGradients: Matrix  // [N, N]

  init(
    _ cut: (_ rows: Int, _ columns: Int) -> Matrix, rows: Int, tokens n: Int, training: Bool, _ c: ModelConfiguration
  ) {
    tokens = cut(rows, c.width)
    hidden = cut(rows, c.hidden)
    rotated = cut(n, 2 * c.width)
    scores = cut(n, n)
    scoreGradients = training ? cut(n, n) : scores
  }
}

/// The memory of one section: its blocks' activations, from the section's input to its output.
struct SectionActivations: Sendable {
  let blocks: [BlockActivations]
  /// [R, D] what the section starts from.
  let input: Matrix
  /// [R, D] what it ends with.
  let output: Matrix

  /// - Parameter shared: what all blocks use in turn where not all of a pass is kept
  init(
    _ cut: (_ rows: Int, _ columns: Int) -> Matrix, rows: Int, depth: Int, _ retention: Retention,
    shared: BlockActivations?, _ c: ModelConfiguration
  ) {
    // Without a backward pass two inputs take turns.
    var inputs = (0...(retention == .nothing ? min(depth, 1) : depth)).map { _ in cut(rows, c.width) }
    while inputs.count <= depth { inputs.append(inputs[inputs.count - 2]) }
    blocks = (0..<depth).map { i in
      var block = shared?.rows(0..<rows) ?? BlockActivations(cut, rows: rows, c)
      (block.input, block.output) = (inputs[i], inputs[i + 1])
      return block
    }
    input = inputs[0]
    output = inputs[depth]
  }
}

/// What is kept of a forward pass.
enum Retention {
  /// All that the backward pass needs.
  case everything
  /// Every block's input, from which the backward pass computes the rest once more. arXiv 1604.06174.
  case inputs
  /// Nothing: there is no backward pass.
  case nothing
}
