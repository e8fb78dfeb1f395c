import Foundation

/// Cosines and sines of the 2-D rotary embedding for every token of a grid. The first half of a head turns with the
/// token's row, the second half with its column; both elements of a pair turn by one angle. RoFormer, arXiv 2104.09864,
/// on two axes.
package struct RotaryTable: Sendable {
  /// [T, W] cosines.
  package let cosine: Matrix<Float>
  /// [T, W] sines with the sign of the rotation: minus for the first element of a pair, plus for the second.
  package let sine: Matrix<Float>
  private let arena: Arena

  /// Computes the table for `prefix` tokens that do not turn, then `grid` x `grid` tokens. `headWidth` has to be a
  /// multiple of four.
  package init(prefix: Int = 0, grid: Int, headWidth: Int, theta: Float) {
    precondition(headWidth % 4 == 0, "a head of width \(headWidth); 2-D rotary embedding needs a multiple of 4")
    let tokens = prefix + grid * grid
    arena = Arena(count: 2 * Arena.aligned(tokens * headWidth))
    cosine = arena.matrix(rows: tokens, columns: headWidth)
    sine = arena.matrix(rows: tokens, columns: headWidth)
    let half = headWidth / 2
    for token in 0..<prefix {
      cosine.row(token).update(repeating: 1, count: headWidth)
      sine.row(token).update(repeating: 0, count: headWidth)
    }
    for token in prefix..<tokens {
      for i in 0..<headWidth {
        let place = i < half ? (token - prefix) / grid : (token - prefix) % grid
        let frequency = powf(theta, -Float((i % half) / 2 * 2) / Float(half))
        let angle = Float(place) * frequency
        cosine[token, i] = cosf(angle)
        sine[token, i] = i % 2 == 0 ? -sinf(angle) : sinf(angle)
      }
    }
  }
}
