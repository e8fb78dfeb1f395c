/// The script of a page with charts. Without it they stay as they are drawn.
enum ChartScript {
  /// Says what the script adds, where it runs.
  static let hint = """
    <p class="hint" hidden>Drag across a chart to zoom, double-click to see all of it. \
    Keys: arrows (with Shift, ten values), Home, End, + and -, Escape.</p>
    """

  /// Makes every chart show values at the pointer, zoom, and answer keys.
  static let charts = #"""
    "use strict";
    const add = (parent, tag, kind, text = "", style = {}) => {
      const made = document.createElement(tag);
      made.className = kind;
      made.textContent = text;
      Object.assign(made.style, style);
      parent.append(made);
      return made;
    };

    const label = (v, digits) => {
      const size = Math.abs(v), short = (v, unit) => +v.toPrecision(digits) + unit;
      if (size >= 1e9 || size > 0 && size < 1e-3) return v.toExponential(digits - 1);
      return size >= 1e6 ? short(v / 1e6, "M") : size >= 1e4 ? short(v / 1e3, "k") : short(v, "");
    };
    // Numbers beside the pointer.
    const exact = v => Math.abs(v) >= 1e9 ? v.toExponential(4) : String(+v.toPrecision(5));
    const place = v => v >= 1e9 ? v.toExponential(4) : v >= 1000 ? Math.round(v).toLocaleString("en") : exact(v);

    const linearTicks = (low, high) => {
      const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
      const step = power * (rough / power >= 5 ? 5 : rough / power >= 2 ? 2 : 1), first = Math.ceil(low / step);
      const values = [...Array(11).keys()].map(i => (first + i) * step).filter(v => v <= high + step * 1e-9);
      const exponent = v => Math.floor(Math.log10(v) + 1e-9);
      const digits = exponent(Math.max(step, ...values.map(Math.abs))) - exponent(step) + 1;
      return values.map(value => ({value, label: label(value, Math.min(Math.max(digits, 2), 12))}));
    };
    // Powers of ten, with 2 and 5 times these over a few decades; below one decade, the ticks of a linear axis.
    const logarithmicTicks = (low, high) => {
      const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
      if (high / low < 10) return linearTicks(low, high);
      const every = Math.ceil((last - first) / 8), digits = last - first <= 3 ? [1, 2, 5] : [1], ticks = [];
      for (let power = first; power <= last; power += every)
        ticks.push(...digits.map(digit => +`${digit}e${power}`));
      return ticks.filter(v => v >= low && v <= high).map(value => ({value, label: label(value, 2)}));
    };

    // The ends of an axis for values. A linear one leaves out the lowest and the highest hundredth, so that one wild
    // step does not flatten all others.
    const ends = (values, isLogarithmic) => {
      const sorted = Float64Array.from(isLogarithmic ? values.filter(v => v > 0) : values).sort();
      const count = sorted.length;
      if (count === 0) return isLogarithmic ? [0.1, 1] : [0, 1];
      const cut = isLogarithmic || count < 50 ? 0 : Math.floor(count / 100);
      const low = sorted[cut], high = sorted[count - 1 - cut];
      if (isLogarithmic) {
        const factor = Math.max((high / low) ** 0.05, 1.05);
        return [low / factor, high * factor];
      }
      const margin = high - low > 1e-3 * Math.abs(high) ? (high - low) * 0.08 : Math.max(0.2 * Math.abs(high), 1e-12);
      return [low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin];
    };

    // The columns of a series between two places and their neighbours, at most 240 of a curve.
    const gather = (series, from, to) => {
      const {x, y, low = y, high = y} = series, all = [];
      for (let i = 0; i < x.length; i++)
        if ((x[i + 1] ?? x[i]) >= from && (x[i - 1] ?? x[i]) <= to)
          all.push({x: x[i], y: y[i], low: low[i], high: high[i], count: 1});
      if (series.dots || all.length <= 240) return all;
      const gathered = new Map();
      for (const c of all) {
        const key = Math.floor((c.x - from) / (to - from) * 240), g = gathered.get(key);
        if (!g) { gathered.set(key, c); continue; }
        g.x += (c.x - g.x) / ++g.count;
        g.y += (c.y - g.y) / g.count;
        [g.low, g.high] = [Math.min(g.low, c.low), Math.max(g.high, c.high)];
      }
      return [...gathered.values()];
    };
    const nearest = (all, x, placeOf) =>
      all.reduce((best, c) => best === undefined || Math.abs(placeOf(c) - x) < Math.abs(placeOf(best) - x) ? c : best,
        undefined);

    class Chart {
      constructor(figure) {
        this.figure = figure;
        this.plot = figure.querySelector(".plot");
        this.svg = figure.querySelector("svg");
        this.logarithm = this.button("log axis", () => {
          this.isLogarithmic = !this.isLogarithmic;
          this.logarithm.setAttribute("aria-pressed", this.isLogarithmic);
          this.draw();
        });
        this.all = this.button("see all", () => { this.see(0, this.data.end); this.plot.focus(); });
        [this.cursor, this.chosen, this.tip] = ["cursor", "chosen", "tip"].map(kind => add(this.plot, "div", kind));
        this.tip.setAttribute("role", "status");
        this.plot.tabIndex = 0;
        this.plot.setAttribute("role", "application");
        const title = figure.querySelector("figcaption").textContent;
        this.plot.setAttribute("aria-label", `${title}: arrow keys go to its values`);
        this.listen();
        this.show(JSON.parse(figure.querySelector("script").textContent));
      }

      button(text, action) {
        const made = add(this.figure.querySelector(".bar"), "button", "", text);
        made.type = "button";
        made.addEventListener("click", action);
        return made;
      }

      show(data) {
        this.data = data;
        this.logarithm.hidden = !data.log;
        this.figure.querySelector(".bar span").textContent = data.axes[1];
        this.figure.querySelector(".axis").textContent = data.axes[0];
        this.see(0, data.end);
      }

      // Shows the values between two places, if there are any to tell apart.
      see(from, to) {
        const end = this.data.end, width = Math.min(to - from, end), left = Math.min(Math.max(from, 0), end - width);
        const count = s => s.x.filter(x => x >= left && x <= left + width).length;
        if (width < end && !this.data.series.some(s => count(s) >= 2)) return;
        this.view = [left, left + width];
        this.all.hidden = width >= end;
        this.leave();
        this.draw();
      }

      draw() {
        const [from, to] = this.view, isSeen = c => c.x >= from && c.x <= to;
        this.shown = this.data.series.map(s => gather(s, from, to));
        const [low, high] = ends(this.shown.flat().filter(isSeen).flatMap(c => [c.low, c.high]), this.isLogarithmic);
        const scale = this.isLogarithmic ? v => Math.log(Math.max(v, 1e-300)) : v => v;
        const x = v => (v - from) / (to - from) * 1000;
        const y = v => (scale(high) - scale(v)) / (scale(high) - scale(low)) * 1000;
        const ticks = (this.isLogarithmic ? logarithmicTicks : linearTicks)(low, high);
        const curves = this.data.series.some(s => !s.dots) ? this.shown.filter((_, i) => !this.data.series[i].dots)
          : this.shown;
        this.stops = [...new Set(curves.flat().filter(isSeen).map(c => c.x))].sort((a, b) => a - b);
        this.svg.innerHTML = ticks.map(t => `<path class="grid" d="M0 ${y(t.value).toFixed(1)}H1000"/>`).join("")
          + this.data.marks.map(([v]) => `<path class="mark" d="M${x(v).toFixed(1)} 0V1000"/>`).join("")
          + this.shown.map((columns, i) => this.curve(columns, i, x, y)).join("");
        this.plot.querySelectorAll("span").forEach(e => e.remove());
        for (const t of ticks) add(this.plot, "span", "y", t.label, {top: `${y(t.value) / 10}%`});
        for (const t of linearTicks(from, to)) add(this.plot, "span", "x", t.label, {left: `${x(t.value) / 10}%`});
        this.data.marks.forEach(([v, name], i) => {
          const left = Math.max(0, x(v) / 10), right = Math.min(100, x(this.data.marks[i + 1]?.[0] ?? to) / 10);
          if (right > left) add(this.plot, "span", "mark", name, {left: `${left}%`, maxWidth: `${right - left}%`});
        });
      }

      curve(columns, i, x, y) {
        if (columns.length === 0) return "";
        const at = (c, v) => `${x(c.x).toFixed(1)},${y(v).toFixed(1)}`, middle = columns.map(c => at(c, c.y));
        const dots = () => middle.map(p => `M${p}h0`).join("");
        if (this.data.series[i].dots) return `<path class="s${i % 8} dots" d="${dots()}"/>`;
        const band = [...columns.map(c => at(c, c.high)), ...columns.map(c => at(c, c.low)).reverse()];
        return `<polygon class="s${i % 8}" points="${band.join(" ")}"/>`
          + `<polyline class="s${i % 8}" points="${middle.join(" ")}"/>`;
      }

      // Shows the values next to a place.
      point(x) {
        const stop = nearest(this.stops, x, v => v), [from, to] = this.view;
        if (stop === undefined) return;
        this.at = stop;
        const share = (stop - from) / (to - from), axis = this.data.axes[0];
        const lines = this.shown.map((columns, i) => {
          const series = this.data.series[i], c = nearest(columns, stop, c => c.x);
          if (!c) return "";
          const range = c.low < c.high ? ` (${exact(c.low)} to ${exact(c.high)})` : "";
          const elsewhere = c.x === stop ? "" : ` at ${place(c.x)}`;
          return `\n${series.name || this.data.axes[1]}: ${exact(c.y)}${range}${elsewhere}`;
        });
        const mark = this.data.marks.filter(([v]) => v <= stop).pop();
        this.tip.textContent = `${axis} ${place(stop)}` + (mark ? `, ${mark[1]}` : "") + lines.join("");
        const side = share < 0.5 ? {left: `calc(${share * 100}% + 8px)`, right: "auto"}
          : {left: "auto", right: `calc(${100 - share * 100}% + 8px)`};
        Object.assign(this.tip.style, side, {display: "block"});
        Object.assign(this.cursor.style, {left: `${share * 100}%`, display: "block"});
      }

      leave() {
        for (const part of [this.tip, this.cursor, this.chosen]) part.style.display = "none";
      }

      // Goes to another stop; beyond the last one in view, moves the view.
      move(count) {
        const [from, to] = this.view, index = this.stops.indexOf(this.at), next = index + count;
        if (index < 0) return this.point(to);
        if (next < 0 || next >= this.stops.length) {
          const at = this.at, shift = Math.sign(count) * (to - from) / 4;
          this.see(from + shift, to + shift);
          return this.point(at + Math.sign(count) * (to - from) / 240);
        }
        this.point(this.stops[next]);
      }

      magnify(factor) {
        const [from, to] = this.view, at = this.at >= from && this.at <= to ? this.at : (from + to) / 2;
        this.see(at - (at - from) / factor, at + (to - at) / factor);
        this.point(at);
      }

      key(event) {
        const far = event.shiftKey ? 10 : 1;
        const action = {
          ArrowLeft: () => this.move(-far), ArrowRight: () => this.move(far),
          Home: () => this.point(this.view[0]), End: () => this.point(this.view[1]),
          "+": () => this.magnify(2), "=": () => this.magnify(2), "-": () => this.magnify(0.5),
          Escape: () => this.see(0, this.data.end),
        }[event.key];
        if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        action();
      }

      listen() {
        const plot = this.plot, listen = (name, action) => plot.addEventListener(name, action);
        const share = event => {
          const frame = plot.getBoundingClientRect();
          return Math.min(Math.max((event.clientX - frame.left) / frame.width, 0), 1);
        };
        const x = share => this.view[0] + share * (this.view[1] - this.view[0]);
        let start;
        listen("pointerdown", event => {
          if (event.button !== 0) return;
          start = share(event);
          plot.setPointerCapture(event.pointerId);
        });
        listen("pointermove", event => {
          const at = share(event);
          this.point(x(at));
          if (start === undefined) return;
          const [left, right] = [Math.min(start, at), Math.max(start, at)];
          const place = {left: `${left * 100}%`, width: `${(right - left) * 100}%`};
          Object.assign(this.chosen.style, place, {display: "block"});
        });
        listen("pointerup", event => {
          const at = share(event), begin = start ?? at;
          start = undefined;
          this.chosen.style.display = "none";
          // A click is no zoom.
          if (Math.abs(at - begin) > 0.02) this.see(x(Math.min(begin, at)), x(Math.max(begin, at)));
          this.point(x(at));
        });
        listen("pointercancel", () => { start = undefined; this.leave(); });
        // A finger leaves when it is lifted; what it chose stays.
        listen("pointerleave", event => { if (event.pointerType !== "touch" && start === undefined) this.leave(); });
        listen("dblclick", () => this.see(0, this.data.end));
        listen("keydown", event => this.key(event));
        listen("focus", () => { if (plot.matches(":focus-visible")) this.point(this.at ?? this.view[1]); });
        listen("blur", () => this.leave());
      }
    }
    const charts = [...document.querySelectorAll("figure.chart")].map(figure => new Chart(figure));
    document.querySelectorAll(".hint").forEach(hint => { hint.hidden = false; });
    """#
}
