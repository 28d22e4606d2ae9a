#!/usr/bin/env python3
"""The bytes a run leaves do not depend on workers, the order of replies, or how many requests are under way."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

rows = write_rows("p.jsonl", [{"prompt": "Say %d." % (i % 150), "i": i} for i in range(300)])
recipe = write("r.yaml", """quern: 1
params:
  rows: {type: path}
  m: {type: model}
steps:
  - read_rows: {path: $rows}
  - draw: {as: tone, from: [dry, warm, curt]}
  - ask: {model: $m, prompt: "{{ .prompt }} In a {{ .tone }} tone.", samples: 2}
  - set: {fields: {n: '.reply | length'}}
  - keep: {where: '.i % 7 != 3', why: seventh}
  - each: {of: '[.reply, .prompt]', as: text}
  - write: {to: data.jsonl}
""")
# Latency that differs from request to request shuffles the replies.
rules = [{"match": "Say %d." % k, "latency_ms": (k * 37) % 23} for k in range(0, 150, 3)]
mock = Mock(rules)
files = ["data.jsonl", "rejected.jsonl", "trace.jsonl.zst"]
want = None
for workers, in_flight in [(1, 1), (1, 300), (2, 7), (4, 64), (8, 600)]:
    r = Run(recipe, "rows=" + rows, "--model", "m=" + mock.url, "-j", str(workers), "--in-flight", str(in_flight))
    equal(r.code, 0, "run with %d workers: %s" % (workers, r.stderr))
    got = [r.data(f) for f in files]
    adds_up(r.summary)
    want = want or got
    for f, a, b in zip(files, got, want):
        check(a == b, "%s differs with %d workers and %d in flight" % (f, workers, in_flight))
check(len(want[0]) > 10000, "there is data")
print("5 ways of running, the same %d bytes" % sum(map(len, want)))
