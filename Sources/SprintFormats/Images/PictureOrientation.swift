/// How a picture has to be turned to stand upright. EXIF 2.3, tag 0x0112.
package enum PictureOrientation: Int, Sendable, CaseIterable {
  case upright = 1
  /// Left and right are exchanged.
  case mirrored
  /// Turned by half.
  case turned
  /// Top and bottom are exchanged.
  case flipped
  /// Rows are columns.
  case transposed
  /// The top is at the left: a quarter turn clockwise makes it upright.
  case clockwise
  /// Rows are columns, from the other corner.
  case transversed
  /// The top is at the right: a quarter turn counterclockwise makes it upright.
  case counterclockwise

  fileprivate var swapsAxes: Bool { rawValue >= 5 }
  /// Whether columns of the stored picture count from the right.
  fileprivate var fromRight: Bool { [.mirrored, .turned, .transversed, .counterclockwise].contains(self) }
  /// Whether rows of the stored picture count from below.
  fileprivate var fromBelow: Bool { [.turned, .flipped, .clockwise, .transversed].contains(self) }

  /// Reads the orientation from EXIF data, which are a small TIFF file; upright where they say nothing of it.
  init(exif bytes: [UInt8]) {
    self = Self.tag(of: TIFFBytes(bytes)).flatMap(PictureOrientation.init) ?? .upright
  }

  /// Goes through the first directory to the tag.
  private static func tag(of file: TIFFBytes?) -> Int? {
    guard let file, let directory = file.number(at: 4, 4), let entries = file.number(at: directory, 2) else {
      return nil
    }
    let places = (0..<entries).lazy.map { directory + 2 + 12 * $0 }
    guard let place = places.first(where: { file.number(at: $0, 2) == 0x0112 }),
      let type = file.number(at: place + 2, 2)
    else { return nil }
    return file.number(at: place + 8, type == 4 ? 4 : 2)
  }
}

/// Numbers in the byte order that a TIFF file begins with.
private struct TIFFBytes {
  private let bytes: [UInt8]
  private let isBigEndian: Bool

  init?(_ bytes: [UInt8]) {
    let orders = ["II": false, "MM": true]
    guard let isBigEndian = orders[String(decoding: bytes.prefix(2), as: UTF8.self)] else { return nil }
    (self.bytes, self.isBigEndian) = (bytes, isBigEndian)
    guard number(at: 2, 2) == 42 else { return nil }
  }

  /// Returns a number of `count` bytes; nil behind the end.
  func number(at place: Int, _ count: Int) -> Int? {
    guard place + count <= bytes.count else { return nil }
    let digits = bytes[place..<place + count]
    return (isBigEndian ? Array(digits) : digits.reversed()).reduce(0) { $0 << 8 | Int($1) }
  }
}

extension Picture {
  /// The picture with left and right exchanged.
  package var mirrored: Picture { turned(.mirrored) }

  /// Returns the upright picture of one that is stored in another orientation.
  func turned(_ orientation: PictureOrientation) -> Picture {
    guard orientation != .upright else { return self }
    let (columns, rows) = orientation.swapsAxes ? (height, width) : (width, height)
    let count = pixels.count
    let turned = [UInt8](unsafeUninitializedCapacity: count) { target, initialized in
      pixels.withUnsafeBufferPointer { source in
        for y in 0..<rows {
          for x in 0..<columns {
            let (across, down) = orientation.swapsAxes ? (y, x) : (x, y)
            let column = orientation.fromRight ? width - 1 - across : across
            let row = orientation.fromBelow ? height - 1 - down : down
            let (from, to) = (3 * (row * width + column), 3 * (y * columns + x))
            for channel in 0..<3 { target[to + channel] = source[from + channel] }
          }
        }
      }
      initialized = count
    }
    return Picture(width: columns, height: rows, pixels: turned)
  }
}
