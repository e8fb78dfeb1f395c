import CPNG
import Foundation

/// Writes a PNG picture of 8-bit grey or red, green and blue row by row: memory does not grow with its height.
package final class PNGWriter {
  private let path: String
  private let rowBytes: Int
  private var rows = sprint_png_rows()

  /// Begins a picture.
  private init(
    _ file: UnsafeMutablePointer<FILE>, _ path: String, _ width: Int, _ height: Int, _ channels: Int, _ comment: String
  ) throws {
    precondition([1, 3].contains(channels), "\(channels) channels, expected grey or red, green and blue")
    (self.path, rowBytes) = (path, width * channels)
    let text = comment.isEmpty ? [] : Self.text(comment)
    let (wide, high) = (UInt32(clamping: width), UInt32(clamping: height))
    errno = 0
    try check(sprint_png_begin(&rows, file, wide, high, Int32(channels), text, text.count), "\(width) x \(height)")
  }

  deinit { sprint_png_free(&rows) }

  /// Writes whole rows from the top on, each of width · channels bytes.
  package func write(_ pixels: [UInt8]) throws {
    precondition(pixels.count % max(1, rowBytes) == 0, "\(pixels.count) bytes are no rows of \(rowBytes)")
    try pixels.withUnsafeBufferPointer { bytes in
      for start in stride(from: 0, to: bytes.count, by: rowBytes) {
        try check(sprint_png_row(&rows, bytes.baseAddress.map { $0 + start }), "rows")
      }
    }
  }

  private func check(_ isDone: Int32, _ what: String) throws {
    guard isDone == 0 else { return }
    guard errno == 0 else { throw FileError.last(path, "write the picture") }
    throw FileError.unusable(path: path, problem: "a picture of \(what) cannot be encoded as PNG")
  }

  /// The contents of a tEXt chunk: a keyword, zero, and Latin letters. PNG specification, section 11.3.4.3.
  private static func text(_ comment: String) -> [UInt8] {
    Array("Comment\0".utf8) + comment.unicodeScalars.map { (0x20..<0x7f).contains($0.value) ? UInt8($0.value) : 0x3f }
  }

  // MARK: Where a picture goes

  /// Writes a picture to a file, in one piece or not at all; `draw` writes all its rows.
  ///
  /// - Parameters:
  ///   - channels: 1 or 3
  ///   - comment: text about the picture, in Latin letters
  package static func write(
    to path: String, width: Int, height: Int, channels: Int = 3, comment: String = "",
    _ draw: (PNGWriter) throws -> Void
  ) throws {
    try AtomicFile.create(path) { temporary in
      guard let file = fopen(temporary, "wxe") else { throw FileError.last(path, "create") }
      var isOpen = true
      defer { if isOpen { fclose(file) } }
      try encode(file, path, width, height, channels, comment, draw)
      isOpen = false
      guard fclose(file) == 0 else { throw FileError.last(path, "write the picture") }
    }
  }

  /// Returns a picture as the bytes of a file; `draw` writes all its rows.
  package static func data(
    width: Int, height: Int, channels: Int = 3, comment: String = "", _ draw: (PNGWriter) throws -> Void
  ) throws -> Data {
    var (bytes, count): (UnsafeMutablePointer<CChar>?, Int) = (nil, 0)
    guard let file = open_memstream(&bytes, &count) else { throw FileError.last("a picture", "take memory for it") }
    let result = Result { try encode(file, "a picture", width, height, channels, comment, draw) }
    // Closing sets the place and the number of the bytes.
    fclose(file)
    defer { free(bytes) }
    try result.get()
    return bytes.map { Data(bytes: $0, count: count) } ?? Data()
  }

  private static func encode(
    _ file: UnsafeMutablePointer<FILE>, _ path: String, _ width: Int, _ height: Int, _ channels: Int, _ comment: String,
    _ draw: (PNGWriter) throws -> Void
  ) throws {
    let writer = try PNGWriter(file, path, width, height, channels, comment)
    try draw(writer)
    try writer.check(sprint_png_end(&writer.rows), "too few rows")
  }
}
