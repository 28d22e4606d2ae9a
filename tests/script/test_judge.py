#!/usr/bin/env python3
"""judge with three scripted judges over real preference pairs: one who always takes what stands first, one who is right, one who errs on purpose. What the step
counts (order, first place, kappa between judges and against people, the calibration line) is counted again here."""
import gzip, glob, json, os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import check, equal


def kappa(pairs, squared=False):
    levels = sorted({x for p in pairs for x in p})
    w = lambda a, b: (a - b) ** 2 if squared else float(a != b)
    n = len(pairs)
    seen = sum(w(a, b) for a, b in pairs)
    chance = sum(w(a, b) * sum(p[0] == a for p in pairs) * sum(p[1] == b for p in pairs) for a in levels for b in levels) / n
    return 1 - seen / chance


def near(x, y, what):
    check(abs(x - y) < 2e-4, "%s: %r, wanted %r" % (what, x, y))


path = (glob.glob(os.path.join(lib.SHARED, "preference", "*.jsonl*")) or [lib.shared("preference", "pairs.jsonl")])[0]
pairs = [json.loads(line) for line in (gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8"))]
rows, honest, erring = [], [], []
for i, p in enumerate(pairs[:120]):
    chosen, rejected = str(p["chosen"])[-300:], str(p["rejected"])[-300:]
    good, bad = "[%d-good] %s" % (i, chosen), "[%d-bad] %s" % (i, rejected)
    flip, tie = i % 3 == 0, i % 10 == 9
    rows.append({"i": i, "q": "What comes next?", "x": bad if flip else good, "y": good if flip else bad, "people": "tie" if tie else "b" if flip else "a"})
# Rules see the user's message: "Reply 1:\n[<i>-good]" tells where the good one stands.
better = lambda which: json.dumps({"reason": "It is the better one.", "better": which})
first = lib.Mock([{"match": "Which is better", "reply": better("1")}])
right = lib.Mock([{"match": "Reply 1:\n[%d-good]" % i, "reply": better("1")} for i in range(120)] + [{"match": "Which is better", "reply": better("2")}])
errs = lib.Mock([{"match": "Reply 1:\n[%d-%s]" % (i, "bad" if i % 4 == 0 else "good"), "reply": better("1")} for i in range(120)] + [{"match": "Which is better", "reply": better("2")}])
recipe = lib.write("pairs.yaml", """quern: 1
params:
  first: {type: model}
  right: {type: model}
  errs: {type: model}
steps:
  - read_rows: {path: %s}
  - judge: {of: "{{ .q }}", a: "{{ .x }}", b: "{{ .y }}", model: $first, second: $right, third: $errs, people: .people}
  - write: {to: data.jsonl}
""" % lib.write_rows("pairs.jsonl", rows))
name = lambda m, n: m.url.replace("#m", "#" + n)
r = lib.Run(recipe, "--model", "first=" + name(first, "first"), "--model", "right=" + name(right, "right"), "--model", "errs=" + name(errs, "errs"))
equal(r.code, 0, r.stderr[-600:])
got = r.rows()
equal(len(got), 120, "rows")
j = json.loads(lib.bytes_of(r.out, "judges.json"))
one = {x["judge"]: x for x in j["judges"]}
equal((one["first"]["changed_with_order"], one["first"]["first_place"]), (1.0, 1.0), "who takes what stands first changes with the order")
equal((one["right"]["changed_with_order"], one["right"]["first_place"]), (0.0, 0.5), "who is right does not")
want = [("b" if i % 3 == 0 else "a") for i in range(120)]
err = [("a" if w == "b" else "b") if i % 4 == 0 else w for i, w in enumerate(want)]
for row, w, e in zip(got, want, err):
    equal(row["judged"]["winner"], w if w == e else "tie", "the biased judge's verdicts count as ties: row %d" % row["i"])
    check(all(m["reason"] for m in row["judged"]["marks"]) and len(row["judged"]["marks"]) == 6, "every verdict has its reason, in both orders")
people = [row["people"] for row in rows]
level = {"a": 0, "tie": 1, "b": 2}
near(one["right"]["people"]["kappa"], kappa([(level[w], level[p]) for w, p in zip(want, people)]), "kappa of the right judge against people")
near(one["errs"]["people"]["kappa"], kappa([(level[w], level[p]) for w, p in zip(err, people)]), "kappa of the erring judge")
near(one["first"]["people"]["agreement"], sum(p == "tie" for p in people) / 120, "the biased one agrees only where people saw a tie")
between = {tuple(x["judges"]): x for x in j["between"]}
near(between[("right", "errs")]["kappa"], kappa([(level[a], level[b]) for a, b in zip(want, err)]), "kappa between two judges")
asks = [q["body"]["messages"][-1]["content"] for q in right.requests() if isinstance(q.get("body"), dict)]
equal(len(asks), 240, "each pair is asked in both orders")
check(sum("Reply 1:\n[%d-good]" % i in a for a in asks for i in (5,)) == 1 and sum("Reply 2:\n[%d-good]" % 5 in a for a in asks) == 1, "once in each")
print("judge between replies: kappa against people %.2f right, %.2f erring; first place %.1f" % (one["right"]["people"]["kappa"], one["errs"]["people"]["kappa"], one["first"]["first_place"]))

# ---- scales: two judges, one a mark too kind; people's marks for two rows in three
rows, strict, kind = [], [], []
for i in range(90):
    true = 1 + (i * 7) % 5
    rows.append({"i": i, "text": "[item %d] %s" % (i, str(pairs[i]["chosen"])[-200:]), "mark": true if i % 3 else None})
    strict.append(true)
    kind.append(min(5, true + 1))
mark = lambda m: json.dumps({"reason": "So it is.", "help": m})
a = lib.Mock([{"match": "[item %d]" % i, "reply": mark(m)} for i, m in enumerate(strict)])
b = lib.Mock([{"match": "[item %d]" % i, "reply": mark(m)} for i, m in enumerate(kind)])
lib.write("scales.yaml", """quern: 1
params:
  strict: {type: model}
  kind: {type: model}
steps:
  - read_rows: {path: %s}
  - judge: {of: "{{ .text }}", rubric: {help: 1..5 does it help}, model: $strict, second: $kind, people: .mark, over: 2.5, within: 2}
  - write: {to: data.jsonl}
""" % lib.write_rows("items.jsonl", rows))
r = lib.Run(lib.path("scales.yaml"), "--model", "strict=" + name(a, "strict"), "--model", "kind=" + name(b, "kind"))
equal(r.code, 0, r.stderr[-600:])
both = [(s + k) / 2 for s, k in zip(strict, kind)]
equal(len(r.rows()), sum(x >= 2.5 for x in both), "rows over the limit")
j = json.loads(lib.bytes_of(r.out, "judges.json"))
one = {x["judge"]: x["people"] for x in j["judges"]}
known = [i for i in range(90) if i % 3]
equal((one["strict"]["kappa"], one["strict"]["away"], one["strict"]["slope"], one["strict"]["intercept"]), (1.0, 0.0, 1.0, 0.0), "a judge that marks as people do")
near(one["kind"]["kappa"], kappa([(kind[i], strict[i]) for i in known], True), "squared kappa of the kind one")
near(one["kind"]["higher_by"], sum(kind[i] - strict[i] for i in known) / len(known), "how much kinder")
n, sx, sy = len(known), sum(kind[i] for i in known), sum(strict[i] for i in known)
slope = (n * sum(kind[i] * strict[i] for i in known) - sx * sy) / (n * sum(kind[i] ** 2 for i in known) - sx * sx)
near(one["kind"]["slope"], slope, "the line from its marks to people's")
near(one["kind"]["intercept"], (sy - slope * sx) / n, "and where it begins")
equal(j["people"]["n"], len(known), "rows with a person's mark")
check("judge_people" in lib.bytes_of(r.out, "run.log").decode(), "run.log says it")
print("judge on scales: kind judge's kappa %.2f, %+.2f, line %.2f x %+.2f" % (one["kind"]["kappa"], one["kind"]["higher_by"], one["kind"]["slope"], one["kind"]["intercept"]))
