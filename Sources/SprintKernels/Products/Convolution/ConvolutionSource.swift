/// The images that a convolution reads, and what is done to them on the way: a slice is read into cache, changed there
/// and convolved at once, so that the changed images are never written to memory.
package struct ConvolutionSource: Sendable {
  let maps: FeatureMaps
  private let scaling: ChannelScaling?
  private let isDoubled: Bool

  /// - Parameters:
  ///   - maps: [B, height, width, C]
  ///   - scaling: what a norm does to each channel, and the activation behind it
  ///   - isDoubled: whether each pixel stands for 2 x 2 of them (nearest-neighbour upsampling)
  package init(_ maps: FeatureMaps, _ scaling: ChannelScaling? = nil, isDoubled: Bool = false) {
    precondition(
      scaling == nil || scaling?.scale.rows == maps.count && scaling?.scale.columns == maps.channels,
      "a scaling of other images or channels")
    (self.maps, self.scaling, self.isDoubled) = (maps, scaling, isDoubled)
  }

  /// The height of an image as the convolution sees it.
  var height: Int { isDoubled ? 2 * maps.height : maps.height }
  /// The width of an image as the convolution sees it.
  var width: Int { isDoubled ? 2 * maps.width : maps.width }
  /// Whether the convolution sees other numbers than those in memory.
  var isChanged: Bool { scaling != nil || isDoubled }

  /// Image `index`.
  subscript(index: Int) -> ConvolutionSource {
    ConvolutionSource(maps[index], scaling?[index], isDoubled: isDoubled)
  }

  /// Copies a window of a single image, with zeros where it lies beyond the image.
  ///
  /// - Parameters:
  ///   - target: the copy, dense
  ///   - line: the line of the image that the first line of the copy shows; may be negative
  ///   - column: the column of the image that the first column of the copy shows; at most 0
  func fill(_ target: FeatureMaps, line: Int, column: Int) {
    let (before, after) = (-column, target.width + column - width)
    precondition(before >= 0 && after >= 0 && target.isDense, "a window of \(target.width) columns from \(column)")
    for own in 0..<target.height {
      let to = target.pixels.row(own * target.width)
      guard (0..<height).contains(line + own) else {
        to.update(repeating: 0, count: target.width * maps.channels)
        continue
      }
      to.update(repeating: 0, count: before * maps.channels)
      fillLine(line + own, to + before * maps.channels)
      (to + (before + width) * maps.channels).update(repeating: 0, count: after * maps.channels)
    }
  }

  private func fillLine(_ line: Int, _ to: UnsafeMutablePointer<Float>) {
    let factor = isDoubled ? 2 : 1
    let first = line / factor * maps.width
    for pixel in 0..<maps.width {
      let from = maps.pixels.row(first + pixel)
      let place = to + pixel * factor * maps.channels
      if let scaling { scaling.apply(from, place) } else { place.update(from: from, count: maps.channels) }
      if isDoubled { (place + maps.channels).update(from: place, count: maps.channels) }
    }
  }
}
