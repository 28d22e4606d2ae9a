#!/usr/bin/env python3
"""plan: the rows of a source are counted by reading it once, behind the sample; its figures are those of the whole."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *


def plan(*args, stdin=None):
    code, out, err = quern("plan", *args, "--json", stdin=stdin)
    equal(code, 0, err)
    return json.loads(out)


def calls(p):
    return [s["calls"] for s in p["steps"] if s["op"] == "ask"]


rows = [{"prompt": "Question %d?" % i} for i in range(137)]
lines = "".join(json.dumps(r) + "\n" for r in rows).encode()
model = ["--model", "m=http://127.0.0.1:9/v1#nobody"]
ask = ["ask", "rows=-", *model]
p = plan(*ask, stdin=lines)     # a pipe can be read once alone
equal((p["source_rows"], p["source_rows_complete"], p["calls"], calls(p)), (137, True, 137, [137]), "a pipe of 137 rows")
for n, args in [(50, ["--limit", "50"]), (20, ["--limit", "20"]), (3, ["--limit", "3"]), (137, ["--limit", "5000"]), (137, ["--sample", "1"]), (137, ["--sample", "500"]), (137, ["--sample", "137"])]:
    p = plan(*ask, *args, stdin=lines)
    equal((p["source_rows"], p["source_rows_complete"], calls(p)), (n, True, [n]), "with %s" % args)
with_bad = lines + b"{not json}\n" + lines
p, r = plan(*ask, stdin=with_bad), Run("ask", "rows=-", "--model", "m=" + Mock().url, "--max-failed", "1", stdin=with_bad)
equal(p["source_rows"], r.summary["rows"]["in"], "a record that cannot be read is a row, as in the run: %s" % r.stderr)

two = write("two.yaml", "quern: 1\nparams:\n  rows: {type: path}\n  more: {type: path}\n  m: {type: model}\nsteps:\n  - name: first\n    read_rows: {path: $rows}\n  - name: second\n    read_rows: {path: $more}\n"
        "  - from: [first, second]\n    ask: {model: $m, prompt: '{{ .prompt }}', as: reply}\n  - write: {to: data.jsonl}\n")
p = plan(two, "rows=" + write_rows("a.jsonl", rows), "more=" + write_rows("b.jsonl", rows[:30]), *model)
equal((p["source_rows"], calls(p)), (167, [167]), "two sources")
p = plan("table_qa", "tables=examples/tables", "per_table=4")
equal((p["source_rows"], p["calls"]), (9, 0), "tables, and nobody asked")
print("plan: sources are read once; counts are those of the whole, with limits, bad records and two sources")
