// The rules of all operations in this folder:
//
// - Forward and backward stand in one file, with the same order of arguments. A backward's comment quotes the forward
//   line that it undoes.
// - A gradient after the label `adding:` is added to; one after `into:` is set. Gradients of parameters and modulation
//   vectors are always added to. A backward with neither label works in place.
// - Shapes: B samples, N tokens, M kept tokens, D width of a token, H heads, W = D / H width of a head; `rows` is any
//   number of tokens.

/// y = x · Wᵀ + b
///
/// - Parameters:
///   - x: [rows, inputs]
///   - weight: [outputs, inputs]
///   - bias: [outputs]
///   - y: [rows, outputs]
package func linear<Element: MatrixElement, Result: MatrixElement>(
  _ x: Matrix<Element>, weight: Matrix<Element>, bias: Vector<Element>, into y: Matrix<Result>
) {
  precondition(bias.count == weight.rows && y.columns == weight.rows && y.rows == x.rows, "linear: shapes differ")
  let product = MatrixProduct(MatrixStack(x), MatrixStack(weight), MatrixStack(y), transposeB: true, bias: bias)
  product.computeMetered()
}

/// dx = dy · W, from y = x · Wᵀ + b
package func linearBackward<Element: MatrixElement, Result: MatrixElement>(
  _ dy: Matrix<Element>, weight: Matrix<Element>, into dx: Matrix<Result>
) {
  multiply(dy, weight, into: dx)
}

/// dx += dy · W, from y = x · Wᵀ + b
package func linearBackward<Element: MatrixElement>(
  _ dy: Matrix<Element>, weight: Matrix<Element>, adding dx: Matrix<Float>
) {
  multiply(dy, weight, adding: dx)
}

/// dW += dyᵀ · x in the rows `outputs` of dW, from y = x · Wᵀ + b
///
/// - Parameters:
///   - dy: [rows, outputs] gradient of the output
///   - x: [rows, inputs]
///   - weightGradient: [outputs, inputs]
///   - outputs: the rows of the gradient to compute
package func linearWeightBackward<Element: MatrixElement>(
  _ dy: Matrix<Element>, _ x: Matrix<Element>, adding weightGradient: Matrix<Float>, outputs: Range<Int>
) {
  multiply(dy.columns(outputs), x, adding: weightGradient.rows(outputs), transposeA: true)
}

/// db += Σ_rows dy, from y = x · Wᵀ + b
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func biasBackward<Element: MatrixElement>(_ dy: Matrix<Element>, adding biasGradient: Vector<Float>) {
  precondition(dy.columns == biasGradient.count, "biasBackward: shapes differ")
  // Row by row, as memory lies; eight rows at a time, so that the sums are loaded and stored once for all eight.
  let whole = dy.rows / 8 * 8
  for r in stride(from: 0, to: whole, by: 8) {
    let first = dy.row(r)
    for (i, lanes) in Vectors(dy.columns) {
      var sum = biasGradient.base.load(i, lanes)
      for k in 0..<8 { sum += (first + k &* dy.stride).load(i, lanes) }
      biasGradient.base.store(sum, i, lanes)
    }
  }
  for r in whole..<dy.rows { add(dy.row(r), to: biasGradient.base, dy.columns) }
}
