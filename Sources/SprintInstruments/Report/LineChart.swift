import SprintTraining
import Foundation

/// A curve over the steps of a run as SVG, drawn by its own rules of colour in light and dark.
struct LineChart {
  let title, unit: String
  /// Values at steps; where there are many, each place shows the range and the mean of those that fall there.
  let steps: [Int]
  let values: [Double]
  /// Single points besides, e.g. validation losses.
  var points: [(step: Int, value: Double)] = []
  /// Names of stages and where they begin.
  var marks: [(step: Int, name: String)] = []

  private static let size = (width: 480.0, height: 230.0)
  private static let frame = (left: 56.0, right: 462.0, top: 14.0, bottom: 200.0)

  /// One place on the horizontal axis.
  private struct Column {
    var low = Double.infinity, high = -Double.infinity, sum = 0.0, steps = 0.0, count = 0.0
    var mean: Double { sum / count }
  }

  private var lastStep: Int { max(steps.last ?? 1, points.last?.step ?? 1, 1) }

  /// Lowest and highest value shown; the hundredth part at either end does not count, so that one wild step does not flatten all others.
  private var range: ClosedRange<Double> {
    let sorted = (values + points.map(\.value)).filter(\.isFinite).sorted()
    guard let least = sorted.first, let most = sorted.last else { return 0...1 }
    let (low, high) = sorted.count < 50 ? (least, most) : (sorted[sorted.count / 100], sorted[sorted.count * 99 / 100])
    let margin = high - low > 1e-3 * abs(high) ? (high - low) * 0.08 : max(0.2 * abs(high), 1e-12)
    return (least >= 0 ? max(0, low - margin) : low - margin)...high + margin
  }

  /// The chart as one `<figure>`.
  var html: String {
    let range = range
    let ticks = Self.ticks(range)
    let places = Self.ticks(0...Double(lastStep)).filter { $0.rounded() == $0 }
    return """
      <figure><figcaption>\(title.escaped)\(unit.isEmpty ? "" : " <small>\(unit.escaped)</small>")</figcaption>
      <svg viewBox="0 0 \(Int(Self.size.width)) \(Int(Self.size.height))" role="img" aria-label="\(title.escaped)">
      \(ticks.map { #"<line class="grid" x1="\#(Self.frame.left)" x2="\#(Self.frame.right)" y1="\#(y($0, range))" y2="\#(y($0, range))"/><text x="\#(Self.frame.left - 6)" y="\#(y($0, range))" class="y">\#(Self.label($0))</text>"# }.joined(separator: "\n"))
      \(places.map { #"<text x="\#(x($0))" y="\#(Self.frame.bottom + 18)" class="x">\#(Self.label($0))</text>"# }.joined(separator: "\n"))
      \(marks.map { #"<line class="mark" x1="\#(x(Double($0.step)))" x2="\#(x(Double($0.step)))" y1="\#(Self.frame.top)" y2="\#(Self.frame.bottom)"/><text class="mark" x="\#(x(Double($0.step)) + 4)" y="\#(Self.frame.top + 10)">\#($0.name.escaped)</text>"# }.joined(separator: "\n"))
      \(curve(range))
      \(points.map { #"<circle cx="\#(x(Double($0.step)))" cy="\#(y($0.value, range))" r="3"><title>step \#($0.step): \#($0.value)</title></circle>"# }.joined(separator: "\n"))
      </svg></figure>
      """
  }

  private func curve(_ range: ClosedRange<Double>) -> String {
    let columns = columns
    guard !columns.isEmpty else { return "" }
    let upper = columns.map { "\($0.0),\(y($0.1.high, range))" }
    let lower = columns.reversed().map { "\($0.0),\(y($0.1.low, range))" }
    let middle = columns.map { "\($0.0),\(y($0.1.mean, range))" }
    return
      #"<polygon points="\#((upper + lower).joined(separator: " "))"/><polyline points="\#(middle.joined(separator: " "))"/>"#
  }

  /// Values gathered at as many places as can be told apart.
  private var columns: [(Double, Column)] {
    let count = min(240, max(1, steps.count))
    var columns = [Column](repeating: Column(), count: count)
    for (step, value) in zip(steps, values) where value.isFinite {
      let place = min(count - 1, step * count / (lastStep + 1))
      columns[place].low = min(columns[place].low, value)
      columns[place].high = max(columns[place].high, value)
      columns[place].sum += value
      columns[place].steps += Double(step)
      columns[place].count += 1
    }
    return columns.filter { $0.count > 0 }.map { (x($0.steps / $0.count), $0) }
  }

  private func x(_ step: Double) -> Double {
    tenth(Self.frame.left + (Self.frame.right - Self.frame.left) * step / Double(lastStep))
  }

  private func y(_ value: Double, _ range: ClosedRange<Double>) -> Double {
    let share =
      (min(max(value, range.lowerBound), range.upperBound) - range.lowerBound) / (range.upperBound - range.lowerBound)
    return tenth(Self.frame.bottom - (Self.frame.bottom - Self.frame.top) * share)
  }

  private func tenth(_ value: Double) -> Double { (value * 10).rounded() / 10 }

  /// Round numbers within a range, four to eight of them.
  private static func ticks(_ range: ClosedRange<Double>) -> [Double] {
    let rough = (range.upperBound - range.lowerBound) / 4
    let power = pow(10, floor(log10(rough)))
    let step = power * (rough / power >= 5 ? 5 : rough / power >= 2 ? 2 : 1)
    let first = (range.lowerBound / step).rounded(.up)
    return (0..<10).map { (first + Double($0)) * step }.filter { $0 <= range.upperBound * (1 + 1e-9) }
  }

  private static func label(_ value: Double) -> String {
    let size = abs(value)
    if size >= 1e6 { return String(format: "%gM", value / 1e6) }
    if size >= 1e4 { return String(format: "%gk", value / 1e3) }
    return String(format: size > 0 && size < 1e-3 ? "%.1e" : "%.4g", value)
  }
}

extension String {
  /// The text as it may stand in HTML.
  var escaped: String {
    replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing(
      "\"", with: "&quot;")
  }
}
