import Foundation

/// TensorFlow's record format, which frames each event.
/// https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
enum EventRecord {
  /// Returns a record: length, its checksum, contents, their checksum.
  static func framed(_ contents: Data) -> Data {
    var record = Data(capacity: contents.count + 16)
    func append(_ number: some FixedWidthInteger) {
      withUnsafeBytes(of: number.littleEndian) { record.append(contentsOf: $0) }
    }
    append(UInt64(contents.count))
    append(maskedChecksum(record))
    record.append(contents)
    append(maskedChecksum(contents))
    return record
  }

  /// Calls `body` with every whole record and its place. Goes on after damaged ones.
  static func forEach(of file: RandomAccessFile, _ body: ((contents: Data, place: Range<Int>)) throws -> Void) throws {
    let size = try file.size
    var place = 0
    while place < size {
      guard let end = try end(of: file, at: place, size) else {
        guard let next = try nextHead(of: file, after: place, size) else { return }
        place = next
        continue
      }
      if let contents = try contents(of: file, at: place, end) { try body((contents, place..<end)) }
      place = end
    }
  }

  /// The bytes around the contents: the head with length and checksum, and the checksum at the end.
  private static let (headSize, frameSize) = (12, 16)

  /// The end of the record at `place`, or nil where its head is damaged or the file ends before.
  private static func end(of file: RandomAccessFile, at place: Int, _ size: Int) throws -> Int? {
    guard place + frameSize <= size else { return nil }
    return try withUnsafeTemporaryAllocation(byteCount: headSize, alignment: 8) { head in
      try file.read(into: head, at: place)
      return end(UnsafeRawBufferPointer(head), at: place, size)
    }
  }

  /// The end of the record at `place` that begins with `head`; nil where that is damaged or the file ends before.
  private static func end(_ head: UnsafeRawBufferPointer, at place: Int, _ size: Int) -> Int? {
    let length = UInt64(littleEndian: head.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(max(0, size - place - frameSize)) else { return nil }
    let checksum = UInt32(littleEndian: head.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    return checksum == maskedChecksum(head.prefix(8)) ? place + frameSize + Int(length) : nil
  }

  /// The place of the next whole head after `place`.
  private static func nextHead(of file: RandomAccessFile, after place: Int, _ size: Int) throws -> Int? {
    var start = place + 1
    while start + frameSize <= size {
      var piece = Data(count: min(1 << 20, size - start))
      try piece.withUnsafeMutableBytes { try file.read(into: $0, at: start) }
      let found = piece.withUnsafeBytes { bytes in
        (0...bytes.count - headSize).first { offset in
          let head = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + headSize])
          return end(head, at: start + offset, size) != nil
        }
      }
      if let found { return start + found }
      start += piece.count - headSize + 1
    }
    return nil
  }

  /// The contents of the record from `place` to `end`, or nil where they are damaged.
  private static func contents(of file: RandomAccessFile, at place: Int, _ end: Int) throws -> Data? {
    var contents = Data(count: end - place - headSize)
    try contents.withUnsafeMutableBytes { try file.read(into: $0, at: place + headSize) }
    let found = contents.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    contents.removeLast(4)
    return maskedChecksum(contents) == found ? contents : nil
  }

  private static func maskedChecksum(_ data: Data) -> UInt32 { data.withUnsafeBytes { maskedChecksum($0) } }

  private static func maskedChecksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let checksum = ~table.withUnsafeBufferPointer { table in
      bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }
    return (checksum >> 15 | checksum << 17) &+ 0xa282_ead8
  }

  /// The table of CRC-32C (Castagnoli's polynomial), which zlib lacks.
  private static let table = (0..<256 as Range<UInt32>).map { byte in
    (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1 }
  }
}
