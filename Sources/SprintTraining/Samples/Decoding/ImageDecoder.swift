import SprintKernels

/// The half of an autoencoder that turns latents into images.
package protocol ImageDecoder {
  /// C of the latents.
  var latentChannels: Int { get }
  /// The side of an image over that of its latent.
  var downscale: Int { get }
  /// SHA-256 of the file of its weights.
  var fingerprint: String { get }
  /// Turns latents into images of red, green and blue in [-1, 1].
  ///
  /// - Parameters:
  ///   - latents: [B, C, s, s] as the autoencoder's own encoder gives them, without scale and shift
  ///   - side: s
  ///   - images: [B, 3, S, S] with S = s · downscale
  func decode(
    _ latents: UnsafeBufferPointer<Float>, side: Int, into images: UnsafeMutableBufferPointer<Float>, _ workers: Workers
  ) throws
}
