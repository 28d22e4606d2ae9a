#!/usr/bin/env python3
"""sample: a reservoir takes the rows that the sample without it takes, evenly and by weight, in far less memory; each row is as likely as the other."""
import os, sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import json
import lib
from lib import check, equal

N = 60000
src = lib.path("rows.jsonl")
with open(src, "w") as f:
    for i in range(N):
        f.write('{"n": %d, "w": %d, "t": "%s"}\n' % (i, i % 3, "x" * 300))


def sample(*words):
    out, rejected = lib.path("out.jsonl"), lib.path("rejected.jsonl")
    code, _, err = lib.quern("apply", "sample", *words, src, "-o", out, "--rejected", rejected, "--json")
    equal(code, 0, err)
    return lib.bytes_of(out), len(lib.read_rows(rejected)) if os.path.exists(rejected) else 0, json.loads(err.splitlines()[-1])


for how in (["rows=500"], ["rows=50", "weight=.w"], ["rows=1"]):
    (plain, left, n), (quick, none, m) = sample(*how), sample(*how, "reservoir=yes")
    check(plain == quick and plain, "the same rows, bytes and order", how)
    rows = int(how[0][5:])
    equal((left, none, m["accepted"], m["rejected"]), (N - rows, 0, rows, N - rows), "every row is accounted for; with a reservoir those not drawn stand in no file")
    if "-" not in os.path.basename(lib.BUILD):      # a sanitizer takes memory of its own
        check(m["peak_memory_bytes"] < n["peak_memory_bytes"] / 1.5, "less memory", m, n)
check(sample("rows=500", "reservoir=yes", "--seed", "2")[0] != sample("rows=500", "reservoir=yes")[0], "another seed, other rows")
equal(sample("rows=500", "reservoir=yes", "-j", "1")[0], sample("rows=500", "reservoir=yes", "-j", "4")[0], "whatever the workers")
equal(sample("rows=90000", "reservoir=yes")[0], lib.bytes_of(src), "of fewer rows than are wanted, all")
got = [r["w"] for r in map(json.loads, sample("rows=3000", "weight=.w", "reservoir=yes")[0].splitlines())]
check(0 not in got and 0.62 < got.count(2) / len(got) < 0.71, "twice the weight, twice as likely; weight 0 never", got.count(2) / len(got))
places = [r["n"] // (N // 10) for r in map(json.loads, sample("rows=5000", "reservoir=yes")[0].splitlines())]
check(all(400 < places.count(k) < 600 for k in range(10)), "every tenth of the input alike", [places.count(k) for k in range(10)])
few = lib.write_rows("few.jsonl", [{"n": n, "g": n % 3, "w": int(n % 3 != 1)} for n in range(300)])
for how in ([], ["by=.g"], ["reservoir=yes"]):
    for rows, wanted in ((150, 150), (250, 200)):
        code, _, err = lib.quern("apply", "sample", "rows=%d" % rows, "weight=.w", *how, few, "-o", lib.path("out.jsonl"))
        got = lib.read_rows(lib.path("out.jsonl"))
        check(code == 0 and len(got) == wanted and all(r["w"] for r in got), "rows without weight leave their places to others", how, rows, len(got))
        check(("200 rows instead of 250, for the other 100 have no weight" in err) == (rows == 250), "and where there are not enough, that is said", err)
for wrong in (["share=0.1"], ["rows=5", "by=.w"]):
    code, _, err = lib.quern("apply", "sample", *wrong, "reservoir=yes", src)
    check(code == 2 and "`reservoir` needs `rows`" in err, wrong, err)
code, _, err = lib.quern("apply", "sample", "rows=60000", "reservoir=yes", src, "-o", lib.path("out.jsonl"), "--memory", "4M")
check(code == 1 and "the sample itself takes more" in err, "a sample over the memory says so", code, err)
print("sample: a reservoir of %d rows" % N)
