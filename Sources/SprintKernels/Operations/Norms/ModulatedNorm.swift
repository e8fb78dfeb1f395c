/// The two vectors that modulate a normalised token, or their gradients: [D] each, of one sample.
package struct ShiftAndScale: Sendable {
  let shift, scale: Vector<Float>

  /// Pairs a shift with a scale of the same width.
  package init(shift: Vector<Float>, scale: Vector<Float>) {
    precondition(shift.count == scale.count, "modulation: shapes differ")
    (self.shift, self.scale) = (shift, scale)
  }
}

/// How a token is normalised before its modulation; neither norm has weights, and both add 1e-6 under the root.
package enum Norm: String, Sendable, CaseIterable {
  /// (x - mean(x)) / sqrt(mean((x - mean(x))²)). arXiv 1607.06450.
  case layer
  /// x / sqrt(mean(x²)). arXiv 1910.07467.
  case rms

  /// The number that a row's elements lose, and the factor that the rest gets.
  @inline(__always)
  func statistics(_ x: UnsafeMutablePointer<Float>, _ width: Int) -> (mean: Float, inverse: Float) {
    self == .layer ? moments(x, width) : (0, inverseRoot(x, width, epsilon: 1e-6))
  }
}

/// y = norm(x) · (1 + scale) + shift. DiT, arXiv 2212.09748, section 3.
///
/// - Parameters:
///   - x: [rows, D] tokens of one sample
///   - modulation: of the sample
///   - y: [rows, D]
///   - statistics: [rows, 2] receives the mean, 0 of `rms`, and the inverse deviation of each row
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func modulatedNorm<Element: MatrixElement>(
  _ x: Matrix<Float>, _ norm: Norm, _ modulation: ShiftAndScale, into y: Matrix<Element>, statistics: Matrix<Float>
) {
  checkShapes(x, y, modulation, statistics)
  let (width, shift, scale) = (x.columns, modulation.shift, modulation.scale)
  for r in 0..<x.rows {
    let (input, output) = (x.row(r), y.row(r))
    let (mean, inverse) = norm.statistics(input, width)
    statistics[r, 0] = mean
    statistics[r, 1] = inverse
    for (i, lanes) in Vectors(width) {
      let normalized = (input.load(i, lanes) - mean) * inverse
      output.store(modulate(normalized, shift, scale, i, lanes), i, lanes)
    }
  }
}

/// dx += …, dshift += …, dscale += …, from y = norm(x) · (1 + scale) + shift
///
/// - Parameters:
///   - dy: [rows, D] gradient of y
///   - x: [rows, D] tokens of one sample
///   - modulation: of the sample
///   - statistics: [rows, 2] as the forward pass wrote them
///   - y: [rows, D] receives y again, for the weight gradient of the layer that follows
///   - dx: [rows, D]
///   - gradient: gradients of the modulation
@_specialize(where Element == Float)
@_specialize(where Element == BFloat16)
package func modulatedNormBackward<Element: MatrixElement>(
  _ dy: Matrix<Element>, _ x: Matrix<Float>, _ norm: Norm, _ modulation: ShiftAndScale, statistics: Matrix<Float>,
  recomputing y: Matrix<Element>, adding dx: Matrix<Float>, adding gradient: ShiftAndScale
) {
  checkShapes(x, dy, modulation, statistics)
  checkShapes(y, dx, gradient, statistics)
  let (width, shift, scale) = (x.columns, modulation.shift, modulation.scale)
  let (shiftGradient, scaleGradient) = (gradient.shift, gradient.scale)
  for r in 0..<x.rows {
    let (gradient, input, output, sum) = (dy.row(r), x.row(r), y.row(r), dx.row(r))
    let (mean, inverse) = (statistics[r, 0], statistics[r, 1])
    var total = SIMD16<Float>()
    var aligned = SIMD16<Float>()
    for (i, lanes) in Vectors(width) {
      let normalized = (input.load(i, lanes) - mean) * inverse
      let g = gradient.load(i, lanes)
      shiftGradient.base.store(shiftGradient.base.load(i, lanes) + g, i, lanes)
      scaleGradient.base.store(scaleGradient.base.load(i, lanes).addingProduct(g, normalized), i, lanes)
      let through = g * (1 + scale.base.load(i, lanes))
      total += through
      // Lanes beyond the row's end add nothing: their gradient is zero.
      aligned = aligned.addingProduct(through, normalized)
    }
    let meanTotal = norm == .layer ? total.sum() / Float(width) : 0
    let meanAligned = aligned.sum() / Float(width)
    for (i, lanes) in Vectors(width) {
      let normalized = (input.load(i, lanes) - mean) * inverse
      let through = gradient.load(i, lanes) * (1 + scale.base.load(i, lanes))
      let change = (through - meanTotal - normalized * meanAligned) * inverse
      sum.store(sum.load(i, lanes) + change, i, lanes)
      output.store(modulate(normalized, shift, scale, i, lanes), i, lanes)
    }
  }
}

@inline(__always)
private func modulate(
  _ normalized: SIMD16<Float>, _ shift: Vector<Float>, _ scale: Vector<Float>, _ i: Int, _ lanes: Int
) -> SIMD16<Float> {
  shift.base.load(i, lanes).addingProduct(normalized, 1 + scale.base.load(i, lanes))
}

/// The mean of a row and 1 / sqrt(variance + 1e-6). The variance is taken around the mean, in a second pass.
@inline(__always)
func moments(_ x: UnsafeMutablePointer<Float>, _ width: Int) -> (mean: Float, inverse: Float) {
  var sum = SIMD16<Float>()
  for (i, lanes) in Vectors(width) { sum += x.load(i, lanes) }
  let mean = sum.sum() / Float(width)
  var squares = SIMD16<Float>()
  for (i, lanes) in Vectors(width) {
    let centred = x.load(i, lanes) - mean
    squares = squares.addingProduct(centred, centred)
  }
  // Each lane beyond the row's end has added (0 - mean)².
  let missing = Float((16 - width % 16) % 16)
  let variance = max(0, squares.sum() - missing * mean * mean) / Float(width)
  return (mean, 1 / (variance + 1e-6).squareRoot())
}

private func checkShapes<X: MatrixElement, Y: MatrixElement>(
  _ x: Matrix<X>, _ y: Matrix<Y>, _ modulation: ShiftAndScale, _ statistics: Matrix<Float>
) {
  precondition(x.rows == y.rows && x.columns == y.columns, "modulation: shapes differ")
  precondition(modulation.shift.count == x.columns, "modulation: shapes differ")
  precondition(statistics.rows == x.rows && statistics.columns == 2, "modulation: shapes differ")
}
