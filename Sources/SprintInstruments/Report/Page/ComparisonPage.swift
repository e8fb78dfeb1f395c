/// Lays out a comparison of runs as one HTML page that needs no other file. A script in the page draws the curves again
/// where the reader chooses other axes.
struct ComparisonPage {
  /// The runs as JSON that may stand in a script.
  let data: String
  let names: [String]
  /// The losses against FLOP.
  let chart: LineChart
  let table: ReportPage.Table
  /// Whether validation losses come first.
  let hasValidation: Bool

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8">\
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Comparison of runs</title><style>\(ReportStyle.css)</style></head><body>
    <header><h1>Comparison of runs</h1><p>\(names.joined(separator: ", ").escaped)</p></header>
    <main>
    <section><h2>Losses</h2>
    <p>against \(choice("axis", Self.axes, chosen: "flop"))
    of \(choice("kind", Self.kinds, chosen: hasValidation ? "validation" : "training"))</p>
    \(ChartScript.hint)
    <div class="wide">\(chart.html)</div></section>
    <section><h2>\(table.title.escaped)</h2>\(table.html)</section>
    </main><script id="runs" type="application/json">\(data)</script>
    <script>\(ChartScript.charts)
    \(Self.script)</script></body></html>

    """
  }

  private static let axes = [
    (value: "step", text: "steps"), ("flop", "FLOP"), ("images", "images"), ("hours", "hours in steps"),
  ]
  private static let kinds = [(value: "validation", text: "validation loss"), ("training", "training loss")]

  private func choice(_ id: String, _ options: [(value: String, text: String)], chosen: String) -> String {
    let items = options.map {
      #"<option value="\#($0.value)"\#($0.value == chosen ? " selected" : "")>\#($0.text)</option>"#
    }
    return #"<select id="\#(id)">\#(items.joined())</select>"#
  }

  /// Shows the chosen losses of all runs.
  private static let script = """
    const runs = JSON.parse(document.getElementById("runs").textContent);
    const choices = ["axis", "kind"].map(id => document.getElementById(id));
    const choose = () => {
      const [axis, kind] = choices.map(choice => choice.value), places = run => run[kind].map(p => p[axis]);
      charts[0].show({
        axes: choices.map(choice => choice.selectedOptions[0].text), log: true, marks: [],
        end: Math.max(1e-12, ...runs.flatMap(places)),
        series: runs.map(run => ({name: run.name, x: places(run), y: run[kind].map(p => p.loss)})),
      });
    };
    for (const choice of choices) choice.addEventListener("change", choose);
    choose();
    """
}
