import Foundation

/// out_b = (cos(t_b f), sin(t_b f)) with the frequencies f_i = 10000^(-i / half). DiT, arXiv 2212.09748. Times need no
/// gradient, so there is no backward.
///
/// - Parameters:
///   - times: [B] in [0, 1]
///   - out: [B, 2 · half]
package func timeFeatures<Element: MatrixElement>(_ times: [Float], into out: Matrix<Element>) {
  precondition(times.count == out.rows && out.columns % 2 == 0, "timeFeatures: shapes differ")
  let half = out.columns / 2
  for i in 0..<half {
    let frequency = expf(-logf(10000) * Float(i) / Float(half))
    for (b, time) in times.enumerated() {
      out[b, i] = Element(cosf(time * frequency))
      out[b, half + i] = Element(sinf(time * frequency))
    }
  }
}
