import Foundation

/// Lays out a report as one HTML page that needs no other file.
struct ReportPage {
  /// A picture of samples, as the bytes of a PNG file.
  struct Picture {
    let step: Int
    let png: Data
  }

  /// A section with a table.
  struct Table {
    let title: String
    let heads: [String]
    let rows: [[String]]
  }

  let title, headline: String
  let facts: [(name: String, value: String)]
  let charts: [LineChart]
  let pictures: [Picture]
  /// A note about the colours of the pictures; empty for none.
  let caption: String
  let tables: [Table]
  /// The configuration as YAML.
  let configuration: String

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8">\
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(title.escaped)</title><style>\(ReportStyle.css)</style></head><body>
    <header><h1>\(title.escaped)</h1><p>\(headline.escaped)</p></header>
    <main>
    \(factList)
    <section><h2>Curves</h2>\(ChartScript.hint)
    <div class="charts">\(charts.map(\.html).joined(separator: "\n"))</div></section>
    \(pictureSection)
    \(tables.map { "<section><h2>\($0.title.escaped)</h2>\($0.html)</section>" }.joined(separator: "\n"))
    <section><h2>Configuration</h2><pre>\(configuration.escaped)</pre></section>
    </main><script>\(ChartScript.charts)</script></body></html>

    """
  }

  private var factList: String {
    let items = facts.map { "<div><dt>\($0.name.escaped)</dt><dd>\($0.value.escaped)</dd></div>" }
    return "<dl>\(items.joined())</dl>"
  }

  private var pictureSection: String {
    guard !pictures.isEmpty else { return "" }
    let note = caption.isEmpty ? "" : "<p>\(caption.escaped)</p>"
    let figures = pictures.map(\.html).joined(separator: "\n")
    return #"<section><h2>Samples</h2>\#(note)<div class="pictures">\#(figures)</div></section>"#
  }
}

extension ReportPage.Picture {
  fileprivate var html: String {
    """
    <figure><figcaption>step \(step)</figcaption>\
    <img alt="samples at step \(step)" src="data:image/png;base64,\(png.base64EncodedString())"></figure>
    """
  }
}

extension ReportPage.Table {
  /// The table in HTML, without its title.
  var html: String {
    guard !rows.isEmpty else { return "<p>none</p>" }
    let body = rows.map { Self.row($0, "td") }.joined()
    return """
      <div class="scroll"><table><thead>\(Self.row(heads, "th"))</thead><tbody>\(body)</tbody></table></div>
      """
  }

  private static func row(_ cells: [String], _ tag: String) -> String {
    "<tr>" + cells.map { "<\(tag)>\($0.escaped)</\(tag)>" }.joined() + "</tr>"
  }
}
