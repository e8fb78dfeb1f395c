import Foundation

/// out = softmax(q · kᵀ / sqrt(W)) · v, for one head of one sample; the scores of the head stay in cache. arXiv 1706.03762.
///
/// - Parameters:
///   - query: [N, W] after normalisation and rotation
///   - key: [N, W] after normalisation and rotation
///   - value: [N, W]
///   - out: [N, W]
///   - logSumExp: [N], `stride` floats apart, receives the log of each row's normaliser, from which the backward pass
///     recomputes the probabilities
///   - scores: [N, N] scratch
package func attention(
  query: Matrix, key: Matrix, value: Matrix, into out: Matrix, logSumExp: Matrix, scores: Matrix
) {
  let tokens = query.rows
  precondition(logSumExp.rows == tokens && logSumExp.columns == 1, "attention: shapes differ")
  product(query, key, into: scores, transposeB: true, factor: 1 / Float(query.columns).squareRoot())
  for r in 0..<tokens {
    let row = scores.row(r)
    let peak = largestElement(row, tokens)
    var sum = SIMD16<Float>()
    forEachVector(tokens) { i, lanes in
      let e = exponential(row.load(i, lanes) - peak)
      row.store(e, i, lanes)
      sum += lanes == 16 ? e : firstLanes(e, lanes)
    }
    let total = sum.sum()
    logSumExp[r, 0] = peak + logf(total)
    let inverse = 1 / total
    forEachVector(tokens) { i, lanes in row.store(row.load(i, lanes) * inverse, i, lanes) }
  }
  product(scores, value, into: out)
}

/// dq, dk, dv, from out = softmax(q · kᵀ / sqrt(W)) · v
///
/// - Parameters:
///   - dout: [N, W]
///   - out: [N, W] of the forward pass
///   - logSumExp: [N] of the forward pass
///   - queryGradient: [N, W]
///   - keyGradient: [N, W]
///   - valueGradient: [N, W]
///   - scores: [N, N] scratch
///   - scoreGradients: [N, N] scratch
package func attentionBackward(
  _ dout: Matrix, query: Matrix, key: Matrix, value: Matrix, out: Matrix, logSumExp: Matrix,
  queryGradient: Matrix, keyGradient: Matrix, valueGradient: Matrix, scores: Matrix, scoreGradients: Matrix
) {
  let tokens = query.rows
  let factor = 1 / Float(query.columns).squareRoot()
  precondition(logSumExp.rows == tokens && logSumExp.columns == 1, "attention: shapes differ")
  product(query, key, into: scores, transposeB: true, factor: factor)
  for r in 0..<tokens {
    let row = scores.row(r)
    let normalizer = logSumExp[r, 0]
    forEachVector(tokens) { i, lanes in row.store(exponential(row.load(i, lanes) - normalizer), i, lanes) }
  }
  product(scores, dout, into: valueGradient, transposeA: true)
  product(dout, value, into: scoreGradients, transposeB: true)
  for r in 0..<tokens {
    let (probability, gradient) = (scores.row(r), scoreGradients.row(r))
    let mean = dot(dout.row(r), out.row(r), out.columns)
    forEachVector(tokens) { i, lanes in
      gradient.store(probability.load(i, lanes) * (gradient.load(i, lanes) - mean) * factor, i, lanes)
    }
  }
  product(scoreGradients, key, into: queryGradient)
  product(scoreGradients, query, into: keyGradient, transposeA: true)
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

/// True in the lanes from `lanes` on.
@inline(__always)
private func beyond(_ lanes: Int) -> SIMDMask<SIMD16<Int32>> {
  SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) .>= Int32(lanes)
}
