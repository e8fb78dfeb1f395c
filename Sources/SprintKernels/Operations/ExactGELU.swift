/// y = x · Φ(x), where Φ is the distribution function of the normal distribution: GELU without an approximation,
/// PyTorch's default. arXiv 1606.08415.
///
/// - Parameters:
///   - x: [rows, columns]
///   - y: [rows, columns]; may be the memory of x
package func exactGELU(_ x: Matrix<Float>, into y: Matrix<Float>) {
  precondition(x.rows == y.rows && x.columns == y.columns, "exactGELU: shapes differ")
  for r in 0..<x.rows {
    let (input, output) = (x.row(r), y.row(r))
    for (i, lanes) in Vectors(x.columns) {
      let v = input.load(i, lanes)
      output.store(v * normalDistribution(v), i, lanes)
    }
  }
}

/// Φ(x) = erfc(-x / √2) / 2 in each lane, with an absolute error below 2e-7.
///
/// Near zero it is (1 + erf(x / √2)) / 2; elsewhere the tail erfc(|x| / √2) / 2, which does not cancel where x is
/// negative. The polynomials are fits to erf(t) / t - 1 in t², and to log erfc(t) in t.
@inline(__always)
private func normalDistribution(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let scaled = x * 0.707_106_781
  let t = larger(scaled, -scaled)
  let tail = 0.5 * exponential(logTail(t))
  let outer = tail.replacing(with: 1 - tail, where: x .> 0)
  let inner = SIMD16<Float>(repeating: 0.5).addingProduct(erfNearZero(scaled), SIMD16(repeating: 0.5))
  return outer.replacing(with: inner, where: t .< 0.927_734_375)
}

/// log erfc(t) for t from 0.92; below -87 from t = 9 on.
@inline(__always)
private func logTail(_ t: SIMD16<Float>) -> SIMD16<Float> {
  var high = SIMD16<Float>(repeating: 3.831_971_26e-4)
  high = high.addingProduct(t, SIMD16(repeating: -1.728_534_70e-5))
  let low = SIMD16<Float>(repeating: 2.425_462_19e-2).addingProduct(t, SIMD16(repeating: -3.883_964_38e-3))
  var p = low.addingProduct(high, t * t)
  p = SIMD16(repeating: -1.067_778_77e-1).addingProduct(p, t)
  p = SIMD16(repeating: -6.348_466_87e-1).addingProduct(p, t)
  p = SIMD16(repeating: -1.287_175_12e-1).addingProduct(p, t)
  return (-t).addingProduct(p, t)
}

/// erf(t) for |t| up to 0.93.
@inline(__always)
private func erfNearZero(_ t: SIMD16<Float>) -> SIMD16<Float> {
  let square = t * t
  var p = SIMD16<Float>(repeating: -5.967_617_03e-4)
  p = SIMD16(repeating: 4.991_194_23e-3).addingProduct(p, square)
  p = SIMD16(repeating: -2.676_813_49e-2).addingProduct(p, square)
  p = SIMD16(repeating: 1.128_199_25e-1).addingProduct(p, square)
  p = SIMD16(repeating: -3.761_253_36e-1).addingProduct(p, square)
  p = SIMD16(repeating: 1.283_791_66e-1).addingProduct(p, square)
  return t.addingProduct(p, t)
}
