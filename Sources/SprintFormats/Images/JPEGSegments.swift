/// What the segments of a JPEG file say before its first pixels.
struct JPEGSegments {
  /// How to turn the picture.
  private(set) var orientation = PictureOrientation.upright
  /// The place of the major version of JFIF, where it is none that libjpeg knows.
  private(set) var strangeVersion: Int?
  /// Whether the data of the pixels have marks from which a decoder can restart.
  private(set) var hasRestarts = false

  init(_ bytes: UnsafeRawBufferPointer) {
    var place = 2
    while place + 4 <= bytes.count, bytes[place] == 0xff {
      let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
      switch bytes[place + 1] {
      // A byte to fill up.
      case 0xff:
        place += 1
        continue
      // The first pixels.
      case 0xda: return
      case let marker:
        let end = min(bytes.count, place + 2 + length)
        note(marker, bytes, place + 4..<max(place + 4, end))
      }
      place += 2 + max(2, length)
    }
  }

  private mutating func note(_ marker: UInt8, _ bytes: UnsafeRawBufferPointer, _ body: Range<Int>) {
    let content = UnsafeRawBufferPointer(rebasing: bytes[body])
    switch marker {
    case 0xe0 where content.starts(with: Array("JFIF\0".utf8)) && content.count >= 14:
      if content[5] != 1 { strangeVersion = body.lowerBound + 5 }
    case 0xe1 where content.starts(with: Array("Exif\0\0".utf8)):
      orientation = PictureOrientation(exif: Array(content.dropFirst(6)))
    case 0xdd: hasRestarts = content.contains { $0 != 0 }
    default: break
    }
  }
}
