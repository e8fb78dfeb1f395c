// A linear layer. Gradient rule of this module: gradients of parameters are added to, gradients of activations are set
// (or added to where a function says so).

/// y = x · Wᵀ + b
///
/// - Parameters:
///   - x: [R, K] rows
///   - weight: [N, K]
///   - bias: [N]
///   - y: [R, N]
package func linear(_ x: Matrix, weight: Matrix, bias: Vector, into y: Matrix) {
  precondition(bias.count == weight.rows && y.columns == weight.rows && y.rows == x.rows, "linear: shapes differ")
  for r in 0..<y.rows { y.row(r).update(from: bias.base, count: bias.count) }
  multiply(x, weight, into: y, transposeB: true, adding: true)
}

/// dx = dy · W, from y = x · Wᵀ + b
package func linearBackward(_ dy: Matrix, weight: Matrix, into dx: Matrix, adding: Bool = false) {
  multiply(dy, weight, into: dx, adding: adding)
}

/// dW += dyᵀ · x for the output rows `outputs`, from y = x · Wᵀ + b
///
/// - Parameters:
///   - dy: [R, N] gradient of the output
///   - x: [R, K] rows
///   - weightGradient: [N, K]
///   - outputs: which of the N rows of the gradient to compute
package func linearWeightBackward(_ dy: Matrix, _ x: Matrix, into weightGradient: Matrix, outputs: Range<Int>) {
  multiply(dy.columns(outputs), x, into: weightGradient.rows(outputs), transposeA: true, adding: true)
}

/// db += Σ_rows dy, from y = x · Wᵀ + b
package func biasBackward(_ dy: Matrix, into biasGradient: Vector) {
  precondition(dy.columns == biasGradient.count, "biasBackward: shapes differ")
  // Memory is read as it lies, and eight rows share one look at the sums.
  let whole = dy.rows / 8 * 8
  for r in stride(from: 0, to: whole, by: 8) {
    let first = dy.row(r)
    forEachVector(dy.columns) { i, lanes in
      var sum = biasGradient.base.load(i, lanes)
      for k in 0..<8 { sum += (first + k &* dy.stride).load(i, lanes) }
      biasGradient.base.store(sum, i, lanes)
    }
  }
  for r in whole..<dy.rows { add(dy.row(r), to: biasGradient.base, dy.columns) }
}
