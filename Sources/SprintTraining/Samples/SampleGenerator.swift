import SprintCommunication
import SprintDiffusion
import SprintKernels
import SprintModel

/// Draws samples of given classes. Image i of a seed is the same to the bit whatever else is drawn: images are computed in tiles
/// of a fixed size, since the rounding of a matrix product depends on its number of rows.
package struct SampleGenerator: Sendable {
  private let network: Network
  private let weights: ParameterArena
  private let settings: SamplerSettings
  private let seed: UInt64

  /// A generator of some weights.
  package init(_ network: Network, weights: ParameterArena, settings: SamplerSettings, seed: UInt64) {
    (self.network, self.weights, self.settings, self.seed) = (network, weights, settings, seed)
  }

  /// Draws images in rounds of one tile a rank, each round's at rank zero. All ranks call it.
  ///
  /// - Parameters:
  ///   - labels: the class of each image
  ///   - first: the first image to be drawn, the start of a tile; those before are there already
  ///   - stopRequested: asked once a round; where a rank wishes it, no more are drawn
  ///   - deliver: called at rank zero with each round's images in their order, [n, C · S · S] as the model sees them
  /// - Returns: whether all were drawn
  package func draw(
    labels: [Int], from first: Int = 0, _ communicator: Communicator, stopRequested: () -> Bool = { false },
    deliver: ([[Float]]) throws -> Void
  ) throws -> Bool {
    precondition(first % tile == 0 || first == labels.count, "drawing starts at a tile")
    let sampler = Sampler(network, weights: weights, settings: settings, batch: tile)
    let elements = network.configuration.latentElements
    for round in stride(from: first, to: labels.count, by: tile * communicator.size) {
      let own = round + communicator.rank * tile
      let images =
        own < labels.count
        ? draw(tile: own, labels, sampler) : [Float](repeating: 0, count: tile * elements)
      let gathered = try communicator.gather(images).joined().prefix((labels.count - round) * elements)
      try communicator.agree {
        let all = Array(gathered)
        if !all.isEmpty {
          try deliver(stride(from: 0, to: all.count, by: elements).map { Array(all[$0..<$0 + elements]) })
        }
      }
      if try communicator.anyRank(stopRequested()), round + tile * communicator.size < labels.count { return false }
    }
    return true
  }

  /// One tile of images; the last one is filled up with images that nobody asked for.
  private func draw(tile first: Int, _ labels: [Int], _ sampler: Sampler) -> [Float] {
    let elements = network.configuration.latentElements
    let start = Philox(seed: seed, purpose: .sampleStart)
    let steps = Philox(seed: seed, purpose: .sampleSteps)
    let range = first..<first + tile
    return sampler.sample(
      start: range.flatMap { image in noise(start, draw: UInt64(image), elements).map(Double.init) },
      labels: range.map { labels[min($0, labels.count - 1)] }
    ) { step, values in
      values = range.flatMap { noise(steps, draw: UInt64($0) << 20 | UInt64(step), elements) }
    }.map { Float($0) }
  }

  /// Images of one tile: enough for matrix products at their peak on several workers.
  package var tile: Int { max(8, 2048 / network.configuration.tokens) }

  private func noise(_ random: Philox, draw: UInt64, _ elements: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: elements) { buffer, initialized in
      random.fillNormal(UnsafeMutableBufferPointer(rebasing: buffer[..<elements]), draw: draw)
      initialized = elements
    }
  }
}
