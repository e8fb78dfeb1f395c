private let epsilon: Float = 1e-6

/// y = x / sqrt(mean(x²) + 1e-6) · weight, row by row. arXiv 1910.07467.
///
/// - Parameters:
///   - x: [rows, W] queries or keys of one head
///   - weight: [W]
///   - y: [rows, W]
package func rmsNorm(_ x: Matrix, weight: Vector, into y: Matrix) {
  precondition(x.rows == y.rows && x.columns == y.columns && weight.count == x.columns, "rmsNorm: shapes differ")
  for r in 0..<x.rows {
    let (input, output) = (x.row(r), y.row(r))
    let inverse = inverseRoot(input, x.columns)
    forEachVector(x.columns) { i, lanes in
      output.store(input.load(i, lanes) * inverse * weight.base.load(i, lanes), i, lanes)
    }
  }
}

/// dx = …, dweight += …, from y = x / sqrt(mean(x²) + 1e-6) · weight
///
/// - Parameters:
///   - dy: [rows, W]
///   - x: [rows, W]
///   - dx: [rows, W], may be the memory of `dy`
package func rmsNormBackward(_ dy: Matrix, _ x: Matrix, weight: Vector, into dx: Matrix, adding weightGradient: Vector)
{
  precondition(x.rows == dy.rows && x.columns == dy.columns && weight.count == x.columns, "rmsNorm: shapes differ")
  precondition(
    dx.rows == x.rows && dx.columns == x.columns && weightGradient.count == x.columns, "rmsNorm: shapes differ")
  let width = x.columns
  for r in 0..<x.rows {
    let (gradient, input, output) = (dy.row(r), x.row(r), dx.row(r))
    let inverse = inverseRoot(input, width)
    var along = SIMD16<Float>()
    forEachVector(width) { i, lanes in
      let (g, v) = (gradient.load(i, lanes), input.load(i, lanes))
      let product = g * v
      weightGradient.base.store(
        weightGradient.base.load(i, lanes).addingProduct(product, SIMD16(repeating: inverse)), i, lanes)
      along = along.addingProduct(product, weight.base.load(i, lanes))
    }
    let pull = along.sum() * inverse * inverse * inverse / Float(width)
    forEachVector(width) { i, lanes in
      let through = gradient.load(i, lanes) * weight.base.load(i, lanes) * inverse
      output.store(through - input.load(i, lanes) * pull, i, lanes)
    }
  }
}

@inline(__always)
private func inverseRoot(_ x: UnsafeMutablePointer<Float>, _ width: Int) -> Float {
  1 / (dot(x, x, width) / Float(width) + epsilon).squareRoot()
}
