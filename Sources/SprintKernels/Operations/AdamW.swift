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

/// Updates weights, both moments and the moving average and zeroes the gradients, in one pass over memory.
///
/// - Parameters: slices of the arenas, all [n]
package func adamW(
  _ step: AdamWStep, weights: Vector, gradients: Vector, firstMoment: Vector, secondMoment: Vector, average: Vector
) {
  let count = weights.count
  precondition(gradients.count == count && firstMoment.count == count, "adamW: counts differ")
  precondition(secondMoment.count == count && average.count == count, "adamW: counts differ")
  let (w, g, m, v, a) = (weights.base, gradients.base, firstMoment.base, secondMoment.base, average.base)
  // Scalar on purpose: the compiler vectorises this square root, while SIMD16's is computed lane by lane.
  for i in 0..<count {
    let gradient = g[i] * step.gradientFactor
    let first = m[i] + (gradient - m[i]) * step.beta1Rest
    let second = v[i] * step.beta2 + gradient * gradient * step.beta2Rest
    let updated =
      w[i] * step.decay - step.stepSize * first / (second.squareRoot() * step.inverseRootCorrection + step.epsilon)
    m[i] = first
    v[i] = second
    w[i] = updated
    // Not e · average + (1 - e) · weights: the rounded e and 1 - e do not add up to 1, so that such an average drifts
    // from constant weights, by 1.7e-4 in 8,000 steps at 0.9999.
    a[i] += (updated - a[i]) * step.emaRest
    g[i] = 0
  }
}

/// Σ x² in double precision.
package func sumOfSquares(_ x: Vector) -> Double {
  var total = 0.0
  for start in stride(from: 0, to: x.count, by: 4096) {
    let run = min(4096, x.count - start)
    total += Double(dot(x.base + start, x.base + start, run))
  }
  return total
}
