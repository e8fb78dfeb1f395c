import SprintKernels
import SprintModel
import SprintTestSupport
import Testing

@Suite struct ParameterLayoutTests {
  @Test("The published sizes have the published numbers of weights")
  func counts() throws {
    // 32 x 32 x 4 latents, patch 2, 1000 classes: counted by the reference implementation.
    for (size, expected) in [("S", 33_000_000), ("B", 130_000_000), ("XL", 675_000_000)] {
      let published = try #require(ModelConfiguration.sizes[size])
      let layout = ParameterLayout(
        ModelConfiguration(
          width: published.width, heads: published.heads, depth: published.depth, side: 32, channels: 4, patch: 2,
          classes: 1000))
      #expect(abs(Double(layout.count) / Double(expected) - 1) < 0.03, "\(size): \(layout.count)")
    }
  }

  @Test("Parameters cover the arena without gaps, and every name is there once")
  func coverage() {
    let layout = ParameterLayout(TinyModel.configuration(depth: (2, 3, 1)))
    var end = 0
    for parameter in layout.parameters {
      #expect(parameter.range.lowerBound == end && parameter.range.count == parameter.shape.reduce(1, *))
      end = parameter.range.upperBound
    }
    #expect(end == layout.count && Set(layout.parameters.map(\.name)).count == layout.parameters.count)
  }

  @Test("Initial weights are the published ones: Xavier-uniform linears, zero modulation and output, unit norms")
  func initialization() throws {
    let network = Network(TinyModel.configuration(width: 96), workers: Workers(1))
    let weights = ParameterArena<Float>(network)
    network.layout.initialize(weights.elements, seed: 7)
    func values(_ name: String) throws -> [Float] { weights[try #require(network.layout.parameter(name))].array }
    func deviation(_ values: [Float]) -> Float {
      (values.reduce(0) { $0 + $1 * $1 } / Float(values.count)).squareRoot()
    }
    let qkv = try values("encoder_blocks.0.attn.qkv.weight")
    let bound = (6 / Float(96 + 3 * 96)).squareRoot()
    #expect(qkv.allSatisfy { abs($0) <= bound } && abs(deviation(qkv) / (bound / Float(3).squareRoot()) - 1) < 0.03)
    #expect(abs(deviation(try values("t_embedder.mlp.0.weight")) / 0.02 - 1) < 0.05)
    #expect(abs(deviation(try values("y_embedder.embedding_table.weight")) / 0.02 - 1) < 0.2)
    #expect(try values("decoder_blocks.0.attn.q_norm.weight").allSatisfy { $0 == 1 })
    for zero in ["final_layer.linear.weight", "middle_blocks.0.adaLN_modulation.1.weight", "renoise_linear.bias"] {
      #expect(try values(zero).allSatisfy { $0 == 0 }, "\(zero)")
    }
    #expect(try values("mask_token").contains { $0 != 0 })
  }
}
