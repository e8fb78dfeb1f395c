import COpenBLAS

// Products of float32 matrices, by OpenBLAS, or by oneDNN where that is faster.

extension Float {
  package static func multiply<Result: MatrixElement>(_ product: MatrixProduct<Float, Result>) {
    guard let product = product as? MatrixProduct<Float, Float> else {
      preconditionFailure("a product of float32 matrices is a float32 matrix")
    }
    if product.isFasterWithOneDNN { return product.computeWithOneDNN() }
    for i in 0..<product.c.count { multiply(product, product.a[i], product.b[i], product.c[i]) }
  }

  private static func multiply(
    _ product: MatrixProduct<Float, Float>, _ a: Matrix<Float>, _ b: Matrix<Float>, _ c: Matrix<Float>
  ) {
    if let bias = product.bias {
      precondition(!product.adds, "a bias is set, not added")
      for r in 0..<c.rows { c.row(r).update(from: bias.base, count: bias.count) }
    }
    cblas_sgemm(
      CblasRowMajor, product.transposeA ? CblasTrans : CblasNoTrans, product.transposeB ? CblasTrans : CblasNoTrans,
      numericCast(product.m), numericCast(product.n), numericCast(product.k), product.factor, a.base,
      numericCast(a.stride), b.base, numericCast(b.stride), product.adds || product.bias != nil ? 1 : 0, c.base,
      numericCast(c.stride))
  }
}

extension MatrixProduct where Element == Float, Result == Float {
  /// Whether oneDNN is faster than OpenBLAS. On a Zen 5 it gains 3 to 10% where the second operand is at most 4 MB of
  /// dense memory, loses as much with larger ones and with a transposed first operand, and makes a kernel for each
  /// shape, which takes some work to pay.
  fileprivate var isFasterWithOneDNN: Bool {
    OneDNN.isFastInFloat32 && c.count == 1 && !transposeA && a.isDense && b.isDense && c.isDense && k * n < 1 << 20
      && m * n * k >= 1 << 22
  }
}
