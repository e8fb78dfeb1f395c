import Foundation
import SprintData
import SprintFormats
import SprintKernels

/// Turns latents as a model or a data set has them into images.
package struct LatentDecoder {
  /// C and s of the latents.
  let channels, side: Int
  /// S of the images.
  package let imageSide: Int
  /// The autoencoder's file and its SHA-256.
  package let name, fingerprint: String
  /// One line for the user if the latents may be those of another autoencoder.
  package let warning: String?
  private let decoder: any ImageDecoder
  private let scaling: (scale: [Float], shift: [Float])
  private let workers: Workers

  /// The units of latents.
  package enum Units: Sendable {
    /// As the model sees them: stored · scale + shift.
    case model
    /// As a data set stores them.
    case stored
  }

  /// Throws unless the decoder takes latents of this kind.
  ///
  /// - Parameters:
  ///   - path: the decoder's file
  ///   - properties: what the latents are
  ///   - source: what holds the latents, for messages
  package init(
    _ decoder: any ImageDecoder, path: String, channels: Int, side: Int, _ properties: LatentProperties,
    in units: Units, of source: String, _ workers: Workers
  ) throws {
    guard properties.kind == "latents" else {
      throw FileError.unusable(
        path: source, problem: "holds the pixels of images, which need no autoencoder",
        remedy: SampleRemedy.leaveOutDecoder)
    }
    guard channels == decoder.latentChannels else {
      throw FileError.unusable(
        path: path,
        problem: "decodes latents of \(decoder.latentChannels) channels, those of \(source) have \(channels)")
    }
    (self.decoder, self.channels, self.side, self.workers) = (decoder, channels, side, workers)
    imageSide = side * decoder.downscale
    (name, fingerprint) = ((path as NSString).lastPathComponent, decoder.fingerprint)
    scaling = properties.autoencoderScaling(in: units)
    let notes = [properties.scalingNote, properties.mismatch(path, fingerprint)].compactMap(\.self)
    warning = notes.isEmpty ? nil : notes.joined(separator: "; ")
  }

  /// What the decoded numbers are: colours in [-1, 1].
  var imageProperties: LatentProperties {
    let (one, zero) = ([Float](repeating: 1, count: 3), [Float](repeating: 0, count: 3))
    return LatentProperties(scale: one, shift: zero, kind: "pixels", pixelRange: -1...1, vae: "")
  }

  /// Returns [n, 3, S, S] images of [n, C, s, s] latents.
  func images(_ latents: [Float]) throws -> [Float] {
    let plane = side * side
    let own = latents.indices.map { index in
      let channel = index / plane % channels
      return (latents[index] - scaling.shift[channel]) / scaling.scale[channel]
    }
    let (elements, pixels) = (channels * plane, 3 * imageSide * imageSide)
    let count = latents.count / elements
    var images = [Float](repeating: 0, count: count * pixels)
    try own.withUnsafeBufferPointer { own in
      try images.withUnsafeMutableBufferPointer { images in
        for first in stride(from: 0, to: count, by: Self.batch) {
          let end = min(first + Self.batch, count)
          let target = UnsafeMutableBufferPointer(rebasing: images[first * pixels..<end * pixels])
          let source = UnsafeBufferPointer(rebasing: own[first * elements..<end * elements])
          try decoder.decode(source, side: side, into: target, workers)
        }
      }
    }
    return images
  }

  /// The most images that are decoded at once, which bounds the memory.
  package static let batch = 8
}

extension LatentProperties {
  /// Whether the data set stores Stable Diffusion's latents times the factor 0.18215, as fast-DiT does. Its own scale
  /// is 1 then.
  private var storesProduct: Bool {
    scale.count == 4 && scale.allSatisfy { $0 == 1 } && shift.allSatisfy { $0 == 0 } && kind == "latents"
      && !areEncoded
  }

  /// Whether sprint encoded the latents itself: then it has kept the hash of the autoencoder beside its name, and the
  /// numbers are the autoencoder's own.
  private var areEncoded: Bool { vae.contains(" (SHA-256 ") }

  fileprivate var scalingNote: String? {
    guard storesProduct else { return nil }
    return "the latents have scale 1, so they are taken for Stable Diffusion's times "
      + "\(PublishedAutoencoder.stableDiffusionFactor)"
  }

  /// Scale and shift that a latent carries beside the autoencoder's own number, one a channel.
  fileprivate func autoencoderScaling(in units: LatentDecoder.Units) -> (scale: [Float], shift: [Float]) {
    let zero = [Float](repeating: 0, count: scale.count)
    if storesProduct {
      return (Array(repeating: PublishedAutoencoder.stableDiffusionFactor, count: scale.count), zero)
    }
    switch units {
    case .model: return (scale, shift)
    case .stored: return (zero.map { _ in 1 }, zero)
    }
  }

  /// A line if the file is not, by its path or content, the autoencoder that these latents name; sd-vae-ft-mse and
  /// sd-vae-ft-ema have the same encoder, so either decodes the other's latents.
  fileprivate func mismatch(_ path: String, _ fingerprint: String) -> String? {
    let shared = ["sd-vae-ft-mse", "sd-vae-ft-ema"]
    // The beginning of a hash may follow the name.
    let name = (vae.components(separatedBy: " (SHA-256").first ?? vae).lowercased()
    let names = shared.contains(name) ? shared : [name]
    let place = (URL(fileURLWithPath: path).path.lowercased() as NSString).pathComponents.suffix(3).joined(
      separator: "/")
    let isNamed = names.contains { name in place.contains(name) } || vae.contains(fingerprint.prefix(12))
    guard !vae.isEmpty, !isNamed else { return nil }
    return "the latents are those of the autoencoder \(vae); make sure that \(path) is its decoder"
  }
}
