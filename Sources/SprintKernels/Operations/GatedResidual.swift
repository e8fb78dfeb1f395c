/// out = x + gate · y
///
/// - Parameters:
///   - x: [rows, D] tokens of one sample
///   - y: [rows, D] output of the layer
///   - gate: [D] of the sample
///   - out: [rows, D]
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func gatedResidual<Element: MatrixElement>(
  _ x: Matrix<Float>, _ y: Matrix<Element>, gate: Vector<Float>, into out: Matrix<Float>
) {
  precondition(x.rows == y.rows && x.rows == out.rows && gate.count == x.columns, "gatedResidual: shapes differ")
  precondition(x.columns == y.columns && x.columns == out.columns, "gatedResidual: shapes differ")
  for r in 0..<x.rows {
    let (input, added, output) = (x.row(r), y.row(r), out.row(r))
    for (i, lanes) in Vectors(x.columns) {
      output.store(input.load(i, lanes).addingProduct(gate.base.load(i, lanes), added.load(i, lanes)), i, lanes)
    }
  }
}

/// dy = gate · dout, dgate += Σ_rows dout · y, from out = x + gate · y; dx equals dout.
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func gatedResidualBackward<Element: MatrixElement>(
  _ dout: Matrix<Float>, _ y: Matrix<Element>, gate: Vector<Float>, into dy: Matrix<Element>,
  adding gateGradient: Vector<Float>
) {
  precondition(dout.rows == y.rows && dout.rows == dy.rows, "gatedResidualBackward: shapes differ")
  precondition(gate.count == y.columns && gateGradient.count == y.columns, "gatedResidualBackward: shapes differ")
  precondition(dout.columns == y.columns && dy.columns == y.columns, "gatedResidualBackward: shapes differ")
  for r in 0..<y.rows {
    let (gradient, added, output) = (dout.row(r), y.row(r), dy.row(r))
    for (i, lanes) in Vectors(y.columns) {
      let g = gradient.load(i, lanes)
      gateGradient.base.store(gateGradient.base.load(i, lanes).addingProduct(g, added.load(i, lanes)), i, lanes)
      output.store(g * gate.base.load(i, lanes), i, lanes)
    }
  }
}
