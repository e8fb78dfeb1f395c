/// y = layerNorm(x) · (1 + scale) + shift; the norm has no weights of its own. DiT, arXiv 2212.09748, section 3.
///
/// - Parameters:
///   - x: [R, D] tokens of one sample
///   - shift: [D], of the sample
///   - scale: [D], of the sample
///   - y: [R, D]
///   - statistics: [R, 2] receives the mean and the inverse deviation of each row
package func modulatedLayerNorm(_ x: Matrix, shift: Vector, scale: Vector, into y: Matrix, statistics: Matrix) {
  checkModulation(x, y, shift, scale, statistics)
  let width = x.columns
  for r in 0..<x.rows {
    let (input, output) = (x.row(r), y.row(r))
    let (mean, inverse) = moments(input, width)
    statistics[r, 0] = mean
    statistics[r, 1] = inverse
    forEachVector(width) { i, lanes in
      let normalized = (input.load(i, lanes) - mean) * inverse
      output.store(modulate(normalized, shift, scale, i, lanes), i, lanes)
    }
  }
}

/// dx += …, dshift += …, dscale += …, from y = layerNorm(x) · (1 + scale) + shift
///
/// - Parameters:
///   - dy: [R, D] gradient of y
///   - x: [R, D] tokens of one sample
///   - statistics: [R, 2] as written by the forward pass
///   - y: [R, D] receives y once more, which the weight gradient that follows reads; may be the memory of x
///   - dx: [R, D] is added to
package func modulatedLayerNormBackward(
  _ dy: Matrix, _ x: Matrix, shift: Vector, scale: Vector, statistics: Matrix, y: Matrix, dx: Matrix,
  shiftGradient: Vector, scaleGradient: Vector
) {
  checkModulation(x, dy, shift, scale, statistics)
  precondition(
    y.rows == x.rows && dx.rows == x.rows && y.columns == x.columns && dx.columns == x.columns,
    "modulation: shapes differ")
  precondition(shiftGradient.count == x.columns && scaleGradient.count == x.columns, "modulation: shapes differ")
  let width = x.columns
  for r in 0..<x.rows {
    let (gradient, input, output, sum) = (dy.row(r), x.row(r), y.row(r), dx.row(r))
    let (mean, inverse) = (statistics[r, 0], statistics[r, 1])
    var total = SIMD16<Float>()
    var aligned = SIMD16<Float>()
    forEachVector(width) { i, lanes in
      let normalized = (input.load(i, lanes) - mean) * inverse
      let g = gradient.load(i, lanes)
      shiftGradient.base.store(shiftGradient.base.load(i, lanes) + g, i, lanes)
      scaleGradient.base.store(scaleGradient.base.load(i, lanes).addingProduct(g, normalized), i, lanes)
      let through = g * (1 + scale.base.load(i, lanes))
      total += through
      // Lanes past the row's end hold a gradient of zero, whatever their normalized value.
      aligned = aligned.addingProduct(through, normalized)
    }
    let meanTotal = total.sum() / Float(width)
    let meanAligned = aligned.sum() / Float(width)
    forEachVector(width) { i, lanes in
      let normalized = (input.load(i, lanes) - mean) * inverse
      let through = gradient.load(i, lanes) * (1 + scale.base.load(i, lanes))
      let change = (through - meanTotal - normalized * meanAligned) * inverse
      sum.store(sum.load(i, lanes) + change, i, lanes)
      output.store(modulate(normalized, shift, scale, i, lanes), i, lanes)
    }
  }
}

@inline(__always)
private func modulate(_ normalized: SIMD16<Float>, _ shift: Vector, _ scale: Vector, _ i: Int, _ lanes: Int) -> SIMD16<
  Float
> {
  shift.base.load(i, lanes).addingProduct(normalized, 1 + scale.base.load(i, lanes))
}

/// Mean and 1 / sqrt(variance + 1e-6) of a row, the variance around the mean already found.
@inline(__always)
private func moments(_ x: UnsafeMutablePointer<Float>, _ width: Int) -> (mean: Float, inverse: Float) {
  var sum = SIMD16<Float>()
  forEachVector(width) { i, lanes in sum += x.load(i, lanes) }
  let mean = sum.sum() / Float(width)
  var squares = SIMD16<Float>()
  forEachVector(width) { i, lanes in
    let centred = x.load(i, lanes) - mean
    squares = squares.addingProduct(centred, centred)
  }
  // Lanes past the row's end were counted as (0 - mean)².
  let missing = Float((16 - width % 16) % 16)
  let variance = max(0, squares.sum() - missing * mean * mean) / Float(width)
  return (mean, 1 / (variance + 1e-6).squareRoot())
}

private func checkModulation(_ x: Matrix, _ y: Matrix, _ shift: Vector, _ scale: Vector, _ statistics: Matrix) {
  precondition(x.rows == y.rows && x.columns == y.columns, "modulation: shapes differ")
  precondition(shift.count == x.columns && scale.count == x.columns, "modulation: shapes differ")
  precondition(statistics.rows == x.rows && statistics.columns == 2, "modulation: shapes differ")
}
