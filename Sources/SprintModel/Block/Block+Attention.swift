import SprintKernels

/// Attention of one sample, head by head.
extension Block {
  /// attended = attention(q, k, v), with queries and keys normalised and turned.
  func attend(_ rows: Range<Int>) {
    let (attended, logSumExp) = (activations[.attended].rows(rows), activations[.logSumExp].rows(rows))
    prepareQueriesAndKeys(rows)
    for head in 0..<configuration.heads {
      attention(
        inputs(of: head, rows), into: attended.columns(columns(.query, head)),
        logSumExp: logSumExp.columns(head..<head + 1), scores: square(scratch.scores, rows.count))
    }
  }

  /// The backward pass of `attend`.
  ///
  /// - Parameters:
  ///   - dout: [tokens, D] the gradient of `attended`
  ///   - gradients: [tokens, 3 D] set to the gradients of queries, keys and values before normalisation
  ///   - norms: [2 W] set to the gradients of the query and the key norm
  func attendBackward(_ rows: Range<Int>, _ dout: Matrix, into gradients: Matrix, norms: Vector) {
    let (attended, logSumExp) = (activations[.attended].rows(rows), activations[.logSumExp].rows(rows))
    prepareQueriesAndKeys(rows)
    norms.clear()
    for head in 0..<configuration.heads {
      let headGradients = AttentionHead(
        query: gradients.columns(columns(.query, head)), key: gradients.columns(columns(.key, head)),
        value: gradients.columns(columns(.value, head)))
      attentionBackward(
        dout.columns(columns(.query, head)), inputs(of: head, rows), out: attended.columns(columns(.query, head)),
        logSumExp: logSumExp.columns(head..<head + 1), into: headGradients, scores: square(scratch.scores, rows.count),
        scoreGradients: square(scratch.scoreGradients, rows.count))
      undoPreparation(.query, parameters.queryNorm, head, rows, gradients, norms)
      undoPreparation(.key, parameters.keyNorm, head, rows, gradients, norms)
    }
  }

  private func prepareQueriesAndKeys(_ rows: Range<Int>) {
    for head in 0..<configuration.heads {
      prepare(.query, parameters.queryNorm, head, rows)
      prepare(.key, parameters.keyNorm, head, rows)
    }
  }

  /// turned = rotate(rmsNorm(x))
  private func prepare(_ part: Part, _ weight: Vector, _ head: Int, _ rows: Range<Int>) {
    let turned = turned(part, head, rows.count)
    rmsNorm(activations[.qkv].rows(rows).columns(columns(part, head)), weight: weight, into: turned)
    withPositions(rows) { rotate(turned, rotary, positions: $0) }
  }

  /// Turns the gradient of prepared queries or keys into that of queries or keys, in place, from turned =
  /// rotate(rmsNorm(x)).
  private func undoPreparation(
    _ part: Part, _ weight: Vector, _ head: Int, _ rows: Range<Int>, _ gradients: Matrix, _ norms: Vector
  ) {
    let gradient = gradients.columns(columns(part, head))
    let x = activations[.qkv].rows(rows).columns(columns(part, head))
    withPositions(rows) { rotateBackward(gradient, rotary, positions: $0) }
    rmsNormBackward(
      gradient, x, weight: weight, into: gradient,
      adding: norms.matrix(columns: configuration.headWidth).vector(part.rawValue))
  }

  private enum Part: Int {
    case query, key, value
  }

  /// The columns of one head's queries, keys or values in [tokens, 3 D].
  private func columns(_ part: Part, _ head: Int) -> Range<Int> {
    let start = part.rawValue * configuration.width + head * configuration.headWidth
    return start..<start + configuration.headWidth
  }

  private func inputs(of head: Int, _ rows: Range<Int>) -> AttentionHead {
    AttentionHead(
      query: turned(.query, head, rows.count), key: turned(.key, head, rows.count),
      value: activations[.qkv].rows(rows).columns(columns(.value, head)))
  }

  private func turned(_ part: Part, _ head: Int, _ tokens: Int) -> Matrix {
    scratch.rotated.rows(0..<tokens).columns(columns(part, head))
  }

  /// The first tokens x tokens floats of a scratch.
  private func square(_ scratch: Matrix, _ tokens: Int) -> Matrix {
    Matrix(scratch.base, rows: tokens, columns: tokens)
  }

  /// Calls `body` with the grid positions of the tokens in `rows`.
  private func withPositions(_ rows: Range<Int>, _ body: (UnsafePointer<Int32>) -> Void) {
    tokens.positions.withUnsafeBufferPointer {
      body($0.baseAddress.unsafelyUnwrapped + slots.lowerBound * tokens.tokens + rows.lowerBound)
    }
  }
}
