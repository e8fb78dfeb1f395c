import SprintFormats

extension Picture {
  /// Draws a number in digits of 5 x 7 dots.
  ///
  /// - Parameters:
  ///   - x: the left edge
  ///   - y: the top edge
  ///   - zoom: the side of a dot in pixels
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
