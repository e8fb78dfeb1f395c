import Foundation

/// The fixed 2-D sine-cosine positions that are added to the tokens of a grid. The first half of a token belongs to its
/// column, the second to its row; each half holds sines, then cosines. DiT, arXiv 2212.09748, after MAE, arXiv
/// 2111.06377.
package struct PositionTable: Sendable {
  /// [T, D]
  package let values: Matrix<Float>
  private let arena: Arena

  /// Computes the table for `prefix` tokens without a position, then `grid` x `grid` tokens. `width` has to be a
  /// multiple of four.
  package init(prefix: Int = 0, grid: Int, width: Int) {
    precondition(width % 4 == 0, "tokens of width \(width); positions need a multiple of 4")
    let tokens = prefix + grid * grid
    arena = Arena(count: Arena.aligned(tokens * width))
    values = arena.matrix(rows: tokens, columns: width)
    values.rows(0..<prefix).clear()
    let quarter = width / 4
    for place in 0..<grid * grid {
      let row = values.row(prefix + place)
      for i in 0..<quarter {
        let frequency = pow(10000, -Double(i) / Double(quarter))
        for (half, position) in [place % grid, place / grid].enumerated() {
          let angle = Double(position) * frequency
          row[half * 2 * quarter + i] = Float(sin(angle))
          row[(half * 2 + 1) * quarter + i] = Float(cos(angle))
        }
      }
    }
  }
}
