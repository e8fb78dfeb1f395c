import SprintData
import SprintTraining
import Testing

@Suite struct SampleGridTests {
  private func properties(_ channels: Int, scale: Float, kind: String = "latents") -> LatentProperties {
    LatentProperties(
      scale: Array(repeating: scale, count: channels), shift: Array(repeating: 0, count: channels), kind: kind,
      pixelRange: -1...1, vae: "")
  }

  /// Returns the colour of a sample of one pixel, read from the cell of the grid.
  private func color(_ values: [Float], _ properties: LatentProperties) -> [UInt8] {
    let picture = SampleGrid(channels: values.count, side: 1, properties).picture([values], labels: [0])
    let (red, green, blue) = picture[picture.width - 20, 20]
    return [red, green, blue]
  }

  @Test("Four latent channels go through the linear map, and the caption says so; a scale of 1 means scaled latents")
  func latents() {
    let grey = color([0, 0, 0, 0], properties(4, scale: 0.18215))
    #expect(grey == [128, 128, 128])
    let first = color([1, 0, 0, 0], properties(4, scale: 0.18215))
    #expect(first == [165, 154, 154])  // (1 + 0.298) / 2 · 255, ...
    #expect(color([1, 0, 0, 0], properties(4, scale: 1)) == first)
    // With ten times the scale the model's numbers are ten times as large for the same image.
    #expect(color([10, 0, 0, 0], properties(4, scale: 1.8215)) == first)
    #expect(SampleGrid(channels: 4, side: 1, properties(4, scale: 1)).caption?.contains("linear map") == true)
  }

  @Test("Pixels of one and three channels keep their colours and need no caption")
  func pixels() {
    #expect(color([-1], properties(1, scale: 1, kind: "pixels")) == [0, 0, 0])
    #expect(color([1, -1, 0], properties(3, scale: 1, kind: "pixels")) == [255, 0, 128])
    #expect(SampleGrid(channels: 3, side: 1, properties(3, scale: 1, kind: "pixels")).caption == nil)
    #expect(SampleGrid(channels: 16, side: 1, properties(16, scale: 1)).caption?.contains("false colours") == true)
  }

  @Test("A picture shows the ends of the pixel range as black and white, in one row per class")
  func picture() {
    let properties = LatentProperties(scale: [1], shift: [0], kind: "pixels", pixelRange: -1...1, vae: "")
    let grid = SampleGrid(channels: 1, side: 2, properties)
    #expect(grid.bytes([-1, 1, 0, 9]) == [0, 255, 127, 255])
    let picture = grid.picture([[1, 1, 1, 1], [-1, -1, -1, -1], [1, 1, 1, 1]], labels: [0, 7, 0])
    #expect(picture.height == 2 * 42 + 2)
    let corner = picture.width - 2 * 42
    #expect(picture[corner + 5, 47] == (0, 0, 0) && picture[corner + 5, 5] == (255, 255, 255))
  }
}
