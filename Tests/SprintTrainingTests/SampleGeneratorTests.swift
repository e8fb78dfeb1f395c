import SprintCommunication
import SprintData
import SprintDiffusion
import SprintModel
import SprintTestSupport
import SprintTraining
import Testing

@Suite struct SampleGeneratorTests {
  @Test(
    "Image i of a seed is the same to the bit however many are drawn", arguments: SamplerSettings.Method.allCases,
    Guidance.Kind.allCases)
  func independence(method: SamplerSettings.Method, kind: Guidance.Kind) throws {
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

  @Test("A picture shows black and white at the ends of the pixel range, a row a class")
  func picture() {
    let properties = LatentProperties(scale: [1], shift: [0], kind: "pixels", pixelRange: -1...1, vae: "")
    let model = ModelConfiguration(width: 8, heads: 2, depth: (1, 1, 1), side: 2, channels: 1, patch: 1, classes: 10)
    let grid = SampleGrid(model, properties)
    #expect(grid.bytes([-1, 1, 0, 9]) == [0, 255, 128, 255])
    let picture = grid.picture([[1, 1, 1, 1], [-1, -1, -1, -1], [1, 1, 1, 1]], labels: [0, 7, 0])
    #expect(picture.height == 2 * 42 + 2)
    let corner = picture.width - 2 * 42
    #expect(picture[corner + 5, 47] == (0, 0, 0) && picture[corner + 5, 5] == (255, 255, 255))
  }
}
