import Foundation

/// A picture of 8-bit red, green and blue.
package struct Picture: Sendable {
  /// The extents in pixels.
  package let width, height: Int
  /// Red, green and blue of each pixel, row by row from the top.
  package private(set) var pixels: [UInt8]

  /// Makes a picture of one colour.
  package init(width: Int, height: Int, fill: UInt8 = 255) {
    (self.width, self.height) = (width, height)
    pixels = [UInt8](repeating: fill, count: 3 * width * height)
  }

  /// Makes a picture of red, green and blue of each pixel, row by row from the top.
  package init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == 3 * width * height, "\(pixels.count) bytes for \(width) x \(height) pixels")
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// Red, green and blue of one pixel; a write outside the picture does nothing.
  package subscript(x: Int, y: Int) -> (UInt8, UInt8, UInt8) {
    get {
      let i = 3 * (y * width + x)
      return (pixels[i], pixels[i + 1], pixels[i + 2])
    }
    set {
      guard x >= 0, x < width, y >= 0, y < height else { return }
      let i = 3 * (y * width + x)
      (pixels[i], pixels[i + 1], pixels[i + 2]) = newValue
    }
  }

  /// The picture as the bytes of a PNG file.
  package var png: Data {
    get throws { try PNGWriter.data(width: width, height: height) { try $0.write(pixels) } }
  }

  /// Writes the picture as PNG, in one piece or not at all.
  ///
  /// - Parameter comment: text about the picture, in Latin letters
  package func writePNG(comment: String = "", to path: String) throws {
    try PNGWriter.write(to: path, width: width, height: height, comment: comment) { try $0.write(pixels) }
  }
}
