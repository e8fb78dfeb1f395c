/// y = turn(x / sqrt(mean(x²) + epsilon) · weight), head by head: the norm of queries or keys (arXiv 1910.07467),
/// then their rotary embedding, which turns pairs: (x0, x1) -> (x0 cos - x1 sin, x1 cos + x0 sin).
///
/// - Parameters:
///   - x: [rows, H W] queries or keys of any number of heads
///   - weight: [W]
///   - positions: [rows] the row of the table for each token
///   - y: [rows, H W]
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func turnedNorm<Element: MatrixElement>(
  _ x: Matrix<Element>, weight: Vector<Element>, epsilon: Float, _ table: RotaryTable, positions: UnsafePointer<Int32>,
  into y: Matrix<Element>
) {
  let width = weight.count
  precondition(x.rows == y.rows && x.columns == y.columns && x.columns % width == 0, "turnedNorm: shapes differ")
  precondition(width == table.cosine.columns, "rotary: head width differs from the table's")
  // All heads of a token before the next token, as memory lies.
  for r in 0..<x.rows {
    let place = Int(positions[r])
    let (cosine, sine) = (table.cosine.row(place), table.sine.row(place))
    for start in stride(from: 0, to: x.columns, by: width) {
      let (input, output) = (x.row(r) + start, y.row(r) + start)
      let inverse = inverseRoot(input, width, epsilon: epsilon)
      for (i, lanes) in Vectors(width) {
        let v = input.load(i, lanes) * inverse * weight.base.load(i, lanes)
        output.store(turned(v, cosine.load(i, lanes), sine.load(i, lanes)), i, lanes)
      }
    }
  }
}

/// dx = …, dweight += …, from y = turn(x / sqrt(mean(x²) + epsilon) · weight), for one head
///
/// - Parameters:
///   - dy: [rows, W]
///   - x: [rows, W]
///   - dx: [rows, W], may be the memory of `dy`
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func turnedNormBackward<Element: MatrixElement>(
  _ dy: Matrix<Element>, _ x: Matrix<Element>, weight: Vector<Element>, epsilon: Float, _ table: RotaryTable,
  positions: UnsafePointer<Int32>, into dx: Matrix<Element>, adding weightGradient: Vector<Float>
) {
  precondition(x.rows == dy.rows && x.columns == dy.columns && weight.count == x.columns, "turnedNorm: shapes differ")
  precondition(
    dx.rows == x.rows && dx.columns == x.columns && weightGradient.count == x.columns, "turnedNorm: shapes differ")
  let width = x.columns
  for r in 0..<x.rows {
    let (gradient, input, output, place) = (dy.row(r), x.row(r), dx.row(r), Int(positions[r]))
    let (cosine, sine) = (table.cosine.row(place), table.sine.row(place))
    let inverse = inverseRoot(input, width, epsilon: epsilon)
    var along = SIMD16<Float>()
    for (i, lanes) in Vectors(width) {
      // The same turn, backwards.
      let g = turned(gradient.load(i, lanes), cosine.load(i, lanes), -1 * sine.load(i, lanes))
      let product = g * input.load(i, lanes)
      weightGradient.base.store(
        weightGradient.base.load(i, lanes).addingProduct(product, SIMD16(repeating: inverse)), i, lanes)
      along = along.addingProduct(product, weight.base.load(i, lanes))
    }
    let pull = along.sum() * inverse * inverse * inverse / Float(width)
    for (i, lanes) in Vectors(width) {
      let g = turned(gradient.load(i, lanes), cosine.load(i, lanes), -1 * sine.load(i, lanes))
      let through = g * weight.base.load(i, lanes) * inverse
      output.store(through - input.load(i, lanes) * pull, i, lanes)
    }
  }
}

/// The pairs of a vector, turned. `sine` has the sign of each element.
@inline(__always)
private func turned(_ x: SIMD16<Float>, _ cosine: SIMD16<Float>, _ sine: SIMD16<Float>) -> SIMD16<Float> {
  (x * cosine).addingProduct(swappedPairs(x), sine)
}

/// (x1, x0, x3, x2, ...): every 64 bits rotated by 32.
@inline(__always)
private func swappedPairs(_ x: SIMD16<Float>) -> SIMD16<Float> {
  let pairs = unsafeBitCast(x, to: SIMD8<UInt64>.self)
  return unsafeBitCast((pairs &>> 32) | (pairs &<< 32), to: SIMD16<Float>.self)
}
