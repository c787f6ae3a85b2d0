#include "page.h"

#include <array>
#include <openssl/evp.h>
#include <stdexcept>

#include "html.h"

namespace actionclip::detail {

const std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #fbfbfa; --sheet: #ffffff; --ink: #1d2327; --soft: #5c6770; --line: #dfe3e6;
  --a: #1f6feb; --b: #c2410c; --c: #6d3fc0; --right: #1a7f5a; --wrong: #c2410c; --mark: #fff3c4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --sheet: #1b2127; --ink: #e6e9ec; --soft: #9aa6b0; --line: #313a42;
    --a: #6cb0ff; --b: #ff9b63; --c: #b896ff; --right: #5fd3a4; --wrong: #ff9b63; --mark: #4a3f14;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 3.2rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header, main { max-width: 1160px; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.6rem; }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
header p { margin: .2rem 0 0; color: var(--soft); overflow-wrap: anywhere; }
nav { position: sticky; top: 0; z-index: 2; background: var(--paper); border-bottom: 1px solid var(--line); margin-top: .9rem; }
nav div { max-width: 1160px; margin: 0 auto; padding: .5rem 1.25rem; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; }
nav a, h2 a { color: inherit; text-decoration: none; }
nav a { color: var(--soft); }
nav a:hover, nav a:focus { color: var(--a); }
section { margin: 2rem 0 2.4rem; }
h2 { font-size: 1.2rem; margin: 0 0 .3rem; }
h3 { font-size: 1rem; margin: .9rem 0 .4rem; }
.note, .below, small { color: var(--soft); }
.note { margin: 0 0 .8rem; overflow-wrap: anywhere; }
small { font-size: .85em; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); gap: .8rem; margin-bottom: .9rem; }
.card, .chart, .confusion, .clip, details, .scroll { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; }
.card { padding: .7rem .9rem; }
.card .name { color: var(--soft); font-size: .85rem; }
.card .value { font-size: 1.65rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card .value small { margin-left: .15em; font-size: .55em; }
.card .below { font-size: .82rem; min-height: 1.2em; font-variant-numeric: tabular-nums; }
.scroll { overflow: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .8rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); unicode-bidi: isolate; overflow-wrap: anywhere; }
tbody tr:last-child td { border-bottom: 0; }
th { color: var(--soft); font-weight: 600; font-size: .82rem; white-space: nowrap; position: sticky; top: 0; background: var(--sheet); }
.n { text-align: right; white-space: nowrap; }
.facts thead { display: none; }
.facts td:first-child { color: var(--soft); width: 34%; }
.bar { display: inline-block; min-width: 6.5rem; padding-right: .25rem; border-radius: 3px;
  background: linear-gradient(to right, color-mix(in srgb, var(--a) 26%, transparent) var(--share), transparent var(--share)); }
.two, .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 430px), 1fr)); gap: 0 1.2rem; }
.charts { gap: 1.2rem; align-items: start; }
details { margin-top: .9rem; padding: .5rem .9rem; }
details .scroll { border: 0; margin-top: .5rem; max-height: 32rem; }
summary { cursor: pointer; color: var(--soft); }
pre { margin: .6rem 0 .2rem; overflow: auto; max-height: 32rem; font: 13px/1.45 ui-monospace, monospace; }
figure { margin: 0; }
.chart { padding: .7rem .6rem .2rem; }
.chart figcaption { padding: 0 .4rem; font-weight: 600; display: flex; flex-wrap: wrap; gap: 0 .9rem; }
.chart output { margin-left: auto; color: var(--soft); font-weight: 400; font-variant-numeric: tabular-nums; }
.chart svg { display: block; width: 100%; height: auto; }
.key { font-weight: 400; color: var(--hue); }
.key::before { content: ""; display: inline-block; width: .9em; height: .2em; margin-right: .35em; vertical-align: .25em; background: var(--hue); }
.s0 { --hue: var(--a); } .s1 { --hue: var(--b); } .s2 { --hue: var(--c); }
.series polyline { fill: none; stroke: var(--hue); stroke-width: 1.5; stroke-linejoin: round; }
.series circle { fill: var(--hue); }
.series .whisker { stroke: var(--hue); stroke-width: 1.2; }
.band { fill: var(--hue); opacity: .18; }
.grid { stroke: var(--line); } .axis { stroke: var(--soft); }
.tick { fill: var(--soft); font-size: 11px; }
.cursor { stroke: var(--soft); stroke-dasharray: 3 3; visibility: hidden; }
.confusion { display: grid; grid-template-columns: minmax(0, 1.35fr) minmax(0, 1fr); gap: 1.2rem; padding: .9rem; }
.matrix { position: relative; padding: 0 0 1.4rem 1.4rem; align-self: start; }
.axis-x, .axis-y { position: absolute; color: var(--soft); font-size: .8rem; }
.axis-x { bottom: 0; left: 1.4rem; }
.axis-y { top: 0; left: 0; writing-mode: vertical-rl; }
#matrix { display: block; width: 100%; height: auto; cursor: crosshair; overflow: visible; }
#matrix .paper { fill: var(--paper); stroke: var(--line); vector-effect: non-scaling-stroke; }
#matrix path { fill: none; stroke-width: var(--cell); }
.right { --hue: var(--right); } .wrong { --hue: var(--wrong); }
#matrix path, .legend i { --tint: color-mix(in srgb, var(--hue) var(--strength), var(--sheet)); stroke: var(--tint); background: var(--tint); }
.h0 { --strength: 34%; } .h1 { --strength: 50%; } .h2 { --strength: 65%; } .h3 { --strength: 80%; } .h4 { --strength: 100%; }
#cross rect { fill: none; stroke: var(--ink); stroke-width: 1; vector-effect: non-scaling-stroke; }
#cross line { stroke: var(--ink); stroke-width: 1; opacity: .45; vector-effect: non-scaling-stroke; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem; margin: .5rem 0 0; color: var(--soft); font-size: .85rem; }
.legend i { width: 1.1rem; height: .8rem; border-radius: 2px; }
.legend span { margin: 0 .35rem; }
.beside { display: flex; flex-direction: column; min-height: 0; }
#cell { display: none; } .scripted #cell { display: block; min-height: 6.8rem; }
#cell p { margin: 0 0 .3rem; } #cell ul { margin: 0; padding-left: 1.1rem; color: var(--soft); font-size: .9rem; }
.pairs, .long { max-height: 30rem; }
.pairs th, .pairs td { padding: .25rem .5rem; font-size: .9rem; overflow-wrap: break-word; }
.pairs a { color: inherit; text-decoration: none; }
.scripted .pairs tr { cursor: pointer; }
.scripted .pairs tr:hover td { background: color-mix(in srgb, var(--a) 10%, transparent); }
tr.chosen td { background: var(--mark) !important; }
#cell.empty { color: var(--soft); }
.clips { display: flex; flex-wrap: wrap; gap: .8rem; }
.clip { padding: .5rem; overflow: hidden; width: calc(var(--width) + 1rem + 2px); min-width: min(100%, 22rem); max-width: 100%; }
.clip img { display: block; max-width: 100%; height: auto; border-radius: 4px; }
.clip figcaption { margin-top: .35rem; overflow-wrap: anywhere; }
.clip small { display: block; }
b.right, b.wrong { color: var(--hue); }
@media (max-width: 820px) { .confusion { grid-template-columns: minmax(0, 1fr); } }
@media print { nav { display: none; } .pairs, .long, pre, details .scroll { max-height: none; } }
)css";

const std::string_view kPageScript = R"js(
"use strict";
document.documentElement.classList.add("scripted");

// The values under the pointer, of every line of a chart.
for (const chart of document.querySelectorAll(".chart")) {
  const svg = chart.querySelector("svg"), output = chart.querySelector("output"), cursor = chart.querySelector(".cursor");
  const [xLow, xHigh] = svg.dataset.x.split(" ").map(Number), [yLow, yHigh] = svg.dataset.y.split(" ").map(Number);
  const [left, right, top, bottom] = svg.dataset.frame.split(" ").map(Number);
  const lines = [...svg.querySelectorAll("polyline")].map(line => ({
    name: line.dataset.name,
    points: line.getAttribute("points").trim().split(" ").map(point => point.split(",").map(Number)),
  }));
  const short = value => Number(value.toPrecision(4)).toString();
  svg.addEventListener("pointermove", event => {
    const box = svg.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
    const nearest = lines.map(line => line.points.reduce((a, b) => Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a));
    if (!nearest.length) return;
    const at = nearest.reduce((a, b) => Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a)[0];
    cursor.setAttribute("x1", at);
    cursor.setAttribute("x2", at);
    cursor.style.visibility = "visible";
    const value = y => short(yLow + (bottom - y) / (bottom - top) * (yHigh - yLow));
    const own = svg.dataset.xName === "step";
    output.textContent = lines.map((line, i) => (lines.length > 1 ? line.name + " " : "") + value(nearest[i][1])).join(", ") +
      (own ? " at step " + Math.round(xLow + (at - left) / (right - left) * (xHigh - xLow)) : "");
  });
  svg.addEventListener("pointerleave", () => { cursor.style.visibility = "hidden"; output.textContent = ""; });
}

// The confusion matrix: cells and pairs lead to each other.
const source = document.getElementById("confusion-data");
if (source) {
  const { labels, videos, cells } = JSON.parse(source.textContent);
  const matrix = document.getElementById("matrix"), cross = document.getElementById("cross"), told = document.getElementById("cell");
  const rows = new Map();
  for (const row of document.querySelectorAll(".pairs tr[data-t]")) rows.set(row.dataset.t + " " + row.dataset.p, row);
  const all = [];
  for (let i = 0; i < cells.length; i += 3) all.push({ t: cells[i], p: cells[i + 1], n: cells[i + 2] });
  const svgElement = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const element = (name, text, parent) => {
    const made = document.createElement(name);
    made.textContent = text;
    parent.append(made);
    return made;
  };
  const percent = (n, whole) => whole ? Math.round(100 * n / whole) + " %" : "none";
  const tell = (t, p) => {
    const n = all.find(cell => cell.t === t && cell.p === p)?.n ?? 0;
    told.replaceChildren();
    const line = element("p", "", told);
    element("b", labels[t], line);
    line.append(t === p ? " was recognised" : " was taken for ");
    if (t !== p) element("b", labels[p], line);
    line.append(": " + n + " of " + videos[t] + " videos (" + percent(n, videos[t]) + ")");
    const list = element("ul", "", told);
    const mixed = (kept, name) => all.filter(kept).sort((a, b) => b.n - a.n).slice(0, 3).map(name).join("; ");
    const out = mixed(cell => cell.t === t && cell.p !== t, cell => labels[cell.p] + " " + cell.n);
    const into = mixed(cell => cell.p === p && cell.t !== p, cell => labels[cell.t] + " " + cell.n);
    if (out) element("li", labels[t] + " is taken for: " + out, list);
    if (into) element("li", "taken for " + labels[p] + ": " + into, list);
  };
  const choose = (t, p, scroll) => {
    const size = labels.length;
    cross.replaceChildren(
      svgElement("line", { x1: 0, x2: size, y1: t + .5, y2: t + .5 }),
      svgElement("line", { y1: 0, y2: size, x1: p + .5, x2: p + .5 }),
      svgElement("rect", { x: p - size / 200, y: t - size / 200, width: 1 + size / 100, height: 1 + size / 100 }));
    for (const row of document.querySelectorAll("tr.chosen")) row.classList.remove("chosen");
    const row = rows.get(t + " " + p);
    if (row) {
      row.classList.add("chosen");
      const box = row.closest(".scroll");
      if (scroll) box.scrollTop += row.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 2;
    }
    told.classList.remove("empty");
    tell(t, p);
  };
  // The cell that is not empty nearest to the pointer: one alone can be smaller than a pixel.
  const under = event => {
    const box = matrix.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * labels.length - .5, y = (event.clientY - box.top) / box.height * labels.length - .5;
    const reach = Math.max(.5, 8 / box.width * labels.length);
    let best = null, least = reach;
    for (const cell of all) {
      const away = Math.max(Math.abs(cell.p - x), Math.abs(cell.t - y));
      if (away <= least) { best = cell; least = away; }
    }
    return best;
  };
  matrix.addEventListener("click", event => { const cell = under(event); if (cell) choose(cell.t, cell.p, true); });
  matrix.addEventListener("pointermove", event => {
    const cell = under(event);
    matrix.style.cursor = cell ? "pointer" : "crosshair";
  });
  for (const row of rows.values()) {
    row.addEventListener("click", event => { event.preventDefault(); choose(Number(row.dataset.t), Number(row.dataset.p), false); });
  }
}
)js";

std::string script_hash() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(kPageScript.data(), kPageScript.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available");
  return "sha256-" + base64({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace actionclip::detail
