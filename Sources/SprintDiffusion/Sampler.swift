import SprintKernels
import SprintModel

/// Draws samples from a trained network, with the state of a sample in double precision.
///
/// It draws one batch at a time, on one thread that calls it.
package final class Sampler {
  private let network: Network
  private let weights: any NetworkWeights
  private let settings: SamplerSettings
  private let memory: PassMemory
  private var pass = Pass()
  private let input: Matrix<Float>
  /// [branches · n, F] noisy class tokens, if the network has them.
  private let classTokens: Matrix<Float>?
  private let arena: Arena

  /// The largest number of samples in a call.
  package let batch: Int

  /// Makes a sampler with memory for `batch` samples at a time.
  package init(_ network: Network, weights: any NetworkWeights, settings: SamplerSettings, batch: Int) {
    precondition(settings.steps >= settings.method.fewestSteps, "too few sampling steps")
    self.network = network
    self.weights = weights
    self.settings = settings
    self.batch = batch
    let rows = settings.guidance.kind == .none ? batch : 2 * batch
    memory = PassMemory(network, PassSize(batch: rows, training: false, precision: weights.precision))
    let model = network.configuration
    arena = Arena(
      count: Arena.aligned(rows * model.latentElements) + Arena.aligned(rows * (model.classToken ?? 0)))
    input = arena.matrix(rows: rows, columns: model.latentElements)
    classTokens = model.classToken.map { [arena] in arena.matrix(rows: rows, columns: $0) }
  }

  /// Turns noise into samples. With class tokens, whatever is of [n · C · S · S] here is followed by theirs, of
  /// [n · F].
  ///
  /// - Parameters:
  ///   - start: [n · C · S · S] noise, n at most `batch`
  ///   - labels: [n] classes
  ///   - stepNoise: fills [n · C · S · S] with the noise of stochastic step `step`
  /// - Returns: [n · C · S · S] samples
  package func sample(
    start: [Double], labels: [Int], stepNoise: (_ step: Int, _ noise: inout [Float]) -> Void = { _, _ in }
  ) -> [Double] {
    precondition(
      labels.count <= batch && start.count == labels.count * network.configuration.stateElements,
      "noise of another batch")
    var x = start
    var noise = [Float](repeating: 0, count: x.count)
    let times = settings.times
    for (step, (t, next)) in zip(times, times.dropFirst()).enumerated() {
      let drift = stepDrift(x, labels, from: t, to: next)
      let deviation = settings.method.deviation(from: t, to: next)
      if deviation != nil { stepNoise(step, &noise) }
      for i in x.indices { x[i] += (next - t) * drift[i] + (deviation.map { $0 * Double(noise[i]) } ?? 0) }
    }
    return x
  }

  /// Returns the drift along which the step from time `t` to `next` goes.
  private func stepDrift(_ x: [Double], _ labels: [Int], from t: Double, to next: Double) -> [Double] {
    let first = guidedDrift(x, labels, t)
    guard settings.method.correctsStep(to: next) else { return first }
    let second = guidedDrift(zip(x, first).map { $0 + (next - t) * $1 }, labels, next)
    return zip(first, second).map { ($0 + $1) / 2 }
  }

  /// Returns weak + scale · (conditional - weak), or the conditional drift alone where guidance does not act.
  private func guidedDrift(_ x: [Double], _ labels: [Int], _ t: Double) -> [Double] {
    let guidance = settings.guidance
    let isGuided = guidance.acts(at: t)
    let latents = 0..<labels.count * input.columns
    findVelocities(x, labels, t, isGuided: isGuided)
    func guided(_ range: Range<Int>, _ velocity: Matrix<Float>, scale: Double) -> [Double] {
      range.map { i in
        let place = i - range.lowerBound
        let conditional = drift(Double(velocity.base[place]), x[i], t)
        guard isGuided else { return conditional }
        let weak = drift(Double(velocity.base[range.count + place]), x[i], t)
        return weak + scale * (conditional - weak)
      }
    }
    let drifts = guided(latents, memory.velocity, scale: guidance.scale)
    guard let velocity = memory.classVelocity else { return drifts }
    return drifts
      + guided(latents.upperBound..<x.count, velocity, scale: guidance.classTokenScale ?? guidance.scale)
  }

  /// Runs the conditional branch and, with guidance, the weak one. Both branches are one batch; a weak branch without a
  /// deep path never enters the middle blocks.
  private func findVelocities(_ x: [Double], _ labels: [Int], _ t: Double, isGuided: Bool) {
    let guidance = settings.guidance
    let branches = isGuided ? 2 : 1
    let count = branches * labels.count
    let latents = labels.count * input.columns
    for branch in 0..<branches {
      for i in 0..<latents { input.base[branch * latents + i] = Float(x[i]) }
      guard let classTokens else { continue }
      let tokens = x.count - latents
      for i in 0..<tokens { classTokens.base[branch * tokens + i] = Float(x[latents + i]) }
    }
    let weakLabels =
      guidance.kind == .pathDrop && guidance.keepsClass
      ? labels : labels.map { _ in network.configuration.classes }
    let dropsPath = (0..<count).map { $0 >= labels.count && guidance.kind == .pathDrop }
    network.forward(
      weights,
      NetworkInput(
        latents: input.rows(0..<count), classTokens: classTokens?.rows(0..<count),
        times: Array(repeating: Float(t), count: count),
        labels: isGuided ? labels + weakLabels : labels, deepPath: DeepPath(dropped: dropsPath)),
      into: &pass, in: memory)
  }

  private func drift(_ velocity: Double, _ x: Double, _ t: Double) -> Double {
    settings.method.drift(velocity: velocity, x: x, at: t, settings.interpolant)
  }
}
