import Foundation

/// Queries, keys and values of one head of one sample, or their gradients: [N, W] each.
package struct AttentionHead: Sendable {
  let query, key, value: Matrix

  /// Puts together a head; queries and keys have been normalised and turned.
  package init(query: Matrix, key: Matrix, value: Matrix) {
    (self.query, self.key, self.value) = (query, key, value)
  }
}

/// out = softmax(q · kᵀ / sqrt(W)) · v, for one head of one sample; the scores of the head stay in cache. arXiv
/// 1706.03762.
///
/// - Parameters:
///   - head: the three inputs, [N, W] each
///   - out: [N, W]
///   - logSumExp: [N, 1] receives the log of each row's normaliser, for the backward pass to recompute probabilities
///   - scores: [N, N] scratch
package func attention(_ head: AttentionHead, into out: Matrix, logSumExp: Matrix, scores: Matrix) {
  let tokens = head.query.rows
  precondition(logSumExp.rows == tokens && logSumExp.columns == 1, "attention: shapes differ")
  product(head.query, head.key, into: scores, transposeB: true, factor: 1 / Float(head.query.columns).squareRoot())
  for r in 0..<tokens { logSumExp[r, 0] = softmax(scores.row(r), tokens) }
  product(scores, head.value, into: out)
}

/// Turns a row of scores into probabilities, in place, and returns the log of their normaliser.
@inline(__always)
private func softmax(_ row: UnsafeMutablePointer<Float>, _ tokens: Int) -> Float {
  let peak = largestElement(row, tokens)
  var sum = SIMD16<Float>()
  forEachVector(tokens) { i, lanes in
    let e = exponential(row.load(i, lanes) - peak)
    row.store(e, i, lanes)
    sum += lanes == 16 ? e : firstLanes(e, lanes)
  }
  let total = sum.sum()
  let inverse = 1 / total
  forEachVector(tokens) { i, lanes in row.store(row.load(i, lanes) * inverse, i, lanes) }
  return peak + logf(total)
}

/// dq, dk, dv, from out = softmax(q · kᵀ / sqrt(W)) · v
///
/// - Parameters:
///   - dout: [N, W]
///   - head: the inputs of the forward pass
///   - out: [N, W] of the forward pass
///   - logSumExp: [N, 1] of the forward pass
///   - gradients: dq, dk and dv, [N, W] each
///   - scores: [N, N] scratch
///   - scoreGradients: [N, N] scratch
package func attentionBackward(
  _ dout: Matrix, _ head: AttentionHead, out: Matrix, logSumExp: Matrix, into gradients: AttentionHead, scores: Matrix,
  scoreGradients: Matrix
) {
  let tokens = head.query.rows
  let factor = 1 / Float(head.query.columns).squareRoot()
  precondition(logSumExp.rows == tokens && logSumExp.columns == 1, "attention: shapes differ")
  product(head.query, head.key, into: scores, transposeB: true, factor: factor)
  for r in 0..<tokens {
    let row = scores.row(r)
    let normalizer = logSumExp[r, 0]
    forEachVector(tokens) { i, lanes in row.store(exponential(row.load(i, lanes) - normalizer), i, lanes) }
  }
  product(scores, dout, into: gradients.value, transposeA: true)
  product(dout, head.value, into: scoreGradients, transposeB: true)
  for r in 0..<tokens {
    let (probability, gradient) = (scores.row(r), scoreGradients.row(r))
    let mean = dot(dout.row(r), out.row(r), out.columns)
    forEachVector(tokens) { i, lanes in
      gradient.store(probability.load(i, lanes) * (gradient.load(i, lanes) - mean) * factor, i, lanes)
    }
  }
  product(scoreGradients, head.key, into: gradients.query)
  product(scoreGradients, head.query, into: gradients.key, transposeA: true)
}

@inline(__always)
private func largestElement(_ x: UnsafeMutablePointer<Float>, _ count: Int) -> Float {
  var best = SIMD16<Float>(repeating: x[0])
  forEachVector(count) { i, lanes in
    let v = x.load(i, lanes)
    best = larger(best, lanes == 16 ? v : v.replacing(with: x[0], where: beyond(lanes)))
  }
  return best.largest
}

@inline(__always)
private func firstLanes(_ x: SIMD16<Float>, _ lanes: Int) -> SIMD16<Float> {
  x.replacing(with: 0, where: beyond(lanes))
}

/// A mask of the lanes from number `lanes`.
@inline(__always)
private func beyond(_ lanes: Int) -> SIMDMask<SIMD16<Int32>> {
  SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) .>= Int32(lanes)
}
