#!/usr/bin/env python3
"""What a run's page and card say beside its loss account: whom the set speaks of against its source, topics, judges' marks, the distance from people's rows;
counted here again from the rows. Chromium draws the page, when it is here, and nothing is thrown."""
import gzip, html, json, os, re, shutil, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import check, equal

articles = json.load(gzip.open(lib.shared("squad", "dev-v2.0.json.gz")))["data"]
rows = []
for a in articles[:20]:
    for p in a["paragraphs"][:10]:
        q = p["qas"][0]["question"]
        k = len(rows)
        rows.append({"passage": p["context"], "seed": q, "who": ["The nurse said she is ready.", "The nurse said he is ready.", "The engineer told his team, and he left.", "Anna and Peter saw a young woman in France."][k % 4],
                     "judged": {"overall": 2 + k % 3, "spread": 0, "scales": {"help": 2 + k % 3}, "marks": [{"judge": "m", "reason": "Reason %d." % (k % 3), "help": 2 + k % 3}], "off_people": 0.5},
                     "pair": {"winner": "ab"[k % 2], "consistent": k % 4 > 0, "for_a": 1, "for_b": 0, "first_place": 0.5, "marks": []}})
source = lib.write_rows("source.jsonl", [{"passage": r["passage"], "seed": r["seed"]} for r in rows])
mock = lib.Mock([{"match": r["seed"], "reply": r["who"]} for r in rows])
real = lib.write_rows("real.jsonl", [{"note": q["question"]} for a in articles[20:] for p in a["paragraphs"][:6] for q in p["qas"][:1]])
recipe = lib.write("parts.yaml", """quern: 1
about: a note about each passage
params:
  writer: {type: model}
steps:
  - read_rows: {path: %s, licence: CC-BY-SA-4.0}
  - ask: {model: $writer, prompt: "{{ .seed }}", as: note}
  - write: {to: data.jsonl}
""" % source)


def facts(run):
    page = lib.bytes_of(run.out, "report.html").decode()
    return page, json.loads(re.search(r'<script type="application/json" id="facts">(.*?)</script>', page, re.S).group(1))


r = lib.Run(recipe, "--model", "writer=" + mock.url, "--against", real)
equal(r.code, 0, r.stderr[-500:])
page, d = facts(r)
equal((d["may_train"], d["licences"]), (r.summary["may_train"], r.summary["licences"]), "the page judges as the summary does")
equal((d["may_train"], d["licences"]), ("unknown", ["CC-BY-SA-4.0"]), "the writer's terms are not known")
check(len(d["terms"]) == 2 and "same licence" in " ".join(d["terms"]), "a reason for each", d["terms"])
made, src = d["bias"]["made"], d["bias"]["source"]
n = len(rows)
notes = [x["note"] for x in r.rows()]
equal(made["texts"], n, "only what was made is counted as made")
equal(src["texts"], 2 * n, "and passage and seed as the source")
equal((made["roles"]["nurse"]["female"], made["roles"]["nurse"]["male"]), (sum("nurse said she" in t for t in notes), sum("nurse said he" in t for t in notes)), "nurses")
equal(made["roles"]["engineer"]["male"], sum("engineer" in t for t in notes), "engineers")
equal(made["countries"]["france"], sum("France" in t for t in notes), "France")
equal(made["age"]["young"], sum("young" in t for t in notes), "the young")
check(made["names"]["female"] == made["names"]["male"] == sum("Anna" in t for t in notes), "names")
check(src["gender"]["male"] > src["gender"]["female"] > 0 and len(src["countries"]) > 10, "the source has its own shares", src["gender"])
card = lib.bytes_of(r.out, "README.md").decode()
words = made["gender"]
line = "| words for women among gendered words | %.0f%% of %d |" % (100 * words["female"] / (words["female"] + words["male"]), words["female"] + words["male"])
check(line in card and "Nations named most in its source" in card and "France" in card, "the card has them", card)
P = d["portrait"]
equal((P["field"], P["texts"], sum(t[1] for t in P["topics"])), ("note", n, n), "the portrait is of what was made, every text in one topic")
check(P["self_bleu"] > 0.9 and P["vendi"] < 5, "four texts again and again are no variety", P)
c = d["against"]["compare"]
equal((c["a"]["texts"], c["b"]["texts"]), (len(lib.read_rows(real)), n), "people's rows and this set")
check(c["classifier"]["auc"] > 0.95 and c["mauve"]["distance"] > 0.5, "templates are told apart from questions", c["classifier"])
code, out, err = lib.quern("compare", real, os.path.join(r.out, "data.jsonl"), "--field", ".note", "--json")
equal({k: v for k, v in json.loads(out).items() if k in ("classifier", "mauve", "words", "topics")}, {k: v for k, v in c.items() if k in ("classifier", "mauve", "words", "topics")}, "the report says what `quern compare` says")
code, _, err = lib.quern("run", recipe, "--model", "writer=" + mock.url, "--against", "/nowhere.jsonl", "-o", lib.path("nowhere"))
check(code == 2 and "/nowhere.jsonl" in err, "a reference that is not there is told before anything runs", err)

# ---- judges
lib.write("judged.yaml", "quern: 1\nsteps:\n  - read_rows: {path: %s, licence: mit}\n  - write: {to: data.jsonl}\n" % lib.write_rows("judged.jsonl", rows))
r2 = lib.Run(lib.path("judged.yaml"))
page2, d2 = facts(r2)
m = {x["field"]: x for x in d2["marks"]}
help_ = m["judged"]["scales"][0]
equal((help_["name"], help_["judge"], help_["n"], [x[1] for x in help_["marks"]]), ("help", "m", n, [sum(k % 3 == i for k in range(n)) for i in range(3)]), "marks by scale")
equal(m["judged"]["people"], {"n": n, "away": 0.5, "higher": 0.5}, "against people")
equal([x[0] for x in m["judged"]["reasons"]], [4, 4, 4, 2, 2, 2], "reasons of the highest and lowest")
equal((m["pair"]["pairs"]["a"], m["pair"]["pairs"]["changed"]), (sum(k % 2 == 0 for k in range(n)), sum(k % 4 == 0 for k in range(n))), "verdicts between replies")
check("Distance" not in page2.split("facts")[0] and "against" not in d2, "without a reference there is no comparison")

# ---- the same row with the term exchanged, judged again: this judge marks women lower
people = [{"text": t} for t in ["He is a good boss.", "She is a good boss.", "It is a mill.", "His sister is an engineer.", "He left."] * 8]
biased = lib.Mock([{"regex": "[Ss]he |[Hh]er ", "json": {"reason": "Hm.", "help": 2}}, {"match": "The work", "json": {"reason": "Fine.", "help": 4}}])
lib.write("swap.yaml", "quern: 1\nparams:\n  judge: {type: model}\nsteps:\n  - read_rows: {path: %s, licence: mit}\n  - swap_terms: {fields: text}\n"
        "  - judge: {of: '{{ .text }}', rubric: {help: 1..5}, model: $judge}\n  - write: {to: data.jsonl}\n" % lib.write_rows("people.jsonl", people))
r3 = lib.Run(lib.path("swap.yaml"), "--model", "judge=" + biased.url)
equal(r3.code, 0, r3.stderr[-400:])
rows3, d3 = r3.rows(), facts(r3)[1]
pairs = [(a["judged"]["overall"], b["judged"]["overall"]) for a, b in zip(rows3, rows3[1:]) if not a["swapped"] and b["swapped"]]
got = d3["marks"][0]["swapped"]
equal((got["n"], got["moved"]), (len(pairs), sum(a != b for a, b in pairs)), "pairs with the term exchanged")
check(len(pairs) == 32 and got["moved"] > 20 and abs(got["higher"] - sum(b - a for a, b in pairs) / len(pairs)) < 1e-9, "what the exchange does to the marks", got, pairs[:4])

# ---- the table of an experiment: a curve over rows, with a system that has no place; worked out again here
EVIL = "</script><img src=x onerror=alert(1)>"
measured = [{"id": i, "system": s, "rows": n, "em": (i * 7 + k) % 10 < b + k} for i in range(40) for k, n in enumerate((500, 1000, 8000)) for s, b in (("curated", 3), (EVIL, 1))]
measured += [{"id": i, "system": "base", "rows": None, "em": i % 4 == 0} for i in range(40)]
lib.write("curve.yaml", "quern: 1\nsteps:\n  - name: rows\n    read_rows: {path: %s, licence: mit}\n  - tally: {of: em, by: .system, along: .rows, pair: .id, against: base}\n  - write: {to: curve.jsonl}\n"
        "  - from: rows\n    tally: {of: em, by: .system, along: '.rows // 0', pair: .id, against: curated}\n  - write: {to: other.jsonl}\n" % lib.write_rows("measured.jsonl", measured))
r4 = lib.Run(lib.path("curve.yaml"))
equal(r4.code, 0, r4.stderr[-400:])
curve, mean = r4.rows("curve.jsonl"), lambda s, n: sum(r["em"] for r in measured if (r["system"], r["rows"]) == (s, n)) / 40
equal([(r["group"], r["along"], r["n"]) for r in curve], [(s, n, 40) for s in ("curated", EVIL) for n in (500, 1000, 8000)] + [("base", None, 40)], "a row for each place, in order")
check(all(abs(r["value"] - mean(r["group"], r["along"])) < 1e-6 and r["low"] <= r["value"] <= r["high"] and r["axis"] == "rows" for r in curve), "levels by place", curve)
check(all(abs(r["diff"] - mean(r["group"], r["along"]) + mean("base", None)) < 1e-6 and r["unpaired"] == 0 for r in curve[:6]) and curve[6]["diff"] is None, "held against the group that has no place", curve)
held = {(r["group"], r["along"]): r["diff"] for r in r4.rows("other.jsonl")}
check(all(abs(held[EVIL, n] - mean(EVIL, n) + mean("curated", n)) < 1e-6 for n in (500, 1000, 8000)) and held["base", 0] is None, "held against the group at the same place, or against nothing", held)
page4, d4 = facts(r4)
equal([(t["file"], [(r["group"], r["along"], r["value"], r["low"], r["high"]) for r in t["rows"]]) for t in d4["results"]],
      [(n, [(r["group"], r["along"], r["value"], r["low"], r["high"]) for r in r4.rows(n)]) for n in ("curve.jsonl", "other.jsonl")], "the page has the tables")
code, _, err = lib.quern("apply", "tally", "of=em", "along=.rows", lib.write_rows("text.jsonl", [{"em": 1, "rows": "many"}]), "-o", "-")
check(code and "`along` gives a text, a number is needed" in err, "a place is a number", code, err)
check("results" not in d2, "rows that are no tally's are no table")

# ---- two steps of judges, each with two: the page has the agreement of both, each with its own field
strict, kind = (lib.Mock([{"match": "- style", "json": {"reason": "Hm.", "style": 1}}, {"match": "The work", "json": {"reason": "Fine.", "help": mark}}]) for mark in (2, 4))
lib.write("two.yaml", "quern: 1\nparams:\n  a: {type: model}\n  b: {type: model}\nsteps:\n  - read_rows: {path: %s, licence: mit}\n"
        "  - judge: {of: '{{ .text }}', rubric: {help: 1..5}, model: $a, second: $b}\n"
        "  - judge: {of: '{{ .text }}', rubric: {style: 1..5}, model: $a, second: $b, as: styled}\n    name: manner\n  - write: {to: data.jsonl}\n" % lib.path("people.jsonl"))
rj = lib.Run(lib.path("two.yaml"), "--model", "a=" + strict.url, "--model", "b=" + kind.url)
equal(rj.code, 0, rj.stderr[-400:])
dj = facts(rj)[1]
check(dj["judges"][0]["between"][0]["judges"] == ["m (a)", "m (b)"] and {s["judge"] for s in dj["marks"][0]["scales"]} == {"m (a)", "m (b)"}, "two models of one name are told apart", dj["judges"])
equal([(j["step"], j["field"], len(j["between"]), j["between"][0]["n"], j["between"][0]["agreement"]) for j in dj["judges"]],
      [("judge", "judged", 1, len(people), 0), ("manner", "styled", 1, len(people), 1)], "each step's judges: one pair never agrees, the other always")
shutil.copytree(rj.out, lib.path("kept-two"))
rk = lib.Run(lib.path("judged.yaml"), out=rj.out)
equal(facts(rk)[1]["judges"], [], "what another recipe's judges left in the folder is not told of this one")

# ---- topics of short texts: two subjects that share no word within are still two groups
short = [" ".join(w) for i in range(40) for w in ((["mill", "grain", "flour", "stone", "sack"][i % 5], ["grain", "flour", "stone", "sack", "mill"][i % 5], "%dth" % i),
                                                  (["ship", "harbour", "sail", "mast", "captain"][i % 5], ["harbour", "sail", "mast", "captain", "ship"][i % 5], "%dnd" % i))]
lib.write("short.yaml", "quern: 1\nsteps:\n  - read_rows: {path: %s, licence: mit}\n  - write: {to: data.jsonl}\n" % lib.write_rows("short.jsonl", [{"text": t} for t in short]))
topics = facts(lib.Run(lib.path("short.yaml")))[1]["portrait"]["topics"]
mills, ships = {"mill", "grain", "flour", "stone", "sack"}, {"ship", "harbour", "sail", "mast", "captain"}
check(sum(n for _, n in topics) == 80 and all(not t.startswith("mixed") and (set(t.split(", ")) <= mills or set(t.split(", ")) <= ships) for t, _ in topics), "no topic mixes the two", topics)

# ---- drawn
chromium = shutil.which("chromium") or shutil.which("chromium-browser")
if not chromium:
    print("skipped: chromium is not here: pages are not drawn")
    sys.exit(0)
for out, titles in ((r.out, ["May it train a model?", "Not known", "Licences of what went in: CC-BY-SA-4.0", "Topics and variety", "Whom the set speaks of", "Beside people's rows", "Side by side", "Occupations"]), (r2.out, ["What the judges said", "Whom the set speaks of"]), (r3.out, ["with the term exchanged"]), (lib.path("kept-two"), ["agreement of", "styled", "judged"]), (r4.out, ["Results", "throughout", "rows (logarithmic)", EVIL, "40"])):
    dom = subprocess.run([chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000", "--dump-dom", "file://" + os.path.join(out, "report.html")], capture_output=True, timeout=90, text=True).stdout
    seen = html.unescape(re.sub("<[^>]*>", "\n", re.sub(r"<(script|style)\b.*?</\1>", "", dom, flags=re.S)))
    check("What it is made from" in seen, "the page is drawn to its end", seen[-400:])
    for t in titles:
        check(t in seen, "the page shows " + t)
    if out == r4.out:
        plots = re.findall(r'<svg [^>]*class="hist plot".*?</svg>', dom, re.S)
        equal([(p.count('class="run"'), p.count('class="range"'), p.count('class="level"')) for p in plots], [(2, 6, 1), (2, 7, 0)], "lines, intervals, levels")
        check("<img" not in dom, "a system's name is text")
print("report: bias, topics, judges, distance, curves: as counted here")
