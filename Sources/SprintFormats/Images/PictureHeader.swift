/// The extents of a PNG or JPEG picture, read from its header alone.
package struct PictureHeader: Sendable {
  /// The extents in pixels.
  package let width, height: Int
  /// The bits of a channel.
  package let bits: Int
  /// What the channels are, such as `grey` or `RGB`.
  package let colors: String

  /// Reads a header; nil where the file is no PNG or JPEG picture, or ends before its extents.
  package init?(path: String) throws {
    let file = try RandomAccessFile(reading: path)
    let size = try file.size
    let head = try file.bytes(at: 0, count: min(size, 33))
    if head.count == 33, head.starts(with: [0x89, 0x50]) {
      self.init(png: head)
    } else if head.starts(with: [0xff, 0xd8]) {
      guard let frame = try Self.frame(of: file, size) else { return nil }
      self.init(jpeg: frame)
    } else {
      return nil
    }
  }

  /// The first chunk of a PNG file: width, height, bits, kind of colour.
  private init(png head: [UInt8]) {
    (width, height, bits) = (Self.number(head[16..<20]), Self.number(head[20..<24]), Int(head[24]))
    colors = [0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"][head[25]] ?? "unknown"
  }

  /// A frame header of a JPEG file: bits, height, width, number of components.
  private init(jpeg frame: [UInt8]) {
    (bits, height, width) = (Int(frame[0]), Self.number(frame[1..<3]), Self.number(frame[3..<5]))
    colors = [1: "grey", 3: "colour", 4: "CMYK"][frame[5]] ?? "\(frame[5]) components"
  }

  /// Goes through the segments of a JPEG file to its frame header.
  private static func frame(of file: RandomAccessFile, _ size: Int) throws -> [UInt8]? {
    var place = 2
    while place + 10 <= size {
      let segment = try file.bytes(at: place, count: 10)
      guard segment[0] == 0xff else { return nil }
      switch segment[1] {
      case 0xff: place += 1
      case 0xc0...0xcf where ![0xc4, 0xc8, 0xcc].contains(segment[1]): return Array(segment[4...])
      default: place += 2 + max(2, number(segment[2..<4]))
      }
    }
    return nil
  }

  private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
}
