import SprintData
import SprintKernels
import SprintTestSupport
import SprintTraining
import Testing

@Suite struct LatentDecoderTests {
  private func properties(_ scale: [Float], _ shift: [Float], kind: String = "latents", vae: String = "")
    -> LatentProperties
  {
    LatentProperties(scale: scale, shift: shift, kind: kind, pixelRange: -1...1, vae: vae)
  }

  private func decoder(
    _ properties: LatentProperties, in units: LatentDecoder.Units = .model, path: String = "a/vae.safetensors"
  ) throws -> LatentDecoder {
    try LatentDecoder(
      FakeDecoder(), path: path, channels: properties.scale.count, side: 1, properties, in: units, of: "the model",
      Workers(1))
  }

  /// Red of the image of a latent of one pixel, as a byte.
  private func red(_ latent: [Float], _ decoder: LatentDecoder, _ properties: LatentProperties) throws -> UInt8 {
    let rendering = SampleRendering(.pixels, channels: 4, side: 1, properties, decoder: decoder)
    return try rendering.tile(latent, first: 0, of: 1).numbers[0]
  }

  @Test("The autoencoder sees its own numbers: the model's without scale and shift, those of a data set as stored")
  func units() throws {
    // 0.125 · (1 + 2 + 3 - 2) = 0.5, and 127.5 · 0.5 + 127.5 = 191.25.
    let (own, scale, shift): ([Float], [Float], [Float]) = ([1, 2, 3, -2], [2, 4, 0.5, 1], [1, 0, -1, 8])
    let scaled = properties(scale, shift)
    let seen = own.indices.map { own[$0] * scale[$0] + shift[$0] }
    #expect(try red(seen, decoder(scaled), scaled) == 191)
    #expect(try red(own, decoder(scaled, in: .stored), scaled) == 191)
    // A data set of four channels with scale 1 stores the product with Stable Diffusion's factor, and a line says so.
    let product = properties([1, 1, 1, 1], [0, 0, 0, 0])
    for units in [LatentDecoder.Units.model, .stored] {
      let decoder = try decoder(product, in: units)
      #expect(abs(Int(try red(own.map { $0 * 0.18215 }, decoder, product)) - 191) <= 1)
      #expect(decoder.warning?.contains("0.18215") == true)
    }
    // One that an import encoded says so by a hash, and holds the autoencoder's own numbers.
    let encoded = properties([1, 1, 1, 1], [0, 0, 0, 0], vae: "mine (SHA-256 0123456789abcdef)")
    #expect(try red(own, decoder(encoded), encoded) == 191)
    #expect(try decoder(encoded).warning == nil)
  }

  @Test("Latents of another number of channels, and pixels, are refused with what was found")
  func refusals() {
    #expect { try decoder(properties([1, 1], [0, 0])) } throws: {
      "\($0)".contains("of 4 channels") && "\($0)".contains("have 2") && "\($0)".hasPrefix("a/vae.safetensors: ")
    }
    #expect { try decoder(properties([1, 1, 1, 1], [0, 0, 0, 0], kind: "pixels")) } throws: {
      "\($0)".contains("the model: holds the pixels")
    }
  }

  @Test(
    "A file that may belong to other latents is warned about; sd-vae-ft-mse and sd-vae-ft-ema share their encoder",
    arguments: [
      ("sd-vae-ft-mse", "models/sd-vae-ft-mse/model.safetensors", false),
      ("sd-vae-ft-mse", "sd-vae-ft-ema.safetensors", false),
      ("sd-vae-ft-mse", "kl16/model.safetensors", true), ("kl16", "models/KL16.safetensors", false),
      ("kl16", "sd-vae-ft-ema.safetensors", true), ("", "anything.safetensors", false),
      ("my.safetensors (SHA-256 0123456789abcdef)", "renamed.safetensors", false),
      ("sd-vae-ft-mse (SHA-256 fedcba)", "sd-vae-ft-ema.safetensors", false),
    ])
  func warnings(vae: String, path: String, isWarned: Bool) throws {
    let warning = try decoder(properties([2, 2, 2, 2], [0, 0, 0, 0], vae: vae), path: path).warning
    #expect((warning != nil) == isWarned && warning?.contains(vae) != false, "\(warning ?? "none")")
  }
}
