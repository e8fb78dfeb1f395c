import COpenBLAS

// Products of float32 matrices, by OpenBLAS.

extension Float {
  package static func multiply<Result: MatrixElement>(_ product: MatrixProduct<Float, Result>) {
    guard let product = product as? MatrixProduct<Float, Float> else {
      preconditionFailure("a product of float32 matrices is a float32 matrix")
    }
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
