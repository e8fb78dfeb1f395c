import SprintCommunication
import SprintDiffusion
import SprintModel
import SprintTestSupport
import SprintTraining
import Testing

@Suite struct SampleGeneratorTests {
  @Test(
    "Image i of a seed has the same bits, however many images are drawn", arguments: SamplingMethod.allCases,
    Guidance.Kind.allCases)
  func independence(method: SamplingMethod, kind: Guidance.Kind) throws {
    let model = TinyModel(TinyModel.configuration())
    let settings = SamplerSettings(method: method, steps: 3, guidance: Guidance(kind, scale: 2))
    func draw(_ count: Int, seed: UInt64 = 4) throws -> [[Float]] {
      var images: [[Float]] = []
      let generator = SampleGenerator(model.network, weights: model.weights, settings: settings, seed: seed)
      _ = try generator.draw(labels: (0..<count).map { $0 % 3 }, .single()) { images += $0 }
      return images
    }
    let many = try draw(150)
    #expect(many.count == 150)
    #expect(try draw(5) == Array(many[..<5]))
    #expect(try draw(131)[130] == many[130])
    #expect(try draw(2, seed: 5)[0] != many[0] && many[0] != many[3])
  }
}
