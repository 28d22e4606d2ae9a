/* report_parts.js: what the report and the comparison draw with. Everything from rows reaches the screen as text nodes, never as markup. */
"use strict";
const page = document.getElementById("page");
const SVG = "http://www.w3.org/2000/svg";

/* ---- small tools ---- */
function fill(e, kids) { for (const k of kids.flat(9)) if (k !== null && k !== undefined && k !== false) e.append(k); return e; }
function el(tag, cls, ...kids) { const e = document.createElement(tag); if (cls) e.className = cls; return fill(e, kids); }
function svg(tag, attrs, ...kids) { const e = document.createElementNS(SVG, tag); for (const k in attrs) e.setAttribute(k, attrs[k]); return fill(e, kids); }
const n0 = x => Math.round(x).toLocaleString("en-US");
const fixed = (x, places) => x.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
function section(id, title, intro, ...kids) { const s = el("section", "", el("h2", "", title), intro && el("p", "intro", intro), ...kids); s.id = id; page.append(s); return s; }
const baseName = p => p.split("/").filter(Boolean).pop() || p;
const mill = () => svg("svg", { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 1.5, "aria-hidden": "true" },
  svg("circle", { cx: 12, cy: 12, r: 10 }), svg("circle", { cx: 12, cy: 12, r: 2.4 }), [0, 60, 120, 180, 240, 300].map(a => svg("path", { d: "M12 7.4 14.6 3", transform: `rotate(${a} 12 12)` })));

/* ---- pairs of bars ---- a list of [name, share a, share b, note]; a share that is null has no bar */
function share(x) { return x === null ? "–" : x > 0 && x < .001 ? "under 0.1%" : (100 * x).toLocaleString("en-US", { maximumFractionDigits: 1 }) + "%"; }
function twoBars(list) {
  const most = Math.max(...list.map(x => Math.max(x[1] || 0, x[2] || 0))) || 1, g = el("div", "duel");
  const bar = (x, cls) => { const i = el("i", cls), t = el("div", "bar", i); i.style.width = x / most * 100 + "%"; if (!x) i.style.minWidth = 0; return t; };
  for (const [name, a, b, note] of list) {
    const t = el("div", "t", name, note && el("span", "tag", note));
    t.dir = "auto";
    g.append(el("div", "d", t, el("div", "bars", bar(a, "in-a"), bar(b, "in-b")), el("div", "v", el("span", "", share(a)), el("span", "", share(b)))));
  }
  return g;
}

/* ---- a comparison of two sets: a function for each of its parts; D as `quern compare --json` has it, A and B what the two are called ---- */
function comparison(D, A, B) {
const pct = share;
const legend = () => el("div", "legend ab", el("span", "k-a", "A ", A), el("span", "k-b", "B ", B));
/* ---- head: what the comparison says in one sentence and four numbers ---- */
function verdict() {
  const c = D.classifier;
  if (c.why) return "Whether the two can be told apart cannot be said: it " + c.why + ".";
  if (c.low <= .5 && c.high >= .5) return "A classifier cannot tell the two sets apart.";
  if (c.auc < .6) return "A classifier hardly tells the two sets apart.";
  return c.auc < .8 ? "A classifier tells the two sets apart more often than not." : c.auc < .95 ? "A classifier tells the two sets apart well." : "A classifier tells the two sets apart almost always.";
}
function tiles() {
  const x = D.across, tiles = el("div", "tiles"), tile = (what, much, more) => tiles.append(el("div", "tile", el("div", "what", what), el("div", "much", much), more && el("div", "more", more)));
  const c = D.classifier, m = D.mauve, t = D.topics;
  tile("Told apart (AUC)", c.why ? "–" : fixed(c.auc, 3), c.why || `95%: ${fixed(c.low, 3)} to ${fixed(c.high, 3)}; 0.5 is chance`);
  tile("Distance", m.why ? "–" : fixed(m.distance, 3), m.why || `${fixed(m.distance_by_chance, 3)} by chance alone; 1 − MAUVE`);
  tile("A's topics that B has", t.why ? "–" : pct(t.a_covered_by_b), t.why || pct(t.b_covered_by_a) + " the other way");
  tile("Near-duplicates", pct(x.near_share), n0(x.near) + " of B's texts have one in A");
  tile("Exact duplicates", pct(x.exact_share), (x.exact_is_least ? "at least " : "") + n0(x.exact) + " of B's texts stand in A");
  return tiles;
}
/* ---- side by side ---- */
function sides() {
  const rows = [], row = (what, a, b, note) => rows.push(el("tr", "", el("td", "", what), el("td", "num", a), el("td", "num", b), el("td", "soft small", note || "")));
  const W = D.words, num = (what, key, note) => row(what, n0(W.a[key]), n0(W.b[key]), note);
  const pair = (what, p, places, note) => p.why ? row(what, "–", "–", p.why) : row(what, fixed(p.a, places), fixed(p.b, places), `${note}; on ${n0(p.rows)} texts each`);
  row("rows", n0(D.a.rows), n0(D.b.rows), D.a.limited || D.b.limited ? "reading ended at the limit" : "");
  if (D.a.empty + D.b.empty) row("without a text", n0(D.a.empty), n0(D.b.empty));
  if (D.a.unreadable + D.b.unreadable) row("unreadable", n0(D.a.unreadable), n0(D.b.unreadable));
  row("different texts", n0(D.a.different), n0(D.b.different), D.a.different_is_least || D.b.different_is_least ? "at least" : "");
  row("words, mean", fixed(W.a.mean, 1), fixed(W.b.mean, 1));
  num("words, middle", "p50"); num("words, 5th percentile", "p5"); num("words, 95th percentile", "p95"); num("words, longest", "max");
  pair("openings, bits", D.openings.entropy_bits, 2, "entropy of the first three words: higher is more varied");
  pair("distinct-1", D.distinct_1, 3, "different words as a share of all");
  pair("distinct-2", D.distinct_2, 3, "the same of pairs"); pair("distinct-3", D.distinct_3, 3, "the same of triples");
  pair("self-BLEU", D.self_bleu, 3, "high: the texts resemble one another"); pair("Vendi score", D.vendi, 1, "different texts in effect");
  section("sides", "Side by side", "Rows, lengths and duplicates are of all rows; the rest of a sample, equally large on both sides.", el("div", "wide", el("table", "ab", el("thead", "", el("tr", "", el("th"), el("th", "num k-a", "A"), el("th", "num k-b", "B"), el("th"))), el("tbody", "", rows))));
}

/* ---- lengths: two outlines over one axis ---- */
function lengths() {
  const W = 920, H = 250, foot = H - 38, step = D.words.bin, a = D.words.a.histogram, b = D.words.b.histogram, sum = v => v.reduce((x, y) => x + y, 0) || 1;
  const pa = a.map(x => x / sum(a)), pb = b.map(x => x / sum(b)), top = Math.max(...pa, ...pb), X = i => i * W / a.length, Y = s => foot - s / top * (foot - 10);
  const outline = v => `M0 ${foot}` + v.map((s, i) => `L${X(i)} ${Y(s)}L${X(i + 1)} ${Y(s)}`).join("") + `L${W} ${foot}`;
  const s = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "hist ab", role: "img", "aria-label": "lengths of both sets in words" });
  s.append(svg("path", { class: "in-a", d: outline(pa) + "Z" }), svg("path", { class: "in-b", d: outline(pb) + "Z" }), svg("line", { class: "axis", x1: 0, x2: W, y1: foot + .5, y2: foot + .5 }));
  a.forEach((x, i) => {
    const from = i * step, label = i === a.length - 1 ? `${from} and more` : step === 1 ? `${from}` : `${from} to ${from + step - 1}`;
    s.append(svg("rect", { x: X(i), y: 0, width: X(1), height: foot, fill: "transparent" }, svg("title", {}, `${label} words: A ${pct(pa[i])}, B ${pct(pb[i])}`)));
    if (i % 5 === 0) s.append(svg("text", { x: X(i), y: H - 8, "text-anchor": i ? "middle" : "start" }, n0(from)));
  });
  s.append(svg("text", { x: W, y: H - 8, "text-anchor": "end" }, "words"));
  section("lengths", "Lengths", "Share of texts by number of words; the last step holds all longer ones.", el("div", "card", legend(), s));
}

function openings() {
  if (D.openings.first_words.length) section("openings", "How they begin", `First words, most frequent of both first; on ${n0(D.openings.entropy_bits.rows)} texts each.`, el("div", "card", legend(), twoBars(D.openings.first_words.map(x => [x.word, x.share_a, x.share_b]))));
}
function topics() {
  const t = D.topics;
  if (t.why) { section("topics", "Topics", "Not measured: " + t.why + "."); return; }
  const missing = [["B has nothing about", t.missing_in_b], ["A has nothing about", t.missing_in_a]].filter(x => x[1].length);
  section("topics", "Topics", `Both sets together in ${t.list.length} groups, each named by its own words; on ${n0(t.rows)} texts each, ${D.vectors === "model" ? "by the model's embeddings" : "by TF-IDF"}.`,
    missing.map(([words, list]) => el("div", "notice calm", words + ": " + list.join("; ") + ".")),
    el("div", "card lone", legend(), twoBars(t.list.map(x => [x.name, x.share_a, x.share_b, !x.n_a ? "only in B" : !x.n_b ? "only in A" : null]))));
}

/* ---- words that tell ---- */
function telling() {
  const w = D.telling_words, list = v => el("div", "words", v.length ? v.map(x => { const s = el("span", "word", x.word, el("b", "", ` ${n0(x.n_a)} : ${n0(x.n_b)}`)); s.dir = "auto"; s.title = "z " + fixed(x.z, 1); return s; }) : "none");
  if (w.why) return;
  section("telling", "Words that give them away", "More frequent on one side than chance allows, strongest first; how often in A : in B.", el("div", "two",
    el("div", "card side-a", el("h3", "k-a", "More in A"), list(w.a)), el("div", "card side-b", el("h3", "k-b", "More in B"), list(w.b))));
}

/* ---- duplicates across ---- */
function across() {
  const x = D.across, text = t => { const v = el("div", "v", t === null ? "(could not be read again)" : t); v.dir = "auto"; return v; };
  const where = (row, id) => "row " + n0(row) + (id !== null ? ", " + id : "");
  const boxes = x.examples.map(t => el("div", "row", el("div", "why", t.exact ? "the same text" : "similarity " + fixed(t.similarity, 2)),
    el("div", "f", el("div", "k", "A ", where(t.row_a, t.id_a)), text(t.text_a)), el("div", "f", el("div", "k", "B ", where(t.row_b, t.id_b)), text(t.text_b))));
  section("across", "Rows of B that stand in A", `${n0(x.near)} of B's ${n0(x.texts_b)} texts (${pct(x.near_share)}) share at least ${x.over} of their runs of ${x.shingle} words (Jaccard) with a text of A; ${n0(x.exact)} are exactly equal.` + (boxes.length ? " Some of them, drawn at random:" : ""), el("div", "stack", boxes));
}

return { verdict, tiles, sides, lengths, openings, telling, topics, across };
}
