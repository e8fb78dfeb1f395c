/// The style sheet of a report, with colours for light and dark screens.
enum ReportStyle {
  static let css = """
    :root{color-scheme:light dark;--ink:#1d2129;--dim:#667085;--line:#d8dce3;--card:#fff;--page:#f4f5f7;
      --c0:#2563c9;--c1:#c2410c;--c2:#15803d;--c3:#9333ea;--c4:#a16207;--c5:#0e7490;--c6:#be185d;--c7:#4d7c0f}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e8ec;--dim:#98a2b3;--line:#3a404b;--card:#1c2028;--page:#12151a;
      --c0:#7aa7f7;--c1:#fb923c;--c2:#4ade80;--c3:#c084fc;--c4:#fbbf24;--c5:#22d3ee;--c6:#f472b6;--c7:#a3e635}}
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
    img{display:block;max-width:100%;height:auto;image-rendering:pixelated}
    .bar{display:flex;gap:8px;align-items:center;min-height:30px;font-size:13px;color:var(--dim)}
    .bar span{flex:1}
    button,select{font:inherit;color:inherit;background:none;border:1px solid var(--line);border-radius:6px;
      padding:2px 8px}
    button[aria-pressed=true]{background:var(--line);color:var(--ink)}
    option{color:CanvasText;background:Canvas}
    .plot{position:relative;height:200px;margin:6px 16px 26px 60px;cursor:crosshair;touch-action:pan-y}
    .wide .plot{height:360px}
    .plot:focus-visible{outline:2px solid var(--c0);outline-offset:2px}
    .plot svg{display:block;width:100%;height:100%;overflow:hidden}
    .plot svg *{vector-effect:non-scaling-stroke;fill:none;stroke:var(--c);stroke-width:1.6;stroke-linejoin:round}
    .plot .grid{stroke:var(--line);stroke-width:1}
    .plot .mark{stroke:var(--dim);stroke-width:1;stroke-dasharray:4 3}
    .plot polygon{fill:var(--c);fill-opacity:.2;stroke:none}
    .plot .dots{stroke-width:6;stroke-linecap:round}
    .plot span{position:absolute;font-size:13px;line-height:1;color:var(--dim);white-space:nowrap;pointer-events:none}
    .plot span.y{right:calc(100% + 6px);transform:translateY(-50%)}
    .plot span.x{top:calc(100% + 6px);transform:translateX(-50%)}
    .plot span.mark{top:2px;padding-left:4px;color:var(--ink);overflow:hidden;text-overflow:ellipsis}
    .plot div{position:absolute;display:none;pointer-events:none}
    .cursor{top:0;bottom:0;border-left:1px solid var(--ink)}
    .chosen{top:0;bottom:0;background:var(--c0);opacity:.2}
    .tip{top:18px;max-width:70%;padding:4px 8px;font-size:13px;line-height:1.4;white-space:pre-line;
      background:var(--card);border:1px solid var(--line);border-radius:6px;box-shadow:0 2px 8px #0004}
    @media(max-width:500px){.plot .tip{top:calc(100% + 24px);left:-60px!important;right:-16px!important;max-width:none;
      z-index:1}}
    .axis{text-align:center;font-size:13px;line-height:1;color:var(--dim)}
    .legend,.hint{margin:8px 0 0;font-size:13px;color:var(--dim)}
    .hint{margin-bottom:12px}
    .legend span{margin-right:12px;color:var(--c);overflow-wrap:anywhere}
    .s0{--c:var(--c0)}.s1{--c:var(--c1)}.s2{--c:var(--c2)}.s3{--c:var(--c3)}
    .s4{--c:var(--c4)}.s5{--c:var(--c5)}.s6{--c:var(--c6)}.s7{--c:var(--c7)}
    .scroll{overflow-x:auto}
    table{border-collapse:collapse;width:100%;font-size:.9em;font-variant-numeric:tabular-nums}
    th,td{text-align:left;padding:6px 12px;border-bottom:1px solid var(--line)}
    th{color:var(--dim);font-weight:500}
    pre{padding:12px;overflow-x:auto;font-size:.85em}
    """
}
