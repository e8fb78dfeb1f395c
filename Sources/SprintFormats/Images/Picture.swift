import CPNG
import CZlib
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
    get throws {
      var image = sprint_png_rgb_image(UInt32(width), UInt32(height))
      // The first call asks for the size.
      var size = 0
      guard png_image_write_to_memory(&image, nil, &size, 0, pixels, 0, nil) != 0 else { throw Self.failure(image) }
      var data = Data(count: size)
      let isWritten = data.withUnsafeMutableBytes {
        png_image_write_to_memory(&image, $0.baseAddress, &size, 0, pixels, 0, nil) != 0
      }
      guard isWritten else { throw Self.failure(image) }
      return data.prefix(size)
    }
  }

  /// Writes the picture as PNG, in one piece or not at all.
  ///
  /// - Parameter comment: text about the picture, in Latin letters
  package func writePNG(comment: String? = nil, to path: String) throws {
    var data = try png
    if let comment { data.insert(contentsOf: Self.chunk("tEXt", "Comment\0\(comment)"), at: Self.headerBytes) }
    try AtomicFile.write(data, to: path)
  }

  /// The signature and the chunk with the extents, which comes first.
  private static let headerBytes = 8 + 25

  /// Returns a chunk: its length, its name, its contents and their checksum. PNG specification, section 5.3.
  private static func chunk(_ name: String, _ contents: String) -> [UInt8] {
    let body = Array((name + contents).utf8)
    func bigEndian(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
    let checksum = UInt32(truncatingIfNeeded: crc32(0, body, UInt32(body.count)))
    return bigEndian(UInt32(contents.utf8.count)) + body + bigEndian(checksum)
  }

  private static func failure(_ image: png_image) -> FileError {
    .unusable(path: "a picture of \(image.width) x \(image.height)", problem: "cannot be encoded as PNG")
  }
}
