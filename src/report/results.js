/* results.js: the tables that `tally` left, drawn: each measure's means with their intervals, system by system; with `along` as lines over the place. Everything
 * from rows reaches the screen as text nodes. */
const TONES = ["people", "rejected", "kept", "grain", "failed", "waiting"];
const tone = i => `var(--${TONES[i % TONES.length]})`;

/* A mark of the i-th system around (x, y): shape and tone together tell systems apart, also without colours. */
function systemMark(i, x, y, r) {
  const shapes = [() => svg("circle", { cx: x, cy: y, r }), () => svg("rect", { x: x - r * .9, y: y - r * .9, width: r * 1.8, height: r * 1.8 }), () => svg("path", { d: `M${x} ${y - r * 1.25}l${r * 1.25} ${r * 1.25}-${r * 1.25} ${r * 1.25}-${r * 1.25}-${r * 1.25}z` }),
    () => svg("path", { d: `M${x} ${y - r * 1.2}l${r * 1.15} ${r * 2.1}h-${r * 2.3}z` })], s = shapes[i % shapes.length]();
  s.style.fill = i < TONES.length ? tone(i) : "var(--card)";
  s.style.stroke = tone(i);
  return s;
}

/* How the numbers of a measure are written: shares as percent. */
function scaleOf(rows) {
  const all = rows.flatMap(r => [r.value, r.low, r.high]).filter(x => x !== null), percent = all.every(x => x >= -1 && x <= 1), k = percent ? 100 : 1;
  const places = percent || Math.max(...all.map(Math.abs)) >= 20 ? 1 : 3, put = x => fixed(k * x, places), signed = x => (x < 0 ? "−" : "+") + fixed(Math.abs(k * x), places);
  return { k, percent, put, level: r => r.value === null ? "–" : `${put(r.value)} [${put(r.low)}, ${put(r.high)}]`, gain: r => r.diff === null || r.diff === undefined ? "" : `${signed(r.diff)} [${signed(r.diff_low)}, ${signed(r.diff_high)}]` };
}
const wordsOf = (r, S) => `${r.group}${r.along === undefined || r.along === null ? "" : `, ${r.axis || "at"} ${n0(r.along)}`}: ${S.level(r)}${S.percent ? " percent" : ""}, n ${n0(r.n)}` + (S.gain(r) ? `; ${S.gain(r)} against ${r.against}, p ${fixed(r.p, 3)}` : "");
/* Steps of 1, 2 or 5 times a power of ten that part lo..hi in three to six. */
function ticks(lo, hi) {
  const raw = (hi - lo) / 4 || 1, ten = 10 ** Math.floor(Math.log10(raw)), step = ten * [1, 2, 5, 10].find(s => s * ten >= raw * .8), out = [];
  for (let v = Math.ceil(lo / step - 1e-9) * step; v <= hi + step * 1e-9; v += step) out.push(Math.abs(v) < step * 1e-9 ? 0 : v);
  return out;
}

/* A difference whose interval is clear of zero has a colour. */
const gainTone = r => r.diff_low > 0 ? " up" : r.diff_high < 0 ? " down" : "";

/* ---- levels: a line of the table for each system, its interval drawn on a common scale ---- */
function levels(rows, S) {
  const of = rows.filter(r => r.value !== null), lo = Math.min(...of.map(r => r.low)), hi = Math.max(...of.map(r => r.high)), X = v => 100 * (v - lo) / (hi - lo || 1) + "%", g = el("div", "levels");
  const base = of.find(b => rows.some(r => r.against === b.group));
  for (const r of rows) {
    const w = el("div", "whisker"), name = el("div", "t", r.group);
    name.dir = "auto";
    if (r.value !== null) {
      const range = el("i"), dot = el("b");
      range.style.left = X(r.low); range.style.width = `calc(${X(r.high)} - ${X(r.low)})`; dot.style.left = X(r.value);
      if (base) { const u = el("u"); u.style.left = X(base.value); w.append(u); }
      w.append(range, dot);
    }
    w.title = wordsOf(r, S);
    g.append(el("div", "l", name, w, el("div", "v", S.level(r)), el("div", "v gain" + gainTone(r), S.gain(r))));
  }
  return g;
}

/* ---- curves: a line for each system over the place; what has no place is level throughout ---- */
function curves(rows, S, systems) {
  const W = 460, H = 262, left = 40, right = W - 12, foot = H - 40, at = rows.filter(r => r.value !== null), placed = at.filter(r => r.along !== null);
  const xs = [...new Set(placed.map(r => r.along))].sort((a, b) => a - b), above = xs.filter(x => x > 0), log = xs[0] >= 0 && above.length > 2 && above[above.length - 1] / above[0] >= 8;
  /* On a logarithmic axis nothing stands at its left end, a step before the first. */
  const step = log ? Math.log(above[above.length - 1] / above[0]) / Math.max(1, above.length - 1) : 0, place = x => !log ? x : x > 0 ? Math.log(x) : Math.log(above[0]) - step;
  const x0 = place(xs[0]), x1 = place(xs[xs.length - 1]), X = x => left + 18 + (x1 > x0 ? (place(x) - x0) / (x1 - x0) : .5) * (right - left - 36);
  let lo = Math.min(...at.map(r => r.low)), hi = Math.max(...at.map(r => r.high));
  const pad = (hi - lo) * .06 || Math.abs(hi) * .05 || 1;
  lo = S.percent && lo >= 0 ? Math.max(0, lo - pad) : lo - pad; hi += pad;
  const Y = v => foot - (v - lo) / (hi - lo) * (foot - 12), s = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "hist plot", role: "img", "aria-label": rows[0].measure + " over " + (rows.find(r => r.axis) || {}).axis });
  const put = (x, y, t, anchor) => s.append(svg("text", { x, y, "text-anchor": anchor }, t));
  const marks = ticks(S.k * lo, S.k * hi), places = Math.max(0, -Math.floor(Math.log10(marks.length > 1 ? marks[1] - marks[0] : 1) + 1e-9));
  for (const v of marks) { s.append(svg("line", { class: "axis", x1: left, x2: right, y1: Y(v / S.k), y2: Y(v / S.k) })); put(left - 6, Y(v / S.k) + 4, fixed(v, places), "end"); }
  let last = -99;
  const short = x => x >= 10000 && x % 1000 === 0 ? n0(x / 1000) + "k" : x.toLocaleString("en-US", { maximumSignificantDigits: 4 });
  for (const x of xs) { s.append(svg("line", { class: "axis", x1: X(x), x2: X(x), y1: foot, y2: foot + 5 })); if (X(x) - last >= 44) { put(X(x), foot + 18, short(x), "middle"); last = X(x); } }
  put((left + right) / 2, H - 4, (placed.find(r => r.axis) || { axis: "" }).axis + (log ? " (logarithmic)" : ""), "middle");
  const lines = systems.filter(g => placed.some(r => r.group === g)), gap = Math.min(...xs.slice(1).map((x, i) => X(x) - X(xs[i])), 60), spread = Math.min(5, gap / 3 / Math.max(1, lines.length));
  for (const g of systems) {
    const i = systems.indexOf(g), own = placed.filter(r => r.group === g).sort((a, b) => a.along - b.along), shift = (lines.indexOf(g) - (lines.length - 1) / 2) * spread, color = tone(i);
    for (const r of at.filter(r => r.group === g && r.along === null)) {
      const l = svg("line", { class: "level", x1: left, x2: right, y1: Y(r.value), y2: Y(r.value) }, svg("title", {}, wordsOf(r, S)));
      l.style.stroke = color; s.append(l);
    }
    const path = svg("path", { class: "run", d: own.map((r, k) => `${k ? "L" : "M"}${(X(r.along) + shift).toFixed(1)} ${Y(r.value).toFixed(1)}`).join("") });
    path.style.stroke = color;
    if (own.length > 1) s.append(path);
    for (const r of own) {
      const x = X(r.along) + shift, bar = svg("path", { class: "range", d: `M${x - 2.5} ${Y(r.low)}h5M${x - 2.5} ${Y(r.high)}h5M${x} ${Y(r.low)}V${Y(r.high)}` }), m = systemMark(i, x, Y(r.value), 3.4);
      bar.style.stroke = color; m.append(svg("title", {}, wordsOf(r, S)));
      s.append(bar, m);
    }
  }
  return s;
}
function curveNumbers(rows, S, systems) {
  const at = new Map(rows.map(r => [r.group + "\n" + r.along, r])), lines = systems.filter(g => rows.some(r => r.group === g && r.along !== null)), flat = rows.filter(r => r.along === null);
  const places = [...new Set(rows.map(r => r.along).filter(x => x !== null))].sort((a, b) => a - b), axis = (rows.find(r => r.axis) || { axis: "" }).axis;
  const cell = r => { const td = el("td", "num", r ? S.level(r) : ""); if (r && S.gain(r)) td.append(el("div", "small gain" + gainTone(r), S.gain(r))); return td; };
  const put = x => x.toLocaleString("en-US"), table = (head, body) => el("div", "wide", el("table", "", el("thead", "", el("tr", "", head)), el("tbody", "", body)));
  /* what is fewer goes across: a table of many columns would be cut */
  return el("div", "", lines.length > places.length
    ? table([el("th", "", axis), places.map(x => el("th", "num", put(x)))], lines.map(g => el("tr", "", el("td", "name", g), places.map(x => cell(at.get(g + "\n" + x))))))
    : table([el("th", "num", axis), lines.map(g => el("th", "num", g))], places.map(x => el("tr", "", el("td", "num", put(x)), lines.map(g => cell(at.get(g + "\n" + x)))))),
    flat.map(r => el("p", "soft small", `${r.group}: ${S.level(r)} throughout`)));
}
function systemLegend(rows, systems) {
  return el("div", "legend systems", systems.map(g => {
    const i = systems.indexOf(g), flat = rows.every(r => r.group !== g || r.along === null), mark = svg("svg", { viewBox: "0 0 22 12", "aria-hidden": "true" }), line = svg("line", { class: flat ? "level" : "run", x1: 0, x2: 22, y1: 6, y2: 6 }), name = el("span", "", mark, g);
    line.style.stroke = tone(i);
    mark.append(line);
    if (!flat) mark.append(systemMark(i, 11, 6, 3.4));
    name.dir = "auto";
    return name;
  }));
}

/* tables: [{file, rows: [{group, measure, n, value, low, high, against, diff, diff_low, diff_high, p, along, axis}]}] */
function results(tables) {
  if (!tables || !tables.length) return;
  const box = el("div", "stack"), against = new Set();
  for (const t of tables) {
    for (const m of [...new Set(t.rows.map(r => r.measure))]) {
      const rows = t.rows.filter(r => r.measure === m), S = scaleOf(rows), systems = [...new Set(rows.map(r => r.group))], curve = rows.some(r => r.along !== undefined && r.along !== null), ns = [...new Set(rows.map(r => r.n))];
      rows.forEach(r => r.against && against.add(r.against));
      const c = el("div", "card lone", el("header", "", el("h3", "", m, S.percent && el("span", "soft small", " percent")), el("span", "tag", (ns.length > 1 ? `n ${n0(Math.min(...ns))} to ${n0(Math.max(...ns))}` : "n " + n0(ns[0])) + (tables.length > 1 ? " · " + t.file : ""))));
      if (curve) c.append(systemLegend(rows, systems), el("div", systems.length > 5 ? "curve many" : "two curve", curves(rows, S, systems), curveNumbers(rows, S, systems)));
      else c.append(levels(rows, S));
      box.append(c);
    }
  }
  section("results", "Results", "Means and their intervals; n is how many rows a mean is of." + (against.size ? ` Behind them the difference from ${[...against].map(x => "“" + x + "”").join(" and ")} on the same rows, paired, in colour where its interval is clear of zero.` : ""), box);
}
