import SprintFormats

/// Pictures as DINOv2 takes them: [3, side, side], normalised with the mean and deviation of ImageNet's pixels.
package enum DINOv2Input {
  private static let mean: [Float] = [0.485, 0.456, 0.406]
  private static let deviation: [Float] = [0.229, 0.224, 0.225]

  /// The side of the published networks' patches in pixels.
  package static let publishedPatch = 14

  /// The side at which REPA shows an image to its teacher: 224 * (resolution // 256), for 256 and 512. Smaller images,
  /// which it does not have, are shown at 224 too.
  package static func alignmentSide(ofResolution resolution: Int) -> Int { 224 * max(1, resolution / 256) }

  /// Normalises a square picture and resizes it, in this order, without antialiasing: REPA's `preprocess_raw_image`
  /// (github.com/sihyun-yu/REPA, train.py).
  package static func forAlignment(_ picture: Picture, side: Int) -> [Float] {
    precondition(picture.width == picture.height, "a picture of \(picture.width) x \(picture.height)")
    var resized = normalized(picture)
    if side != picture.width {
      let axis = BicubicResampling(from: picture.width, to: side)
      resized = resized.withUnsafeBufferPointer { axis.resample($0, channels: 3) }
    }
    return planes(resized)
  }

  /// Normalises a picture that has been resized: dgm-eval (github.com/layer6ai-labs/dgm-eval) and EDM2 (github.com/
  /// NVlabs/edm2, `resize_mode='pil'`) first resize its bytes to 224 x 224 by Pillow's bicubic filter.
  package static func forEvaluation(resized picture: Picture) -> [Float] { planes(normalized(picture)) }

  /// [height, width, 3]
  private static func normalized(_ picture: Picture) -> [Float] {
    // 256 values of a byte in each channel.
    let table = (0..<3).map { channel in (0..<256).map { (Float($0) / 255 - mean[channel]) / deviation[channel] } }
    var channel = 2
    return picture.pixels.map {
      channel = channel == 2 ? 0 : channel + 1
      return table[channel][Int($0)]
    }
  }

  /// [3, height, width] from [height, width, 3]
  private static func planes(_ pixels: [Float]) -> [Float] {
    (0..<3).flatMap { channel in stride(from: channel, to: pixels.count, by: 3).map { pixels[$0] } }
  }
}
