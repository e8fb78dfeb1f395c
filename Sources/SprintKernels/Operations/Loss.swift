/// Returns Σ (prediction - target)² of one sample, summed in double precision.
///
/// - Parameters:
///   - prediction: [n]
///   - target: [n]
package func squaredError(_ prediction: Vector<Float>, _ target: Vector<Float>) -> Double {
  precondition(prediction.count == target.count, "squaredError: shapes differ")
  var total = 0.0
  // Short runs in single precision vectorise; adding them up in double precision keeps the small terms of a long sum.
  for start in Swift.stride(from: 0, to: prediction.count, by: 1024) {
    var sum = SIMD16<Float>()
    for (i, lanes) in Vectors(min(1024, prediction.count - start)) {
      let difference = prediction.base.load(start + i, lanes) - target.base.load(start + i, lanes)
      sum = sum.addingProduct(difference, difference)
    }
    total += Double(sum.sum())
  }
  return total
}

/// dprediction = factor · (prediction - target); factor = 2 / count gives the gradient of the mean squared error.
package func squaredErrorBackward(
  _ prediction: Vector<Float>, _ target: Vector<Float>, factor: Float, into gradient: Vector<Float>
) {
  precondition(prediction.count == target.count && gradient.count == target.count, "squaredError: shapes differ")
  for (i, lanes) in Vectors(prediction.count) {
    gradient.base.store((prediction.base.load(i, lanes) - target.base.load(i, lanes)) * factor, i, lanes)
  }
}

/// dprediction += factor · (prediction - target)
package func squaredErrorBackward(
  _ prediction: Vector<Float>, _ target: Vector<Float>, factor: Float, adding gradient: Vector<Float>
) {
  precondition(prediction.count == target.count && gradient.count == target.count, "squaredError: shapes differ")
  for (i, lanes) in Vectors(prediction.count) {
    let difference = prediction.base.load(i, lanes) - target.base.load(i, lanes)
    gradient.base.store(gradient.base.load(i, lanes) + difference * factor, i, lanes)
  }
}

/// Returns cos(x, y) = x · y / (|x| |y|), with both norms at least 1e-12. REPA, arXiv 2410.06940.
package func cosineSimilarity(_ x: Vector<Float>, _ y: Vector<Float>) -> Float {
  let (xy, xx, yy) = products(x, y)
  return xy / (max(xx, floorOfSquares) * max(yy, floorOfSquares)).squareRoot()
}

/// dx = factor · ∂cos(x, y)/∂x = factor · (y / (|x| |y|) - cos · x / |x|²)
package func cosineSimilarityBackward(_ x: Vector<Float>, _ y: Vector<Float>, factor: Float, into dx: Vector<Float>) {
  precondition(dx.count == x.count, "cosineSimilarity: shapes differ")
  let (xy, xx, yy) = products(x, y)
  let inverse = 1 / (max(xx, floorOfSquares) * max(yy, floorOfSquares)).squareRoot()
  let along = xx > floorOfSquares ? xy * inverse / xx : 0
  for (i, lanes) in Vectors(x.count) {
    dx.base.store((y.base.load(i, lanes) * inverse - x.base.load(i, lanes) * along) * factor, i, lanes)
  }
}

private let floorOfSquares: Float = 1e-24

private func products(_ x: Vector<Float>, _ y: Vector<Float>) -> (xy: Float, xx: Float, yy: Float) {
  precondition(x.count == y.count, "cosineSimilarity: shapes differ")
  return (dot(x.base, y.base, x.count), dot(x.base, x.base, x.count), dot(y.base, y.base, y.count))
}
