#!/usr/bin/env python3
"""L1, L2, L3: kill -9 right after the n-th commit for n = 1, 2, 3 ... until the run gets through; then resume. The bytes are those of a run that was
never interrupted, and nothing whose reply was recorded is asked again."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

rows = write_rows("p.jsonl", [{"prompt": "Tell me about number %d." % i} for i in range(20)])
reference_mock = Mock()
reference = Run("ask", "rows=" + rows, "--model", "m=" + reference_mock.url, "--in-flight", "2")
equal(reference.code, 0, "reference run")

n, killed_runs = 0, 0
while True:
    n += 1
    check(n < 200, "200 kills and still not through")
    out, mock = path("kill-%d" % n), Mock()
    # The ledger knows a model by its address, so every try has a server, a folder and a reference of its own.
    args = ["ask", "rows=" + rows, "--model", "m=" + mock.url, "--in-flight", "2"]
    first = Run(*args, out=out, env={"QUERN_TEST_KILL_AT_COMMIT": str(n)})
    if first.code == 0:
        mock.stop()
        break
    equal(first.code, -9, "killed at commit %d" % n)
    killed_runs += 1
    if os.path.exists(os.path.join(out, "data.jsonl")):
        equal(bytes_of(out, "data.jsonl"), reference.data(), "data.jsonl appears whole or not at all (commit %d)" % n)
    asked_before = len(mock.requests())
    again = Run(*args, out=out)
    equal(again.code, 0, "resumed after commit %d: %s" % (n, again.stderr))
    equal(again.data(), reference.data(), "bytes after a kill at commit %d" % n)
    adds_up(again.summary)
    total, lost = len(mock.requests()), again.summary["interrupted_in_flight"]
    check(total <= 20 + lost, "commit %d: %d requests for 20 rows, only %d were in flight" % (n, total, lost))
    equal(again.summary["calls"]["sent"] + again.summary["calls"]["replayed"], 20, "sent and replayed together")
    mock.stop()
check(killed_runs >= 5, "the kill hook did not fire: %d kills" % killed_runs)
print("killed at each of %d commits, resumed each time to the same bytes" % killed_runs)
