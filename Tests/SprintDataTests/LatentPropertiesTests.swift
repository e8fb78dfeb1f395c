import SprintData
import Testing

@Suite struct LatentPropertiesTests {
  private static func properties(
    scale: [Float] = [0.18215, 0.18215], shift: [Float] = [0, 0], kind: String = "latents",
    range: ClosedRange<Double> = -1...1, vae: String = "sd-vae-ft-mse"
  ) -> LatentProperties {
    LatentProperties(scale: scale, shift: shift, kind: kind, pixelRange: range, vae: vae)
  }

  @Test(
    "Whatever changes the meaning of the numbers is a difference, named with both values",
    arguments: [
      (properties(scale: [0.18215, 1]), "`scale` 1.0 instead of 0.18215 in channel 1"),
      (properties(shift: [0.5, 0]), "`shift` 0.5 instead of 0.0 in channel 0"),
      (properties(kind: "pixels"), "`kind` pixels instead of latents"),
      (properties(vae: "sd-vae-ft-ema"), "`vae` sd-vae-ft-ema instead of sd-vae-ft-mse"),
      (properties(scale: [0.18215], shift: [0]), "`channels` 1 instead of 2"),
    ])
  func differences(own: LatentProperties, words: String) {
    #expect(own.difference(from: Self.properties()) == words)
  }

  @Test(
    "What says nothing about the numbers is no difference: a missing name of the autoencoder, the colours of latents",
    arguments: [properties(), properties(vae: ""), properties(range: 0...255)])
  func same(own: LatentProperties) {
    #expect(own.difference(from: Self.properties()) == nil)
  }
}
