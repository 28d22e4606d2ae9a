#!/usr/bin/env python3
"""balance and mix on real questions: shares met to the row, as many rows as the scarcest value allows, too much and too little said; the report's targets say what was
asked and what the written rows hold."""
import collections, gzip, json, os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import check, equal

articles = json.load(gzip.open(lib.shared("squad", "dev-v2.0.json.gz")))["data"][:4]
rows = [{"question": q["question"], "article": a["title"], "impossible": q["is_impossible"]} for a in articles for p in a["paragraphs"] for q in p["qas"]]
supply = collections.Counter(r["article"] for r in rows)
names = [a["title"] for a in articles]
shares = dict(zip(names, (0.1, 0.2, 0.3, 0.4)))
source = lib.write_rows("rows.jsonl", rows)


def run(name, steps):
    path = lib.write(name + ".yaml", "quern: 1\nsteps:\n  - read_rows: {path: %s, licence: mit}\n%s  - write: {to: data.jsonl}\n" % (source, steps))
    r = lib.Run(path)
    equal(r.code, 0, r.stderr[-500:])
    lib.adds_up(r.summary)
    page = lib.bytes_of(r.out, "report.html").decode()
    return r, json.loads(re.search(r'id="facts">(.*?)</script>', page, re.S).group(1)), lib.bytes_of(r.out, "run.log").decode()


r, d, log = run("balance", "  - balance: {by: .article, shares: %s}\n" % json.dumps(shares))
got = collections.Counter(x["article"] for x in r.rows())
n = len(r.rows())
for k, s in shares.items():
    equal(got[k], round(n * s), "rows of %s among %d" % (k, n))
most = min(supply[k] / s for k, s in shares.items())
check(most - 10 <= n <= most, "as many as the scarcest allows: %d of at most %.1f" % (n, most))
gone = collections.Counter(x["_reason"] for x in r.rows("rejected.jsonl"))
equal(gone, {"over_supply: %s: %d of %d taken" % (k, got[k], supply[k]): supply[k] - got[k] for k in names if supply[k] > got[k]}, "what is too much is said by value")
targets = {t["what"]: t for t in d["targets"]}
for k, s in shares.items():
    t = targets["share of article = " + k]
    check(t["want"] == s and abs(t["got"] - got[k] / n) < 1e-9 and t["share"], "the report's target", t)
scarcest = min(shares, key=lambda k: supply[k] / shares[k])
check("`%s` is scarcest" % scarcest in log, "run.log says what was scarce")
print("balance: %d of %d rows, shares %s" % (n, len(rows), [round(got[k] / n, 3) for k in names]))

r, d, log = run("too_many", "  - balance: {by: .article, shares: %s, rows: 100000}\n" % json.dumps(shares))
check("under_supply" in log and len(r.rows()) == n, "too few for `rows` is warned of, and the shares are met all the same")
r, d, log = run("equal", "  - balance: {by: .impossible}\n")
both = collections.Counter(x["impossible"] for x in r.rows())
equal(both[True], both[False], "without shares every value gets the same")
equal(both[True], min(sum(x["impossible"] for x in rows), sum(not x["impossible"] for x in rows)), "as many as there are")

# ---- mix: people's rows between synthetic ones
real = lib.write_rows("real.jsonl", [{"question": "Real question %d?" % i} for i in range(700)])
for share in (0.25, 0.6):
    r, d, log = run("mix", "  - mix: {with: %s, share: %s, mark: from}\n" % (real, share))
    out = r.rows()
    file = sum(x["from"] == "file" for x in out)
    check(abs(file - share * len(out)) < 1, "share %s: %d of %d rows are the file's" % (share, file, len(out)))
    check(file == 700 or len(out) - file == len(rows), "one side is used up: %d, %d" % (file, len(out) - file))
    t = [t for t in d["targets"] if t["what"] == "share of from = file"][0]
    check(t["want"] == share and abs(t["got"] - file / len(out)) < 1e-9, "the report's target", t)
    runs = max(len(m) for m in re.findall("f+", "".join(x["from"][1] == "i" and "f" or "." for x in out)))
    check(runs <= share / (1 - share) + 2, "the file's rows are spread: %d in a row" % runs)
    if len(out) - file < len(rows):
        check("under_supply" in log, "too few rows in the file are said")
    print("mix: %d of %d rows from the file at share %s" % (file, len(out), share))
