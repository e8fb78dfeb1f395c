import Foundation

extension Picture {
  /// Reads a JPEG or PNG picture; its content says which, not the name of the file.
  ///
  /// The bytes are those of Pillow's `Image.open(path).convert("RGB")`. Alpha is dropped; of 16 bits the higher byte is
  /// kept, of grey pictures too, where Pillow makes everything above 255 white. Throws `FileError` where the picture is
  /// broken or ends too early, even if part of it could be shown, and beyond 178 million pixels.
  ///
  /// - Parameter upright: whether to turn the picture as its EXIF data say, as `ImageOps.exif_transpose` does
  package init(reading path: String, upright: Bool = true) throws {
    let file = try RandomAccessFile(reading: path)
    let head = try file.bytes(at: 0, count: min(file.size, PictureFormat.signatureBytes))
    guard PictureFormat(head) != nil else { throw Self.noPicture(path) }
    try self.init(decoding: file.contents(), name: path, upright: upright)
  }

  /// Decodes the bytes of a JPEG or PNG file.
  ///
  /// - Parameters:
  ///   - name: what messages call it
  ///   - upright: whether to turn the picture as its EXIF data say
  package init(decoding bytes: Data, name: String, upright: Bool = true) throws {
    let decoded = try bytes.withUnsafeBytes { bytes in
      switch PictureFormat(bytes.prefix(PictureFormat.signatureBytes)) {
      case .jpeg: try JPEGFile(bytes, name: name).decoded()
      case .png: try PNGFile.decoded(bytes, name: name)
      case nil: throw FileError.unusable(path: name, problem: Self.expectation)
      }
    }
    self = upright ? decoded.picture.turned(decoded.orientation) : decoded.picture
  }

  private static let expectation = "no JPEG or PNG picture"

  private static func noPicture(_ path: String) -> FileError {
    FileError.otherKind(path, expected: .jpeg, .png) ?? .unusable(path: path, problem: expectation)
  }
}

/// The formats of pictures that can be read.
private enum PictureFormat {
  case jpeg, png

  static let signatureBytes = 8

  /// Recognises a format by the first bytes of a file.
  init?(_ head: some Collection<UInt8>) {
    if head.starts(with: [0xff, 0xd8, 0xff]) {
      self = .jpeg
    } else if head.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) {
      self = .png
    } else {
      return nil
    }
  }
}

/// A picture as its file stores it, and how to turn it.
struct StoredPicture {
  let picture: Picture
  let orientation: PictureOrientation
}
