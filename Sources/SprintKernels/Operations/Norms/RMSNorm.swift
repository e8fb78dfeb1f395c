/// y = x / sqrt(mean(x²) + 1e-6) · weight. arXiv 1910.07467.
///
/// - Parameters:
///   - x: [rows, D]
///   - weight: [D]
///   - y: [rows, D]
package func rmsNorm<Element: MatrixElement>(_ x: Matrix<Float>, weight: Vector<Element>, into y: Matrix<Float>) {
  precondition(x.rows == y.rows && x.columns == y.columns && weight.count == x.columns, "rmsNorm: shapes differ")
  for r in 0..<x.rows {
    let (input, output) = (x.row(r), y.row(r))
    let inverse = inverseRoot(input, x.columns, epsilon: 1e-6)
    for (i, lanes) in Vectors(x.columns) {
      output.store(input.load(i, lanes) * inverse * weight.base.load(i, lanes), i, lanes)
    }
  }
}

/// dx = …, dweight += …, from y = x / sqrt(mean(x²) + 1e-6) · weight
///
/// - Parameters:
///   - dy: [rows, D]
///   - x: [rows, D]
///   - dx: [rows, D]
package func rmsNormBackward<Element: MatrixElement>(
  _ dy: Matrix<Float>, _ x: Matrix<Float>, weight: Vector<Element>, into dx: Matrix<Element>,
  adding weightGradient: Vector<Float>
) {
  precondition(x.rows == dy.rows && x.columns == dy.columns && weight.count == x.columns, "rmsNorm: shapes differ")
  precondition(dx.rows == x.rows && dx.columns == x.columns, "rmsNorm: shapes differ")
  precondition(weightGradient.count == x.columns, "rmsNorm: shapes differ")
  for r in 0..<x.rows {
    let (gradient, input, output) = (dy.row(r), x.row(r), dx.row(r))
    let inverse = inverseRoot(input, x.columns, epsilon: 1e-6)
    var along = SIMD16<Float>()
    for (i, lanes) in Vectors(x.columns) {
      let product = gradient.load(i, lanes) * input.load(i, lanes)
      weightGradient.base.store(
        weightGradient.base.load(i, lanes).addingProduct(product, SIMD16(repeating: inverse)), i, lanes)
      along = along.addingProduct(product, weight.base.load(i, lanes))
    }
    let pull = along.sum() * inverse * inverse * inverse / Float(x.columns)
    for (i, lanes) in Vectors(x.columns) {
      let through = gradient.load(i, lanes) * weight.base.load(i, lanes) * inverse
      output.store(through - input.load(i, lanes) * pull, i, lanes)
    }
  }
}

/// 1 / sqrt(mean(x²) + epsilon)
@inline(__always)
func inverseRoot<Element: MatrixElement>(_ x: UnsafeMutablePointer<Element>, _ width: Int, epsilon: Float) -> Float {
  1 / (dot(x, x, width) / Float(width) + epsilon).squareRoot()
}
