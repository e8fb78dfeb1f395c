import SprintKernels
import SprintModel

/// A network small enough for central differences, with weights moved away from their initial zeros.
package struct TinyModel {
  package let network: Network
  package let weights: ParameterArena<Float>

  package init(_ configuration: ModelConfiguration, seed: UInt64 = 1, workers: Int = 2) {
    network = Network(configuration, workers: Workers(workers))
    weights = ParameterArena(network)
    network.layout.initialize(weights.elements, seed: seed)
    let random = Philox(seed: seed, purpose: .gradientCheck)
    var noise = [Float](repeating: 0, count: network.layout.count)
    noise.withUnsafeMutableBufferPointer { random.fillNormal($0, draw: 0) }
    for i in noise.indices { weights.elements[i] += 0.1 * noise[i] }
  }

  /// Returns a configuration with 4 x 4 tokens.
  package static func configuration(
    width: Int = 24, heads: Int = 2, depth: (encoder: Int, middle: Int, decoder: Int) = (1, 1, 1)
  ) -> ModelConfiguration {
    ModelConfiguration(width: width, heads: heads, depth: depth, side: 8, channels: 2, patch: 2, classes: 3)
  }

  /// The weights in float64 by name.
  package var parameters: [String: [Double]] {
    Dictionary(uniqueKeysWithValues: network.layout.parameters.map { ($0.name, weights[$0].array.map(Double.init)) })
  }
}
