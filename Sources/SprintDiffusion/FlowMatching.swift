import SprintKernels
import SprintModel

/// The training objective: the mean squared error of the velocity on a path between data and noise, and the alignment
/// with a teacher's features and attention; the same for a class token; and the contrast with the sample before. SiT,
/// arXiv 2401.08740; REPA, arXiv 2410.06940; HASTE, arXiv 2505.16792; REG, arXiv 2507.01467; contrastive flow matching,
/// arXiv 2506.05350.
///
/// It computes one batch at a time, on one thread that calls it.
package final class FlowMatching {
  private let network: Network
  private let interpolant: Interpolant
  private let memory: PassMemory
  private var pass = Pass()
  /// [B, C · S · S] noisy latents, and their velocities behind that of the sample before the first one.
  private let mixed, velocities: Matrix<Float>
  private let classTokens: MixedClassTokens?
  private let arena: Arena

  /// Makes an objective for batches of up to `memory.batch` samples. Nothing else may use `memory` meanwhile.
  package init(_ network: Network, interpolant: Interpolant, memory: PassMemory) {
    self.network = network
    self.interpolant = interpolant
    self.memory = memory
    let elements = network.configuration.latentElements
    let width = network.configuration.classToken ?? 0
    arena = Arena(
      count: Arena.aligned(memory.batch * elements) + Arena.aligned((memory.batch + 1) * elements)
        + 2 * Arena.aligned(memory.batch * width))
    mixed = arena.matrix(rows: memory.batch, columns: elements)
    velocities = arena.matrix(rows: memory.batch + 1, columns: elements)
    classTokens = network.configuration.classToken.map { [arena] in
      MixedClassTokens(
        mixed: arena.matrix(rows: memory.batch, columns: $0), velocity: arena.matrix(rows: memory.batch, columns: $0))
    }
  }

  /// Returns the losses of a batch under the given weights.
  package func losses(_ weights: any NetworkWeights, _ batch: TrainingBatch, check: FiniteCheck? = nil) -> Losses {
    let count = batch.times.count
    mix(batch)
    let input = NetworkInput(
      latents: mixed.rows(0..<count), classTokens: classTokens?.mixed.rows(0..<count), times: batch.times,
      labels: batch.labels, deepPath: batch.deepPath,
      readsFeatures: batch.teacher != nil, attention: batch.attention)
    network.forward(weights, input, into: &pass, in: memory, check: check)
    let attention = attentionLosses
    return Losses(
      denoising: meanSquaredError(memory.velocity.rows(0..<count), target(count)), alignment: alignment(batch),
      attention: attention.reduce(0, +) / Double(max(1, attention.count)), classToken: classTokenLoss(count),
      contrast: batch.before == nil ? 0 : -meanSquaredError(memory.velocity.rows(0..<count), neighbours(count)))
  }

  /// The velocities of the samples, and those of the samples before them.
  private func target(_ count: Int) -> Matrix<Float> { velocities.rows(1..<count + 1) }
  private func neighbours(_ count: Int) -> Matrix<Float> { velocities.rows(0..<count) }

  private func meanSquaredError(_ found: Matrix<Float>, _ target: Matrix<Float>) -> Double {
    let errors = (0..<found.rows).map { squaredError(found.vector($0), target.vector($0)) }
    return errors.reduce(0, +) / Double(found.rows * found.columns)
  }

  private func classTokenLoss(_ count: Int) -> Double {
    guard let classTokens, let found = memory.classVelocity else { return 0 }
    return meanSquaredError(found.rows(0..<count), classTokens.velocity.rows(0..<count))
  }

  /// The mean cross-entropy of each layer of the teacher's attention in the last batch; empty without its alignment.
  package var attentionLosses: [Double] { memory.attentionLosses(of: pass) }

  private func mix(_ batch: TrainingBatch) {
    let (data, noise, times, tokens) = (batch.data, batch.noise, batch.times, batch.classTokens)
    precondition((tokens == nil) == (classTokens == nil), "class tokens of a network without, or none of one with")
    if let before = batch.before {
      interpolant.velocity(data: before.data, noise: before.noise, at: before.time, into: velocities.vector(0))
    }
    network.workers.run(tasks: times.count) { [interpolant, mixed, velocities, classTokens] _, b in
      interpolant.mix(
        data: data.vector(b), noise: noise.vector(b), at: times[b], into: mixed.vector(b),
        velocity: velocities.vector(b + 1))
      guard let tokens, let classTokens else { return }
      interpolant.mix(
        data: tokens.data.vector(b), noise: tokens.noise.vector(b), at: times[b], into: classTokens.mixed.vector(b),
        velocity: classTokens.velocity.vector(b))
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
    let (velocity, gradient) = (memory.velocity, memory.velocityGradient)
    meanSquaredErrorBackward(velocity, target(count), factor: factor * factors.denoising, into: gradient)
    if batch.before != nil, factors.contrast != 0 {
      meanSquaredErrorBackward(
        velocity, neighbours(count), factor: -factor * factors.contrast, into: gradient, adds: true)
    }
    classTokenBackward(count, factor * factors.classToken)
    alignmentBackward(batch, factor: factor * factors.alignment)
    network.backward(
      weights, into: gradients, adds: adds, of: pass, attentionGradient: factor * factors.attention, in: memory,
      check: check, onFinal: onFinal)
    return losses
  }

  /// Sets `gradient` to `factor` times the gradient of the mean squared error of `found`, or adds that.
  private func meanSquaredErrorBackward(
    _ found: Matrix<Float>, _ target: Matrix<Float>, factor: Double, into gradient: Matrix<Float>, adds: Bool = false
  ) {
    let factor = Float(factor * 2 / Double(target.rows * target.columns))
    for row in 0..<target.rows {
      let (found, target, gradient) = (found.vector(row), target.vector(row), gradient.vector(row))
      if adds {
        squaredErrorBackward(found, target, factor: factor, adding: gradient)
      } else {
        squaredErrorBackward(found, target, factor: factor, into: gradient)
      }
    }
  }

  private func classTokenBackward(_ count: Int, _ factor: Double) {
    guard let target = classTokens?.velocity.rows(0..<count), let found = memory.classVelocity,
      let gradient = memory.classVelocityGradient
    else { return }
    meanSquaredErrorBackward(found, target, factor: factor, into: gradient)
  }

  private func alignment(_ batch: TrainingBatch) -> Double {
    guard batch.teacher != nil, let features = memory.features(of: pass)?.values else { return 0 }
    let sum = (0..<features.rows).reduce(0.0) {
      $0 + Double(cosineSimilarity(features.vector($1), teacherFeature(batch, row: $1)))
    }
    return -sum / Double(features.rows)
  }

  private func alignmentBackward(_ batch: TrainingBatch, factor: Double) {
    guard batch.teacher != nil, let features = memory.features(of: pass) else { return }
    for row in 0..<features.values.rows {
      cosineSimilarityBackward(
        features.values.vector(row), teacherFeature(batch, row: row),
        factor: Float(-factor / Double(features.values.rows)), into: features.gradients.vector(row))
    }
  }

  /// The teacher's feature of the token that a row of the projected features belongs to; that of the class token is the
  /// clean class token.
  private func teacherFeature(_ batch: TrainingBatch, row: Int) -> Vector<Float> {
    let (model, (sample, token)) = (network.configuration, pass.featureToken(row: row))
    if token < model.prefix, let tokens = batch.classTokens { return tokens.data.vector(sample) }
    guard let teacher = batch.teacher else { preconditionFailure("features without a teacher") }
    return teacher.vector(sample * model.patches + token - model.prefix)
  }
}

/// [B, F] noisy class tokens and their velocities.
private struct MixedClassTokens: Sendable {
  let mixed, velocity: Matrix<Float>
}
