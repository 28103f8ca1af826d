"""How pages look: one style for all, light and dark, on a phone, on a desk and on paper.

Blue and orange, which colour-blind people tell apart; where the two meet, the lines differ as well.
"""

CSS = """
:root { color-scheme: light dark; --bg: #fff; --soft: #f4f6f8; --ink: #1b2530; --muted: #596673;
  --line: #d9dfe5; --blue: #0a5fa8; --orange: #b84700; --shade: 10, 95, 168; --warn: #fff4e5; }
@media (prefers-color-scheme: dark) { :root { --bg: #12161b; --soft: #1b2128; --ink: #e7ebef;
  --muted: #9ba8b5; --line: #323b45; --blue: #6db5f5; --orange: #ffa35c; --shade: 109, 181, 245;
  --warn: #33261a; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--bg); color: var(--ink); overflow-wrap: break-word;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main, header { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 36px; }
h1 { font-size: 30px; line-height: 1.2; margin: 2px 0 6px; }
h2 { font-size: 21px; margin: 44px 0 4px; padding-top: 14px; border-top: 2px solid var(--ink); }
h3 { font-size: 16px; margin: 22px 0 4px; }
p { margin: 6px 0 12px; max-width: 74ch; }
a { color: var(--blue); }
.kicker, .note, figcaption, .facts dt { color: var(--muted); }
.kicker { margin: 0; text-transform: uppercase; letter-spacing: .08em; font-size: 13px; }
.note { font-size: 14.5px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 14px 0 0; font-size: 14.5px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: 14px;
  margin: 22px 0; }
.tile { background: var(--soft); border-radius: 10px; padding: 14px 16px; min-width: 0; }
.tile b { display: block; font-size: 24px; line-height: 1.25; }
.tile span { display: block; color: var(--muted); font-size: 14px; }
.tile svg { margin-top: 6px; }
ul.findings { padding-left: 20px; max-width: 80ch; }
ul.findings li { margin: 6px 0; }
li.warning { background: var(--warn); border-radius: 6px; padding: 3px 8px; margin-left: -8px; }
.frame { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; width: 100%; font-size: 14.5px; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: left; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line);
  vertical-align: middle; }
thead th { color: var(--muted); font-weight: 600; vertical-align: bottom;
  border-bottom-color: var(--muted); }
tbody th { font-weight: 600; min-width: 110px; }
.n { text-align: right; }
td.n, .score { white-space: nowrap; }
small { color: var(--muted); font-size: 13px; font-weight: 400; }
th small, td small { display: block; }
.heat td { text-align: center; padding: 8px 10px; border: 2px solid var(--bg); white-space: nowrap; }
.heat td:has(.shade) { padding: 0; }
.shade { display: block; padding: 8px 12px; background: rgba(var(--shade), calc(var(--s) * .55)); }
.shade small { color: inherit; }
.heat thead th { text-align: center; }
.heat thead th:first-child { text-align: left; }
.heat { width: auto; }
.heat tbody th { border-bottom: 0; }
.weak { color: var(--orange); font-weight: 700; }
.panels { display: grid; grid-template-columns: repeat(auto-fill, minmax(235px, 1fr)); gap: 18px;
  margin: 12px 0; }
.one { max-width: 340px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(270px, 340px)); gap: 8px 32px;
  align-items: start; }
figure { margin: 0; }
figcaption { font-size: 14px; }
figcaption b { color: var(--ink); }
svg { display: block; width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: var(--muted); }
svg text.strong { fill: var(--orange); font-weight: 700; paint-order: stroke; stroke: var(--bg);
  stroke-width: 4px; }
svg.bar { min-width: 110px; max-width: 200px; }
.grid, .rail { stroke: var(--line); stroke-width: 1; }
.guess { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 4 4; }
.whole { stroke: var(--muted); stroke-width: 1.5; }
.range { stroke: var(--blue); stroke-width: 3; stroke-linecap: round; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
.curve.after { stroke: var(--blue); }
.curve.before { stroke: var(--orange); stroke-dasharray: 5 3; }
circle.after { fill: var(--blue); }
circle.before { fill: var(--bg); stroke: var(--orange); stroke-width: 1.5; }
circle.threshold { fill: var(--orange); stroke: var(--bg); stroke-width: 1.5; }
.key { display: inline-block; width: 22px; border-top: 3px solid var(--blue); vertical-align: middle; }
.key.before { border-top: 3px dashed var(--orange); }
.case { border-top: 1px solid var(--line); padding: 12px 0; }
.case p { margin: 4px 0; max-width: 80ch; }
.case .quote { unicode-bidi: isolate; }
.case .quote.context { color: var(--muted); }
.chip { display: inline-block; background: var(--soft); border-radius: 5px; padding: 0 7px;
  margin: 2px 4px 2px 0; font-size: 13.5px; }
details > summary { cursor: pointer; color: var(--blue); font-size: 14.5px; margin: 8px 0; }
td code { white-space: nowrap; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 3px 18px; font-size: 14.5px;
  margin: 10px 0; }
.facts dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
code { font: 13px ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
footer { max-width: 1080px; margin: 40px auto; padding: 0 20px; color: var(--muted); font-size: 14px; }
@media (max-width: 600px) {
  body { font-size: 15px; } h1 { font-size: 25px; } .wide { display: none; }
  main, header, footer { padding-left: 16px; padding-right: 16px; }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; }
  .tile { padding: 11px 12px; } .tile b { font-size: 20px; }
  .facts { grid-template-columns: 1fr; gap: 0; } .facts dd { margin-bottom: 8px; }
  tbody th { min-width: 84px; } th, td { padding-right: 9px; } svg.bar { min-width: 76px; }
}
@media print {
  :root { --bg: #fff; --soft: #f4f6f8; --ink: #000; --muted: #444; --line: #ccc; --blue: #0a5fa8;
    --orange: #b84700; --shade: 10, 95, 168; --warn: #fff4e5; }
  @page { margin: 15mm; }
  body { font-size: 10.5pt; } nav { display: none; } h2, h3 { break-after: avoid; }
  tr, figure, .case, .tile { break-inside: avoid; } .frame { overflow: visible; }
  main, header, footer { max-width: none; padding: 0; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  details > summary { display: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
""".strip()
