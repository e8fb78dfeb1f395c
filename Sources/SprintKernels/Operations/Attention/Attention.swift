import Foundation

/// Queries, keys and values of some heads of one sample, or their gradients: [N, W] for each head.
package struct AttentionHeads<Element: MatrixElement>: Sendable {
  let query, key, value: MatrixStack<Element>

  /// Puts together heads; queries and keys have been normalised and turned.
  package init(query: MatrixStack<Element>, key: MatrixStack<Element>, value: MatrixStack<Element>) {
    (self.query, self.key, self.value) = (query, key, value)
  }

  fileprivate var tokens: Int { query.first.rows }
  fileprivate var factor: Float { 1 / Float(query.first.columns).squareRoot() }
}

/// The memory in which the scores of some heads are computed: [N, N] for each head.
package struct AttentionScratch<Element: MatrixElement>: Sendable {
  let scores, scoreGradients: MatrixStack<Float>
  let probabilities, differences: MatrixStack<Element>

  /// - Parameters:
  ///   - scores: of queries and keys; `probabilities` may be the same memory
  ///   - scoreGradients: gradients of the probabilities, in training; `differences` may be the same memory
  package init(
    scores: MatrixStack<Float>, probabilities: MatrixStack<Element>, scoreGradients: MatrixStack<Float>,
    differences: MatrixStack<Element>
  ) {
    (self.scores, self.scoreGradients) = (scores, scoreGradients)
    (self.probabilities, self.differences) = (probabilities, differences)
  }
}

/// out = softmax(q · kᵀ / sqrt(W)) · v, for each of some heads of one sample; so few heads that their scores stay
/// in cache. arXiv 1706.03762.
///
/// - Parameters:
///   - heads: the three inputs
///   - out: [N, W] for each head
///   - logSumExp: [N, heads] receives the log of each row's normaliser, from which the backward pass computes
///     probabilities again
///   - scratch: for the scores of these heads
///   - target: a teacher's attention, or nil without one
/// - Returns: the sum of the cross-entropies of all rows that have a target
@discardableResult
package func attention<Element: MatrixElement>(
  _ heads: AttentionHeads<Element>, into out: MatrixStack<Element>, logSumExp: Matrix<Float>,
  _ scratch: AttentionScratch<Element>, target: AttentionTarget? = nil
) -> Double {
  let (scores, probabilities) = (scratch.scores, scratch.probabilities)
  precondition(logSumExp.rows == heads.tokens && logSumExp.columns == out.count, "attention: shapes differ")
  MatrixProduct(heads.query, heads.key, scores, transposeB: true, factor: heads.factor).compute()
  var loss = 0.0
  for head in 0..<out.count {
    // Before the scores turn into probabilities in the same memory.
    if let wanted = target?.head(head) { loss += crossEntropy(scores[head], wanted) }
    softmax(scores[head], into: probabilities[head], logSumExp.columns(head..<head + 1))
  }
  MatrixProduct(probabilities, heads.value, out).compute()
  return loss
}

/// Turns rows of scores into probabilities, and writes the log of each row's normaliser.
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
private func softmax<Element: MatrixElement>(
  _ scores: Matrix<Float>, into probabilities: Matrix<Element>, _ logSumExp: Matrix<Float>
) {
  let tokens = scores.columns
  for r in 0..<scores.rows {
    let (row, probability) = (scores.row(r), probabilities.row(r))
    let peak = largestElement(row, tokens)
    var sum = SIMD16<Float>()
    for (i, lanes) in Vectors(tokens) {
      let e = exponential(row.load(i, lanes) - peak)
      row.store(e, i, lanes)
      sum += lanes == 16 ? e : firstLanes(e, lanes)
    }
    let total = sum.sum()
    let inverse = 1 / total
    for (i, lanes) in Vectors(tokens) { probability.store(row.load(i, lanes) * inverse, i, lanes) }
    logSumExp[r, 0] = peak + logf(total)
  }
}

/// dq, dk, dv, from out = softmax(q · kᵀ / sqrt(W)) · v
///
/// - Parameters:
///   - dout: [N, W] for each head
///   - heads: the inputs of the forward pass
///   - out: of the forward pass
///   - logSumExp: of the forward pass
///   - gradients: dq, dk and dv
///   - scratch: for the scores of these heads
///   - target: of the forward pass, with the gradient of its cross-entropies
package func attentionBackward<Element: MatrixElement>(
  _ dout: MatrixStack<Element>, _ heads: AttentionHeads<Element>, out: MatrixStack<Element>, logSumExp: Matrix<Float>,
  into gradients: AttentionHeads<Element>, _ scratch: AttentionScratch<Element>, target: AttentionTarget? = nil
) {
  let (scores, probabilities) = (scratch.scores, scratch.probabilities)
  let (scoreGradients, differences) = (scratch.scoreGradients, scratch.differences)
  precondition(logSumExp.rows == heads.tokens && logSumExp.columns == out.count, "attention: shapes differ")
  MatrixProduct(heads.query, heads.key, scores, transposeB: true, factor: heads.factor).compute()
  for head in 0..<out.count {
    softmaxAgain(scores[head], into: probabilities[head], logSumExp.columns(head..<head + 1))
  }
  MatrixProduct(probabilities, dout, gradients.value, transposeA: true).compute()
  MatrixProduct(dout, heads.value, scoreGradients, transposeB: true).compute()
  for head in 0..<out.count {
    if let target, let wanted = target.head(head) {
      alignedSoftmaxBackward(
        scoreGradients[head], probabilities[head], dout[head], out[head], target: wanted,
        rowGradient: target.rowGradient, factor: heads.factor, into: differences[head])
    } else {
      softmaxBackward(
        scoreGradients[head], probabilities[head], dout[head], out[head], factor: heads.factor, into: differences[head])
    }
  }
  MatrixProduct(differences, heads.key, gradients.query).compute()
  MatrixProduct(differences, heads.query, gradients.key, transposeA: true).compute()
}

@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
private func softmaxAgain<Element: MatrixElement>(
  _ scores: Matrix<Float>, into probabilities: Matrix<Element>, _ logSumExp: Matrix<Float>
) {
  for r in 0..<scores.rows {
    let (row, probability, normalizer) = (scores.row(r), probabilities.row(r), logSumExp[r, 0])
    for (i, lanes) in Vectors(scores.columns) {
      probability.store(exponential(row.load(i, lanes) - normalizer), i, lanes)
    }
  }
}

/// The gradient of factor · q · kᵀ from that of the probabilities.
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
private func softmaxBackward<Element: MatrixElement>(
  _ gradients: Matrix<Float>, _ probabilities: Matrix<Element>, _ dout: Matrix<Element>, _ out: Matrix<Element>,
  factor: Float, into differences: Matrix<Element>
) {
  for r in 0..<gradients.rows {
    let (probability, gradient, difference) = (probabilities.row(r), gradients.row(r), differences.row(r))
    let mean = dot(dout.row(r), out.row(r), out.columns)
    for (i, lanes) in Vectors(gradients.columns) {
      difference.store(probability.load(i, lanes) * (gradient.load(i, lanes) - mean) * factor, i, lanes)
    }
  }
}
