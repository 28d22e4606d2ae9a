#!/usr/bin/env python3
"""200,000 rows of 66 MB through branches, a join, a stratified sample and a balance under --memory 64M: the process never holds more than that, and what it
gives is what it gives with all the memory in the world. The peak is the summary's own and, apart from it, the kernel's account of the process."""
import os, resource, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N, CEILING = 200_000, 64 << 20
recipe = path("memory.yaml")
open(recipe, "w").write("""quern: 1
params: {rows: {type: path}}
steps:
  - {name: src, read_rows: {path: $rows}}
  - name: left
    template: {as: said, text: '{{ .n }}: {{ .t | split(" ") | .[0] }}'}
  - name: right
    from: src
    set: {fields: {half: '.n / 2 | floor'}}
  - {from: [left, right], join: {}}
  - sample: {share: 0.6, by: .k, weight: '1 + .n % 5'}
  - balance: {by: .k}
  - write: {to: data.jsonl}
""")
rows = path("rows.jsonl")
words = ["grain%03d" % (i * 7 % 1000) for i in range(1000)]
lines = [" ".join(words[i * 13 % 960:][:33]) for i in range(960)]
with open(rows, "w") as f:
    for i in range(N):
        f.write('{"n": %d, "k": "%s", "t": "w%d %s"}\n' % (i, "abc"[i % 7 % 3], i, lines[i % 960]))
check(os.path.getsize(rows) > CEILING, "the source alone is larger than the ceiling: %d" % os.path.getsize(rows))


def run(name, *args):
    """The summary, and the largest resident set that the kernel saw."""
    out = path(name)
    said = path(name + ".json")
    with open(said, "w") as to:
        pid = os.posix_spawn(QUERN, [QUERN, "run", recipe, "rows=" + rows, "-o", out, "--json", *args], os.environ,
                             file_actions=[(os.POSIX_SPAWN_DUP2, to.fileno(), 1)])
        _, status, usage = os.wait4(pid, 0)
    equal(os.waitstatus_to_exitcode(status), 0, name)
    return json.load(open(said)), usage.ru_maxrss * 1024, out


s, kernel, out = run("tight", "--memory", "64M")
adds_up(s)
equal(s["rows"]["in"], N, "rows in")
check(s["peak_memory_bytes"] <= kernel, "the summary's peak %d is what the kernel saw, %d" % (s["peak_memory_bytes"], kernel))
n, per_k = 0, {}
with open(os.path.join(out, "data.jsonl")) as f:
    for line in f:
        r = json.loads(line)
        n += 1
        per_k[r["k"]] = per_k.get(r["k"], 0) + 1
        check(r["said"] == "%d: w%d" % (r["n"], r["n"]) and r["half"] == r["n"] // 2, "a joined row has both branches' fields:", line)
equal(n, s["rows"]["accepted"], "rows written")
check(len(per_k) == 3 and len(set(per_k.values())) == 1 and n > N // 4, "balanced: %r" % per_k)
if "-" in os.path.basename(BUILD):
    print("skipped: the ceiling itself, a sanitizer takes memory of its own")
else:
    check(kernel <= CEILING, "the kernel saw %.1f MB, %.1f are allowed" % (kernel / 1e6, CEILING / 1e6))
wide, much, wide_out = run("wide", "--memory", "2G", "--workers", "1")
check(bytes_of(out, "data.jsonl") == bytes_of(wide_out, "data.jsonl"), "the same rows with all the memory")
check(wide["rows"] == s["rows"], "the same account: %r" % wide["rows"])
print("%d rows, %.0f MB of source: peak %.1f MB (kernel %.1f) under 64M, %.1f under 2G; %.1f and %.1f s" %
      (N, os.path.getsize(rows) / 1e6, s["peak_memory_bytes"] / 1e6, kernel / 1e6, much / 1e6, s["seconds"], wide["seconds"]))
