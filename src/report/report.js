/* report.js: draws the report from the facts in the page. Everything from rows reaches the screen as text nodes, never as markup. */
(() => {
const D = JSON.parse(document.getElementById("facts").textContent);

/* ---- small tools ---- */
function n1(x) {
  const a = Math.abs(x);
  if (!isFinite(x)) return "–";
  if (a >= 1e12) { const [m, e] = x.toExponential(2).split("e"); return Number(m) + " × 10" + [...e.replace("+", "")].map(c => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻").join(""); }
  if (a >= 1e9) return (x / 1e9).toLocaleString("en-US", { maximumSignificantDigits: 3 }) + " G";
  if (a >= 1e6) return (x / 1e6).toLocaleString("en-US", { maximumSignificantDigits: 3 }) + " M";
  return a >= 100 || Number.isInteger(x) ? n0(x) : x.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}
function pct(x) {
  if (!(x > 0)) return "0%";
  if (x < .001) return "under 0.1%";
  if (x > .999 && x < 1) return "over 99.9%";
  return (100 * x).toLocaleString("en-US", { maximumFractionDigits: x < .1 || x > .99 ? 1 : 0 }) + "%";
}
const usd = x => "$" + (x === 0 ? "0" : x >= 1 ? x.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })
  : x.toLocaleString("en-US", { maximumSignificantDigits: 3, maximumFractionDigits: 9 }));
function bytes(x) { const u = ["bytes", "kB", "MB", "GB", "TB"]; let i = 0; while (x >= 1000 && i < 4) { x /= 1000; i++; } return (i ? x.toLocaleString("en-US", { maximumSignificantDigits: 3 }) : x) + " " + u[i]; }
function time(s) {
  if (s < 60) return (s < 10 ? s.toLocaleString("en-US", { maximumSignificantDigits: 2 }) : n0(s)) + " s";
  const m = Math.round(s / 60), h = Math.floor(m / 60);
  return s < 3600 ? Math.floor(s / 60) + " min " + Math.round(s % 60) + " s" : h < 48 ? h + " h " + m % 60 + " min" : Math.round(h / 24) + " days";
}
const plural = (n, one, many) => n0(n) + " " + (n === 1 ? one : many || one + "s");
function barOf(share, color) { const i = el("i"), b = el("div", "bar", i); i.style.width = Math.max(0, Math.min(1, share)) * 100 + "%"; if (color) i.style.setProperty("--c", `var(--${color})`); return b; }

/* ---- head and account ---- */
const R = D.rows, ENDS = { done: "done", target: "target reached", budget: "stopped at its budget", signal: "interrupted", unreachable: "a model could not be reached", waiting: "waiting for people", error: "ended by an error" };
function head() {
  const good = !D.ended || D.ended === "done" || D.ended === "target";
  fill(page, [el("div", "brand", mill(), el("span", "", "quern report"), D.when && el("span", "", D.when.slice(0, 16).replace("T", " ") + " UTC"),
    D.ended && el("span", "state" + (good ? "" : " stopped"), ENDS[D.ended] || D.ended)), el("h1", "", D.recipe), D.about && el("p", "lede", D.about),
    D.paper && el("p", "soft small", "After " + D.paper)]);
  if (D.ended_words && !good) page.append(el("div", "notice", D.ended_words));
}
/* What the card says as well: by the licences of all that went in and the terms of the models that wrote. */
function verdict() {
  const V = { yes: ["Yes", "good"], conditions: ["Yes, on conditions", "calm"], unknown: ["Not known", "calm"], no: ["No", ""] }[D.may_train];
  if (!V) return;
  const exam = D.student === "evaluation", words = exam ? "The set was made for evaluation: no model is trained on it." : [el("b", "", V[0]), D.student && ", for " + D.student, "."];
  page.append(el("div", "notice terms " + (exam ? "calm" : V[1]), el("p", "", el("span", "soft", "May it train a model? "), words, D.licences.length > 0 && el("span", "soft", " Licences of what went in: " + D.licences.join(", ") + ".")),
    D.terms.length > 0 && el("ul", "", D.terms.map(t => el("li", "", t)))));
}
function notices() {
  if (D.interrupted_in_flight) page.append(el("div", "notice calm", plural(D.interrupted_in_flight, "request") + " of an earlier, interrupted run left without an answer on record; they may have been charged" + (D.interrupted_worst_usd ? ` (${usd(D.interrupted_worst_usd)} at most)` : "") + "."));
  if (D.warnings.length) page.append(el("div", "notice calm", D.warnings.length === 1 ? D.warnings[0] : ["Please look at:", el("ul", "", D.warnings.map(w => el("li", "", w)))]));
}
function account() {
  const split = el("div", "split"), keys = el("div", "keys");
  for (const [k, cls, words] of [["accepted", "kept", "accepted"], ["rejected", "rejected", "rejected"], ["failed", "failed", "failed"]]) {
    if (R[k]) { const s = el("span", "b-" + cls); s.style.flex = R[k] + " 0 0"; s.title = words + ": " + n0(R[k]); split.append(s); }
    if (R[k] || k !== "failed") keys.append(el("span", "k-" + cls, n0(R[k]) + " " + words));
  }
  if (R.pending) keys.append(el("span", "k-waiting", n0(R.pending) + " pending, for the next run"));
  if (R.ahead) keys.append(el("span", "k-ahead", n0(R.ahead) + " ahead of the target, paid and kept"));
  const share = R.in ? R.accepted / R.in : 0;
  page.append(el("div", "account", el("p", "big", el("b", "", plural(R.accepted, "row")), " accepted of ", n0(R.in), " that came in", R.in ? `, ${pct(share)}.` : "."), R.in ? split : null, keys));
  const tiles = el("div", "tiles"), tile = (what, much, more) => tiles.append(el("div", "tile", el("div", "what", what), el("div", "much", much), more && el("div", "more", more)));
  const cost = D.cost_all_usd, asked = D.calls.sent + D.calls.replayed + D.calls.failed > 0;
  if (asked) {
    tile("Cost per accepted row", R.accepted ? usd(cost / R.accepted) : "–", usd(D.cost_usd) + " this run" + (cost > D.cost_usd ? ", " + usd(cost) + " in all" : ""));
    tile("Calls sent", n0(D.calls.sent), n0(D.calls.replayed) + " replayed, " + n0(D.calls.failed) + " failed");
    tile("Tokens", n1(D.tokens.prompt + D.tokens.completion), n1(D.tokens.prompt) + " in, " + n1(D.tokens.completion) + " out");
  } else tile("Calls", "none", "made without a model");
  tile("Time", time(D.seconds), D.seconds > 0 && R.accepted ? n1(R.accepted / D.seconds) + " rows a second" : null);
  tile("Peak memory", bytes(D.peak_memory_bytes), D.cpu_seconds ? time(D.cpu_seconds) + " of processor time" : null);
  page.append(tiles);
}

/* ---- the flow of rows ---- drawn on a canvas 1000 wide and 100 high that each step stretches to its place */
function stream(st, most, gid) {
  const W = x => x > 0 ? Math.max(6, 1000 * x / most) : 0;
  const first = st.first, a = W(st.in), b = W(st.out), rej = W(st.in ? st.rejected : 0), fail = W(st.in ? st.failed : 0), c = Math.min(a, b);
  const grad = (id, cls) => svg("linearGradient", { id, x1: 0, y1: 0, x2: 0, y2: 1 }, svg("stop", { offset: 0, "stop-opacity": .95, class: cls }), svg("stop", { offset: 1, "stop-opacity": 0, class: cls }));
  const s = svg("svg", { viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("defs", {}, grad(gid + "r", "g-rej"), grad(gid + "f", "g-fail")));
  const rect = (x, y, w, h, attrs) => w > 0 && s.append(svg("rect", Object.assign({ x, y, width: w, height: h, "shape-rendering": "crispEdges" }, attrs)));
  if (st.end) {
    s.append(svg("linearGradient", { id: gid + "k", x1: 0, y1: 0, x2: 0, y2: 1 }, svg("stop", { offset: 0, class: "g-grain" }), svg("stop", { offset: .55, class: "g-kept" })));
    rect(0, 0, a, 100, { fill: `url(#${gid}k)` });
    return s;
  }
  if (first) { rect(0, 22, b, 79, { class: "s-grain" }); return s; }
  if (b > a) s.append(svg("path", { class: "s-soft", d: `M${a} 22 C${a} 60 ${b} 30 ${b} 68 L${b} 101 L0 101 L0 22 Z` }));
  rect(0, 0, c, 101, { class: "s-grain" });
  if (b > a) rect(0, 68, b, 33, { class: "s-grain" });
  rect(0, 0, a, 23, { class: "s-grain" });
  let x = c, lost = Math.max(0, a - c), sum = rej + fail;
  if (sum > 0 && lost > 0) {
    rect(x, 22, lost * rej / sum, 64, { fill: `url(#${gid}r)` });
    rect(x + lost * rej / sum, 22, lost * fail / sum, 64, { fill: `url(#${gid}f)` });
  }
  return s;
}
function flow() {
  if (!D.steps.length) return;
  const most = 1.03 * Math.max(1, R.accepted, ...D.steps.map(s => Math.max(s.in, s.out))), box = el("div", "flow");
  D.steps.forEach((s, i) => {
    const first = s.out > 0 && (!s.in || i === 0), born = s.out - (s.in - s.rejected - s.failed), fate = el("div", "fate");
    if (first) fate.append(el("div", "out", el("b", "", n0(s.out)), " rows read"));
    else if (born > 0) fate.append(el("div", "out", `${n0(s.in)} became ${n0(s.out)}`));
    else if (!s.rejected && !s.failed && s.in === s.out) fate.append(el("div", "out", n0(s.in) + (s.in === 1 ? " goes on" : " go on")));
    else if (!s.rejected && !s.failed) fate.append(el("div", "out", `${n0(s.in)} in, ${n0(s.out)} out`));
    const list = [...s.reasons].sort((x, y) => y.n - x.n);
    for (const r of list.slice(0, 4)) fate.append(el("div", "lost" + (r.failed ? " failed" : ""), el("b", "", "−" + n0(r.n)), el("span", "", r.text)));
    const rest = list.slice(4).reduce((t, r) => t + r.n, 0), told = list.reduce((t, r) => t + r.n, 0), untold = s.rejected + s.failed - told;
    if (rest) fate.append(el("div", "lost", el("b", "", "−" + n0(rest)), el("span", "soft", `for ${list.length - 4} further reasons`)));
    if (untold > 0) fate.append(el("div", "lost", el("b", "", "−" + n0(untold)), el("span", "soft", "rejected or failed")));
    if ((s.rejected || s.failed) && !first) fate.append(el("div", "out", n0(s.out) + (s.out === 1 ? " goes on" : " go on")));
    box.append(el("div", "step", el("div", "name", el("b", "", s.name), el("div", "brief", s.brief || (s.op !== s.name ? s.op : ""))), el("div", "stream", stream({ ...s, first }, most, "g" + i)), fate));
  });
  box.append(el("div", "step end", el("div", "name", el("b", "", "accepted")), el("div", "stream", stream({ in: R.accepted, end: true }, most, "ge")),
    el("div", "fate", el("b", "", plural(R.accepted, "row")), el("div", "soft", `${n0(R.in)} in = ${n0(R.accepted)} accepted + ${n0(R.rejected)} rejected + ${n0(R.failed)} failed`))));
  section("flow", "Where every row went", "From top to bottom, as wide as there are rows. What falls away to the right was left out, with its reason; nothing is lost without one.", box);
}

/* ---- reasons with examples ---- */
function reasons() {
  const all = D.steps.flatMap(s => s.reasons.map(r => ({ ...r, step: s.name, of: s.in }))).sort((a, b) => b.n - a.n);
  if (!all.length) return;
  const most = all[0].n, box = el("div");
  for (const r of all.slice(0, 60)) {
    const ex = D.left_out.filter(x => x.step === r.step && (x.measure === r.text || x.reason === r.text || r.text.startsWith(x.measure + " "))).slice(0, 3);
    const sum = el("summary", "", el("span", "why", r.text, el("span", "soft", " at " + r.step)), barOf(r.n / most, r.failed ? "failed" : "rejected"), el("span", "num", n0(r.n)), el("span", "num soft", r.of ? pct(r.n / r.of) : ""));
    const d = el("details", "reason" + (ex.length ? "" : " none"), sum, ex.length ? el("div", "rows", ex.map(x => rowBox(x.row, true, x.reason))) : null);
    box.append(d);
  }
  section("reasons", "Why rows were left out", "Each reason with its count and its share of the rows that reached that step. Open one to see rows it happened to.", box);
}

/* ---- targets ---- */
function targets() {
  if (!D.targets.length) return;
  const f = t => t.share ? pct : n0, rows = D.targets.map(t => el("tr", "", el("td", "", t.what), el("td", "num", f(t)(t.want)), el("td", "num", f(t)(t.got)), el("td", "", barOf(t.want ? t.got / t.want : 1, t.got + 1e-9 >= t.want * (t.share ? .99 : 1) ? "kept" : "rejected"))));
  section("targets", "Targets", "What was asked for, and what came out.", el("div", "wide", el("table", "", el("thead", "", el("tr", "", el("th", "", "target"), el("th", "num", "asked"), el("th", "num", "reached"), el("th"))), el("tbody", "", rows))));
}

/* ---- one field ---- */
const main = ["question", "instruction", "prompt", "input", "query", "messages", "answer", "response", "output", "reply", "completion", "chosen", "rejected", "text"];
function histogram(d, real, unit) {
  const W = 460, H = 116, base = H - 24, h = d.hist, counts = h.counts, total = counts.reduce((a, b) => a + b, 0) || 1;
  let lo = h.lo, hi = h.lo + h.step * counts.length, shares = counts.map(c => c / total), rs = null;
  if (real) {
    const rt = real.hist.counts.reduce((a, b) => a + b, 0) || 1;
    lo = Math.min(lo, real.hist.lo); hi = Math.max(hi, real.hist.lo + real.hist.step * real.hist.counts.length);
    rs = real.hist.counts.map(c => c / rt / real.hist.step * h.step);
  }
  const top = Math.max(...shares, ...(rs || [])) || 1, X = v => (v - lo) / (hi - lo || 1) * W, Y = s => base - s / top * (base - 8), s = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "hist", role: "img", "aria-label": "histogram" });
  const whole = Number.isInteger(h.step) && Number.isInteger(h.lo), last = counts.length - 1;
  counts.forEach((c, i) => {
    const x0 = h.lo + i * h.step, w = X(x0 + h.step) - X(x0), label = i === last && h.open ? `${n1(x0)} and more` : whole && h.step === 1 ? n1(x0) : whole ? `${n1(x0)} to ${n1(x0 + h.step - 1)}` : `${n1(x0)} to ${n1(x0 + h.step)}`;
    if (c) s.append(svg("rect", { class: "b", x: X(x0) + Math.min(.6, w * .08), width: Math.max(.8, w - Math.min(1.6, w * .16)), y: Math.min(Y(shares[i]), base - 1), height: Math.max(1, base - Y(shares[i])), rx: Math.min(2, w / 4) }, svg("title", {}, `${label}${unit ? " " + unit : ""}: ${n0(c)} (${pct(shares[i])})`)));
  });
  s.append(svg("line", { class: "axis", x1: 0, x2: W, y1: base + .5, y2: base + .5 }));
  if (rs) { let path = `M${X(real.hist.lo)} ${base}`; rs.forEach((v, i) => { path += ` L${X(real.hist.lo + i * real.hist.step)} ${Y(v)} L${X(real.hist.lo + (i + 1) * real.hist.step)} ${Y(v)}`; }); s.append(svg("path", { class: "real", d: path + ` L${X(real.hist.lo + rs.length * real.hist.step)} ${base}` })); }
  const shift = whole && h.step === 1 ? .5 : 0, mid = X(Math.min(d.p50 + shift, hi)), put = (x, t, anchor) => s.append(svg("text", { x, y: H - 7, "text-anchor": anchor }, t));
  s.append(svg("line", { class: "mid", x1: mid, x2: mid, y1: base - 4, y2: base + 5 }));
  const left = mid < 70, right = mid > W - 70;
  put(Math.max(0, Math.min(W, mid)), (left || right ? "" : "middle ") + n1(d.p50), left && mid < 12 ? "start" : right && mid > W - 12 ? "end" : "middle");
  if (!left) put(0, n1(d.min), "start");
  if (!right) put(W, (h.open ? "… " : "") + n1(d.max), "end");
  return s;
}
function ranks(list, total, max, real) {
  const g = el("div", "ranks"), rt = real ? real.reduce((a, x) => a + x[1], 0) || 1 : 1, shown = list.filter(x => x[0] !== null).slice(0, max), most = shown.length ? shown[0][1] : 1, known = new Map((real || []).map(x => [x[0], x[1] / rt]));
  for (const [t, n] of shown) {
    const b = barOf(n / most), w = el("span", "t", t === "" ? "(empty)" : t); w.dir = "auto"; w.title = t;
    if (real) { const u = el("u"); u.style.left = Math.min(1, (known.get(t) || 0) * total / most) * 100 + "%"; u.title = "people: " + pct(known.get(t) || 0); b.append(u); }
    g.append(w, b, el("span", "v", pct(n / total)));
  }
  const rest = list.reduce((a, x) => a + x[1], 0) - shown.reduce((a, x) => a + x[1], 0);
  if (rest) g.append(el("span", "t soft", "all others"), el("span"), el("span", "v", pct(rest / total)));
  return g;
}
function fieldCard(f, real) {
  const head = el("header", "", el("h3", "", plain(f.name) || "(no name)"), el("span", "tag", f.filled < 1 ? pct(f.filled) + " filled" : ""));
  const c = el("div", "card", head), put = (...k) => c.append(...k), facts = el("div", "facts"), fact = (b, t, tip) => { const s = el("span", "", el("b", "", b), " " + t); if (tip) s.title = tip; facts.append(s); };
  if (f.words) {
    if (f.words.max > 2) put(el("p", "cap", "Length in words"), histogram(f.words, real && real.words, "words"));
    const total = f.openings.reduce((a, x) => a + x[1], 0) || 1, top = f.openings.length && f.openings[0][0] !== null ? f.openings[0] : null;
    if (top && top[1] / total >= .01) put(el("p", "cap", f.words.max > 2 ? "How it begins" : "Most frequent"), ranks(f.openings, total, 8, real && real.openings));
    else if (top) put(el("p", "cap", "No beginning is common: the most frequent opens ", pct(top[1] / total), "."));
    if (f.distinct1 !== undefined) fact(pct(f.distinct1), "distinct words", "different words as a share of all words: higher is more varied; falls as a set grows");
    if (f.distinct2 !== undefined) fact(pct(f.distinct2), "distinct pairs", "different pairs of neighbouring words as a share of all pairs");
    fact(n0(f.repeated), f.repeated === 1 ? "exact repeat" : "exact repeats", "texts whose very bytes came before");
    if (f.near !== undefined) fact(pct(f.near), "near-duplicates", "share of texts whose word triples overlap one before by 0.7 (Jaccard) or more, exact repeats included; among the first " + n0(f.near_of) + " looked into");
    if (real) fact(pct(real.distinct2 || 0), "distinct pairs in people's rows");
  }
  if (f.values) put(ranks(f.values, f.values.reduce((a, x) => a + x[1], 0) || 1, 12, real && real.values));
  if (f.number) {
    if (f.words) put(el("p", "cap", "Numbers"));
    put(histogram(f.number, real && real.number));
    fact(n1(f.number.mean), "on average"); fact(n1(f.number.p5) + " to " + n1(f.number.p95), "for nine in ten");
  }
  if (f.elements) { put(el("p", "cap", "Elements in the list"), histogram(f.elements, real && real.elements, "elements")); }
  if (facts.childNodes.length) put(facts);
  return c;
}
function fields() {
  const S = D.survey;
  if (!S || !S.fields.length) return;
  const real = new Map((D.real ? D.real.fields : []).map(f => [f.name, f])), order = { text: 0, mixed: 1, number: 2, category: 3, list: 4 };
  const varied = f => f.number ? f.number.max > f.number.min : f.elements ? f.elements.max > f.elements.min : f.values ? f.values.length > 1 : true;
  /* What a set is for comes first: its own texts, then its numbers and kinds, then what lies inside objects. */
  const weight = f => (f.name.includes(".") ? 100 : 0) + 10 * order[f.shape] + (f.words && f.words.p95 <= 2 ? 35 : 0) + (f.filled < .1 ? 50 : 0) + (main.includes(f.name) ? main.indexOf(f.name) / 2 - 8 : 0);
  const cards = S.fields.filter(f => f.shape in order && f.filled > 0 && varied(f) && !(f.name.includes(".") && f.words && f.words.max === f.words.min)).sort((a, b) => weight(a) - weight(b)).slice(0, 12);
  const says = f => f.words ? `${n1(f.words.p50)} words in the middle, ${n1(f.words.p5)} to ${n1(f.words.p95)} for nine in ten` : f.number ? `${n1(f.number.min)} to ${n1(f.number.max)}, middle ${n1(f.number.p50)}` : f.values ? f.values.slice(0, 3).map(v => v[0] === null ? "others" : v[0]).join(", ") + (f.values.length > 3 ? ", …" : "") : f.elements ? `${n1(f.elements.min)} to ${n1(f.elements.max)} elements` : "";
  const table = el("table", "fields", el("thead", "", el("tr", "", el("th", "", "field"), el("th", "", "holds"), el("th", "num", "filled"), el("th", "num", "different"), el("th", "", "in short"))),
    el("tbody", "", S.fields.map(f => { const td = el("td", "", says(f)); td.dir = "auto"; return el("tr", "", el("td", "", plain(f.name) || "(no name)"), el("td", "", f.shape), el("td", "num", pct(f.filled)), el("td", "num", f.distinct === undefined ? f.values ? n0(f.values.length) : "" : n0(f.distinct)), td); })));
  const part = S.looked_into + S.unreadable < S.rows ? `${n0(S.looked_into)} of ${n0(S.rows)} rows were looked into, chosen evenly. ` : "", bad = S.unreadable ? `${plural(S.unreadable, "row")} could not be read here. ` : "";
  section("fields", "What the rows hold", part + bad + "Numbers of different values and distinct words are close estimates." + (S.more_fields ? " Only the first 64 fields are shown." : ""),
    D.real && el("div", "legend", legend("grain", "this set"), legend("people", `people's rows (${n0(D.real.looked_into)})`)), el("div", "cards", cards.map(f => fieldCard(f, real.get(f.name)))), el("p", "cap"), el("div", "wide", table));
}
function legend(color, words) { const s = el("span", "", words); s.style.setProperty("--c", `var(--${color})`); return s; }

/* ---- variety and topics of the main field ---- */
function portrait() {
  const P = D.portrait;
  if (!P || P.self_bleu === undefined) return;
  const facts = el("div", "facts"), fact = (b, t, tip) => { const s = el("span", "", el("b", "", b), " " + t); s.title = tip; facts.append(s); };
  fact(n1(P.vendi), `of ${n0(P.vendi_of)} texts differ in effect`, "Vendi score over TF-IDF: the number of different texts in effect");
  fact(fixed(P.self_bleu, 3), "self-BLEU", "mean BLEU-4 of each text with all others: high when the texts resemble one another");
  fact(fixed(P.opening_bits, 1), "bits in the openings", "entropy of the first three words: higher is more varied");
  P.distinct.forEach((d, i) => fact(pct(d), ["distinct words", "distinct pairs", "distinct triples"][i], "different ones as a share of all, in the sample"));
  const total = P.topics.reduce((t, x) => t + x[1], 0) || 1;
  section("portrait", "Topics and variety", `Of ${plain(P.field)}; on ${P.sampled < P.texts ? n0(P.sampled) + " of " + n0(P.texts) : n0(P.texts)} texts. Groups by k-means over TF-IDF, each named by its own words.`,
    el("div", "card lone", P.topics.length > 1 ? ranks(P.topics, total, 20) : null, facts)).querySelectorAll(".ranks").forEach(r => r.classList.add("long"));
}

/* ---- judges ---- */
function agreement(J, several) {
  const v = (x, places) => x === null || x === undefined ? "–" : fixed(x, places), rows = [];
  for (const x of J.judges) if (x.people) rows.push([plain(x.judge) + " and people", x.people]);
  if (J.people && J.judges.length > 1) rows.push(["all judges and people", J.people]);
  for (const x of J.between) rows.push([x.judges.map(plain).join(" and "), x]);
  if (!rows.length) return null;
  const marked = rows.some(([, x]) => x.correlation !== undefined);
  return el("div", "wide", el("table", "", el("thead", "", el("tr", "", el("th", "", "agreement" + (several ? " in " + plain(J.step) : "") + " of"), el("th", "num", "rows"), el("th", "num", "same mark"), el("th", "num", "kappa"), marked && el("th", "num", "correlation"))),
    el("tbody", "", rows.map(([who, x]) => el("tr", "", el("td", "", who), el("td", "num", n0(x.n)), el("td", "num", pct(x.agreement)), el("td", "num", v(x.kappa, 2)), marked && el("td", "num", v(x.correlation, 2)))))));
}
function marks() {
  if (!D.marks || !D.marks.length) return;
  const cards = D.marks.map(j => {
    const c = el("div", "card lone", el("header", "", el("h3", "", plain(j.field)), el("span", "tag", plural(j.rows, "row")))), judges = new Set(j.scales.map(s => s.judge));
    const all = [...new Set(j.scales.flatMap(s => s.marks.map(m => m[0])))].sort((x, y) => x - y), few = all.length <= 11, g = el("div", "marks");
    for (const s of j.scales) {
      const bar = el("div", "steps"), lo = all[0], hi = all[all.length - 1];
      for (const [m, n] of s.marks) { const i = el("i"); i.style.flex = n + " 0 0"; i.style.setProperty("--w", Math.round(hi > lo ? 100 * (m - lo) / (hi - lo) : 50) + "%"); i.title = `${n1(m)}: ${n0(n)} (${pct(n / s.n)})`; if (few && n / s.n > .07) i.append(n1(m)); bar.append(i); }
      g.append(el("div", "t", plain(s.name), judges.size > 1 && el("span", "soft small", " " + plain(s.judge))), bar, el("div", "v", "mean " + fixed(s.mean, 2)));
    }
    if (j.scales.length) c.append(g);
    const facts = el("div", "facts"), fact = (b, t, tip) => { const s = el("span", "", el("b", "", b), " " + t); if (tip) s.title = tip; facts.append(s); };
    if (j.overall !== undefined) fact(fixed(j.overall, 2), "overall");
    if (j.pairs) {
      const n = j.pairs.a + j.pairs.b + j.pairs.tie;
      fact(pct(j.pairs.a / n), "for a"); fact(pct(j.pairs.b / n), "for b"); fact(pct(j.pairs.tie / n), "tied");
      fact(pct(j.pairs.changed / n), "changed with the order", "rows where a judge gave another verdict when the replies changed places: those verdicts do not count");
      if (j.pairs.first_place !== null) fact(pct(j.pairs.first_place), "of decided replies chose what stood first", "50% without position bias");
    }
    if (j.people) fact(fixed(j.people.away, 2), `from people's marks on average, ${j.people.higher >= 0 ? "higher" : "lower"} by ${fixed(Math.abs(j.people.higher), 2)}; on ${plural(j.people.n, "row")}`);
    if (j.swapped) fact((j.swapped.higher >= 0 ? "+" : "−") + fixed(Math.abs(j.swapped.higher), 2), `on average with the term exchanged; another mark in ${n0(j.swapped.moved)} of ${plural(j.swapped.n, "pair")}`, "the same row judged again after swap_terms: 0 when the mark does not depend on the term");
    c.append(facts);
    const judged = (D.judges || []).filter(J => J.field === j.field);
    for (const J of judged) c.append(agreement(J, judged.length > 1) || "");
    if (j.reasons.length) c.append(el("p", "cap", "Reasons of the highest and the lowest marks"), el("dl", "pair", j.reasons.map(([m, t]) => { const d = el("dd", "", plain(t)); d.dir = "auto"; return [el("dt", "", fixed(m, 1)), d]; })));
    return c;
  });
  section("marks", "What the judges said", "Marks by scale, from low (pale) to high (full).", cards);
}

/* ---- whom the set speaks of ---- */
function bias() {
  const B = D.bias && D.bias.made, S = D.bias && (D.bias.source || D.bias.people), beside = D.bias && (D.bias.source ? "the source" : D.bias.people ? "people's rows" : null);
  if (!B) return;
  const nations = o => Object.values(o.countries).reduce((t, x) => t + x, 0), pairs = o => [o.gender.female + o.gender.male, o.names.female + o.names.male, o.age.young + o.age.old];
  const all = pairs(B), sum = all.reduce((t, x) => t + x, 0) + nations(B);
  if (sum < 10) return;
  const cell = (p, x, y) => p && p[x] + p[y] ? pct(p[x] / (p[x] + p[y])) : "–", count = (p, x, y) => p ? el("div", "soft small", `${n0(p[x])} : ${n0(p[y])}`) : null;
  const head = el("tr", "", el("th"), el("th", "num", "this set"), S && el("th", "num", beside));
  const line = (what, key, x, y) => el("tr", "", el("td", "", what), el("td", "num", cell(B[key], x, y), count(B[key], x, y)), S && el("td", "num", cell(S[key], x, y), count(S[key], x, y)));
  const table = el("div", "wide", el("table", "", el("thead", "", head), el("tbody", "", line("words for women (she, mother, …) among gendered words", "gender", "female", "male"), line("women's names among given names", "names", "female", "male"), line("words for the young among words of age", "age", "young", "old"))));
  const top = Object.keys({ ...B.countries, ...(S ? S.countries : {}) }).map(c => [c, B.countries[c] || 0, S ? S.countries[c] || 0 : 0]).sort((x, y) => y[1] + y[2] - x[1] - x[2]).slice(0, 12);
  const nb = nations(B) || 1, ns = S ? nations(S) || 1 : 1, name = c => c.replace(/_/g, " ").replace(/(^| )[a-z]/g, m => m.toUpperCase());
  const legend = () => el("div", "legend", el("span", "k-b", "this set"), S && el("span", "k-a", beside));
  const lands = top.length > 1 && el("div", "card", el("h3", "", "Nations"), el("p", "cap", `Share of all mentions of a country or its people: ${n0(nations(B))} here` + (S ? `, ${n0(nations(S))} in ${beside}.` : ".")), legend(), S ? twoBars(top.map(([c, b, s]) => [name(c), s / ns, b / nb])) : ranks(top.map(([c, b]) => [name(c), b]), nb, 12));
  const roles = Object.keys({ ...B.roles, ...(S ? S.roles : {}) }).map(r => [r, B.roles[r], S && S.roles[r]]).filter(x => (x[1] ? x[1].female + x[1].male : 0) + (x[2] ? x[2].female + x[2].male : 0) >= 3)
    .sort((x, y) => (y[1] ? y[1].female + y[1].male : 0) - (x[1] ? x[1].female + x[1].male : 0)).slice(0, 12);
  const jobs = roles.length > 0 && el("div", "card", el("h3", "", "Occupations"), el("p", "cap", "Sentences with an occupation that speak of women, among those that speak of women or men only."),
    el("div", "wide", el("table", "", el("thead", "", el("tr", "", el("th", "", "occupation"), el("th", "num", "this set"), el("th", "num soft", "of"), S && el("th", "num", beside), S && el("th", "num soft", "of"))),
      el("tbody", "", roles.map(([r, b, s]) => el("tr", "", el("td", "", r), el("td", "num", cell(b, "female", "male")), el("td", "num soft", b ? n0(b.female + b.male) : "0"), S && el("td", "num", cell(s, "female", "male")), S && el("td", "num soft", s ? n0(s.female + s.male) : "0")))))));
  section("bias", "Whom the set speaks of", "Counted by English word lists: which words stand there, not what they mean." + (D.bias.source ? " Beside it the texts that the rows were made from." : "") + " Small counts say little.",
    el("div", "card lone", table), el("div", "cards", [lands, jobs].filter(Boolean)));
}

/* ---- beside people's rows ---- */
function against() {
  const G = D.against;
  if (!G) return;
  if (!G.compare) { section("against", "Beside people's rows", "Not compared: " + (G.why || "") + "."); return; }
  const C = comparison(G.compare, "people's rows", "this set");
  section("against", "Beside people's rows", C.verdict() + ` Compared on ${G.compare.b.field}; A is ${G.compare.a.path}, B is this set.`, C.tiles());
  C.sides(); C.lengths(); C.openings(); C.telling(); C.topics(); C.across();
}

/* ---- rows ---- */
function clamp(v, long) {
  if (!long) return [v];
  v.classList.add("clamp");
  const b = el("button", "more", "show all");
  b.onclick = () => { v.classList.toggle("clamp"); b.textContent = v.classList.contains("clamp") ? "show all" : "show less"; };
  return [v, b];
}
/* Signs that turn the order of others or take no room are named, so that a reader sees what a model would read. */
const plain = t => t.replace(/[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff\u2028\u2029\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, c => "⟨" + (c.charCodeAt(0) + 0x10000).toString(16).slice(1).toUpperCase() + "⟩");
function withMark(text, what) {
  const at = what ? text.indexOf(what) : -1;
  return at < 0 ? [text] : [text.slice(0, at), el("mark", "", what), text.slice(at + what.length)];
}
function turns(list) { return list.map(([who, text]) => { const t = el("div", "turn" + (who === "assistant" ? " assistant" : ""), el("span", "who", who || "prompt"), plain(text)); t.dir = "auto"; return t; }); }
function valueBox([name, kind, text, cut], answer) {
  const v = el("div", "v"); v.dir = "auto";
  let shown = plain(text), chat = null;
  let pairs = null;
  if (kind === "list" && !cut) {
    try { const j = JSON.parse(text); if (j.length && j.every(m => m && typeof m.role === "string" && typeof m.content === "string")) chat = j.map(m => [m.role, m.content]); else if (j.length && j.every(x => typeof x !== "object")) shown = j.join(", "); else if (j.length) shown = j.map(x => JSON.stringify(x)).join("\n"); } catch (_) { /* shown as it stands */ }
  } else if (kind === "object" && !cut) { try { const e = Object.entries(JSON.parse(text)); if (e.length && e.length <= 30) pairs = e; } catch (_) { /* shown as it stands */ } }
  if (chat) v.append(...turns(chat));
  else if (pairs) v.append(el("dl", "pair", pairs.map(([k, x]) => { const d = el("dd", "", plain(typeof x === "string" ? x.trimEnd() : JSON.stringify(x))); d.dir = "auto"; return [el("dt", "", plain(k)), d]; })));
  else if (kind === "text" && text === "") v.append(el("span", "soft", "empty"));
  else { v.append(...(kind === "text" && name !== "answer" ? withMark(shown, /passage|context|source/.test(name) ? plain(answer || "") : "") : [shown])); if ((kind === "object" || (kind === "list" && /^[[{]/.test(shown))) || /^(sql|code)$/.test(name)) v.classList.add("code"); }
  if (cut) v.append(el("span", "soft", ` … ${bytes(cut)} more`));
  return el("div", "f", el("div", "k", plain(name) || "(no name)"), el("div", "", ...clamp(v, shown.length > 900 || shown.split("\n").length > 9)));
}
function rowBox(row, inset, why) {
  const a = row.find(f => f[0] === "answer" && f[1] === "text" && f[2].length > 1);
  const place = f => main.includes(f[0]) ? main.indexOf(f[0]) : f[1] === "object" ? 200 : f[1] === "list" && f[2].length > 200 ? 150 : 100;
  return el("div", "row" + (inset ? " inset" : ""), why && el("div", "why", why), [...row].sort((x, y) => place(x) - place(y)).map(f => valueBox(f, a && a[2])));
}
function textBox(who, text) { const t = el("div", "", plain(text)); t.dir = "auto"; return el("div", "text", who && el("span", "who", who), ...clamp(t, text.length > 1500 || text.split("\n").length > 16)); }
function traceBox(t) {
  if (!t) return null;
  const ol = el("ol"), src = t.source && typeof t.source === "object" ? t.source : null;
  if (src) {
    const excerpt = src.excerpt || src.text, rest = Object.entries(src).filter(([k, v]) => k !== "excerpt" && k !== "text" && v !== null && v !== "");
    ol.append(el("li", "source", el("div", "head", el("b", "", "source")), el("dl", "pair", rest.map(([k, v]) => [el("dt", "", k), el("dd", "", typeof v === "object" ? JSON.stringify(v) : String(v))])), excerpt && textBox(null, String(excerpt))));
  }
  for (const c of t.calls) {
    const bits = [c.prompt_tokens !== undefined && `${n0(c.prompt_tokens)} tokens in, ${n0(c.completion_tokens)} out`, c.cost_usd && usd(c.cost_usd)].filter(Boolean).join(", ");
    ol.append(el("li", "", el("div", "head", el("b", "", c.step), el("span", "soft small", bits || "its reply is not in this ledger")),
      c.prompt && c.prompt.length ? el("details", "small", el("summary", "soft", "what was asked"), c.prompt.map(p => textBox(p[0], p[1]))) : null,
      c.thinking && el("details", "small", el("summary", "soft", "how it was thought over"), textBox(null, c.thinking)), c.text !== undefined && (c.text || c.tool_calls) ? textBox("reply", c.text || c.tool_calls) : null));
  }
  const path = (t.path || []).filter(p => p.step).map(p => `${p.step} ${p.k + 1}`).join(" → ");
  ol.append(el("li", "out", el("div", "head", el("b", "", "this row"), el("code", "soft", t.id)), path && el("div", "soft small", path)));
  return el("div", "trace", el("h3", "", "How it came to be"), ol);
}
function samples() {
  if (!D.samples || !D.samples.length) return;
  const tabs = el("div", "tabs"), view = el("div"), show = i => {
    [...tabs.children].forEach((b, k) => b.setAttribute("aria-selected", String(k === i)));
    const s = D.samples[i], tr = traceBox(s.trace);
    view.replaceChildren(...[rowBox(s.row), tr].filter(Boolean));
  };
  tabs.setAttribute("role", "tablist");
  D.samples.forEach((s, i) => { const b = el("button", "", n0(s.line)); b.setAttribute("role", "tab"); b.title = "row " + s.line; b.onclick = () => show(i); tabs.append(b); });
  tabs.onkeydown = e => { const k = [...tabs.children].indexOf(document.activeElement), to = k + (e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0); if (to !== k && tabs.children[to]) { tabs.children[to].focus(); show(to); } };
  section("rows", "Rows to read", "Drawn evenly from the whole set; the number is the line in data.jsonl. Below each: the source, what was asked and what was answered.", tabs, view);
  show(0);
}

/* ---- trained models ---- */
function curve(L) {
  const W = 460, H = 140, base = H - 22, left = 34, top = Math.max(...L), low = Math.min(...L, top * .98), X = i => left + i / Math.max(1, L.length - 1) * (W - left), Y = v => base - (v - low) / (top - low || 1) * (base - 10);
  const s = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "hist", role: "img", "aria-label": `loss from ${n1(L[0])} to ${n1(L[L.length - 1])}` });
  s.append(svg("line", { class: "axis", x1: left, x2: W, y1: base + .5, y2: base + .5 }), svg("path", { d: L.map((v, i) => `${i ? "L" : "M"}${X(i).toFixed(1)} ${Y(v).toFixed(1)}`).join(" "), fill: "none", stroke: "var(--kept)", "stroke-width": 1.6, "stroke-linejoin": "round" }));
  const put = (x, y, t, anchor) => s.append(svg("text", { x, y, "text-anchor": anchor }, t));
  put(left - 5, Y(top) + 4, n1(top), "end"); if (Y(low) - Y(top) > 16) put(left - 5, Y(low) + 4, n1(low), "end");
  put(left, H - 6, "first step", "start"); put(W, H - 6, "last", "end");
  return s;
}
function trained() {
  if (!D.trained) return;
  const cards = D.trained.map(t => {
    const facts = [t.params ? n0(t.params) + " weights" : null, plural(t.rows, "row"), plural(t.steps, "step"), t.left_out ? `${n0(t.left_out)} rows too long, left out` : null,
      t.loss_valid !== undefined ? `loss on rows held back ${n1(t.loss_valid)}` : null, t.right_before !== undefined ? `NDCG@10 on rows held back ${n1(t.right_before)} before, ${n1(t.right_valid)} after` : t.right_valid !== undefined ? `${pct(t.right_valid)} of what was held back right` : null];
    return el("div", "", el("h3", "", t.name), el("p", "soft small", facts.filter(Boolean).join(" · ")), t.refused && el("p", "", "Refused: it was worse than its base, which stays."), t.losses && t.losses.length > 1 && curve(t.losses));
  });
  section("trained", "Models that were trained", "The loss of each step, averaged over short stretches: it should fall, and level off.", el("div", "two", cards));
}

/* ---- made from ---- */
const LEVELS = ["not known", "1, made by people", "2, made by people, cleaned by machine", "3, generated, verified by people", "4, generated and rated by machine, with a test part that people labelled", "5, machine throughout", "6, improving from its environment"];
function origin() {
  const cell = (t, cls) => el("td", cls || "", t === undefined || t === null || t === "" ? el("span", "soft", "not known") : t), left = el("div"), right = el("div"), add2 = (e, ...k) => fill(e, k);
  if (D.sources.length) add2(left, el("h3", "", "Sources"), el("div", "wide", el("table", "", el("thead", "", el("tr", "", el("th", "", "source"), el("th", "", "licence"), el("th", "num", "rows"))), el("tbody", "", D.sources.slice(0, 40).map(s => el("tr", "", el("td", "any", s.name), cell(s.licence), el("td", "num", s.rows ? n0(s.rows) : "")))))), D.n_sources > 40 && el("p", "soft small", `and ${n0(D.n_sources - 40)} more, in summary.json`));
  if (D.models.length) add2(right, el("h3", "", "Models"), el("div", "wide", el("table", "", el("thead", "", el("tr", "", el("th", "", "role"), el("th", "", "model"), el("th", "", "licence or terms"), el("th", "num", "calls"), el("th", "num", "cost"))), el("tbody", "", D.models.map(m => el("tr", "", el("td", "", m.role), el("td", "any", m.name || m.where), m.where === "builtin" ? el("td", "soft", "no model") : cell([m.licence, m.terms].filter(Boolean).join("; ")), el("td", "num", n0(m.calls)), el("td", "num", m.cost_usd === undefined ? "–" : usd(m.cost_usd))))))));
  if (D.outputs.length) add2(right, el("h3", "", "Files"), el("div", "wide", el("table", "", el("tbody", "", D.outputs.map(o => el("tr", "", el("td", "", el("code", "", o.path), o.about && el("div", "soft small", o.about)), el("td", "num", o.rows ? plural(o.rows, "row") : ""), el("td", "num", bytes(o.bytes))))))));
  const dl = el("dl", "pair"), add = (k, v) => v !== undefined && v !== null && v !== "" && dl.append(el("dt", "", k), el("dd", "", v));
  add("human part", LEVELS[D.human] || LEVELS[0]); add("licence of the set", D.licence); add("seed", D.seed); add("version", D.version && "quern " + D.version); add("recipe hash", D.recipe_hash && el("code", "", D.recipe_hash));
  for (const [k, v] of Object.entries(D.params || {})) add(k, typeof v === "object" ? JSON.stringify(v) : String(v));
  left.append(el("h3", "", "Settings"), dl);
  for (const h of [...left.querySelectorAll("h3"), ...right.querySelectorAll("h3")]) { h.style.margin = h === h.parentNode.firstChild ? "0 0 8px" : "26px 0 8px"; }
  section("origin", "What it is made from", null, D.command && el("code", "shell", D.command), el("p", "cap"), el("div", "two", left, right)).querySelector(".cap").style.height = "14px";
}

page.replaceChildren();
head(); account(); verdict(); notices(); results(D.results); flow(); reasons(); targets(); fields(); portrait(); marks(); bias(); trained(); samples(); against(); origin();
page.append(el("footer", "", "Made by quern" + (D.version ? " " + D.version : "") + ". One file, no network. ", "in = accepted + rejected + failed; pending and ahead stand outside."));
})();
