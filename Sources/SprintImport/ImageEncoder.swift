import SprintFormats
import SprintKernels
import SprintVision

/// Turns images into the moments of latents. It works on many images at once, with all workers, unlike a source, which
/// several workers read sample by sample.
package protocol ImageEncoder: Sendable {
  /// C of the latents.
  var latentChannels: Int { get }
  /// Pixels of an image's side for each of the latents' side.
  var downscale: Int { get }
  /// The SHA-256 of the file of its weights.
  var fingerprint: String { get }
  /// Computes mean and standard deviation of the latents of each image. The numbers of an image depend neither on the
  /// others nor on the number of workers.
  ///
  /// - Parameters:
  ///   - images: [B, 3, side, side] in [-1, 1]
  ///   - moments: [B, 2C, side / downscale, side / downscale] means, then standard deviations
  func encode(
    _ images: UnsafeBufferPointer<Float>, side: Int, into moments: UnsafeMutableBufferPointer<Float>, _ workers: Workers
  )
}

/// An encoder, and what data sets call it.
package struct NamedEncoder: Sendable {
  /// The encoder.
  package let encoder: any ImageEncoder
  /// The path of its file.
  package let path: String

  /// Names an encoder by the file that it was read from.
  package init(_ encoder: any ImageEncoder, path: String) { (self.encoder, self.path) = (encoder, path) }
}

extension Autoencoder: ImageEncoder {}
