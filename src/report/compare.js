/* compare.js: draws a comparison of two sets from the facts in the page. */
(() => {
const D = JSON.parse(document.getElementById("facts").textContent);
const same = baseName(D.a.path) === baseName(D.b.path), A = same ? D.a.path : baseName(D.a.path), B = same ? D.b.path : baseName(D.b.path);
const C = comparison(D, A, B);
page.textContent = "";
fill(page, [el("div", "brand", mill(), el("span", "", "quern compare")), el("h1", "", A, el("span", "soft", " and "), B), el("p", "lede", C.verdict()), C.tiles()]);
C.sides(); C.lengths(); C.openings(); C.telling(); C.topics(); C.across();
page.append(el("footer", "", `Seed ${D.seed}. A: ${D.a.path} ${D.a.field}. B: ${D.b.path} ${D.b.field}.`));
})();
