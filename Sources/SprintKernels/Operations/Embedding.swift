/// out_b += table[ids_b]
///
/// - Parameters:
///   - table: [classes, D]
///   - ids: [B] in 0..<classes
///   - out: [B, D]
package func addEmbedding(_ table: Matrix, ids: [Int], to out: Matrix) {
  precondition(table.columns == out.columns && ids.count == out.rows, "embedding: shapes differ")
  for (b, id) in ids.enumerated() {
    precondition(id >= 0 && id < table.rows, "embedding: id \(id) of \(table.rows)")
    add(table.row(id), to: out.row(b), out.columns)
  }
}

/// dtable[ids_b] += dout_b, from out_b += table[ids_b]
package func addEmbeddingBackward(_ dout: Matrix, ids: [Int], adding tableGradient: Matrix) {
  precondition(tableGradient.columns == dout.columns && ids.count == dout.rows, "embedding: shapes differ")
  for (b, id) in ids.enumerated() { add(dout.row(b), to: tableGradient.row(id), dout.columns) }
}
