#!/usr/bin/env python3
"""collect keeps of its rows what `of` gives and no more: lists of numbers from rows that are larger than its memory are gathered; lists of the rows themselves are too much."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N = 30000
rows = path("rows.jsonl")
with open(rows, "w") as f:
    for i in range(N):
        f.write('{"n": %d, "g": %d, "t": "%s"}\n' % (i, i // 3, ("grain%d " % i) * 100))
size = os.path.getsize(rows)
for of, good in ((".n", True), (".", False)):
    write("collect.yaml", "quern: 1\nparams: {rows: {type: path}}\nsteps:\n  - read_rows: {path: $rows}\n  - collect: {by: .g, of: '%s', as: items}\n  - fields: {keep: [g, items]}\n  - write: {to: data.jsonl}\n" % of)
    r = Run(path("collect.yaml"), "rows=" + rows, "--memory", "24M")
    check((r.code == 0) == good, "of: %s, %d MB of rows: %s" % (of, size >> 20, r.stderr[-300:]))
    if good:
        equal(sorted(x["items"] for x in r.rows()), [[3 * g, 3 * g + 1, 3 * g + 2] for g in range(N // 3)], "every number is in its list")
    else:
        check("what is collected takes more than" in r.stderr, r.stderr)

# behind many steps that may hold rows as well, whose parts of the memory are small: what none of them needs is there for it
many = "".join("  - dedup_exact: {text: '.t'}\n" for _ in range(60))
write("many.yaml", "quern: 1\nparams: {rows: {type: path}}\nsteps:\n  - read_rows: {path: $rows}\n" + many + "  - collect: {by: .g, of: .n, as: items}\n  - fields: {keep: [g, items]}\n  - write: {to: data.jsonl}\n")
r = Run(path("many.yaml"), "rows=" + rows, "--memory", "64M")
equal((r.code, r.summary and r.summary["rows"]["accepted"]), (0, N // 3), "60 steps before it: " + r.stderr[-300:])
print("%d MB of rows, 24 MB of memory" % (size >> 20))
