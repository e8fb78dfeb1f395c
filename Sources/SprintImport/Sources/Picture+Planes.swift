import SprintFormats

extension Picture {
  /// Writes red, green and blue as planes of numbers from -1 to 1: byte / 127.5 - 1.
  ///
  /// - Parameter values: [3, height, width]
  func planes(into values: UnsafeMutableBufferPointer<Float>) {
    let area = width * height
    pixels.withUnsafeBufferPointer { pixels in
      for pixel in 0..<area {
        for channel in 0..<3 { values[channel * area + pixel] = Float(pixels[3 * pixel + channel]) / 127.5 - 1 }
      }
    }
  }

  /// The picture of which `planes` made these numbers.
  init(planes values: UnsafeMutableBufferPointer<Float>, side: Int) {
    let area = side * side
    let pixels = [UInt8](unsafeUninitializedCapacity: 3 * area) { pixels, count in
      for pixel in 0..<area {
        for channel in 0..<3 {
          pixels[3 * pixel + channel] = UInt8(((values[channel * area + pixel] + 1) * 127.5).rounded())
        }
      }
      count = 3 * area
    }
    self.init(width: side, height: side, pixels: pixels)
  }
}
