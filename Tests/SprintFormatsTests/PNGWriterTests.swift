import Foundation
import SprintFormats
import SprintTestSupport
import Testing

@Suite struct PNGWriterTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Reads a PNG file with Python's own library.
  private func read(_ path: String) throws -> [UInt8] {
    let outcome = try Python.run(["Tests/Reference/read_png.py", path])
    #expect(outcome.code == 0, "\(outcome.errors)")
    return outcome.output.split(separator: " ").compactMap { UInt8($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  @Test("Rows written one by one or several at once make the same picture, grey or coloured", arguments: [1, 3])
  func rows(channels: Int) throws {
    let (width, height) = (37, 11)
    var random = Randomness("pixels")
    let pixels = random.normal(width * height * channels).map { UInt8(truncatingIfNeeded: Int($0 * 60)) }
    let row = width * channels
    let data = try PNGWriter.data(width: width, height: height, channels: channels, comment: "seen é") { file in
      for y in 0..<height { try file.write(Array(pixels[y * row..<(y + 1) * row])) }
    }
    let path = folder.file("a.png")
    try PNGWriter.write(to: path, width: width, height: height, channels: channels, comment: "seen é") {
      try $0.write(pixels)
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == data)
    #expect(try read(path) == pixels)
    let header = try #require(try PictureHeader(path: path))
    #expect(header.width == width && header.height == height && header.colors == (channels == 1 ? "grey" : "RGB"))
    #expect(data.range(of: Data("tEXtComment\0seen ?".utf8)) != nil)
  }

  @Test("A picture with too few rows, without extents, or that the disk refuses is an error, and no file is left")
  func failures() throws {
    #expect(throws: FileError.self) { try PNGWriter.data(width: 1, height: 4) { try $0.write([0, 0, 0]) } }
    #expect(throws: FileError.self) {
      try PNGWriter.write(to: folder.file("a.png"), width: 4, height: 4) {
        try $0.write([UInt8](repeating: 0, count: 12))
      }
    }
    #expect(throws: FileError.self) { try PNGWriter.data(width: 0, height: 4) { _ in } }
    #expect(throws: FileError.self) { try PNGWriter.data(width: 1, height: 2_000_000) { _ in } }
    #expect(throws: FileError.self) { try PNGWriter.write(to: folder.file("no/a.png"), width: 1, height: 1) { _ in } }
    #expect(try FolderListing(folder.path).names == [])
  }
}
