/// Values next to each other on a curve: the lowest, the highest and the mean of them.
struct ChartColumn {
  private(set) var low, high: Double
  private var sum, places: Double
  private var count = 1.0
  /// The mean of the values.
  var mean: Double { sum / count }
  /// The mean of their places on the horizontal axis.
  var x: Double { places / count }
  /// Whether it can be drawn; sums of large numbers may be infinite.
  var isFinite: Bool { low.isFinite && high.isFinite && mean.isFinite && x.isFinite }

  /// A single value.
  init(_ value: Double, at x: Double) { (low, high, sum, places) = (value, value, value, x) }

  /// Takes more values in.
  mutating func add(_ other: ChartColumn) {
    (low, high) = (min(low, other.low), max(high, other.high))
    (sum, places, count) = (sum + other.sum, places + other.places, count + other.count)
  }

  /// The values times a positive factor.
  func scaled(by factor: Double) -> ChartColumn {
    var column = self
    (column.low, column.high, column.sum) = (low * factor, high * factor, sum * factor)
    return column
  }
}
