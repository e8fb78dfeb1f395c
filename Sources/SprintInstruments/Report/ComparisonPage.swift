/// Lays out a comparison of runs as one HTML page that needs no other file. A script in the page draws the curves, so
/// that the reader chooses their axis.
struct ComparisonPage {
  /// The runs as JSON that may stand in a script.
  let data: String
  let names: [String]
  let table: ReportPage.Table
  /// Whether validation losses come first.
  let hasValidation: Bool

  var html: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8">\
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Comparison of runs</title><style>\(ReportStyle.css)\(Self.css)</style></head><body>
    <header><h1>Comparison of runs</h1><p>\(names.joined(separator: ", ").escaped)</p></header>
    <main>
    <section><h2>Losses</h2>
    <p>against \(choice("axis", Self.axes, chosen: "flop"))
    of \(choice("kind", Self.kinds, chosen: hasValidation ? "validation" : "training"))</p>
    <figure><svg id="chart" viewBox="0 0 960 420" role="img" aria-label="losses of the runs"></svg>
    <p id="legend"></p></figure></section>
    <section><h2>\(table.title.escaped)</h2>\(table.html)</section>
    </main><script>const runs = \(data);\(Self.script)</script></body></html>

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

  private static let css = """
    #chart polyline{stroke-width:2}
    #legend{margin:4px 8px}
    #legend span{margin-right:16px;white-space:nowrap}
    select{font:inherit}
    """

  /// Draws the chosen losses of all runs; the highest ones, of the first steps, do not stretch the axis.
  private static let script = """
    const colours = ["#2563c9","#c2410c","#15803d","#9333ea","#b45309","#0e7490","#be185d","#4d7c0f"];
    const frame = {left: 70, right: 940, top: 15, bottom: 380};
    const label = v =>
      v !== 0 && (Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3) ? v.toExponential(1) : String(+v.toFixed(4));
    const ticks = (low, high) => {
      const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
      const step = power * (rough / power >= 5 ? 5 : rough / power >= 2 ? 2 : 1);
      const all = [];
      for (let v = Math.ceil(low / step) * step; v <= high * (1 + 1e-9); v += step) all.push(v);
      return all;
    };
    const element = (name, attributes, text) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", name);
      for (const key in attributes) made.setAttribute(key, attributes[key]);
      if (text !== undefined) made.textContent = text;
      return made;
    };
    function draw() {
      const axis = document.getElementById("axis").value, kind = document.getElementById("kind").value;
      const chart = document.getElementById("chart");
      chart.replaceChildren();
      const losses = runs.flatMap(run => run[kind].map(p => p.loss)).sort((a, b) => a - b);
      if (losses.length === 0) { chart.append(element("text", {x: 400, y: 200}, "no such losses")); return; }
      const low = losses[0], high = losses[Math.floor((losses.length - 1) * 0.97)];
      const margin = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
      const [bottom, top] = [low - margin, high + margin];
      const last = Math.max(...runs.flatMap(run => run[kind].map(p => p[axis])), 1e-12);
      const x = v => frame.left + (frame.right - frame.left) * v / last;
      const y = v => frame.bottom - (frame.bottom - frame.top) * (Math.min(v, top) - bottom) / (top - bottom);
      for (const v of ticks(bottom, top)) {
        chart.append(element("line", {class: "grid", x1: frame.left, x2: frame.right, y1: y(v), y2: y(v)}));
        chart.append(element("text", {class: "y", x: frame.left - 8, y: y(v)}, label(v)));
      }
      for (const v of ticks(0, last))
        chart.append(element("text", {class: "x", x: x(v), y: frame.bottom + 24}, label(v)));
      runs.forEach((run, i) => {
        const points = run[kind].map(p => `${x(p[axis]).toFixed(1)},${y(p.loss).toFixed(1)}`).join(" ");
        const line = element("polyline", {points, style: `stroke:${colours[i % colours.length]}`});
        line.append(element("title", {}, run.name));
        chart.append(line);
      });
    }
    const legend = document.getElementById("legend");
    runs.forEach((run, i) => {
      const item = document.createElement("span");
      item.textContent = "— " + run.name;
      item.style.color = colours[i % colours.length];
      legend.append(item);
    });
    for (const id of ["axis", "kind"]) document.getElementById(id).addEventListener("change", draw);
    draw();
    """
}
