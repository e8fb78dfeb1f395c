import SprintData
import SprintFormats

/// Turns samples into pictures.
package struct SampleGrid {
  private let channels, side: Int
  private let properties: LatentProperties
  private let colors: LatentColors

  /// Prepares pictures of latents [C, S, S] in the model's units.
  package init(channels: Int, side: Int, _ properties: LatentProperties) {
    (self.channels, self.side, self.properties) = (channels, side, properties)
    colors = LatentColors(channels: channels, properties)
  }

  /// A note about the colours; nil if they are those of the image.
  package var caption: String? { colors.caption }

  /// The number of values of a sample.
  var elements: Int { channels * side * side }

  /// Returns a sample as bytes [S, S, C] as evaluations take them: black and white are the ends of the pixel range, or
  /// -3 and 3 for latents, and fractions are cut off, so that bytes are clamp(127.5 x + 127.5, 0, 255) of x in [-1, 1].
  /// https://github.com/sihyun-yu/REPA, `generate.py`
  package func bytes(_ sample: [Float]) -> [UInt8] {
    let plane = side * side
    return [UInt8](unsafeUninitializedCapacity: elements) { bytes, initialized in
      for channel in 0..<channels {
        for pixel in 0..<plane {
          bytes[pixel * channels + channel] = colors.byte(sample[channel * plane + pixel], channel: channel)
        }
      }
      initialized = elements
    }
  }

  /// Returns red, green and blue [S, S, 3] of a sample.
  func colors(_ sample: [Float]) -> [UInt8] {
    let plane = side * side
    return [UInt8](unsafeUninitializedCapacity: 3 * plane) { bytes, initialized in
      for pixel in 0..<plane {
        let color = colors.color { sample[$0 * plane + pixel] }
        (bytes[3 * pixel], bytes[3 * pixel + 1], bytes[3 * pixel + 2]) = color
      }
      initialized = 3 * plane
    }
  }

  /// Draws a grid with one row per class, labelled with the number of the class.
  package func picture(_ samples: [[Float]], labels: [Int]) -> Picture {
    GridLayout(labels: labels, side: side).picture { colors(samples[$0]) }
  }
}

extension LatentProperties {
  /// Returns the number in a data set for a number in the model's units.
  package func stored(_ value: Float, channel: Int) -> Float { (value - shift[channel]) / scale[channel] }
}
