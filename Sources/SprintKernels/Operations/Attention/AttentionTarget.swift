import Foundation

/// A teacher's attention for some heads of one sample, from which the student's attention is to differ little. HASTE,
/// arXiv 2505.16792.
package struct AttentionTarget: Sendable {
  /// T [N, N] for each of the heads, from the first one; its rows sum to 1, or to 0 where the teacher says nothing.
  /// Heads beyond its count have no target.
  let heads: MatrixStack<Float>
  /// The gradient of the objective with respect to a row's cross-entropy.
  let rowGradient: Float

  /// Makes a target; the forward pass needs no gradient.
  package init(_ heads: MatrixStack<Float>, rowGradient: Float = 0) {
    (self.heads, self.rowGradient) = (heads, rowGradient)
  }

  /// The target of a head, or nil if it has none.
  func head(_ index: Int) -> Matrix<Float>? { index < heads.count ? heads[index] : nil }
}

/// Returns Σ over rows i of -Σ_j T_ij log softmax_j(s_i).
///
/// - Parameters:
///   - scores: s [N, N]
///   - target: T [N, N]
func crossEntropy(_ scores: Matrix<Float>, _ target: Matrix<Float>) -> Double {
  precondition(scores.rows == target.rows && scores.columns == target.columns, "crossEntropy: shapes differ")
  var total = 0.0
  for r in 0..<scores.rows {
    let (row, wanted) = (scores.row(r), target.row(r))
    let peak = largestElement(row, scores.columns)
    var (normalizer, mass, overlap) = (SIMD16<Float>(), SIMD16<Float>(), SIMD16<Float>())
    for (i, lanes) in Vectors(scores.columns) {
      let (below, share) = (row.load(i, lanes) - peak, wanted.load(i, lanes))
      let e = exponential(below)
      normalizer += lanes == 16 ? e : firstLanes(e, lanes)
      mass += share
      overlap = overlap.addingProduct(share, below)
    }
    total += Double(logf(normalizer.sum()) * mass.sum() - overlap.sum())
  }
  return total
}

/// The gradient of factor · q · kᵀ from that of the probabilities P = softmax(s), and from the cross-entropies with
/// a target, whose gradient in s is P Σ_j T_ij - T.
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
func alignedSoftmaxBackward<Element: MatrixElement>(
  _ gradients: Matrix<Float>, _ probabilities: Matrix<Element>, _ dout: Matrix<Element>, _ out: Matrix<Element>,
  target: Matrix<Float>, rowGradient: Float, factor: Float, into differences: Matrix<Element>
) {
  precondition(target.rows == gradients.rows && target.columns == gradients.columns, "a target of another shape")
  for r in 0..<gradients.rows {
    let (probability, gradient, difference) = (probabilities.row(r), gradients.row(r), differences.row(r))
    let wanted = target.row(r)
    let mean = dot(dout.row(r), out.row(r), out.columns)
    var mass = SIMD16<Float>()
    for (i, lanes) in Vectors(target.columns) { mass += wanted.load(i, lanes) }
    let pull = rowGradient * mass.sum() - mean
    for (i, lanes) in Vectors(gradients.columns) {
      let p = probability.load(i, lanes)
      let aligned = p * (gradient.load(i, lanes) + pull) - wanted.load(i, lanes) * rowGradient
      difference.store(aligned * factor, i, lanes)
    }
  }
}
