import CPNG

/// Reads PNG files with libpng.
enum PNGFile {
  /// Decodes a file; throws `FileError` if it is broken.
  static func decoded(_ bytes: UnsafeRawBufferPointer, name: String) throws -> StoredPicture {
    // libpng keeps the address of the reader.
    let reader = UnsafeMutablePointer<sprint_png_reader>.allocate(capacity: 1)
    reader.initialize(to: sprint_png_reader())
    defer {
      sprint_png_close(reader)
      reader.deallocate()
    }
    let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
    guard sprint_png_open(reader, start, bytes.count) != 0 else { throw failure(reader, name) }
    let (width, height) = (Int(reader.pointee.width), Int(reader.pointee.height))
    try PictureBound.check(
      width: width, height: height, mostInFile: mostPixels(bytes.count, Int(reader.pointee.bits_per_pixel)), name: name)
    let pixels = try [UInt8](unsafeUninitializedCapacity: 3 * width * height) { target, count in
      guard sprint_png_read(reader, target.baseAddress) != 0 else { throw failure(reader, name) }
      count = 3 * width * height
    }
    return StoredPicture(
      picture: Picture(width: width, height: height, pixels: pixels), orientation: orientation(reader))
  }

  /// Deflate packs at most 1032 bytes into one. https://zlib.net/zlib_tech.html
  private static func mostPixels(_ bytes: Int, _ bitsPerPixel: Int) -> Int { bytes * 1032 * 8 / max(1, bitsPerPixel) }

  private static func orientation(_ reader: UnsafeMutablePointer<sprint_png_reader>) -> PictureOrientation {
    var count = 0
    guard let exif = sprint_png_exif(reader, &count) else { return .upright }
    return PictureOrientation(exif: Array(UnsafeBufferPointer(start: exif, count: count)))
  }

  private static func failure(_ reader: UnsafeMutablePointer<sprint_png_reader>, _ name: String) -> FileError {
    let text = withUnsafeBytes(of: reader.pointee.problem) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return .unusable(path: name, problem: "a broken PNG picture: \(text)")
  }
}
