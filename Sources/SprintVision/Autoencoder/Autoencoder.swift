import Foundation
import SprintFormats
import SprintKernels

/// An AutoencoderKL of others: it turns images into the moments of latents, and latents into images. Stable Diffusion's
/// (arXiv 2112.10752), SDXL's, SD3's and Flux's are of this kind, and those of MAR, VA-VAE and REPA-E.
package final class Autoencoder: Sendable {
  /// What of an autoencoder is read.
  package enum Part: Sendable, CaseIterable { case encoder, decoder }

  /// C
  package let latentChannels: Int
  /// f: pixels of an image's side for each of the latents' side.
  package let downscale: Int
  /// The SHA-256 of the file, or of those of all shards.
  package let fingerprint: String
  private let encoder, decoder: AutoencoderHalf?

  /// Reads an autoencoder from a safetensors file, the index of several, or a folder with one of them. Names, widths
  /// and numbers of blocks are those of the file.
  ///
  /// - Parameter parts: the halves to read; the others take no memory
  package init(path: String, parts: Set<Part> = Set(Part.allCases)) throws {
    let collection = try SafetensorsCollection(path: path)
    let first = parts.contains(.encoder) ? "encoder.conv_in.weight" : "decoder.conv_in.weight"
    guard let prefix = try collection.prefix(of: first) else {
      throw FileError.unusable(
        path: collection.path, problem: "there is no tensor `\(first)`; expected an AutoencoderKL")
    }
    let weights = NetworkWeights(collection, prefix: prefix)
    encoder = parts.contains(.encoder) ? try AutoencoderHalf(encoder: weights) : nil
    decoder = parts.contains(.decoder) ? try AutoencoderHalf(decoder: weights) : nil
    (latentChannels, downscale) = try Self.shape(encoder, decoder, weights)
    fingerprint = try collection.fingerprint
  }

  /// Returns C and f; throws if the halves differ in them.
  private static func shape(
    _ encoder: AutoencoderHalf?, _ decoder: AutoencoderHalf?, _ weights: NetworkWeights
  ) throws -> (channels: Int, downscale: Int) {
    let outputs = encoder?.outputs ?? 2 * (decoder?.inputs ?? 0)
    let channels = decoder?.inputs ?? outputs / 2
    guard outputs == 2 * channels else {
      let name = weights.has("quant_conv.weight") ? "quant_conv.weight" : "encoder.conv_out.weight"
      throw weights.unexpected(
        name, found: "of \(outputs) outputs",
        expected: decoder == nil ? "a mean and a variance for each channel" : "2 for each of \(channels) channels")
    }
    let steps = (encoder?.steps ?? decoder?.steps ?? 0, decoder?.steps ?? encoder?.steps ?? 0)
    guard steps.0 == steps.1 else {
      throw FileError.unusable(
        path: weights.path, problem: "the encoder halves images \(steps.0) times, the decoder doubles them \(steps.1)")
    }
    return (channels, 1 << steps.0)
  }

  /// Computes mean and standard deviation of the latents of each image. The numbers of an image do not depend on the
  /// others, nor on the number of workers.
  ///
  /// - Parameters:
  ///   - images: [B, 3, side, side] in [-1, 1]
  ///   - side: a multiple of `downscale`
  ///   - moments: [B, 2C, side / f, side / f] means, then standard deviations
  package func encode(
    _ images: UnsafeBufferPointer<Float>, side: Int, into moments: UnsafeMutableBufferPointer<Float>, _ workers: Workers
  ) {
    guard let encoder else { preconditionFailure("the encoder was not read") }
    precondition(side > 0 && side % downscale == 0, "images of \(side) pixels; expected a multiple of \(downscale)")
    run(encoder, images, side: side, outputSide: side / downscale, into: moments, workers) { channel, value in
      channel < latentChannels ? value : exp(0.5 * min(max(value, -30), 20))
    }
  }

  /// Computes the image of each latent.
  ///
  /// - Parameters:
  ///   - latents: [B, C, side, side] as they are before scaling
  ///   - side: of the latents
  ///   - images: [B, 3, side · f, side · f]
  package func decode(
    _ latents: UnsafeBufferPointer<Float>, side: Int, into images: UnsafeMutableBufferPointer<Float>, _ workers: Workers
  ) {
    guard let decoder else { preconditionFailure("the decoder was not read") }
    run(decoder, latents, side: side, outputSide: side * downscale, into: images, workers) { _, value in value }
  }

  /// Computes a half, some images at a time: as many as keep all workers busy.
  private func run(
    _ half: AutoencoderHalf, _ source: UnsafeBufferPointer<Float>, side: Int, outputSide: Int,
    into target: UnsafeMutableBufferPointer<Float>, _ workers: Workers, _ value: (_ channel: Int, Float) -> Float
  ) {
    let (size, outputSize) = (half.inputs * side * side, half.outputs * outputSide * outputSide)
    precondition(
      source.count % size == 0 && target.count == source.count / size * outputSize,
      "\(source.count) numbers of \(size) an image into \(target.count) of \(outputSize)")
    let (count, plan) = (source.count / size, half.plan(side: side))
    let most = Self.imagesInFlight(latentSide: min(side, outputSide), workers: workers.count)
    for first in stride(from: 0, to: count, by: most) {
      let images = first..<min(first + most, count)
      let part = UnsafeBufferPointer(rebasing: source[images.lowerBound * size..<images.upperBound * size])
      half.run(part, side: side, plan, workers) { maps in
        maps.separate(into: target, from: images.lowerBound * outputSize, value)
      }
    }
  }

  /// The images that are computed at once: a layer of small latents has too few slices for many workers.
  private static func imagesInFlight(latentSide: Int, workers: Int) -> Int {
    max(1, workers * 512 / max(512, latentSide * latentSide))
  }

  /// The most bytes that a pass over images takes beside the weights and the images, whatever their number.
  ///
  /// - Parameters:
  ///   - side: of the images
  ///   - threads: the workers
  package func memoryBytes(side: Int, threads: Int) -> Int {
    let images = Self.imagesInFlight(latentSide: side / downscale, workers: threads)
    let plans = [encoder?.plan(side: side), decoder?.plan(side: side / downscale)].compactMap { $0 }
    return plans.map { 4 * $0.floats(images: images, threads: threads) + threads * $0.scratchBytes }.max() ?? 0
  }
}

extension FeatureMaps {
  /// Writes all channels as planes, [B, C, height, width], from an offset on.
  fileprivate func separate(
    into planes: UnsafeMutableBufferPointer<Float>, from offset: Int, _ value: (_ channel: Int, Float) -> Float
  ) {
    let area = height * width
    for image in 0..<count {
      for channel in 0..<channels {
        let start = offset + (image * channels + channel) * area
        for pixel in 0..<area { planes[start + pixel] = value(channel, pixels[image * area + pixel, channel]) }
      }
    }
  }
}
