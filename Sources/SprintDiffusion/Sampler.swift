import SprintKernels
import SprintModel

/// How samples are drawn.
package struct SamplerSettings: Sendable, Equatable {
  /// What is integrated from noise to data.
  package enum Method: String, Sendable, CaseIterable {
    /// The probability-flow ODE, by Euler's method.
    case ode
    /// The reverse SDE with diffusion 2 t, by Euler-Maruyama down to t = 0.04 and one noiseless step to 0.
    case sde
  }

  /// What is integrated.
  package var method: Method
  /// Network evaluations of the conditional branch.
  package var steps: Int
  /// How samples are pulled towards their class.
  package var guidance: Guidance
  /// The path that the network was trained on.
  package var interpolant: Interpolant

  /// Settings; at least one step, two for the SDE.
  package init(
    method: Method = .ode, steps: Int, guidance: Guidance = Guidance(), interpolant: Interpolant = .straight
  ) {
    self.method = method
    self.steps = steps
    self.guidance = guidance
    self.interpolant = interpolant
  }

  /// The times at which the network is evaluated, and 0 at the end.
  package var times: [Double] {
    switch method {
    case .ode: (0...steps).map { 1 - Double($0) / Double(steps) }
    case .sde: (0..<steps).map { 1 - Double($0) * (1 - Self.lastStochasticTime) / Double(steps - 1) } + [0]
    }
  }

  private static let lastStochasticTime = 0.04
}

/// Draws samples from a trained network; the state is kept in double precision.
package final class Sampler: Sendable {
  private let network: Network
  private let weights: ParameterArena
  private let settings: SamplerSettings
  private let activations: Activations
  private let input: Matrix
  private let arena: Arena

  /// The most samples of one call.
  package let batch: Int

  /// A sampler with memory for `batch` samples at a time.
  package init(_ network: Network, weights: ParameterArena, settings: SamplerSettings, batch: Int) {
    precondition(settings.steps >= (settings.method == .sde ? 2 : 1), "too few sampling steps")
    self.network = network
    self.weights = weights
    self.settings = settings
    self.batch = batch
    let rows = settings.guidance.kind == .none ? batch : 2 * batch
    activations = Activations(network, ActivationSize(batch: rows, training: false))
    arena = Arena(count: Arena.aligned(rows * network.configuration.latentElements))
    input = arena.matrix(rows: rows, columns: network.configuration.latentElements)
  }

  /// Turns noise into samples.
  ///
  /// - Parameters:
  ///   - start: [n · C · S · S] noise, n at most `batch`
  ///   - labels: [n] classes
  ///   - stepNoise: fills [n · C · S · S] with the noise of stochastic step `step`
  /// - Returns: [n · C · S · S] samples
  package func sample(
    start: [Double], labels: [Int], stepNoise: (_ step: Int, _ noise: inout [Float]) -> Void = { _, _ in }
  ) -> [Double] {
    precondition(labels.count <= batch && start.count == labels.count * input.columns, "a start of another batch")
    var x = start
    var noise = [Float](repeating: 0, count: settings.method == .sde ? x.count : 0)
    let times = settings.times
    for (step, (t, next)) in zip(times, times.dropFirst()).enumerated() {
      let drift = guidedDrift(x, labels, t)
      let isStochastic = settings.method == .sde && step < times.count - 2
      if isStochastic { stepNoise(step, &noise) }
      let spread = (Interpolant.diffusion(at: t) * (t - next)).squareRoot()
      for i in x.indices { x[i] += (next - t) * drift[i] + (isStochastic ? spread * Double(noise[i]) : 0) }
    }
    return x
  }

  /// weak + scale · (conditional - weak), or the conditional drift alone where guidance does not act. Both branches run as one
  /// batch; a weak branch without a deep path never enters the middle blocks.
  private func guidedDrift(_ x: [Double], _ labels: [Int], _ t: Double) -> [Double] {
    let guidance = settings.guidance
    let count = labels.count
    let branches = guidance.acts(at: t) ? 2 : 1
    for i in x.indices {
      for branch in 0..<branches { input.base[branch * x.count + i] = Float(x[i]) }
    }
    let weakLabels =
      guidance.kind == .pathDrop && guidance.keepsClass
      ? labels : labels.map { _ in network.configuration.classes }
    let isWeak = Array(repeating: false, count: count) + Array(repeating: guidance.kind == .pathDrop, count: count)
    network.forward(
      weights,
      NetworkInput(
        latents: input.rows(0..<branches * count), times: Array(repeating: Float(t), count: branches * count),
        labels: branches == 2 ? labels + weakLabels : labels,
        deepPath: DeepPath(dropped: Array(isWeak[..<(branches * count)]))),
      activations)
    return x.indices.map { i in
      let conditional = drift(Double(activations.velocity.base[i]), x[i], t)
      guard branches == 2 else { return conditional }
      let weak = drift(Double(activations.velocity.base[x.count + i]), x[i], t)
      return weak + guidance.scale * (conditional - weak)
    }
  }

  private func drift(_ velocity: Double, _ x: Double, _ t: Double) -> Double {
    settings.method == .ode ? velocity : settings.interpolant.stochasticDrift(velocity: velocity, x: x, at: t)
  }
}
