import Foundation

/// The constants of one AdamW update, the same for all weights. arXiv 1711.05101, as PyTorch computes it.
package struct AdamWStep: Sendable {
  let decay, stepSize, inverseRootCorrection, epsilon, gradientFactor: Float
  let beta2: Float
  // 1 - beta, rounded once from double. Computed from the rounded beta it would be off by 5e-5 at 0.999.
  let beta1Rest, beta2Rest, emaRest: Float

  /// Derives the constants of update `step`.
  ///
  /// - Parameters:
  ///   - step: number of the update, counted from 1
  ///   - gradientFactor: multiplies the gradients first (clipping, averaging)
  ///   - ema: e in ema = ema + (1 - e) · (weights - ema)
  package init(
    step: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
    gradientFactor: Double, ema: Double
  ) {
    precondition(step > 0, "updates are counted from one")
    decay = Float(1 - learningRate * weightDecay)
    beta1Rest = Float(1 - beta1)
    self.beta2 = Float(beta2)
    beta2Rest = Float(1 - beta2)
    stepSize = Float(learningRate / (1 - pow(beta1, Double(step))))
    inverseRootCorrection = Float(1 / (1 - pow(beta2, Double(step))).squareRoot())
    self.epsilon = Float(epsilon)
    self.gradientFactor = Float(gradientFactor)
    emaRest = Float(1 - ema)
  }
}

/// The weights that a step of AdamW updates, with their gradients and state: slices of arenas, [n] each.
package struct AdamWSlices: Sendable {
  let weights, gradients, firstMoment, secondMoment, average: Vector<Float>

  /// Puts together slices of equal length.
  package init(
    weights: Vector<Float>, gradients: Vector<Float>, firstMoment: Vector<Float>, secondMoment: Vector<Float>,
    average: Vector<Float>
  ) {
    let count = weights.count
    precondition(gradients.count == count && firstMoment.count == count, "adamW: counts differ")
    precondition(secondMoment.count == count && average.count == count, "adamW: counts differ")
    (self.weights, self.gradients, self.average) = (weights, gradients, average)
    (self.firstMoment, self.secondMoment) = (firstMoment, secondMoment)
  }
}

/// Updates weights, both moments and the moving average, in one pass over memory.
package func adamW(_ step: AdamWStep, _ slices: AdamWSlices) {
  let w = slices.weights.base
  for i in 0..<slices.weights.count { w[i] = updatedWeight(step, slices, i) }
}

/// Does the same, and writes the new weights rounded to the format in which passes compute.
///
/// - Parameter rounded: [n]
package func adamW(_ step: AdamWStep, _ slices: AdamWSlices, rounded: Vector<BFloat16>) {
  precondition(rounded.count == slices.weights.count, "adamW: counts differ")
  let (w, r) = (slices.weights.base, rounded.base)
  for i in 0..<slices.weights.count {
    let weight = updatedWeight(step, slices, i)
    w[i] = weight
    r[i] = BFloat16(weight)
  }
}

/// Updates everything of weight `i` but the weight itself, and returns that.
// Scalar on purpose: the compiler vectorises this square root, while SIMD16's is computed lane by lane.
@inline(__always)
private func updatedWeight(_ step: AdamWStep, _ slices: AdamWSlices, _ i: Int) -> Float {
  let (w, g, m) = (slices.weights.base, slices.gradients.base, slices.firstMoment.base)
  let (v, a) = (slices.secondMoment.base, slices.average.base)
  let gradient = g[i] * step.gradientFactor
  let first = m[i] + (gradient - m[i]) * step.beta1Rest
  let second = v[i] * step.beta2 + gradient * gradient * step.beta2Rest
  let updated =
    w[i] * step.decay - step.stepSize * first / (second.squareRoot() * step.inverseRootCorrection + step.epsilon)
  m[i] = first
  v[i] = second
  // Not e · average + (1 - e) · weights: the rounded e and 1 - e do not add up to 1, so that such an average drifts
  // from constant weights, by 1.7e-4 in 8,000 steps at 0.9999.
  a[i] += (updated - a[i]) * step.emaRest
  return updated
}

/// Moves the average alone, of weights that rest in this step.
package func updateAverage(_ step: AdamWStep, weights: Vector<Float>, average: Vector<Float>) {
  precondition(weights.count == average.count, "updateAverage: counts differ")
  let (w, a) = (weights.base, average.base)
  for i in 0..<weights.count { a[i] += (w[i] - a[i]) * step.emaRest }
}

/// Σ x² in double precision.
package func sumOfSquares(_ x: Vector<Float>) -> Double { sumOfProducts(x, x) }

/// Σ x · y in double precision.
package func sumOfProducts(_ x: Vector<Float>, _ y: Vector<Float>) -> Double {
  precondition(x.count == y.count, "sumOfProducts: counts differ")
  var total = 0.0
  for start in stride(from: 0, to: x.count, by: 4096) {
    let run = min(4096, x.count - start)
    total += Double(dot(x.base + start, y.base + start, run))
  }
  return total
}
