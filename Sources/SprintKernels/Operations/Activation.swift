/// y = GELU(x), the tanh form: x / (1 + exp(-2 √(2/π) (x + 0.044715 x³))). arXiv 1606.08415.
///
/// - Parameters:
///   - x: [rows, columns]
///   - y: [rows, columns]
package func gelu(_ x: Matrix, into y: Matrix) {
  elementwise(x, y) { $0 * sigmoid(geluArgument($0)) }
}

/// dx = dy · GELU'(x) in place of dy, from y = GELU(x).
///
/// - Parameter y: receives GELU(x) again, for the weight gradient; may be the memory of x
package func geluBackward(_ dy: Matrix, _ x: Matrix, recomputing y: Matrix) {
  precondition(
    x.rows == y.rows && x.columns == y.columns && dy.rows == x.rows && dy.columns == x.columns, "gelu: shapes differ")
  for r in 0..<x.rows {
    let (input, output, gradient) = (x.row(r), y.row(r), dy.row(r))
    forEachVector(x.columns) { i, lanes in
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
package func silu(_ x: Matrix, into y: Matrix) {
  elementwise(x, y) { $0 * sigmoid($0) }
}

/// dx = dy · SiLU'(x) in place of dy, from y = SiLU(x)
package func siluBackward(_ dy: Matrix, _ x: Matrix) {
  precondition(dy.rows == x.rows && dy.columns == x.columns, "silu: shapes differ")
  for r in 0..<x.rows {
    let (input, gradient) = (x.row(r), dy.row(r))
    forEachVector(x.columns) { i, lanes in
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

@inline(__always)
private func elementwise(_ x: Matrix, _ y: Matrix, _ function: (SIMD16<Float>) -> SIMD16<Float>) {
  precondition(x.rows == y.rows && x.columns == y.columns, "element-wise function: shapes differ")
  for r in 0..<x.rows {
    let (input, output) = (x.row(r), y.row(r))
    forEachVector(x.columns) { i, lanes in output.store(function(input.load(i, lanes)), i, lanes) }
  }
}
