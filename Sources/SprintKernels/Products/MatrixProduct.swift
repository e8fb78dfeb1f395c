/// c = factor · op(a) · op(b) + bias for each matrix of three stacks, or that added to c; op transposes where a
/// property says so. Sums are computed in float32.
package struct MatrixProduct<Element: MatrixElement, Result: MatrixElement>: Sendable {
  /// [m, k], or [k, m] with `transposeA`
  let a: MatrixStack<Element>
  /// [k, n], or [n, k] with `transposeB`
  let b: MatrixStack<Element>
  /// [m, n]
  let c: MatrixStack<Result>
  let transposeA, transposeB: Bool
  let factor: Float
  /// Whether c is added to rather than set.
  let adds: Bool
  /// [n] or nil
  let bias: Vector<Element>?
  let m, n, k: Int

  init(
    _ a: MatrixStack<Element>, _ b: MatrixStack<Element>, _ c: MatrixStack<Result>, transposeA: Bool = false,
    transposeB: Bool = false, factor: Float = 1, adds: Bool = false, bias: Vector<Element>? = nil
  ) {
    (self.a, self.b, self.c, self.bias) = (a, b, c, bias)
    (self.transposeA, self.transposeB, self.factor, self.adds) = (transposeA, transposeB, factor, adds)
    (m, k) = transposeA ? (a.first.columns, a.first.rows) : (a.first.rows, a.first.columns)
    let inner = transposeB ? b.first.columns : b.first.rows
    n = transposeB ? b.first.rows : b.first.columns
    precondition(
      k == inner && c.first.rows == m && c.first.columns == n && bias?.count ?? n == n,
      "product of [\(m), \(k)] and [\(inner), \(n)] into [\(c.first.rows), \(c.first.columns)]")
    precondition(a.count == c.count && b.count == c.count, "products of \(a.count) and \(b.count) matrices")
  }

  /// Computes the product as an operation of its own.
  func computeMetered() { Meter.count(.matrixProducts) { compute() } }

  /// Computes the product as a part of a larger operation, which does the metering.
  func compute() { Trace.span("product", name) { computeUntraced() } }

  private var name: String {
    "\(m) x \(n) x \(k)\(c.count > 1 ? " x \(c.count)" : "") \(Element.precision.rawValue)"
  }

  private func computeUntraced() {
    guard m > 0, n > 0 else { return }
    guard k > 0 else {
      precondition(bias == nil, "a layer without inputs")
      if !adds { for i in 0..<c.count { c[i].clear() } }
      return
    }
    Element.multiply(self)
  }
}

/// Sets c = op(a) · op(b); op transposes where a parameter says so.
///
/// - Parameters:
///   - a: [m, k], or [k, m] with `transposeA`
///   - b: [k, n], or [n, k] with `transposeB`
///   - c: [m, n]
package func multiply<Element: MatrixElement, Result: MatrixElement>(
  _ a: Matrix<Element>, _ b: Matrix<Element>, into c: Matrix<Result>, transposeA: Bool = false,
  transposeB: Bool = false
) {
  let product = MatrixProduct(
    MatrixStack(a), MatrixStack(b), MatrixStack(c), transposeA: transposeA, transposeB: transposeB)
  product.computeMetered()
}

/// Adds op(a) · op(b) to `c`, which is [m, n]; the shapes are those of `multiply(_:_:into:)`.
package func multiply<Element: MatrixElement, Result: MatrixElement>(
  _ a: Matrix<Element>, _ b: Matrix<Element>, adding c: Matrix<Result>, transposeA: Bool = false,
  transposeB: Bool = false
) {
  let product = MatrixProduct(
    MatrixStack(a), MatrixStack(b), MatrixStack(c), transposeA: transposeA, transposeB: transposeB, adds: true)
  product.computeMetered()
}
