import SprintKernels
import SprintTraining

/// A decoder without weights: colour k of a pixel is (k + 1) / 8 times the sum of its latent's channels.
struct FakeDecoder: ImageDecoder {
  var latentChannels = 4
  var downscale = 2
  var fingerprint = "0123456789abcdef"

  func decode(
    _ latents: UnsafeBufferPointer<Float>, side: Int, into images: UnsafeMutableBufferPointer<Float>, _ workers: Workers
  ) {
    let (wide, plane) = (side * downscale, side * side)
    for index in images.indices {
      let (pixel, color, image) = (index % (wide * wide), index / (wide * wide) % 3, index / (3 * wide * wide))
      let place = pixel / wide / downscale * side + pixel % wide / downscale
      let sum = (0..<latentChannels).reduce(Float(0)) { $0 + latents[(image * latentChannels + $1) * plane + place] }
      images[index] = Float(color + 1) / 8 * sum
    }
  }
}
