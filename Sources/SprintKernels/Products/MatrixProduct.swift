import COpenBLAS

/// Sets c = op(a) · op(b); op transposes where a parameter says so.
///
/// - Parameters:
///   - a: [m, k], or [k, m] with `transposeA`
///   - b: [k, n], or [n, k] with `transposeB`
///   - c: [m, n]
package func multiply(
  _ a: Matrix, _ b: Matrix, into c: Matrix, transposeA: Bool = false, transposeB: Bool = false
) {
  Meter.count(.matrixProducts) { product(a, b, into: c, transposeA: transposeA, transposeB: transposeB) }
}

/// Adds op(a) · op(b) to `c`, which is [m, n]; the shapes are those of `multiply(_:_:into:)`.
package func multiply(
  _ a: Matrix, _ b: Matrix, adding c: Matrix, transposeA: Bool = false, transposeB: Bool = false
) {
  Meter.count(.matrixProducts) {
    let extents = ProductExtents(a, b, c, transposeA, transposeB)
    if extents.k > 0 { extents.multiply(a, b, c, factor: 1, keeping: 1) }
  }
}

/// Sets c = factor · op(a) · op(b) as a part of a larger operation, which does the metering.
func product(
  _ a: Matrix, _ b: Matrix, into c: Matrix, transposeA: Bool = false, transposeB: Bool = false, factor: Float = 1
) {
  let extents = ProductExtents(a, b, c, transposeA, transposeB)
  guard extents.k > 0 else { return c.clear() }
  extents.multiply(a, b, c, factor: factor, keeping: 0)
}

/// The three extents of a matrix product, checked against the matrices.
private struct ProductExtents {
  let m, n, k: Int
  let transposeA, transposeB: Bool

  init(_ a: Matrix, _ b: Matrix, _ c: Matrix, _ transposeA: Bool, _ transposeB: Bool) {
    (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
    let inner = transposeB ? b.columns : b.rows
    n = transposeB ? b.rows : b.columns
    (self.transposeA, self.transposeB) = (transposeA, transposeB)
    precondition(
      k == inner && c.rows == m && c.columns == n,
      "product of [\(m), \(k)] and [\(inner), \(n)] into [\(c.rows), \(c.columns)]")
  }

  /// c = factor · op(a) · op(b) + keeping · c
  func multiply(_ a: Matrix, _ b: Matrix, _ c: Matrix, factor: Float, keeping: Float) {
    guard m > 0, n > 0 else { return }
    cblas_sgemm(
      CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
      numericCast(m), numericCast(n), numericCast(k), factor, a.base, numericCast(a.stride), b.base,
      numericCast(b.stride), keeping, c.base, numericCast(c.stride))
  }
}
