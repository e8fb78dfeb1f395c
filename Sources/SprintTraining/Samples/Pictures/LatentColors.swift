import SprintData

/// Finds colours of latents without an autoencoder. Pixels keep their colours, four channels of Stable Diffusion go
/// through a linear map, and of other latents the first three channels become red, green and blue.
struct LatentColors {
  private let channels: Int
  private let properties: LatentProperties

  init(channels: Int, _ properties: LatentProperties) { (self.channels, self.properties) = (channels, properties) }

  private var isPixels: Bool { properties.kind == "pixels" }
  private var isMapped: Bool { !isPixels && channels == 4 }

  /// A note about the colours; nil if they are those of the image.
  var caption: String? {
    if isPixels, [1, 3].contains(channels) { return nil }
    if isMapped {
      return "approximate colours: a linear map of the four Stable Diffusion channels, not the decoded images"
    }
    let shown = channels < 3 ? "\(channels)" : "the first three"
    return "false colours: \(shown) of \(channels) channels, not the decoded images"
  }

  /// Returns red, green and blue of a pixel whose channels `value` gives in the model's units.
  func color(_ value: (_ channel: Int) -> Float) -> (UInt8, UInt8, UInt8) {
    guard isMapped else {
      let first = level(value(0), channel: 0)
      guard channels > 1 else { return (first, first, first) }
      return (first, level(value(1), channel: 1), channels == 2 ? 0 : level(value(2), channel: 2))
    }
    var sum = SIMD3<Float>(repeating: 0)
    for channel in 0..<4 { sum += Self.map[channel] * scaled(value(channel), channel) }
    return (Self.byte((sum.x + 1) / 2), Self.byte((sum.y + 1) / 2), Self.byte((sum.z + 1) / 2))
  }

  /// Returns a channel as a byte; black and white are the ends of the pixel range, or -3 and 3 for latents.
  private func level(_ value: Float, channel: Int) -> UInt8 {
    guard isPixels else { return Self.byte((value + 3) / 6) }
    let range = properties.pixelRange
    let stored = Double(properties.stored(value, channel: channel))
    return Self.byte(Float((stored - range.lowerBound) / (range.upperBound - range.lowerBound)))
  }

  /// Returns a channel as the byte that evaluations take: the fraction of a level is cut off.
  func byte(_ value: Float, channel: Int) -> UInt8 {
    let range = isPixels ? properties.pixelRange : -3...3
    let factor = 255 / (range.upperBound - range.lowerBound)
    let level = Float(factor) * (isPixels ? properties.stored(value, channel: channel) : value)
    let shifted = level + Float(-range.lowerBound * factor)
    return shifted.isFinite ? UInt8(max(0, min(255, shifted))) : 0
  }

  /// Returns the autoencoder's number times 0.18215. With a scale of 1 the data set stores that product.
  private func scaled(_ value: Float, _ channel: Int) -> Float {
    properties.scale[channel] == 1
      ? value : PublishedAutoencoder.stableDiffusionFactor * properties.stored(value, channel: channel)
  }

  private static func byte(_ level: Float) -> UInt8 {
    level.isFinite ? UInt8(max(0, min(255, (level * 255).rounded()))) : 0
  }

  /// Red, green and blue from -1 to 1 for each of the four channels times 0.18215, fitted to decoded images of Stable
  /// Diffusion 1.
  /// https://discuss.huggingface.co/t/decoding-latents-to-rgb-without-upscaling/23204
  private static let map: [SIMD3<Float>] = [
    SIMD3(0.298, 0.207, 0.208), SIMD3(0.187, 0.286, 0.173), SIMD3(-0.158, 0.189, 0.264), SIMD3(-0.184, -0.271, -0.473),
  ]
}
