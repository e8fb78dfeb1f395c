/// What a teacher's attention is stored as, for one sample: some heads of some layers, without the class token.
package struct TeacherAttention: Sendable {
  /// The two forms.
  package enum Values: Sendable {
    /// [layers, heads, N, N] probabilities.
    case maps(Vector<Float>)
    /// [layers, heads, N, W] queries and keys as they enter the product, before its scale.
    case queriesAndKeys(Vector<Float>, Vector<Float>)
  }

  private let values: Values
  private let layers, heads, tokens: Int

  /// Describes stored numbers; `tokens` is N.
  package init(_ values: Values, layers: Int, heads: Int, tokens: Int) {
    (self.values, self.layers, self.heads, self.tokens) = (values, layers, heads, tokens)
  }

  /// Writes the attention of the first heads of every layer among the tokens that the layer's student block sees; each
  /// row is divided by its sum. A row without any mass among them becomes 0.
  ///
  /// - Parameters:
  ///   - layout: of the result
  ///   - kept: M ids of the kept tokens
  ///   - isKept: for each layer whether its block sees the kept tokens alone
  ///   - target: [layout.count]
  package func write(
    _ layout: AttentionLayout, kept: UnsafeBufferPointer<Int32>, isKept: [Bool], into target: Vector<Float>
  ) {
    precondition(layout.tokens.count == layers && layout.heads <= heads, "a layout of other layers or heads")
    for layer in 0..<layers {
      for head in 0..<layout.heads {
        let out = layout.map(target, layer: layer, head: head)
        write(layer * heads + head, kept: isKept[layer] ? kept : nil, into: out)
      }
    }
  }

  private func write(_ index: Int, kept: UnsafeBufferPointer<Int32>?, into out: Matrix<Float>) {
    switch values {
    case .maps(let maps):
      let map = entry(index, of: maps, columns: tokens)
      if let kept { gatherSquare(map, kept, into: out) } else { out.copy(from: map) }
      normalizeRows(out)
    case .queriesAndKeys(let queries, let keys):
      let width = queries.count / (layers * heads * tokens)
      let (query, key) = (entry(index, of: queries, columns: width), entry(index, of: keys, columns: width))
      guard let kept else { return attentionMap(query: query, key: key, into: out) }
      withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * kept.count * width) { memory in
        guard let base = memory.baseAddress, let ids = kept.baseAddress else { return }
        let both = Matrix(base, rows: 2 * kept.count, columns: width)
        let (some, others) = (both.rows(0..<kept.count), both.rows(kept.count..<2 * kept.count))
        gatherRows(query, ids, into: some)
        gatherRows(key, ids, into: others)
        attentionMap(query: some, key: others, into: out)
      }
    }
  }

  private func entry(_ index: Int, of values: Vector<Float>, columns: Int) -> Matrix<Float> {
    values[index * tokens * columns..<(index + 1) * tokens * columns].matrix(columns: columns)
  }
}

/// out_ij = x[kept_i, kept_j]
private func gatherSquare(_ x: Matrix<Float>, _ kept: UnsafeBufferPointer<Int32>, into out: Matrix<Float>) {
  precondition(out.rows == kept.count && out.columns == kept.count, "gatherSquare: shapes differ")
  for r in 0..<out.rows {
    let (source, target) = (x.row(checked(kept[r], below: x.rows)), out.row(r))
    for c in 0..<out.columns { target[c] = source[checked(kept[c], below: x.columns)] }
  }
}

/// Divides every row by its sum; a row whose sum is below 1e-20 loses what is left of it.
private func normalizeRows(_ map: Matrix<Float>) {
  for r in 0..<map.rows {
    let row = map.row(r)
    var sum = SIMD16<Float>()
    for (i, lanes) in Vectors(map.columns) { sum += row.load(i, lanes) }
    let inverse = 1 / max(sum.sum(), 1e-20)
    for (i, lanes) in Vectors(map.columns) { row.store(row.load(i, lanes) * inverse, i, lanes) }
  }
}

/// out = softmax(q · kᵀ / sqrt(W))
private func attentionMap(query: Matrix<Float>, key: Matrix<Float>, into out: Matrix<Float>) {
  let factor = 1 / Float(query.columns).squareRoot()
  MatrixProduct(MatrixStack(query), MatrixStack(key), MatrixStack(out), transposeB: true, factor: factor).compute()
  for r in 0..<out.rows {
    let row = out.row(r)
    let peak = largestElement(row, out.columns)
    for (i, lanes) in Vectors(out.columns) { row.store(exponential(row.load(i, lanes) - peak), i, lanes) }
  }
  normalizeRows(out)
}
