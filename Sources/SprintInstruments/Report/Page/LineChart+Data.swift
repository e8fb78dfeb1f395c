import Foundation

extension LineChart {
  /// The chart as JSON for `ChartScript`, to stand inside a script of a page.
  var data: String {
    """
    {"axes":[\(Self.text(axes.x)),\(Self.text(axes.y))],"end":\(Self.number(end)),"log":\(offersLogarithm),\
    "marks":[\(marks.map { "[\(Self.number($0.x)),\(Self.text($0.name))]" }.joined(separator: ","))],\
    "series":[\(series.map(Self.object).joined(separator: ","))]}
    """
  }

  private static func object(_ series: Series) -> String {
    let columns = series.columns.filter(\.isFinite)
    func array(_ value: (ChartColumn) -> Double, digits: Int = 5) -> String {
      "[\(columns.map { number(value($0), digits: digits) }.joined(separator: ","))]"
    }
    let hasRange = columns.contains { $0.low < $0.high }
    let range = hasRange ? #","low":\#(array(\.low)),"high":\#(array(\.high))"# : ""
    return #"{"name":\#(text(series.name)),"dots":\#(series.isDots),"x":\#(array(\.x, digits: 8)),"#
      + #""y":\#(array(\.mean))\#(range)}"#
  }

  private static func number(_ value: Double, digits: Int = 8) -> String { String(format: "%.\(digits)g", value) }

  /// A JSON string that cannot end the script.
  private static func text(_ text: String) -> String {
    let json = (try? JSONEncoder().encode(text.spelledOut)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    return json.replacing("<", with: "\\u003c")
  }
}
