import SprintCommunication
import SprintDiffusion
import SprintKernels
import SprintModel
import SprintTraining

/// Measures how fast all ranks draw images from a published network with initial weights.
package struct SamplingBench: Sendable {
  /// The result of a bench.
  package struct Result: Sendable, Encodable {
    /// The size of the network.
    package var size: String
    /// The number format of the products.
    package var precision: Precision
    /// The number of images, the steps of each, and the guidance.
    package var batch, steps: Int, guidance: String
    /// The number of ranks, and of threads of each.
    package var ranks, threads: Int
    /// The median seconds of a round, and the images per second.
    package var seconds, imagesPerSecond: Double
    /// 10⁹ FLOP/s: the algorithm's work per second, and the rate of large matrix products on all ranks.
    package var gflops, peakGflops: Double
    /// The ratio of the two.
    package var peakShare: Double
    /// The largest resident memory of rank zero so far, in GiB.
    package var peakGib: Double
  }

  private let size: String
  private let configuration: Configuration
  private let network: Network
  private let weights: any NetworkWeights
  private let settings: SamplerSettings
  private let batch: Int

  /// Prepares a bench of the published network of a size.
  package init(
    size: String, batch: Int, settings: SamplerSettings, precision: Precision = .float32, workers: Workers
  ) throws {
    (self.size, self.batch, self.settings) = (size, batch, settings)
    configuration = try .forBench(size: size)
    network = Network(configuration.model, workers: workers)
    let exact = ParameterArena<Float>(network)
    network.layout.initialize(exact.elements, seed: 0)
    weights = exact.rounded(to: precision, network)
  }

  /// Draws the images `rounds` times. Returns the result at rank zero; nil at other ranks and after a stop request.
  package func run(rounds: Int, _ communicator: Communicator = .single(), stop: StopRequest) throws -> Result? {
    let generator = SampleGenerator(network, weights: weights, settings: settings, seed: 0)
    let labels = (0..<batch).map { $0 % configuration.model.labels.count }
    var seconds: [Double] = []
    for _ in 0..<rounds {
      try communicator.barrier()
      let elapsed = try ContinuousClock().measure { _ = try generator.draw(labels: labels, communicator) { _ in } }
      if try communicator.anyRank(stop.isRequested) { return nil }
      seconds.append(elapsed / .seconds(1))
    }
    let memory = ResidentMemory.peak
    let measured = try communicator.measurePeak(weights.precision, network.workers, side: 2048).best
    guard communicator.rank == 0 else { return nil }
    let rate = Double(batch) * settings.work(configuration.model) / median(seconds)
    // The machine may have been quieter in the rounds than in the measurement.
    let peak = max(measured, rate)
    return Result(
      size: size, precision: weights.precision, batch: batch, steps: settings.steps,
      guidance: settings.guidance.kind.rawValue,
      ranks: communicator.size, threads: network.workers.count, seconds: median(seconds),
      imagesPerSecond: Double(batch) / median(seconds), gflops: rate / 1e9, peakGflops: peak / 1e9,
      peakShare: rate / peak, peakGib: memory / 0x1p30)
  }
}
