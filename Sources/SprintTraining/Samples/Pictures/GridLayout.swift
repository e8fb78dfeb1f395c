import SprintFormats

/// Where the images of a grid lie: one row or more per class, labelled with the number of the class.
struct GridLayout {
  /// The extents of the picture in pixels.
  let width, height: Int
  private let labels: [Int]
  private let side, zoom, margin: Int
  /// The images of each line, from the top.
  private let lines: [[Int]]

  /// Lays out images of a side.
  ///
  /// - Parameter labels: the class of each image
  init(labels: [Int], side: Int) {
    (self.labels, self.side) = (labels, side)
    zoom = side >= 128 ? 1 : max(side < 32 ? 1 : 2, 40 / side)
    let columns = Self.mostColumns(zoom * side)
    let rows = Dictionary(grouping: labels.indices) { labels[$0] }.sorted { $0.key < $1.key }
    lines = rows.flatMap { _, row in
      stride(from: 0, to: row.count, by: columns).map { Array(row[$0..<min($0 + columns, row.count)]) }
    }
    margin = 6 * 2 * String(labels.max() ?? 0).count + 8
    width = margin + (lines.map(\.count).max() ?? 0) * (zoom * side + 2) + 2
    height = lines.count * (zoom * side + 2) + 2
  }

  /// 32 small images, or as many as make a line of 4096 pixels.
  private static func mostColumns(_ side: Int) -> Int { side <= 128 ? 32 : max(4, 4096 / side) }

  /// The side of an image with the gap before it.
  private var cell: Int { side * zoom + 2 }

  /// Draws one line of images with the gap above it.
  ///
  /// - Parameter image: returns red, green and blue [S, S, 3] of an image
  private func strip(_ line: [Int], _ image: (Int) throws -> [UInt8]) rethrows -> Picture {
    var pixels = [UInt8](repeating: 255, count: 3 * width * cell)
    for (column, index) in line.enumerated() { draw(try image(index), at: margin + column * cell, in: &pixels) }
    var picture = Picture(width: width, height: cell, pixels: pixels)
    picture.draw(number: labels[line[0]], x: 4, y: 2 + (cell - 2 - 14) / 2, zoom: 2)
    return picture
  }

  private func draw(_ colors: [UInt8], at left: Int, in pixels: inout [UInt8]) {
    for y in 0..<side * zoom {
      for x in 0..<side * zoom {
        let (from, to) = (3 * (y / zoom * side + x / zoom), 3 * ((2 + y) * width + left + x))
        for channel in 0..<3 { pixels[to + channel] = colors[from + channel] }
      }
    }
  }

  /// The gap below the last line.
  private var end: [UInt8] { Picture(width: width, height: 2).pixels }

  /// Draws the whole grid.
  func picture(_ image: (Int) throws -> [UInt8]) rethrows -> Picture {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 * width * height)
    for line in lines { pixels += try strip(line, image).pixels }
    return Picture(width: width, height: height, pixels: pixels + end)
  }

  /// Writes the grid as PNG line by line, in one piece or not at all; memory does not grow with the number of lines.
  func writePNG(comment: String, to path: String, _ image: (Int) throws -> [UInt8]) throws {
    try PNGWriter.write(to: path, width: width, height: height, comment: comment) { file in
      for line in lines { try file.write(strip(line, image).pixels) }
      try file.write(end)
    }
  }

  /// Throws if the picture is larger than Pillow, and what is built on it, opens.
  func checkSize(_ path: String) throws {
    guard width * height > Self.mostPixels else { return }
    throw FileError.unusable(
      path: path,
      problem: "a grid of \(labels.count) images has \(width) x \(height) pixels, expected at most \(Self.mostPixels)",
      remedy: SampleRemedy.writeImages)
  }

  /// Twice `PIL.Image.MAX_IMAGE_PIXELS`.
  private static let mostPixels = 178_956_970
}
