/// out_b += table[ids_b]
///
/// - Parameters:
///   - table: [classes, D]
///   - ids: [B] in 0..<classes
///   - out: [B, D]
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func addEmbedding<Element: MatrixElement>(_ table: Matrix<Element>, ids: [Int], to out: Matrix<Float>) {
  precondition(table.columns == out.columns && ids.count == out.rows, "embedding: shapes differ")
  for (b, id) in ids.enumerated() {
    precondition(id >= 0 && id < table.rows, "embedding: id \(id) of \(table.rows)")
    add(table.row(id), to: out.row(b), out.columns)
  }
}

/// dtable[ids_b] += dout_b, from out_b += table[ids_b]
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func addEmbeddingBackward<Element: MatrixElement>(
  _ dout: Matrix<Element>, ids: [Int], adding tableGradient: Matrix<Float>
) {
  precondition(tableGradient.columns == dout.columns && ids.count == dout.rows, "embedding: shapes differ")
  for (b, id) in ids.enumerated() { add(dout.row(b), to: tableGradient.row(id), dout.columns) }
}
