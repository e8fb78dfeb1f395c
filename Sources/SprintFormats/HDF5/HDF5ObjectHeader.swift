/// The header of a data set as it stands in the file, read before the library opens the data set: version 1.10 divides
/// by the extents of pieces before it looks at them, and one that is zero, or missing, ends the process. HDF5 file
/// format, section IV.A.
struct HDF5ObjectHeader {
  private let file: RandomAccessFile
  private let size: Int
  /// Bytes of an address and of a length.
  private let addressBytes, lengthBytes: Int
  /// The place of address zero.
  private let base: Int

  /// A stretch of messages.
  private struct Block {
    var start, end: Int
    let isVersion1, hasCreationOrder: Bool
  }

  /// - Parameters:
  ///   - base: bytes in front of the HDF5 file
  ///   - addressBytes: size of an address
  ///   - lengthBytes: size of a length
  init(_ file: RandomAccessFile, base: Int, addressBytes: Int, lengthBytes: Int) throws {
    (self.file, size, self.base) = (file, try file.size, base)
    (self.addressBytes, self.lengthBytes) = (addressBytes, lengthBytes)
  }

  /// Whether a data set's pieces have an extent of zero, or not as many extents as the data set; its header is at
  /// `address`. False where the header is none, of which the library makes an error.
  func hasImpossiblePieces(at address: Int) throws -> Bool {
    guard var blocks = try first(at: base + address).map({ [$0] }) else { return false }
    var (ranks, pieces): ([Int], [[Int]]) = ([], [])
    // A header that continues for ever does not hold the file up.
    for number in 0..<256 where number < blocks.count {
      var block = blocks[number]
      while let message = try next(in: &block) {
        switch message.type {
        // A shared message stands elsewhere. Libraries do not share this one unless they are told to.
        case 0x01 where !message.isShared: ranks += try bytes(message.place).dropFirst().prefix(1).map(Int.init)
        case 0x08: pieces += Self.pieces(try bytes(message.place), addressBytes: addressBytes).map { [$0] } ?? []
        case 0x10: if let more = try continuation(message.place, of: block) { blocks.append(more) }
        default: break
        }
      }
    }
    // Which of several messages counts is the library's choice. The last extent of pieces is that of an element.
    return pieces.contains { extents in
      extents.contains(0) || extents.count < 2 || ranks.isEmpty || ranks.contains { $0 != extents.count - 1 }
    }
  }

  private func first(at start: Int) throws -> Block? {
    let head = try bytes(start..<start + 6)
    guard head.count == 6 else { return nil }
    if head.starts(with: Array("OHDR".utf8)) {
      let flags = head[5]
      let times = (flags & 0x20 != 0 ? 16 : 0) + (flags & 0x10 != 0 ? 4 : 0)
      let (place, width) = (start + 6 + times, 1 << Int(flags & 3))
      let length = Self.number(try bytes(place..<place + width))
      return Block(
        start: place + width, end: min(size, place + width + min(length, size)), isVersion1: false,
        hasCreationOrder: flags & 4 != 0)
    }
    guard head.first == 1 else { return nil }
    let length = Self.number(try bytes(start + 8..<start + 12))
    return Block(start: start + 16, end: min(size, start + 16 + length), isVersion1: true, hasCreationOrder: false)
  }

  /// Returns the next message and moves behind it; nil at the end of the block.
  private func next(in block: inout Block) throws -> (type: Int, isShared: Bool, place: Range<Int>)? {
    let prefix = block.isVersion1 ? 8 : block.hasCreationOrder ? 6 : 4
    guard block.start + prefix <= block.end else { return nil }
    let head = try bytes(block.start..<block.start + prefix)
    let (type, length) =
      block.isVersion1
      ? (Self.number(head[0..<2]), Self.number(head[2..<4])) : (Int(head[0]), Self.number(head[1..<3]))
    let start = block.start + prefix
    block.start = start + length
    guard block.start <= block.end else { return nil }
    let isShared = head[block.isVersion1 ? 4 : 3] & 2 != 0
    return (type, isShared, start..<start + length)
  }

  private func continuation(_ place: Range<Int>, of block: Block) throws -> Block? {
    let message = try bytes(place)
    guard message.count >= addressBytes + lengthBytes else { return nil }
    let address = Self.number(message[0..<addressBytes])
    let length = Self.number(message[addressBytes..<addressBytes + lengthBytes])
    guard address < size, length < size else { return nil }
    let start = base + address
    // Later versions begin with a signature and end with a checksum.
    let frame = block.isVersion1 ? 0 : 4
    return Block(
      start: start + frame, end: min(size, start + length - frame), isVersion1: block.isVersion1,
      hasCreationOrder: block.hasCreationOrder)
  }

  /// Returns the extents of pieces that a layout message describes; nil where it describes none, zeros where it ends
  /// before them.
  private static func pieces(_ message: [UInt8], addressBytes: Int) -> [Int]? {
    func extents(at place: Int, count: UInt8, bytes: Int) -> [Int] {
      (0..<Int(count)).map { index in
        let start = place + index * bytes
        return start + bytes <= message.count ? number(message[start..<start + bytes]) : 0
      }
    }
    let chunked: UInt8 = 2
    guard message.count >= 5 else { return nil }
    switch message[0] {
    case 1, 2: return message[2] == chunked ? extents(at: 8 + addressBytes, count: message[1], bytes: 4) : nil
    case 3: return message[1] == chunked ? extents(at: 3 + addressBytes, count: message[2], bytes: 4) : nil
    case 4: return message[1] == chunked ? extents(at: 5, count: message[3], bytes: Int(message[4])) : nil
    default: return nil
    }
  }

  /// Bytes of the file; fewer where it ends.
  private func bytes(_ range: Range<Int>) throws -> [UInt8] {
    let range = range.clamped(to: 0..<size)
    return try file.bytes(at: range.lowerBound, count: range.count)
  }

  /// A little-endian number; the largest where it does not fit.
  private static func number(_ bytes: some Collection<UInt8>) -> Int {
    guard bytes.count <= 8 else { return .max }
    let number = bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(clamping: number)
  }
}
