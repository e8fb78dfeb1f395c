import SprintKernels

/// Attention of one sample, some heads at a time.
extension Block {
  /// attended = attention(q, k, v), with queries and keys normalised and turned; compares it with the target, if any.
  func attend(_ rows: Range<Int>, _ sample: Int) {
    let (attended, logSumExp) = (activations[.attended].rows(rows), residual[.logSumExp].rows(rows))
    prepareQueriesAndKeys(rows)
    var loss = 0.0
    forEachGroupOfHeads(rows.count) { heads in
      loss += attention(
        inputs(of: heads, rows), into: stack(of: heads, .query, in: attended), logSumExp: logSumExp.columns(heads),
        scratch.attention(heads: heads.count, tokens: rows.count), target: target?.heads(heads, ofSample: sample))
    }
    if let target { target.losses[sample, 0] = Float(loss) }
  }

  /// The backward pass of `attend`.
  ///
  /// - Parameters:
  ///   - dout: [tokens, D] the gradient of `attended`
  ///   - gradients: [tokens, 3 D] set to the gradients of queries, keys and values before normalisation
  ///   - norms: [2 W] set to the gradients of the query and the key norm
  func attendBackward(
    _ rows: Range<Int>, _ sample: Int, _ dout: Matrix<Element>, into gradients: Matrix<Element>, norms: Vector<Float>
  ) {
    let (attended, logSumExp) = (activations[.attended].rows(rows), residual[.logSumExp].rows(rows))
    prepareQueriesAndKeys(rows)
    forEachGroupOfHeads(rows.count) { heads in
      attentionBackward(
        stack(of: heads, .query, in: dout), inputs(of: heads, rows), out: stack(of: heads, .query, in: attended),
        logSumExp: logSumExp.columns(heads), into: parts(of: heads, in: gradients),
        scratch.attention(heads: heads.count, tokens: rows.count), target: target?.heads(heads, ofSample: sample))
    }
    norms.clear()
    for head in 0..<configuration.heads {
      undoPreparation(.query, parameters.queryNorm, head, rows, gradients, norms)
      undoPreparation(.key, parameters.keyNorm, head, rows, gradients, norms)
    }
  }

  private func forEachGroupOfHeads(_ tokens: Int, _ body: (_ heads: Range<Int>) -> Void) {
    let most = WorkerScratch<Element>.headsAtOnce(configuration, tokens: tokens)
    for first in stride(from: 0, to: configuration.heads, by: most) {
      body(first..<min(first + most, configuration.heads))
    }
  }

  private func prepareQueriesAndKeys(_ rows: Range<Int>) {
    prepare(.query, parameters.queryNorm, rows)
    prepare(.key, parameters.keyNorm, rows)
  }

  /// turned = turn(norm(x))
  private func prepare(_ part: Part, _ weight: Vector<Element>, _ rows: Range<Int>) {
    let columns = columns(part, 0..<configuration.heads)
    let x = activations[.qkv].rows(rows).columns(columns)
    let turned = scratch.turned.rows(0..<rows.count).columns(columns)
    withPositions(rows) { turnedNorm(x, weight: weight, rotary, positions: $0, into: turned) }
  }

  /// Turns the gradient of prepared queries or keys into that of queries or keys, in place, from turned =
  /// turn(norm(x)).
  private func undoPreparation(
    _ part: Part, _ weight: Vector<Element>, _ head: Int, _ rows: Range<Int>, _ gradients: Matrix<Element>,
    _ norms: Vector<Float>
  ) {
    let gradient = gradients.columns(columns(part, head..<head + 1))
    let x = activations[.qkv].rows(rows).columns(columns(part, head..<head + 1))
    withPositions(rows) {
      turnedNormBackward(
        gradient, x, weight: weight, rotary, positions: $0, into: gradient,
        adding: norms.matrix(columns: configuration.headWidth).vector(part.rawValue))
    }
  }

  private enum Part: Int {
    case query, key, value
  }

  /// The columns of some heads' queries, keys or values in [tokens, 3 D].
  private func columns(_ part: Part, _ heads: Range<Int>) -> Range<Int> {
    let start = part.rawValue * configuration.width
    return start + heads.lowerBound * configuration.headWidth..<start + heads.upperBound * configuration.headWidth
  }

  private func stack(of heads: Range<Int>, _ part: Part, in matrix: Matrix<Element>) -> MatrixStack<Element> {
    MatrixStack(heads: matrix, columns: columns(part, heads), width: configuration.headWidth)
  }

  private func inputs(of heads: Range<Int>, _ rows: Range<Int>) -> AttentionHeads<Element> {
    let turned = scratch.turned.rows(0..<rows.count)
    return AttentionHeads(
      query: stack(of: heads, .query, in: turned), key: stack(of: heads, .key, in: turned),
      value: stack(of: heads, .value, in: activations[.qkv].rows(rows)))
  }

  private func parts(of heads: Range<Int>, in gradients: Matrix<Element>) -> AttentionHeads<Element> {
    AttentionHeads(
      query: stack(of: heads, .query, in: gradients), key: stack(of: heads, .key, in: gradients),
      value: stack(of: heads, .value, in: gradients))
  }

  /// Calls `body` with the grid positions of the tokens in `rows`.
  private func withPositions(_ rows: Range<Int>, _ body: (UnsafePointer<Int32>) -> Void) {
    tokens.positions.withUnsafeBufferPointer {
      body($0.baseAddress.unsafelyUnwrapped + slots.lowerBound * tokens.tokens + rows.lowerBound)
    }
  }
}
