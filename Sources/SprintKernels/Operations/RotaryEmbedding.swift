import Foundation

/// Cosines and sines of the 2-D rotary embedding for every token of a grid. The first half of a head turns with the
/// token's row, the second half with its column; both elements of a pair turn by one angle. RoFormer, arXiv 2104.09864,
/// on two axes.
package struct RotaryTable: Sendable {
  /// [N, W] cosines.
  package let cosine: Matrix
  /// [N, W] sines with the sign of the rotation: minus for the first element of a pair, plus for the second.
  package let sine: Matrix
  private let arena: Arena

  /// Computes the table for `grid` x `grid` tokens. `headWidth` has to be a multiple of four.
  package init(grid: Int, headWidth: Int, theta: Float) {
    precondition(headWidth % 4 == 0, "a head of width \(headWidth); 2-D rotary embedding needs a multiple of 4")
    let tokens = grid * grid
    arena = Arena(count: 2 * Arena.aligned(tokens * headWidth))
    cosine = arena.matrix(rows: tokens, columns: headWidth)
    sine = arena.matrix(rows: tokens, columns: headWidth)
    let half = headWidth / 2
    for token in 0..<tokens {
      for i in 0..<headWidth {
        let place = i < half ? token / grid : token % grid
        let frequency = powf(theta, -Float((i % half) / 2 * 2) / Float(half))
        let angle = Float(place) * frequency
        cosine[token, i] = cosf(angle)
        sine[token, i] = i % 2 == 0 ? -sinf(angle) : sinf(angle)
      }
    }
  }
}

/// Turns the pairs of every row of `x` in place: (x0, x1) -> (x0 cos - x1 sin, x1 cos + x0 sin).
///
/// - Parameters:
///   - x: [rows, W] queries or keys of one head
///   - positions: [rows] the row of the table for each token
package func rotate(_ x: Matrix, _ table: RotaryTable, positions: UnsafePointer<Int32>) {
  turn(x, table, positions, backwards: false)
}

/// Turns the gradient of a rotation's output into that of its input, in place: the same turn, backwards.
package func rotateBackward(_ dx: Matrix, _ table: RotaryTable, positions: UnsafePointer<Int32>) {
  turn(dx, table, positions, backwards: true)
}

@inline(__always)
private func turn(_ x: Matrix, _ table: RotaryTable, _ positions: UnsafePointer<Int32>, backwards: Bool) {
  precondition(x.columns == table.cosine.columns, "rotary: head width differs from the table's")
  let sign: Float = backwards ? -1 : 1
  for r in 0..<x.rows {
    let place = Int(positions[r])
    let (values, cosine, sine) = (x.row(r), table.cosine.row(place), table.sine.row(place))
    forEachVector(x.columns) { i, lanes in
      let v = values.load(i, lanes)
      let turned = v * cosine.load(i, lanes)
      values.store(turned.addingProduct(swappedPairs(v), sign * sine.load(i, lanes)), i, lanes)
    }
  }
}

/// (x1, x0, x3, x2, ...): every 64 bits rotated by 32.
@inline(__always)
private func swappedPairs(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let pairs = unsafeBitCast(x, to: SIMD8<UInt64>.self)
  return unsafeBitCast((pairs &>> 32) | (pairs &<< 32), to: SIMD16<Float>.self)
}
