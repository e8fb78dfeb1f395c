/// mixed_r = share · first[rows_r] + (1 - share) · own_r: a block's values with those of the network's first block.
/// arXiv 2410.17897.
///
/// - Parameters:
///   - own: [M, D] the block's own values of one sample
///   - first: [rows, D] the first block's values of all tokens
///   - rows: [M] the row of `first` for each token
///   - mixed: [M, D]
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func mixValues<Element: MatrixElement>(
  _ own: Matrix<Element>, _ first: Matrix<Element>, rows: UnsafePointer<Int32>, share: Float,
  into mixed: Matrix<Element>
) {
  checkShapes(own, first, mixed)
  for r in 0..<own.rows {
    let (values, early, output) = (own.row(r), first.row(Int(rows[r])), mixed.row(r))
    for (i, lanes) in Vectors(own.columns) {
      output.store((share * early.load(i, lanes)).addingProduct(values.load(i, lanes), 1 - share), i, lanes)
    }
  }
}

/// Turns dmixed into down = (1 - share) · dmixed, in place, and adds dfirst[rows_r] += share · dmixed_r, from
/// mixed_r = share · first[rows_r] + (1 - share) · own_r
///
/// - Returns: dshare = Σ dmixed · (first - own)
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func mixValuesBackward<Element: MatrixElement>(
  _ gradient: Matrix<Element>, _ own: Matrix<Element>, _ first: Matrix<Element>, rows: UnsafePointer<Int32>,
  share: Float, adding firstGradient: Matrix<Float>
) -> Float {
  checkShapes(own, first, gradient)
  precondition(firstGradient.rows == first.rows && firstGradient.columns == own.columns, "mixValues: shapes differ")
  var total: Float = 0
  for r in 0..<own.rows {
    let place = Int(rows[r])
    let (values, early, change, sum) = (own.row(r), first.row(place), gradient.row(r), firstGradient.row(place))
    var along = SIMD16<Float>()
    for (i, lanes) in Vectors(own.columns) {
      let g = change.load(i, lanes)
      along = along.addingProduct(g, early.load(i, lanes) - values.load(i, lanes))
      sum.store(sum.load(i, lanes).addingProduct(g, SIMD16(repeating: share)), i, lanes)
      change.store(g * (1 - share), i, lanes)
    }
    total += along.sum()
  }
  return total
}

private func checkShapes<Element: MatrixElement>(
  _ own: Matrix<Element>, _ first: Matrix<Element>, _ mixed: Matrix<Element>
) {
  precondition(own.rows == mixed.rows && own.columns == mixed.columns, "mixValues: shapes differ")
  precondition(first.columns == own.columns, "mixValues: shapes differ")
}
