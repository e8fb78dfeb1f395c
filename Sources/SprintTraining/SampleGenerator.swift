import SprintDiffusion
import SprintKernels
import SprintModel

/// Draws samples of given classes. Image i of a seed is the same to the bit whatever else is drawn: images are computed in tiles
/// of a fixed size, since the rounding of a matrix product depends on its number of rows.
public struct SampleGenerator: Sendable {
  private let network: Network
  private let weights: ParameterArena
  private let settings: SamplerSettings
  private let seed: UInt64

  /// A generator of some weights.
  public init(_ network: Network, weights: ParameterArena, settings: SamplerSettings, seed: UInt64) {
    (self.network, self.weights, self.settings, self.seed) = (network, weights, settings, seed)
  }

  /// The samples, [n, C · S · S] as the model sees them.
  ///
  /// - Parameters:
  ///   - labels: the class of each image
  ///   - progress: called with the number of finished images; where it returns false, no more are drawn
  public func samples(labels: [Int], progress: (Int) -> Bool = { _ in true }) -> [[Float]] {
    let elements = network.configuration.latentElements
    let sampler = Sampler(network, weights: weights, settings: settings, batch: tile)
    let start = Philox(seed: seed, purpose: .sampleStart)
    let steps = Philox(seed: seed, purpose: .sampleSteps)
    var images: [[Float]] = []
    for first in stride(from: 0, to: labels.count, by: sampler.batch) {
      // The last tile is filled up with images that nobody asked for.
      let range = first..<first + sampler.batch
      let result = sampler.sample(
        start: range.flatMap { image in noise(start, draw: UInt64(image), elements).map(Double.init) },
        labels: range.map { labels[min($0, labels.count - 1)] }
      ) { step, values in
        values = range.flatMap { noise(steps, draw: UInt64($0) << 20 | UInt64(step), elements) }
      }
      for i in range.prefix(labels.count - first) {
        images.append(result[(i - first) * elements..<(i - first + 1) * elements].map { Float($0) })
      }
      guard progress(images.count) else { break }
    }
    return images
  }

  /// Enough images for matrix products at their peak on several workers.
  private var tile: Int { max(8, 2048 / network.configuration.tokens) }

  private func noise(_ random: Philox, draw: UInt64, _ elements: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: elements) { buffer, initialized in
      random.fillNormal(UnsafeMutableBufferPointer(rebasing: buffer[..<elements]), draw: draw)
      initialized = elements
    }
  }
}
