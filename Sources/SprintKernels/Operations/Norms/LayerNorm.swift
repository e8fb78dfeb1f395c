/// y = layerNorm(x) · weight + bias, with 1e-6 added to the variance. arXiv 1607.06450.
///
/// - Parameters:
///   - x: [rows, D]
///   - weight: [D]
///   - bias: [D]
///   - y: [rows, D]; may be the memory of x
package func layerNorm(_ x: Matrix<Float>, weight: Vector<Float>, bias: Vector<Float>, into y: Matrix<Float>) {
  precondition(x.rows == y.rows && x.columns == y.columns, "layerNorm: shapes differ")
  precondition(weight.count == x.columns && bias.count == x.columns, "layerNorm: shapes differ")
  for r in 0..<x.rows {
    let (input, output) = (x.row(r), y.row(r))
    let (mean, inverse) = moments(input, x.columns)
    for (i, lanes) in Vectors(x.columns) {
      let normalized = (input.load(i, lanes) - mean) * inverse
      output.store(bias.base.load(i, lanes).addingProduct(normalized, weight.base.load(i, lanes)), i, lanes)
    }
  }
}
