import SprintKernels
import SprintModel

/// The training objective: the mean squared error of the velocity on a path between data and noise, and the alignment
/// with a teacher's features and attention. SiT, arXiv 2401.08740; REPA, arXiv 2410.06940; HASTE, arXiv 2505.16792.
///
/// It computes one batch at a time, on one thread that calls it.
package final class FlowMatching {
  private let network: Network
  private let interpolant: Interpolant
  private let memory: PassMemory
  private var pass = Pass()
  private let mixed, velocity: Matrix<Float>
  private let arena: Arena

  /// Makes an objective for batches of up to `memory.batch` samples. Nothing else may use `memory` meanwhile.
  package init(_ network: Network, interpolant: Interpolant, memory: PassMemory) {
    self.network = network
    self.interpolant = interpolant
    self.memory = memory
    let elements = network.configuration.latentElements
    arena = Arena(count: 2 * Arena.aligned(memory.batch * elements))
    mixed = arena.matrix(rows: memory.batch, columns: elements)
    velocity = arena.matrix(rows: memory.batch, columns: elements)
  }

  /// Returns the losses of a batch under the given weights.
  package func losses(_ weights: any NetworkWeights, _ batch: TrainingBatch, check: FiniteCheck? = nil) -> Losses {
    let count = batch.times.count
    mix(batch)
    let input = NetworkInput(
      latents: mixed.rows(0..<count), times: batch.times, labels: batch.labels, deepPath: batch.deepPath,
      readsFeatures: batch.teacher != nil, attention: batch.attention)
    network.forward(weights, input, into: &pass, in: memory, check: check)
    let errors = (0..<count).map { squaredError(memory.velocity.vector($0), velocity.vector($0)) }
    let attention = attentionLosses
    return Losses(
      denoising: errors.reduce(0, +) / Double(count * velocity.columns), alignment: alignment(batch.teacher),
      attention: attention.reduce(0, +) / Double(max(1, attention.count)))
  }

  /// The mean cross-entropy of each layer of the teacher's attention in the last batch; empty without its alignment.
  package var attentionLosses: [Double] { memory.attentionLosses(of: pass) }

  private func mix(_ batch: TrainingBatch) {
    let (data, noise, times) = (batch.data, batch.noise, batch.times)
    network.workers.run(tasks: times.count) { [interpolant, mixed, velocity] _, b in
      interpolant.mix(
        data: data.vector(b), noise: noise.vector(b), at: times[b], into: mixed.vector(b), velocity: velocity.vector(b))
    }
  }

  /// Returns the losses of a batch and sets `gradients` to `factor` times the gradient of their weighted sum, or adds
  /// that.
  ///
  /// - Parameters:
  ///   - factors: of the losses
  ///   - adds: whether the gradient is added to what is there
  ///   - onFinal: called with each stretch of `gradients` that is finished; the stretches cover the arena
  package func lossesAndGradients(
    _ weights: any NetworkWeights, _ batch: TrainingBatch, _ factors: LossWeights, factor: Double = 1,
    gradients: ParameterArena<Float>, adds: Bool = false, check: FiniteCheck? = nil,
    onFinal: @escaping (Range<Int>) -> Void = { _ in }
  ) -> Losses {
    let losses = losses(weights, batch, check: check)
    let count = batch.times.count
    let velocityGradient = memory.velocityGradient
    for b in 0..<count {
      squaredErrorBackward(
        memory.velocity.vector(b), velocity.vector(b),
        factor: Float(factor * factors.denoising * 2 / Double(count * velocity.columns)),
        into: velocityGradient.vector(b))
    }
    alignmentBackward(batch.teacher, factor: factor * factors.alignment)
    network.backward(
      weights, into: gradients, adds: adds, of: pass, attentionGradient: factor * factors.attention, in: memory,
      check: check, onFinal: onFinal)
    return losses
  }

  private func alignment(_ teacher: Matrix<Float>?) -> Double {
    guard let teacher, let features = memory.features(of: pass)?.values else { return 0 }
    let sum = (0..<features.rows).reduce(0.0) {
      $0 + Double(cosineSimilarity(features.vector($1), teacherFeature(teacher, row: $1)))
    }
    return -sum / Double(features.rows)
  }

  private func alignmentBackward(_ teacher: Matrix<Float>?, factor: Double) {
    guard let teacher, let features = memory.features(of: pass) else { return }
    for row in 0..<features.values.rows {
      cosineSimilarityBackward(
        features.values.vector(row), teacherFeature(teacher, row: row),
        factor: Float(-factor / Double(features.values.rows)), into: features.gradients.vector(row))
    }
  }

  /// The teacher's feature of the token that a row of the projected features belongs to.
  private func teacherFeature(_ teacher: Matrix<Float>, row: Int) -> Vector<Float> {
    let (sample, token) = pass.featureToken(row: row)
    return teacher.vector(sample * network.configuration.tokens + token)
  }
}
