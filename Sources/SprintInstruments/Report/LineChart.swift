import Foundation

/// Draws a curve over the steps of a run as SVG. The style sheet gives the colours.
struct LineChart {
  let title, unit: String
  /// If there are many steps, each column shows the range and the mean of its values.
  let curve: ThinnedCurve
  /// The last step and the number of steps.
  let steps: (last: Int, count: Int)
  /// What the values of the curve are multiplied with.
  var factor = 1.0
  /// Single points next to the curve, e.g. validation losses.
  var points: [(step: Int, value: Double)] = []
  /// The first steps and the names of stages.
  var marks: [(step: Int, name: String)] = []

  private static let size = (width: 480.0, height: 230.0)
  private static let frame = (left: 56.0, right: 462.0, top: 14.0, bottom: 200.0)

  private var lastStep: Int { max(steps.last, points.last?.step ?? 1, 1) }

  /// The range of values shown. It leaves out the lowest and the highest hundredth, so that one wild step does not
  /// flatten all others.
  private var range: ClosedRange<Double> {
    let sorted = (curve.sample.elements.map { $0 * factor } + points.map(\.value)).filter(\.isFinite).sorted()
    guard let least = sorted.first, let most = sorted.last else { return 0...1 }
    let (low, high) = sorted.count < 50 ? (least, most) : (sorted[sorted.count / 100], sorted[sorted.count * 99 / 100])
    let margin = high - low > 1e-3 * abs(high) ? (high - low) * 0.08 : max(0.2 * abs(high), 1e-12)
    return (least >= 0 ? max(0, low - margin) : low - margin)...high + margin
  }

  /// The chart as an HTML `<figure>`.
  var html: String {
    let range = range
    let places = Self.ticks(0...Double(lastStep)).filter { $0.rounded() == $0 }
    return """
      <figure><figcaption>\(title.escaped)\(unit.isEmpty ? "" : " <small>\(unit.escaped)</small>")</figcaption>
      <svg viewBox="0 0 \(Int(Self.size.width)) \(Int(Self.size.height))" role="img" aria-label="\(title.escaped)">
      \(Self.ticks(range).map { gridLine($0, range) }.joined(separator: "\n"))
      \(places.map(stepLabel).joined(separator: "\n"))
      \(marks.map { stageMark($0.step, $0.name) }.joined(separator: "\n"))
      \(line(range))
      \(points.map { circle($0.step, $0.value, range) }.joined(separator: "\n"))
      </svg></figure>
      """
  }

  private func gridLine(_ value: Double, _ range: ClosedRange<Double>) -> String {
    let (frame, height) = (Self.frame, y(value, range))
    return """
      <line class="grid" x1="\(frame.left)" x2="\(frame.right)" y1="\(height)" y2="\(height)"/>\
      <text x="\(frame.left - 6)" y="\(height)" class="y">\(Self.label(value))</text>
      """
  }

  private func stepLabel(_ step: Double) -> String {
    #"<text x="\#(x(step))" y="\#(Self.frame.bottom + 18)" class="x">\#(Self.label(step))</text>"#
  }

  private func stageMark(_ step: Int, _ name: String) -> String {
    let (frame, place) = (Self.frame, x(Double(step)))
    return """
      <line class="mark" x1="\(place)" x2="\(place)" y1="\(frame.top)" y2="\(frame.bottom)"/>\
      <text class="mark" x="\(place + 4)" y="\(frame.top + 10)">\(name.escaped)</text>
      """
  }

  private func circle(_ step: Int, _ value: Double, _ range: ClosedRange<Double>) -> String {
    """
    <circle cx="\(x(Double(step)))" cy="\(y(value, range))" r="3">\
    <title>step \(step): \(value)</title></circle>
    """
  }

  /// The band between lowest and highest values, and the curve of the means.
  private func line(_ range: ClosedRange<Double>) -> String {
    let columns = columns
    guard !columns.isEmpty else { return "" }
    func points(_ value: (ThinnedCurve.Stretch) -> Double, _ columns: [ThinnedCurve.Stretch]) -> [String] {
      columns.map { "\(x($0.step)),\(y(factor * value($0), range))" }
    }
    let upper = points(\.high, columns)
    let lower = points(\.low, columns.reversed())
    let middle = points(\.mean, columns)
    return """
      <polygon points="\((upper + lower).joined(separator: " "))"/>\
      <polyline points="\(middle.joined(separator: " "))"/>
      """
  }

  /// The values gathered into at most 240 columns.
  private var columns: [ThinnedCurve.Stretch] {
    let count = min(240, max(1, steps.count))
    var columns = [ThinnedCurve.Stretch](repeating: .init(), count: count)
    for stretch in curve.stretches {
      columns[min(count - 1, Int(stretch.step * Double(count) / Double(lastStep + 1)))].add(stretch)
    }
    return columns.filter { $0.count > 0 }
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

  /// Returns four to eight round numbers in a range.
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
