import Foundation

/// Draws curves as SVG in an HTML figure. The style sheet gives the colours; `ChartScript` adds values at the pointer,
/// zoom and a logarithmic axis.
struct LineChart {
  /// What is drawn in one colour: a curve, or single points.
  struct Series {
    var name = ""
    let columns: [ChartColumn]
    var isDots = false
  }

  let title: String
  /// What the axes show, with their units.
  let axes: (x: String, y: String)
  /// The end of the horizontal axis, which begins at 0.
  var end: Double
  var series: [Series]
  /// Where stages begin, and their names.
  var marks: [(x: Double, name: String)] = []
  var offersLogarithm = false

  /// The chart as an HTML `<figure>`. The plot is stretched to the width of the page, its labels are not.
  var html: String {
    let horizontal = ChartAxis(0...max(end, 1e-300))
    let shown = series.map { gathered($0) }
    let vertical = ChartAxis(holding: shown.flatMap { $0.flatMap { [$0.low, $0.high] } })
    let curves = zip(series, shown).enumerated().map { place, pair in
      curve(pair.0, pair.1, horizontal, vertical, colour: place)
    }
    return """
      <figure class="chart"><figcaption>\(title.escaped)</figcaption>
      <div class="bar"><span>\(axes.y.escaped)</span></div>
      <div class="plot"><svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" \
      aria-label="\(title.escaped)">
      \(vertical.ticks.map { #"<path class="grid" d="M0 \#(y($0.value, vertical))H1000"/>"# }.joined())
      \(marks.map { #"<path class="mark" d="M\#(x($0.x, horizontal)) 0V1000"/>"# }.joined())
      \(curves.joined(separator: "\n"))
      </svg>\(labels(horizontal, vertical))</div>
      <div class="axis">\(axes.x.escaped)</div>
      \(legend)<script type="application/json">\(data)</script></figure>
      """
  }

  private func labels(_ horizontal: ChartAxis, _ vertical: ChartAxis) -> String {
    func label(_ kind: String, _ text: String, _ style: String) -> String {
      #"<span class="\#(kind)" style="\#(style)">\#(text.escaped)</span>"#
    }
    let ends = marks.dropFirst().map(\.x) + [end]
    let names = zip(marks, ends).map { mark, next in
      let (left, right) = (x(mark.x, horizontal) / 10, x(next, horizontal) / 10)
      return label("mark", mark.name, "left:\(left)%;max-width:\(max(0, right - left))%")
    }
    return
      (vertical.ticks.map { label("y", $0.label, "top:\(y($0.value, vertical) / 10)%") }
      + horizontal.ticks.map { label("x", $0.label, "left:\(x($0.value, horizontal) / 10)%") } + names).joined()
  }

  private var legend: String {
    guard series.count > 1 else { return "" }
    let names = series.enumerated().map { place, series in
      #"<span class="s\#(place % Self.colours)">\#(series.isDots ? "●" : "—") \#(series.name.escaped)</span>"#
    }
    return #"<p class="legend">\#(names.joined(separator: " "))</p>"#
  }

  /// The colours of `ReportStyle`.
  private static let colours = 8

  /// The band between lowest and highest values, and the curve of the means; or points.
  private func curve(
    _ series: Series, _ columns: [ChartColumn], _ horizontal: ChartAxis, _ vertical: ChartAxis, colour: Int
  ) -> String {
    guard !columns.isEmpty else { return "" }
    func points(_ value: (ChartColumn) -> Double, _ columns: some Sequence<ChartColumn>) -> [String] {
      columns.map { "\(x($0.x, horizontal)),\(y(value($0), vertical))" }
    }
    let middle = points(\.mean, columns)
    let style = #"class="s\#(colour % Self.colours)"#
    if series.isDots { return #"<path d="\#(middle.map { "M\($0)h0" }.joined())" \#(style) dots"/>"# }
    let band = points(\.high, columns) + points(\.low, columns.reversed())
    return """
      <polygon points="\(band.joined(separator: " "))" \(style)"/>\
      <polyline points="\(middle.joined(separator: " "))" \(style)"/>
      """
  }

  /// A curve of at most 240 columns.
  private func gathered(_ series: Series) -> [ChartColumn] {
    let count = 240
    let columns = series.columns.filter(\.isFinite)
    guard !series.isDots, columns.count > count else { return columns }
    var gathered = [ChartColumn?](repeating: nil, count: count)
    for column in columns {
      let place = Int(min(Double(count - 1), max(0, column.x / end * Double(count))))
      if gathered[place] == nil { gathered[place] = column } else { gathered[place]?.add(column) }
    }
    return gathered.compactMap(\.self)
  }

  private func x(_ value: Double, _ axis: ChartAxis) -> Double { tenth(axis.place(value)) }
  private func y(_ value: Double, _ axis: ChartAxis) -> Double { tenth(1 - axis.place(value)) }
  /// A place in the plot's thousand units, rounded to a tenth.
  private func tenth(_ place: Double) -> Double { (place * 10_000).rounded() / 10 }
}
