import CPNG
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

  /// Writes the picture as PNG, in one piece or not at all.
  package func writePNG(to path: String) throws {
    try AtomicFile.create(path) { temporary in
      var image = sprint_png_rgb_image(UInt32(width), UInt32(height))
      guard png_image_write_to_file(&image, temporary, 0, pixels, 0, nil) != 0 else {
        throw FileError.last(path, "write the picture")
      }
    }
  }
}
