/// A view of B images or maps of features, channels last: [B, height, width, C]. The channels may be a range of those
/// of a wider buffer.
package struct FeatureMaps: Sendable {
  /// [B · height · width, C]
  package let pixels: Matrix<Float>
  /// B
  package let count: Int
  /// Pixels from top to bottom and from left to right.
  package let height, width: Int

  /// Makes a view of `pixels`, whose rows are the pixels, image by image and line by line.
  package init(_ pixels: Matrix<Float>, count: Int = 1, height: Int, width: Int) {
    precondition(pixels.rows == count * height * width, "\(pixels.rows) pixels for \(count) x \(height) x \(width)")
    (self.pixels, self.count, self.height, self.width) = (pixels, count, height, width)
  }

  /// C
  package var channels: Int { pixels.columns }

  /// Whether all numbers follow one another.
  package var isDense: Bool { pixels.stride == pixels.columns }

  /// A view of image `index`.
  package subscript(index: Int) -> FeatureMaps {
    FeatureMaps(
      pixels.rows(index * height * width..<(index + 1) * height * width), height: height, width: width)
  }

  /// A view of some lines of a single image.
  package func lines(_ range: Range<Int>) -> FeatureMaps {
    precondition(count == 1, "lines of \(count) images")
    return FeatureMaps(
      pixels.rows(range.lowerBound * width..<range.upperBound * width), height: range.count, width: width)
  }

  /// A view of some channels.
  package func channels(_ range: Range<Int>) -> FeatureMaps {
    FeatureMaps(pixels.columns(range), count: count, height: height, width: width)
  }
}
