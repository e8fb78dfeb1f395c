import COpenBLAS

/// c = factor · op(a) · op(b), or that added to c; op transposes where asked.
///
/// - Parameters:
///   - a: [m, k], or [k, m] with `transposeA`
///   - b: [k, n], or [n, k] with `transposeB`
///   - c: [m, n]
package func multiply(
  _ a: Matrix, _ b: Matrix, into c: Matrix, transposeA: Bool = false, transposeB: Bool = false, factor: Float = 1,
  adding: Bool = false
) {
  Meter.count(.matrixProducts) {
    product(a, b, into: c, transposeA: transposeA, transposeB: transposeB, factor: factor, adding: adding)
  }
}

/// `multiply` as a part of something else, by whose name its time goes.
func product(
  _ a: Matrix, _ b: Matrix, into c: Matrix, transposeA: Bool = false, transposeB: Bool = false, factor: Float = 1,
  adding: Bool = false
) {
  let (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
  let (inner, n) = transposeB ? (b.columns, b.rows) : (b.rows, b.columns)
  precondition(
    k == inner && c.rows == m && c.columns == n,
    "product of [\(m), \(k)] and [\(inner), \(n)] into [\(c.rows), \(c.columns)]")
  guard m > 0, n > 0 else { return }
  guard k > 0 else { return adding ? () : c.clear() }
  cblas_sgemm(
    CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
    numericCast(m), numericCast(n), numericCast(k), factor, a.base, numericCast(a.stride), b.base,
    numericCast(b.stride), adding ? 1 : 0, c.base, numericCast(c.stride))
}
