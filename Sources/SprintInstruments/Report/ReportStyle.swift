/// The style sheet of a report, with colours for light and dark screens.
enum ReportStyle {
  static let css = """
    :root{color-scheme:light dark;--ink:#1d2129;--dim:#667085;--line:#d8dce3;--card:#fff;--page:#f4f5f7;
      --curve:#2563c9;--band:#2563c933;--point:#c2410c}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e8ec;--dim:#98a2b3;--line:#3a404b;--card:#1c2028;
      --page:#12151a;--curve:#7aa7f7;--band:#7aa7f733;--point:#fb923c}}
    *{box-sizing:border-box}
    body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
    header,main{max-width:1060px;margin:auto;padding:0 16px}
    h1{margin:24px 0 0;overflow-wrap:anywhere}
    h2{margin:32px 0 8px;font-size:1.2em}
    header p{margin:0;color:var(--dim)}
    dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:12px;margin:16px 0}
    dl div,figure,table,pre{background:var(--card);border:1px solid var(--line);border-radius:8px}
    dl div{padding:8px 12px}
    dt{color:var(--dim);font-size:.8em}
    dd{margin:0;font-variant-numeric:tabular-nums}
    .pictures{display:flex;flex-wrap:wrap;gap:12px}
    .pictures figure{max-width:100%}
    .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:12px}
    figure{margin:0;padding:10px;min-width:0}
    figcaption{font-size:.9em;margin-bottom:4px}
    small{color:var(--dim)}
    svg,img{display:block;max-width:100%;height:auto}
    svg{width:100%}
    img{image-rendering:pixelated}
    svg text{font:13px system-ui,sans-serif;fill:var(--dim)}
    svg .y{text-anchor:end;dominant-baseline:middle}
    svg .x{text-anchor:middle}
    svg .grid{stroke:var(--line)}
    svg line.mark{stroke:var(--dim);stroke-dasharray:4 3}
    svg text.mark{fill:var(--ink)}
    polygon{fill:var(--band)}
    polyline{fill:none;stroke:var(--curve);stroke-width:1.6;stroke-linejoin:round}
    circle{fill:var(--point)}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;width:100%;font-size:.9em;font-variant-numeric:tabular-nums}
    th,td{text-align:left;padding:6px 12px;border-bottom:1px solid var(--line)}
    th{color:var(--dim);font-weight:500}
    pre{padding:12px;overflow-x:auto;font-size:.85em}
    """
}
