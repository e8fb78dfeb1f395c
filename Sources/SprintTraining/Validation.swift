import SprintData
import SprintDiffusion
import SprintKernels
import SprintModel

/// The loss on held-out data: all tokens, no dropped labels, the same noise and times at every call.
struct Validation {
  private let dataset: LatentDataset
  private let configuration: Configuration
  private let network: Network
  private let samples: Int
  private static let batch = 32

  init(_ dataset: LatentDataset, _ configuration: Configuration, _ network: Network) {
    (self.dataset, self.configuration, self.network) = (dataset, configuration, network)
    samples = min(dataset.count, configuration.validation.samples)
  }

  /// The mean squared error of the velocity under some weights.
  func loss(_ weights: ParameterArena) throws -> Double {
    let batch = min(Self.batch, samples)
    let objective = FlowMatching(
      network, interpolant: configuration.interpolant, activations: Activations(network, batch: batch, training: false))
    let elements = configuration.model.latentElements
    let arena = Arena(count: 2 * Arena.aligned(batch * elements))
    let (data, noise) = (arena.matrix(rows: batch, columns: elements), arena.matrix(rows: batch, columns: elements))
    let noiseDraws = Philox(seed: configuration.seed, purpose: .validationNoise)
    let timeDraws = Philox(seed: configuration.seed, purpose: .validationTime)
    let random = LatentRandomness(seed: configuration.seed, validation: true)
    var total = 0.0
    for start in stride(from: 0, to: samples, by: batch) {
      let range = start..<min(start + batch, samples)
      for (b, index) in range.enumerated() {
        try dataset.latent(index, random: random, draw: UInt64(index), into: data.vector(b))
        noiseDraws.fillNormal(UnsafeMutableBufferPointer(start: noise.row(b), count: elements), draw: UInt64(index))
      }
      let losses = objective.losses(
        weights,
        TrainingBatch(
          data: data.rows(0..<range.count), noise: noise.rows(0..<range.count),
          times: range.map { configuration.time.draw(timeDraws, draw: UInt64($0)) }, labels: range.map(dataset.label),
          deepPath: .all(batch: range.count)))
      total += losses.denoising * Double(range.count)
    }
    return total / Double(samples)
  }
}
