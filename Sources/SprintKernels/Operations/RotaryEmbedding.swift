import Foundation

/// cos and sin of the 2-D rotary embedding for every token of a grid: the first half of a head turns with the row, the second
/// with the column, neighbouring pairs by the same angle. RoFormer, arXiv 2104.09864, on two axes.
package struct RotaryTable: Sendable {
  /// [N, headWidth] cosines.
  package let cosine: Matrix
  /// [N, headWidth] sines, already carrying the sign of the rotation: minus for the first of a pair, plus for the second.
  package let sine: Matrix
  private let arena: Arena

  /// A table for a grid of `grid` x `grid` tokens. `headWidth` has to be divisible by four.
  package init(grid: Int, headWidth: Int, theta: Float) {
    precondition(headWidth % 4 == 0, "a rotary head needs an even half")
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

/// Turns each pair of every row of `x` in place: (x0, x1) -> (x0 cos - x1 sin, x1 cos + x0 sin).
///
/// - Parameters:
///   - x: [R, headWidth] one head of the tokens
///   - positions: [R] the place of each token in the table
package func rotate(_ x: Matrix, _ table: RotaryTable, positions: UnsafePointer<Int32>) {
  turn(x, table, positions, backwards: false)
}

/// dx = the gradient before the rotation, in the place of the gradient after it: the same turn, backwards.
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

/// (x1, x0, x3, x2, ...): each 64-bit pair turned by 32 bits.
@inline(__always)
private func swappedPairs(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let pairs = unsafeBitCast(x, to: SIMD8<UInt64>.self)
  return unsafeBitCast((pairs &>> 32) | (pairs &<< 32), to: SIMD16<Float>.self)
}
