import Foundation
import SprintFormats

/// Decodes a JPEG picture, upright.
func readJPEG(_ bytes: UnsafeBufferPointer<UInt8>) { read(picture: Array(bytes)) }

/// Decodes a PNG picture whose checksums are right, so that damage reaches what they protect.
func readPNG(_ bytes: UnsafeBufferPointer<UInt8>) {
  var bytes = Array(bytes)
  var place = 8
  while place + 12 <= bytes.count {
    let length = bytes[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytes.count - place - 12 else { break }
    let checksum = Checksum.crc32(bytes[place + 4..<place + 8 + length])
    for i in 0..<4 { bytes[place + 8 + length + i] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * i)) }
    place += 12 + length
  }
  read(picture: bytes)
}

private func read(picture bytes: [UInt8]) {
  guard let picture = try? Picture(decoding: Data(bytes), name: "input") else { return }
  precondition(picture.pixels.count == 3 * picture.width * picture.height, "pixels are missing")
}

/// The checksum of PNG's chunks, bit by bit. PNG specification, section 5.5.
private enum Checksum {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
  }

  static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { sum, byte in table[Int((sum ^ UInt32(byte)) & 0xff)] ^ sum >> 8 }
  }
}
