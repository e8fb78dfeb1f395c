import Foundation

/// An axis of a chart.
struct ChartAxis {
  /// What lies at its ends.
  let range: ClosedRange<Double>

  /// An axis with given ends.
  init(_ range: ClosedRange<Double>) { self.range = range }

  /// An axis for values. It leaves out the lowest and the highest hundredth, so that one wild step does not flatten all
  /// others.
  init(holding values: [Double]) {
    let sorted = values.sorted()
    let cut = sorted.count < 50 ? 0 : sorted.count / 100
    guard let low = sorted.dropFirst(cut).first, let high = sorted.dropLast(cut).last else {
      range = 0...1
      return
    }
    let margin = high - low > 1e-3 * abs(high) ? (high - low) * 0.08 : max(0.2 * abs(high), 1e-12)
    range = (low >= 0 ? max(0, low - margin) : low - margin)...high + margin
  }

  /// The place of a value: 0 at the lower end, 1 at the upper end.
  func place(_ value: Double) -> Double {
    let place = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    // The width of an axis for the largest numbers is infinite.
    return place.isFinite ? place : 0
  }

  /// Four to ten round numbers, and how they are written.
  var ticks: [(value: Double, label: String)] {
    let rough = (range.upperBound - range.lowerBound) / 4
    let power = pow(10, floor(log10(rough)))
    let step = power * (rough / power >= 5 ? 5 : rough / power >= 2 ? 2 : 1)
    let first = (range.lowerBound / step).rounded(.up)
    let values = (0...10).map { (first + Double($0)) * step }.filter { $0 <= range.upperBound + step * 1e-9 }
    let digits = Self.digits(of: values, step: step)
    return values.map { ($0, Self.label($0, digits: digits)) }
  }

  /// How many digits tell numbers apart that differ by `step`.
  private static func digits(of values: [Double], step: Double) -> Int {
    let largest = values.map(abs).max() ?? 0
    let count = floor(log10(max(largest, step)) + 1e-9) - floor(log10(step) + 1e-9) + 1
    return count.isFinite ? min(max(Int(count), 2), 12) : 4
  }

  private static func label(_ value: Double, digits: Int) -> String {
    let size = abs(value)
    if size >= 1e9 || size > 0 && size < 1e-3 { return String(format: "%.\(digits - 1)e", value) }
    let (scale, letter) = size >= 1e6 ? (1e6, "M") : size >= 1e4 ? (1e3, "k") : (1, "")
    // With fewer digits, hundreds and thousands would get an exponent.
    return String(format: "%.\(max(digits, 4))g", value / scale) + letter
  }
}
