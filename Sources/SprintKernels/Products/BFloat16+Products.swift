// Products of bfloat16 matrices: by oneDNN where it has kernels for them, otherwise by OpenBLAS from float32 copies.
// The results are the same but for the order of additions.

extension BFloat16 {
  package static func multiply<Result: MatrixElement>(_ product: MatrixProduct<BFloat16, Result>) {
    if OneDNN.usesAVX512 { product.computeWithOneDNN() } else { product.computeWithCopies() }
  }
}

extension MatrixProduct where Element == BFloat16 {
  /// Computes the product from float32 copies of its operands.
  func computeWithCopies() {
    let counts = [m * k, k * n, Result.self == Float.self ? 0 : m * n, bias?.count ?? 0]
    ProductScratch.shared.with(bytes: counts.reduce(0) { $0 + Arena.aligned($1) } * MemoryLayout<Float>.stride) {
      var copies = FloatCopies(next: $0.assumingMemoryBound(to: Float.self))
      let wideBias = bias.map { copies.matrix(Matrix($0.base, rows: 1, columns: $0.count)).vector(0) }
      for i in 0..<c.count { computeWithCopies(i, copies, bias: wideBias) }
    }
  }

  private func computeWithCopies(_ index: Int, _ copies: FloatCopies, bias: Vector<Float>?) {
    var copies = copies
    let (a, b) = (copies.matrix(a[index]), copies.matrix(b[index]))
    let direct = c[index] as? Matrix<Float>
    let c = direct ?? (adds ? copies.matrix(c[index]) : copies.room(rows: m, columns: n))
    MatrixProduct<Float, Float>(
      MatrixStack(a), MatrixStack(b), MatrixStack(c), transposeA: transposeA, transposeB: transposeB, factor: factor,
      adds: adds, bias: bias
    ).compute()
    if direct == nil { self.c[index].copy(from: c) }
  }
}

/// Memory that fills with float32 copies of matrices.
private struct FloatCopies {
  var next: UnsafeMutablePointer<Float>

  mutating func room(rows: Int, columns: Int) -> Matrix<Float> {
    defer { next += Arena.aligned(rows * columns) }
    return Matrix(next, rows: rows, columns: columns)
  }

  mutating func matrix<Element: MatrixElement>(_ matrix: Matrix<Element>) -> Matrix<Float> {
    let copy = room(rows: matrix.rows, columns: matrix.columns)
    copy.copy(from: matrix)
    return copy
  }
}
