import Foundation

/// out_b = table[ids_b] added to what is in `out`.
///
/// - Parameters:
///   - table: [K, D]
///   - ids: [B] in 0..<K
///   - out: [B, D]
package func addEmbedding(_ table: Matrix, ids: [Int], to out: Matrix) {
  precondition(table.columns == out.columns && ids.count == out.rows, "embedding: shapes differ")
  for (b, id) in ids.enumerated() {
    precondition(id >= 0 && id < table.rows, "embedding: id \(id) of \(table.rows)")
    add(table.row(id), to: out.row(b), out.columns)
  }
}

/// dtable[ids_b] += dout_b, from out_b += table[ids_b]
package func addEmbeddingBackward(_ dout: Matrix, ids: [Int], tableGradient: Matrix) {
  precondition(tableGradient.columns == dout.columns && ids.count == dout.rows, "embedding: shapes differ")
  for (b, id) in ids.enumerated() { add(dout.row(b), to: tableGradient.row(id), dout.columns) }
}

/// out_b = (cos(t_b f), sin(t_b f)) with the frequencies f_i = 10000^(-i / half). DiT's time features; t carries no gradient.
///
/// - Parameters:
///   - times: [B] in [0, 1]
///   - out: [B, 2 · half]
package func timeFeatures(_ times: [Float], into out: Matrix) {
  precondition(times.count == out.rows && out.columns % 2 == 0, "timeFeatures: shapes differ")
  let half = out.columns / 2
  for i in 0..<half {
    let frequency = expf(-logf(10000) * Float(i) / Float(half))
    for (b, time) in times.enumerated() {
      out[b, i] = cosf(time * frequency)
      out[b, half + i] = sinf(time * frequency)
    }
  }
}
