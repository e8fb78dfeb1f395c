import CJPEG

/// The bytes of a JPEG file, read with libturbojpeg.
struct JPEGFile {
  private let bytes: UnsafeRawBufferPointer
  private let name: String
  private let segments: JPEGSegments

  init(_ bytes: UnsafeRawBufferPointer, name: String) {
    (self.bytes, self.name) = (bytes, name)
    segments = JPEGSegments(bytes)
  }

  /// Decodes the file; throws `FileError` if it is broken or ends too early.
  func decoded() throws -> StoredPicture {
    let decoder = try JPEGDecoder()
    // A strange version in the header is a warning, and only the first warning of a file has a text.
    guard let version = segments.strangeVersion else { return try decoded(decoder, bytes) }
    var mended = Array(bytes)
    mended[version] = 1
    return try mended.withUnsafeBytes { try decoded(decoder, $0) }
  }

  private func decoded(_ decoder: JPEGDecoder, _ bytes: UnsafeRawBufferPointer) throws -> StoredPicture {
    do {
      let header = try decoder.header(bytes)
      try PictureBound.check(
        width: header.width, height: header.height, mostInFile: Self.mostPixels(bytes.count), name: name)
      let pixels = try pixels(header, decoder, bytes)
      return StoredPicture(
        picture: Picture(width: header.width, height: header.height, pixels: pixels), orientation: segments.orientation)
    } catch let problem as JPEGDecoder.Problem {
      throw FileError.unusable(path: name, problem: "a broken JPEG picture: \(problem.text)")
    }
  }

  /// A block of 8 x 8 numbers takes a bit at least, and a component may have one block for 2 x 2.
  private static func mostPixels(_ bytes: Int) -> Int { bytes * 8 * 64 * 4 }

  private func pixels(
    _ header: JPEGDecoder.Header, _ decoder: JPEGDecoder, _ bytes: UnsafeRawBufferPointer
  ) throws -> [UInt8] {
    do { return try decoder.pixels(bytes, header, allowsWarnings: false) } catch let problem as JPEGDecoder.Problem {
      // All pixels are there if this warning is the first one, unless the data have marks in between.
      guard problem.isExtraBytesAtTheEnd, !segments.hasRestarts else { throw problem }
      return try decoder.pixels(bytes, header, allowsWarnings: true)
    }
  }
}

/// A decompressor of libturbojpeg; every call of the library is made and checked here.
private final class JPEGDecoder {
  private let handle: tjhandle

  /// The extents in pixels, and how colours are stored.
  struct Header {
    let width, height: Int
    let isCMYK: Bool
  }

  /// What the library says is wrong.
  struct Problem: Error {
    let text: String

    /// Whether bytes between the last pixel and the end are all that is wrong.
    var isExtraBytesAtTheEnd: Bool { text.hasSuffix("extraneous bytes before marker 0xd9") }
  }

  init() throws {
    guard let handle = tjInitDecompress() else { throw Problem(text: "libturbojpeg does not start") }
    self.handle = handle
  }

  deinit { tjDestroy(handle) }

  private var problem: Problem { Problem(text: String(cString: tjGetErrorStr2(handle))) }

  func header(_ bytes: UnsafeRawBufferPointer) throws -> Header {
    var (width, height, sampling, colours): (Int32, Int32, Int32, Int32) = (0, 0, -1, -1)
    let code = tjDecompressHeader3(
      handle, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, UInt(bytes.count), &width, &height, &sampling,
      &colours)
    // It fails for rare samplings too, which can be decoded all the same.
    guard width > 0, height > 0, colours >= 0 else {
      throw code == 0 ? Problem(text: "it has no picture") : problem
    }
    let isCMYK = [Int32(TJCS_CMYK.rawValue), Int32(TJCS_YCCK.rawValue)].contains(colours)
    return Header(width: Int(width), height: Int(height), isCMYK: isCMYK)
  }

  /// Decodes to red, green and blue with the exact inverse transform, as Pillow does.
  func pixels(_ bytes: UnsafeRawBufferPointer, _ header: Header, allowsWarnings: Bool) throws -> [UInt8] {
    let channels = header.isCMYK ? 4 : 3
    let count = channels * header.width * header.height
    let pixels = try [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      let code = tjDecompress2(
        handle, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, UInt(bytes.count), target.baseAddress,
        Int32(header.width), Int32(channels * header.width), Int32(header.height),
        Int32(header.isCMYK ? TJPF_CMYK.rawValue : TJPF_RGB.rawValue),
        TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS | (allowsWarnings ? 0 : TJFLAG_STOPONWARNING))
      let isWarning = code != 0 && tjGetErrorCode(handle) == Int32(TJERR_WARNING.rawValue)
      guard code == 0 || allowsWarnings && isWarning else { throw problem }
      initialized = count
    }
    return header.isCMYK ? Self.rgb(invertedCMYK: pixels) : pixels
  }

  /// Returns the colours of inks, of which Adobe stores how much is left out. `cmyk2rgb` of
  /// `src/libImaging/Convert.c`, https://github.com/python-pillow/Pillow
  private static func rgb(invertedCMYK inks: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: inks.count / 4 * 3) { target, initialized in
      inks.withUnsafeBufferPointer { inks in
        for pixel in 0..<inks.count / 4 {
          let white = Int32(inks[4 * pixel + 3])
          for channel in 0..<3 {
            let product = (255 - Int32(inks[4 * pixel + channel])) * white + 128
            target[3 * pixel + channel] = UInt8(clamping: white - ((product >> 8) + product) >> 8)
          }
        }
      }
      initialized = inks.count / 4 * 3
    }
  }
}
