import Foundation

/// A line of a text file.
package struct FileLine {
  /// Its place in the file, with the line break.
  package let range: Range<Int>
  /// Its bytes without the line break; they are valid during the call only. None where the line is too long.
  package let bytes: UnsafeRawBufferPointer

  /// Longer lines belong to no log.
  static let longest = 1 << 20

  /// Whether nothing is on the line.
  package var isBlank: Bool { bytes.isEmpty && range.count <= 1 }
}

extension RandomAccessFile {
  /// Calls `body` with every line in order, in memory that depends neither on the length of the file nor on what is in
  /// it.
  package func forEachLine(_ body: (FileLine) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileLine.longest + 1, alignment: 1)
    defer { buffer.deallocate() }
    // The bytes of the current line so far are at the front of the buffer, unless there are too many of them.
    var (start, count, isTooLong) = (0, 0, false)
    let size = try size
    var place = 0
    while place < size {
      let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[count..<min(buffer.count, count + size - place)])
      try read(into: piece, at: place)
      place += piece.count
      var rest = UnsafeRawBufferPointer(rebasing: buffer[..<(count + piece.count)])
      // The bytes before `count` hold no line break.
      var searched = count
      while let length = rest.lineBreak(from: searched) {
        let end = place - rest.count + length + 1
        let bytes = isTooLong ? rest[..<0] : rest[..<length]
        try body(FileLine(range: start..<end, bytes: UnsafeRawBufferPointer(rebasing: bytes)))
        rest = UnsafeRawBufferPointer(rebasing: rest[(length + 1)...])
        (start, isTooLong, searched) = (end, false, 0)
      }
      isTooLong = isTooLong || rest.count == buffer.count
      count = isTooLong ? 0 : rest.count
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
    }
    if start < size {
      try body(
        FileLine(range: start..<size, bytes: UnsafeRawBufferPointer(rebasing: buffer[..<(isTooLong ? 0 : count)])))
    }
  }
}

extension UnsafeRawBufferPointer {
  /// Returns the place of the first line break at or after `place`.
  fileprivate func lineBreak(from place: Int) -> Int? {
    guard let base = baseAddress, place < count, let found = memchr(base + place, 0x0a, count - place) else {
      return nil
    }
    return UnsafeRawPointer(found) - base
  }
}
