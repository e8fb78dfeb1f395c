import SprintData
import SprintFormats

/// Turns samples into pictures.
package struct SampleGrid {
  private let channels, side: Int
  private let properties: LatentProperties
  private let colors: LatentColors

  /// Prepares pictures of latents [C, S, S] in the model's units.
  package init(channels: Int, side: Int, _ properties: LatentProperties) {
    (self.channels, self.side, self.properties) = (channels, side, properties)
    colors = LatentColors(channels: channels, properties)
  }

  /// A note about the colours; nil if they are those of the image.
  package var caption: String? { colors.caption }

  /// Returns a sample as bytes [S, S, C]; black and white are the ends of the pixel range, or -3 and 3 for latents.
  package func bytes(_ sample: [Float]) -> [UInt8] {
    (0..<side * side).flatMap { pixel in
      (0..<channels).map { colors.level(sample[$0 * side * side + pixel], channel: $0) }
    }
  }

  /// Draws a grid with one row per class, labelled with the number of the class.
  package func picture(_ samples: [[Float]], labels: [Int]) -> Picture {
    let classes = Set(labels).sorted()
    let rows = classes.map { label in labels.indices.filter { labels[$0] == label } }
    let lines = rows.flatMap { row in
      stride(from: 0, to: row.count, by: Self.mostColumns).map {
        Array(row[$0..<min($0 + Self.mostColumns, row.count)])
      }
    }
    let zoom = max(side < 32 ? 1 : 2, 40 / side)
    let cell = side * zoom + 2
    let margin = 6 * 2 * String(classes.last ?? 0).count + 8
    let columns = lines.map(\.count).max() ?? 0
    var picture = Picture(width: margin + columns * cell + 2, height: lines.count * cell + 2)
    for (y, line) in lines.enumerated() {
      let top = y * cell + 2
      picture.draw(number: labels[line[0]], x: 4, y: top + (cell - 2 - 14) / 2, zoom: 2)
      for (x, index) in line.enumerated() { draw(samples[index], at: (margin + x * cell, top), zoom, &picture) }
    }
    return picture
  }

  private static let mostColumns = 32

  private func draw(_ sample: [Float], at corner: (x: Int, y: Int), _ zoom: Int, _ picture: inout Picture) {
    for y in 0..<side {
      for x in 0..<side {
        let color = colors.color { sample[$0 * side * side + y * side + x] }
        for dy in 0..<zoom {
          for dx in 0..<zoom { picture[corner.x + x * zoom + dx, corner.y + y * zoom + dy] = color }
        }
      }
    }
  }
}

extension LatentProperties {
  /// Returns the number in a data set for a number in the model's units.
  package func stored(_ value: Float, channel: Int) -> Float { (value - shift[channel]) / scale[channel] }
}
