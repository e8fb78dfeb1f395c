import Foundation
import SprintFormats
import SprintKernels
import SprintTestSupport
import SprintVision
import Testing

@Suite("Autoencoders")
struct AutoencoderTests {
  /// Options of `autoencoder_reference.py`.
  static let statements = [
    "--form statement --quant --prefix first_stage_model.", "--form statement --attends --type float16 --latents 8",
  ]
  private static let small = [
    "--form new --quant", "--form old --widths 32,64,64 --latents 16 --blocks 1",
    "--form compvis --attends --widths 32,32,64,64,64 --latents 8 --quant",
  ]
  /// Others are given as SPRINT_VAE_CASES, e.g. `--quant --widths 128,256,512,512 --side 512; --form old`.
  static let networks =
    ProcessInfo.processInfo.environment["SPRINT_VAE_CASES"]?.split(separator: ";").map(String.init) ?? small

  @Test(
    "Moments and images are those of a statement of the network in float64, whose names are CompVis's",
    .enabled(if: Python.has("numpy", "safetensors"), Comment(rawValue: Python.lacks("numpy, safetensors"))),
    arguments: statements)
  func equalsTheStatement(options: String) throws {
    try AutoencoderCase(options).expectEqual()
  }

  @Test(
    "Moments and images are those of diffusers, by its new and old names, and of CompVis's code in PyTorch",
    .enabled(if: Python.has("diffusers", "safetensors"), Comment(rawValue: Python.lacks("diffusers"))),
    arguments: networks)
  func equalsPyTorch(options: String) throws {
    try AutoencoderCase(options).expectEqual()
  }

  @Test("Any number of workers, and an image without the others, give the same bits")
  func sameBits() throws {
    let folder = try TemporaryFolder()
    let autoencoder = try Autoencoder(path: try RandomAutoencoder().write(to: folder.file("vae.safetensors")))
    var random = Randomness()
    let images = random.normal(3 * 3 * 64 * 64, deviation: 0.5)
    let moments = autoencoder.encode(images, side: 64, Workers(1))
    let decoded = autoencoder.decode(moments, side: 32, Workers(1))
    for workers in [2, 3] {
      #expect(autoencoder.encode(images, side: 64, Workers(workers)) == moments)
      #expect(autoencoder.decode(moments, side: 32, Workers(workers)) == decoded)
    }
    let (image, latent) = (3 * 64 * 64, moments.count / 3)
    #expect(
      autoencoder.encode(Array(images[image..<2 * image]), side: 64, Workers(2)) == Array(moments[latent..<2 * latent])
    )
  }

  @Test("The halves of an autoencoder can be read alone, and say the same of the latents")
  func readsHalves() throws {
    let folder = try TemporaryFolder()
    let path = try RandomAutoencoder().write(to: folder.file("vae.safetensors"))
    let whole = try Autoencoder(path: path)
    for part in Autoencoder.Part.allCases {
      let half = try Autoencoder(path: path, parts: [part])
      #expect(half.latentChannels == 4 && half.downscale == 2 && half.fingerprint == whole.fingerprint)
    }
    #expect(whole.fingerprint == (try Fingerprint(of: path).sha256))
  }

  @Test(
    "A file that does not fit is refused by the name of its tensor",
    arguments: [
      Defect("encoder.mid.block_1.conv1.weight", .missing, "no tensor"),
      Defect("encoder.down.1.block.0.nin_shortcut.weight", .missing, "no tensor"),
      Defect("decoder.norm_out.bias", .missing, "no tensor"),
      Defect("decoder.conv_in.weight", .missing, "no tensor"),
      Defect("encoder.conv_in.weight", .missing, "no tensor"),
      Defect("encoder.down.0.block.1.conv2.weight", .shape([32, 16, 3, 3]), "[32, 16, 3, 3]"),
      Defect("encoder.down.0.block.0.conv1.weight", .shape([33, 32, 3, 3]), "a multiple of 32"),
      Defect("decoder.conv_out.weight", .shape([3, 32, 1, 1]), "[3, 32, 1, 1]"),
      Defect("decoder.conv_in.weight", .shape([64]), "[64]"),
      Defect("encoder.mid.attn_1.q.weight", .shape([64, 32]), "[64, 64] or [64, 64, 1, 1]"),
      Defect("encoder.mid.block_2.norm1.weight", .value(.nan), "not finite"),
      Defect("decoder.up.0.block.2.conv1.bias", .value(.infinity), "not finite"),
      Defect("encoder.down.0.block.0.temb_proj.weight", .added([4]), "no place"),
      Defect("decoder.up.1.block.4.conv1.weight", .added([4]), "no place"),
      Defect("other.encoder.conv_in.weight", .added([4]), "several networks"),
      Defect("post_quant_conv.weight", .shape([4, 5, 1, 1]), "2 for each of 5 channels", naming: "quant_conv.weight"),
    ])
  func refuses(defect: Defect) throws {
    let folder = try TemporaryFolder()
    var autoencoder = RandomAutoencoder()
    autoencoder.apply(defect)
    let path = try autoencoder.write(to: folder.file("vae.safetensors"))
    let error = #expect(throws: FileError.self) { try Autoencoder(path: path) }
    let message = error?.description ?? ""
    #expect(message.contains(defect.naming) && message.contains(defect.says), "\(message)")
  }

  @Test("A pass takes no more memory than stated, at 512 pixels", arguments: [1, 2])
  func statesItsMemory(threads: Int) throws {
    let folder = try TemporaryFolder()
    let autoencoder = try Autoencoder(path: try RandomAutoencoder().write(to: folder.file("vae.safetensors")))
    let stated = autoencoder.memoryBytes(side: 512, threads: threads)
    // Two maps of 32 channels, and those of 64 at the end of the decoder.
    #expect(stated > 4 * 512 * 512 * (64 + 2 * 32))
    #expect(stated < 2 * 4 * 512 * 512 * (64 + 2 * 32))
  }
}

extension Autoencoder {
  func encode(_ images: [Float], side: Int, _ workers: Workers) -> [Float] {
    let count = images.count / (3 * side * side) * 2 * latentChannels * (side / downscale) * (side / downscale)
    return filled(count) { target in images.withUnsafeBufferPointer { encode($0, side: side, into: target, workers) } }
  }

  /// Decodes the first C of the channels of each image.
  func decode(_ moments: [Float], side: Int, _ workers: Workers) -> [Float] {
    let size = latentChannels * side * side
    let means = stride(from: 0, to: moments.count, by: 2 * size).flatMap { moments[$0..<$0 + size] }
    return decode(latents: means, side: side, workers)
  }

  func decode(latents: [Float], side: Int, _ workers: Workers) -> [Float] {
    let images = latents.count / (latentChannels * side * side)
    return filled(images * 3 * side * side * downscale * downscale) { target in
      latents.withUnsafeBufferPointer { decode($0, side: side, into: target, workers) }
    }
  }

  private func filled(_ count: Int, _ body: (UnsafeMutableBufferPointer<Float>) -> Void) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      body(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      initialized = count
    }
  }
}
