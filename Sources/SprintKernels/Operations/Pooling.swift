/// What pooling makes of the pixels under a window of 3 x 3.
package enum Pooling: Sendable {
  /// The largest number of each channel.
  case largest
  /// Their mean. Pixels beyond an edge do not count.
  case mean
}

/// y = the pixels under windows of 3 x 3 of x, pooled channel by channel.
///
/// - Parameters:
///   - x: a single map
///   - stride: pixels of x from one window to the next
///   - padding: pixels by which the first and the last windows reach beyond the edges
///   - y: [(height + 2 padding - 3) / stride + 1, the same of the width, C]
package func pool(_ x: FeatureMaps, _ pooling: Pooling, stride: Int, padding: Int, into y: FeatureMaps) {
  precondition(
    x.count == 1 && y.count == 1 && x.channels == y.channels && y.height == (x.height + 2 * padding - 3) / stride + 1
      && y.width == (x.width + 2 * padding - 3) / stride + 1, "pool: shapes differ")
  for line in 0..<y.height {
    let lines = window(line * stride - padding, below: x.height)
    for column in 0..<y.width {
      let columns = window(column * stride - padding, below: x.width)
      let target = y.pixels.row(line * y.width + column)
      switch pooling {
      case .largest: poolLargest(x, lines, columns, into: target)
      case .mean: poolMean(x, lines, columns, into: target)
      }
    }
  }
}

private func window(_ first: Int, below end: Int) -> Range<Int> { max(first, 0)..<min(first + 3, end) }

private func poolLargest(
  _ x: FeatureMaps, _ lines: Range<Int>, _ columns: Range<Int>, into target: UnsafeMutablePointer<Float>
) {
  for (i, lanes) in Vectors(x.channels) {
    var best = SIMD16<Float>(repeating: -.infinity)
    for line in lines {
      for column in columns { best = larger(best, x.pixels.row(line &* x.width &+ column).load(i, lanes)) }
    }
    target.store(best, i, lanes)
  }
}

private func poolMean(
  _ x: FeatureMaps, _ lines: Range<Int>, _ columns: Range<Int>, into target: UnsafeMutablePointer<Float>
) {
  let share = 1 / Float(lines.count * columns.count)
  for (i, lanes) in Vectors(x.channels) {
    var sum = SIMD16<Float>()
    for line in lines {
      for column in columns { sum += x.pixels.row(line &* x.width &+ column).load(i, lanes) }
    }
    target.store(sum * share, i, lanes)
  }
}
