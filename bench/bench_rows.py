#!/usr/bin/env python3
"""1 million and 10 million rows (--large) through keep, template and write under --memory 256M: throughput, and a peak that does not grow with rows.
One JSON line per size. The result is checked: the right number of rows, the first and the last one."""
import json, os, subprocess, sys, tempfile, time

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
quern = os.path.join(root, "build", "quern")
recipe = """quern: 1
params:
  rows: {type: path}
steps:
  - read_rows: {path: $rows}
  - keep: {where: '.n % 10 != 3', why: three}
  - template: {as: text, text: 'Row {{ .n }} says {{ .words }}.'}
  - write: {to: data.jsonl}
"""
sizes = [100_000, 1_000_000] + ([10_000_000] if "--large" in sys.argv else [])
with tempfile.TemporaryDirectory(prefix="quern-bench-", dir=os.environ.get("TMPDIR", "/tmp")) as tmp:
    open(tmp + "/r.yaml", "w").write(recipe)
    for n in sizes:
        with open(tmp + "/rows.jsonl", "w") as f:
            for i in range(n):
                f.write('{"n": %d, "words": "the mill turns slowly and grinds the grain of row %d into fine flour", "k": [%d, 2, 3]}\n' % (i, i, i % 7))
        size = os.path.getsize(tmp + "/rows.jsonl")
        start = time.time()
        out = subprocess.run([quern, "run", tmp + "/r.yaml", "rows=" + tmp + "/rows.jsonl", "-o", tmp + "/out", "--memory", "256M", "--json"],
                             capture_output=True, check=True, timeout=3600).stdout
        s = json.loads(out)
        first = last = None
        with open(tmp + "/out/data.jsonl") as f:
            for count, line in enumerate(f, 1):
                first = first or line
                last = line
        assert count == s["rows"]["accepted"] == n - n // 10, (count, s["rows"])
        assert json.loads(first)["text"].startswith("Row 0 says the mill"), first
        assert json.loads(last)["n"] == n - 1 and s["rows"]["rejected"] == n // 10
        print(json.dumps({"bench": "rows", "rows": n, "mb": round(size / 1e6, 1), "seconds": s["seconds"], "cpu_seconds": s["cpu_seconds"],
                          "rows_per_second": round(n / s["seconds"]), "mb_per_second": round(size / 1e6 / s["seconds"], 1),
                          "peak_mb": round(s["peak_memory_bytes"] / 1e6, 1)}), flush=True)
