import SprintKernels

/// Attention of one sample, some heads at a time.
extension Block {
  /// attended = attention(q, k, v), with queries and keys normalised and turned; compares it with the target, if any.
  func attend(_ rows: Range<Int>, _ sample: Int) {
    let (attended, logSumExp) = (activations[.attended].rows(rows), residual[.logSumExp].rows(rows))
    prepareQueriesAndKeys(rows)
    prepareValues(rows)
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
  ///
  /// - Returns: the gradient of the share of the first block's values
  func attendBackward(
    _ rows: Range<Int>, _ sample: Int, _ dout: Matrix<Element>, into gradients: Matrix<Element>, norms: Vector<Float>
  ) -> Float {
    let (attended, logSumExp) = (activations[.attended].rows(rows), residual[.logSumExp].rows(rows))
    prepareQueriesAndKeys(rows)
    prepareValues(rows)
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
    return undoValues(rows, gradients)
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
    withNumbers(tokens.positions, rows) {
      turnedNorm(x, weight: weight, epsilon: epsilon, rotary, positions: $0, into: turned)
    }
  }

  private var epsilon: Float { Float(configuration.headNormEpsilon) }

  /// Turns the gradient of prepared queries or keys into that of queries or keys, in place, from turned =
  /// turn(norm(x)).
  private func undoPreparation(
    _ part: Part, _ weight: Vector<Element>, _ head: Int, _ rows: Range<Int>, _ gradients: Matrix<Element>,
    _ norms: Vector<Float>
  ) {
    let gradient = gradients.columns(columns(part, head..<head + 1))
    let x = activations[.qkv].rows(rows).columns(columns(part, head..<head + 1))
    withNumbers(tokens.positions, rows) {
      turnedNormBackward(
        gradient, x, weight: weight, epsilon: epsilon, rotary, positions: $0, into: gradient,
        adding: norms.matrix(columns: configuration.headWidth).vector(part.rawValue))
    }
  }

  /// values = share · those of the first block + (1 - share) · the block's own. The first block keeps its own for the
  /// others.
  private func prepareValues(_ rows: Range<Int>) {
    guard let firstValues else { return }
    let own = values(rows)
    withNumbers(tokens.rows, rows) { places in
      if let share = parameters.valueShare {
        mixValues(own, firstValues, rows: places, share: share[0].float, into: mixedValues(rows))
      } else {
        scatterRows(own, places, into: firstValues)
      }
    }
  }

  /// Turns the gradient of mixed values into that of the block's own, in place. The first block adds what all others
  /// have left for its values.
  ///
  /// - Returns: the gradient of the share
  private func undoValues(_ rows: Range<Int>, _ gradients: Matrix<Element>) -> Float {
    guard let firstValues, let firstValueGradients else { return 0 }
    let gradient = gradients.columns(columns(.value, 0..<configuration.heads))
    var shareGradient: Float = 0
    withNumbers(tokens.rows, rows) { places in
      if let share = parameters.valueShare {
        shareGradient = mixValuesBackward(
          gradient, values(rows), firstValues, rows: places, share: share[0].float, adding: firstValueGradients)
      } else {
        scatterRowsBackward(firstValueGradients, places, adding: gradient)
      }
    }
    return shareGradient
  }

  private func values(_ rows: Range<Int>) -> Matrix<Element> {
    activations[.qkv].rows(rows).columns(columns(.value, 0..<configuration.heads))
  }

  /// The mixed values of one sample; a block that mixes none has them in its own place.
  private func mixedValues(_ rows: Range<Int>) -> Matrix<Element> {
    guard firstValues != nil, parameters.valueShare != nil, let mixed = scratch.mixedValues else { return values(rows) }
    return mixed.rows(0..<rows.count)
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
      value: MatrixStack(
        heads: mixedValues(rows), columns: columns(.query, heads), width: configuration.headWidth))
  }

  private func parts(of heads: Range<Int>, in gradients: Matrix<Element>) -> AttentionHeads<Element> {
    AttentionHeads(
      query: stack(of: heads, .query, in: gradients), key: stack(of: heads, .key, in: gradients),
      value: stack(of: heads, .value, in: gradients))
  }

  /// Calls `body` with the numbers, one for each token of the section, that belong to `rows`.
  private func withNumbers(_ numbers: [Int32], _ rows: Range<Int>, _ body: (UnsafePointer<Int32>) -> Void) {
    numbers.withUnsafeBufferPointer {
      body($0.baseAddress.unsafelyUnwrapped + slots.lowerBound * tokens.tokens + rows.lowerBound)
    }
  }
}
