import SprintData
import SprintFormats

/// Samples as pictures.
package struct SampleGrid {
  private let channels, side: Int
  private let properties: LatentProperties
  private let colors: LatentColors

  /// Pictures of latents [C, S, S] as the model sees them.
  package init(channels: Int, side: Int, _ properties: LatentProperties) {
    (self.channels, self.side, self.properties) = (channels, side, properties)
    colors = LatentColors(channels: channels, properties)
  }

  /// What the colours are, where they are not the image's own.
  package var caption: String? { colors.caption }

  /// One sample as bytes [side, side, C]; black and white are the ends of the pixel range, or three deviations for latents.
  package func bytes(_ sample: [Float]) -> [UInt8] {
    (0..<side * side).flatMap { pixel in
      (0..<channels).map { colors.level(sample[$0 * side * side + pixel], channel: $0) }
    }
  }

  /// A grid with one row a class, each labelled with its number.
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
  /// The stored number behind one that the model sees.
  package func stored(_ value: Float, channel: Int) -> Float { (value - shift[channel]) / scale[channel] }
}

extension Picture {
  /// Writes a number in digits of 5 x 7 dots.
  mutating func draw(number: Int, x: Int, y: Int, zoom: Int) {
    for (place, character) in String(number).enumerated() {
      guard let digit = character.wholeNumberValue else { continue }
      for (row, dots) in Self.digits[digit].enumerated() {
        for column in 0..<5 where dots >> (4 - column) & 1 == 1 {
          for dy in 0..<zoom {
            for dx in 0..<zoom {
              self[x + (place * 6 + column) * zoom + dx, y + row * zoom + dy] = (60, 60, 60)
            }
          }
        }
      }
    }
  }

  private static let digits: [[UInt8]] = [
    [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110],
    [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
    [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
    [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110],
    [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
    [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
    [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
    [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000],
    [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
    [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
  ]
}
