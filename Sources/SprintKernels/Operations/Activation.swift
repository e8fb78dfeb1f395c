/// y = GELU(x), the tanh form: x / (1 + exp(-2 √(2/π) (x + 0.044715 x³))). arXiv 1606.08415.
///
/// - Parameters:
///   - x: [rows, columns]
///   - y: [rows, columns]
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func gelu<Element: MatrixElement>(_ x: Matrix<Element>, into y: Matrix<Element>) {
  precondition(x.rows == y.rows && x.columns == y.columns, "gelu: shapes differ")
  for r in 0..<x.rows {
    let (input, output) = (x.row(r), y.row(r))
    for (i, lanes) in Vectors(x.columns) {
      let v = input.load(i, lanes)
      output.store(v * sigmoid(geluArgument(v)), i, lanes)
    }
  }
}

/// dx = dy · GELU'(x) in place of dy, from y = GELU(x).
///
/// - Parameter y: receives GELU(x) again, for the weight gradient; may be the memory of x
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func geluBackward<Element: MatrixElement>(
  _ dy: Matrix<Element>, _ x: Matrix<Element>, recomputing y: Matrix<Element>
) {
  precondition(
    x.rows == y.rows && x.columns == y.columns && dy.rows == x.rows && dy.columns == x.columns, "gelu: shapes differ")
  for r in 0..<x.rows {
    let (input, output, gradient) = (x.row(r), y.row(r), dy.row(r))
    for (i, lanes) in Vectors(x.columns) {
      let v = input.load(i, lanes)
      let gate = sigmoid(geluArgument(v))
      output.store(v * gate, i, lanes)
      let slope = 1.595_769_12 * SIMD16<Float>(repeating: 1).addingProduct(v * v, SIMD16(repeating: 0.134_145))
      gradient.store(
        gradient.load(i, lanes) * gate * SIMD16<Float>(repeating: 1).addingProduct(v * (1 - gate), slope), i, lanes)
    }
  }
}

/// y = SiLU(x) = x · sigmoid(x)
///
/// - Parameters:
///   - x: [rows, columns]
///   - y: [rows, columns]
@_specialize(where X == Float, Y == Float)
@_specialize(where X == BFloat16, Y == BFloat16)
@_specialize(where X == Float, Y == BFloat16)
package func silu<X: MatrixElement, Y: MatrixElement>(_ x: Matrix<X>, into y: Matrix<Y>) {
  precondition(x.rows == y.rows && x.columns == y.columns, "silu: shapes differ")
  for r in 0..<x.rows {
    let (input, output) = (x.row(r), y.row(r))
    for (i, lanes) in Vectors(x.columns) {
      let v = input.load(i, lanes)
      output.store(v * sigmoid(v), i, lanes)
    }
  }
}

/// dx = dy · SiLU'(x) in place of dy, from y = SiLU(x)
@_specialize(where X == Float, Y == Float)
@_specialize(where X == BFloat16, Y == BFloat16)
@_specialize(where X == Float, Y == BFloat16)
package func siluBackward<X: MatrixElement, Y: MatrixElement>(_ dy: Matrix<Y>, _ x: Matrix<X>) {
  precondition(dy.rows == x.rows && dy.columns == x.columns, "silu: shapes differ")
  for r in 0..<x.rows {
    let (input, gradient) = (x.row(r), dy.row(r))
    for (i, lanes) in Vectors(x.columns) {
      let v = input.load(i, lanes)
      let gate = sigmoid(v)
      gradient.store(gradient.load(i, lanes) * gate * SIMD16<Float>(repeating: 1).addingProduct(v, 1 - gate), i, lanes)
    }
  }
}

/// 2 √(2/π) (x + 0.044715 x³)
@inline(__always)
private func geluArgument(_ x: SIMD16<Float>) -> SIMD16<Float> {
  1.595_769_12 * x * SIMD16<Float>(repeating: 1).addingProduct(x * x, SIMD16(repeating: 0.044_715))
}
