import Foundation
import SprintDiffusion
import SprintKernels
import SprintModel

/// Compares the gradients of one batch with central differences of the loss, parameter by parameter: along the
/// normalised gradient the loss has to rise by the gradient's norm.
struct GradientCheck {
  /// One parameter's result.
  struct Result {
    let name: String
    let norm, difference: Double
    /// The relative error; nil where the gradient is too small for single precision to show it.
    let error: Double?
  }

  /// The largest relative error that counts as agreement in single precision.
  static let tolerance = 0.02
  private let objective: FlowMatching
  private let weights, gradients: ParameterArena<Float>
  /// The gradients of the objective's passes, which may share their memory with activations.
  private let passGradients: ParameterArena<Float>
  private let factors: LossWeights

  /// A check at `weights` plus some noise, so that layers that start at zero have gradients to compare.
  ///
  /// - Parameter passGradients: those that backward passes of the objective set; the check changes them
  init(
    _ network: Network, _ objective: FlowMatching, weights: ParameterArena<Float>,
    passGradients: ParameterArena<Float>, factors: LossWeights, seed: UInt64
  ) {
    (self.objective, self.passGradients, self.factors) = (objective, passGradients, factors)
    self.weights = ParameterArena(network)
    gradients = ParameterArena(network)
    let random = Philox(seed: seed, purpose: .gradientCheck)
    for (index, parameter) in network.layout.parameters.enumerated() {
      let values = self.weights[parameter]
      random.fillNormal(values.buffer, draw: UInt64(index))
      for i in 0..<values.count { values[i] = weights[parameter][i] + 0.03 * values[i] }
    }
  }

  /// Compares every trained parameter.
  func run(_ batch: TrainingBatch) -> [Result] {
    let start = factors.total(objective.lossesAndGradients(weights, batch, factors, gradients: passGradients))
    gradients.elements.copy(from: passGradients.elements)
    return weights.layout.parameters.filter(\.isTrained).map { parameter in
      let (values, gradient) = (weights[parameter], gradients[parameter])
      let norm = sumOfSquares(gradient).squareRoot()
      let before = values.array
      // Long enough for the loss to change visibly, short compared with the weights.
      let length = min(0.005 * max(1, sumOfSquares(values).squareRoot()), 0.01 * abs(start) / max(norm, 1e-12))
      func loss(at distance: Double) -> Double {
        for i in 0..<values.count { values[i] = before[i] + Float(distance * Double(gradient[i]) / max(norm, 1e-30)) }
        return factors.total(objective.losses(weights, batch))
      }
      func slope(_ length: Double) -> Double { (loss(at: length) - loss(at: -length)) / (2 * length) }
      // Richardson's extrapolation removes the third derivative.
      let difference = (4 * slope(length / 2) - slope(length)) / 3
      for i in 0..<values.count { values[i] = before[i] }
      let isVisible = norm * length > 2e-5 * abs(start)
      return Result(
        name: parameter.name, norm: norm, difference: difference, error: isVisible ? abs(difference - norm) / norm : nil
      )
    }
  }

  /// Compares all parameters and returns a summary; throws where one disagrees.
  func summary(_ batch: TrainingBatch) throws -> String {
    let results = run(batch)
    let measured = results.compactMap { result in result.error.map { (result, $0) } }
    let bad = measured.filter { !($0.1 <= Self.tolerance) }
    if let first = bad.first {
      throw RunError.unusable(
        "gradient check: \(first.0.name) has norm \(first.0.norm), central differences say \(first.0.difference)"
      )
    }
    let worst = measured.max { $0.1 < $1.1 }
    return
      "gradients of one batch against central differences: \(measured.count) of \(measured.count) parameters agree "
      + "within \(Self.tolerance), \(results.count - measured.count) too small to see; the largest error is "
      + "\(worst.map { String(format: "%.1e of %@", $0.1, $0.0.name) } ?? "missing")"
  }
}
