import SprintKernels
import SprintModel

/// Everything that one training (micro-)batch of B samples is made of; all of it drawn beforehand.
package struct TrainingBatch: Sendable {
  /// [B, C · S · S] clean latents.
  package var data: Matrix
  /// [B, C · S · S] noise.
  package var noise: Matrix
  /// [B] times.
  package var times: [Float]
  /// [B] classes, dropped labels already replaced by the class count.
  package var labels: [Int]
  /// What the deep path sees.
  package var deepPath: DeepPath
  /// [B · N, F] teacher features, where alignment is on.
  package var teacher: Matrix?

  /// A batch; all parts are of the same B samples.
  package init(
    data: Matrix, noise: Matrix, times: [Float], labels: [Int], deepPath: DeepPath, teacher: Matrix? = nil
  ) {
    (self.data, self.noise, self.times, self.labels) = (data, noise, times, labels)
    (self.deepPath, self.teacher) = (deepPath, teacher)
  }
}

/// The losses of one batch.
package struct Losses: Sendable, Equatable {
  /// Mean squared error of the velocity.
  package var denoising: Double
  /// Minus the mean cosine between projected and teacher features, 0 without alignment.
  package var alignment: Double

  /// Losses of a batch.
  package init(denoising: Double, alignment: Double) {
    self.denoising = denoising
    self.alignment = alignment
  }
}

/// The training objective: the velocity's mean squared error on a path between data and noise, and the alignment with a
/// teacher's features. SiT, arXiv 2401.08740; REPA, arXiv 2410.06940.
package final class FlowMatching: Sendable {
  private let network: Network
  private let interpolant: Interpolant
  private let activations: Activations
  private let mixed, velocity: Matrix
  private let arena: Arena

  /// An objective with memory for batches of up to `activations.batch` samples.
  package init(_ network: Network, interpolant: Interpolant, activations: Activations) {
    self.network = network
    self.interpolant = interpolant
    self.activations = activations
    let elements = network.configuration.latentElements
    arena = Arena(count: 2 * Arena.aligned(activations.batch * elements))
    mixed = arena.matrix(rows: activations.batch, columns: elements)
    velocity = arena.matrix(rows: activations.batch, columns: elements)
  }

  /// The losses of a batch under the given weights.
  package func losses(_ weights: ParameterArena, _ batch: TrainingBatch, check: FiniteCheck? = nil) -> Losses {
    let count = batch.times.count
    let (data, noise, times) = (batch.data, batch.noise, batch.times)
    network.workers.run(tasks: count) { [interpolant, mixed, velocity] _, b in
      interpolant.mix(
        data: data.vector(b), noise: noise.vector(b), at: times[b], into: mixed.vector(b), velocity: velocity.vector(b))
    }
    let input = NetworkInput(
      latents: mixed.rows(0..<count), times: batch.times, labels: batch.labels, deepPath: batch.deepPath,
      readsFeatures: batch.teacher != nil)
    network.forward(weights, input, activations, check: check)
    let errors = (0..<count).map { squaredError(activations.velocity.vector($0), velocity.vector($0)) }
    return Losses(
      denoising: errors.reduce(0, +) / Double(count * velocity.columns), alignment: alignment(batch.teacher))
  }

  /// The losses of a batch; adds `factor` times the gradient of denoising + alignmentWeight · alignment to `gradients`.
  ///
  /// - Parameter onFinal: called with each stretch of `gradients` that is done with; the stretches cover the arena
  package func lossesAndGradients(
    _ weights: ParameterArena, _ batch: TrainingBatch, alignmentWeight: Double, factor: Double = 1,
    gradients: ParameterArena, check: FiniteCheck? = nil, onFinal: @escaping (Range<Int>) -> Void = { _ in }
  ) -> Losses {
    let losses = losses(weights, batch, check: check)
    let count = batch.times.count
    for b in 0..<count {
      squaredErrorBackward(
        activations.velocity.vector(b), velocity.vector(b),
        factor: Float(factor * 2 / Double(count * velocity.columns)),
        into: activations.velocityGradient.vector(b))
    }
    alignmentBackward(batch.teacher, factor: factor * alignmentWeight)
    network.backward(weights, gradients: gradients, activations, check: check, onFinal: onFinal)
    return losses
  }

  private func alignment(_ teacher: Matrix?) -> Double {
    guard let teacher, let features = activations.features?.values else { return 0 }
    let sum = (0..<features.rows).reduce(0.0) {
      $0 + Double(cosineSimilarity(features.vector($1), teacherFeature(teacher, row: $1)))
    }
    return -sum / Double(features.rows)
  }

  private func alignmentBackward(_ teacher: Matrix?, factor: Double) {
    guard let teacher, let features = activations.features else { return }
    for row in 0..<features.values.rows {
      cosineSimilarityBackward(
        features.values.vector(row), teacherFeature(teacher, row: row),
        factor: Float(-factor / Double(features.values.rows)), into: features.gradients.vector(row))
    }
  }

  private func teacherFeature(_ teacher: Matrix, row: Int) -> Vector {
    let (sample, token) = activations.featureToken(row: row)
    return teacher.vector(sample * network.configuration.tokens + token)
  }
}
