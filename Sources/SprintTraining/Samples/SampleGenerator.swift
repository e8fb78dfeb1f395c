import SprintCommunication
import SprintDiffusion
import SprintKernels
import SprintModel

/// Draws samples of given classes. Image i of a seed has the same bits whatever else is drawn: the generator computes
/// images in tiles of a fixed size, because the rounding of a matrix product depends on its number of rows.
package struct SampleGenerator: Sendable {
  private let network: Network
  private let weights: any NetworkWeights
  private let settings: SamplerSettings
  private let seed: UInt64

  package init(_ network: Network, weights: any NetworkWeights, settings: SamplerSettings, seed: UInt64) {
    (self.network, self.weights, self.settings, self.seed) = (network, weights, settings, seed)
  }

  /// Draws images in rounds of one tile per rank and delivers those of each round at rank zero. All ranks call it.
  ///
  /// - Parameters:
  ///   - labels: the class of each image
  ///   - first: the first image to draw, which starts a tile; the images before it exist already
  ///   - stopRequested: called once per round; if it returns true at any rank, drawing stops
  ///   - deliver: called at rank zero with the images of each round in order, [n, C · S · S] in the model's units
  /// - Returns: whether all images were drawn
  package func draw(
    labels: [Int], from first: Int = 0, _ communicator: Communicator, stopRequested: () -> Bool = { false },
    deliver: ([[Float]]) throws -> Void
  ) throws -> Bool {
    let (elements, drawTile) = (network.configuration.latentElements, tiles(of: labels))
    return try SampleRounds(count: labels.count, tile: tile).run(
      from: first, numbers: elements, communicator, stopRequested: stopRequested
    ) {
      SampleTile(drawTile($0))
    } deliver: { all in
      try deliver(stride(from: 0, to: all.count, by: elements).map { Array(all[$0..<$0 + elements]) })
    }
  }

  /// Returns what draws a tile of images from its first one on: [tile, C · S · S] in the model's units. Images after
  /// the last label fill up the last tile.
  package func tiles(of labels: [Int]) -> (_ first: Int) -> [Float] {
    let sampler = Sampler(network, weights: weights, settings: settings, batch: tile)
    return { draw(tile: $0, labels, sampler) }
  }

  /// Returns the seconds that drawing will take, by the time of one evaluation of the network, or nil for a short job,
  /// in which that one would count.
  package func expectedSeconds(images: Int, ranks: Int) -> Double? {
    let rounds = (images + tile * ranks - 1) / (tile * ranks)
    guard rounds * settings.steps >= 50 else { return nil }
    let probe = SamplerSettings(
      steps: 1, guidance: settings.guidance, interpolant: settings.interpolant, timeShift: settings.timeShift)
    let sampler = Sampler(network, weights: weights, settings: probe, batch: tile)
    // The first evaluation touches the memory.
    let times = (0..<2).map { _ in ContinuousClock().measure { _ = draw(tile: 0, [0], sampler) } / .seconds(1) }
    let model = network.configuration
    return times[1] * settings.work(model) / probe.work(model) * Double(rounds)
  }

  /// Draws one tile of images; images after the last label fill up the last tile.
  private func draw(tile first: Int, _ labels: [Int], _ sampler: Sampler) -> [Float] {
    let range = first..<first + tile
    let samples = sampler.sample(
      start: noise(.sampleStart, .sampleClassTokenStart, range) { UInt64($0) }.map(Double.init),
      labels: range.map { labels[min($0, labels.count - 1)] }
    ) { step, values in
      values = noise(.sampleSteps, .sampleClassTokenSteps, range) { UInt64($0) << 20 | UInt64(step) }
    }
    return samples.prefix(tile * network.configuration.latentElements).map { Float($0) }
  }

  /// Returns noise for the latents of all images, then for their class tokens, if there are any.
  private func noise(
    _ latents: RandomPurpose, _ classTokens: RandomPurpose, _ images: Range<Int>, draw: (Int) -> UInt64
  ) -> [Float] {
    let model = network.configuration
    return [(latents, model.latentElements), (classTokens, model.classToken ?? 0)].flatMap { purpose, elements in
      let random = Philox(seed: seed, purpose: purpose)
      return images.flatMap { noise(random, draw: draw($0), elements) }
    }
  }

  /// The number of images in a tile: enough for several workers to compute matrix products at their peak rate.
  package var tile: Int { Self.tile(network.configuration) }

  /// The number of images in a tile of a model.
  package static func tile(_ model: ModelConfiguration) -> Int { max(8, 2048 / model.tokens) }

  private func noise(_ random: Philox, draw: UInt64, _ elements: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: elements) { buffer, initialized in
      random.fillNormal(UnsafeMutableBufferPointer(rebasing: buffer[..<elements]), draw: draw)
      initialized = elements
    }
  }
}
