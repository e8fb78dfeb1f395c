/// out_r = x[rows_r]: picks rows.
///
/// - Parameters:
///   - x: [N, D]
///   - rows: [M] the row of `x` that goes into each row of `out`
///   - out: [M, D]
package func gatherRows<Element: MatrixElement, Result: MatrixElement>(
  _ x: Matrix<Element>, _ rows: UnsafePointer<Int32>, into out: Matrix<Result>
) {
  precondition(x.columns == out.columns, "gatherRows: widths differ")
  for r in 0..<out.rows { out.vector(r).copy(from: x.vector(checked(rows[r], below: x.rows))) }
}

/// dx[rows_r] += dout_r, from out_r = x[rows_r]
package func gatherRowsBackward(_ dout: Matrix<Float>, _ rows: UnsafePointer<Int32>, adding dx: Matrix<Float>) {
  precondition(dx.columns == dout.columns, "gatherRows: widths differ")
  for r in 0..<dout.rows { add(dout.row(r), to: dx.row(checked(rows[r], below: dx.rows)), dx.columns) }
}

/// out[rows_r] = x_r: puts rows in their places and leaves the others as they are.
///
/// - Parameters:
///   - x: [M, D]
///   - rows: [M] the row of `out` that each row of `x` goes to, all different
///   - out: [N, D]
package func scatterRows<Element: MatrixElement>(
  _ x: Matrix<Element>, _ rows: UnsafePointer<Int32>, into out: Matrix<Element>
) {
  precondition(x.columns == out.columns, "scatterRows: widths differ")
  for r in 0..<x.rows { out.row(checked(rows[r], below: out.rows)).update(from: x.row(r), count: x.columns) }
}

/// dx_r += dout[rows_r], from out[rows_r] = x_r
package func scatterRowsBackward<Element: MatrixElement>(
  _ dout: Matrix<Float>, _ rows: UnsafePointer<Int32>, adding dx: Matrix<Element>
) {
  precondition(dx.columns == dout.columns, "scatterRows: widths differ")
  for r in 0..<dx.rows {
    let (sum, change) = (dx.row(r), dout.row(checked(rows[r], below: dout.rows)))
    for (i, lanes) in Vectors(dx.columns) { sum.store(sum.load(i, lanes) + change.load(i, lanes), i, lanes) }
  }
}

/// A row that exists.
@inline(__always)
func checked(_ row: Int32, below count: Int) -> Int {
  precondition(row >= 0 && row < count, "row \(row) of \(count)")
  return Int(row)
}
