#!/usr/bin/env python3
"""Money, targets, limits, signals: each stops where it says, says so, and the next run goes on."""
import os, signal, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N = 200
rows = write_rows("p.jsonl", [{"prompt": "Question %d?" % i} for i in range(N)])

# --- a budget is a hard stop, counts what the ledger has spent, and refuses models without a price
mock = Mock([], "--latency", "5")
config = write("quern.yaml", "models:\n  it:\n    url: http://127.0.0.1:%d/v1\n    name: m\n    price: {prompt: 100, completion: 1000}\n  free:\n    url: http://example.invalid/v1\n    name: m\n" % mock.port)
args = ["ask", "rows=" + rows, "--model", "m=it", "--config", config, "max_tokens=64"]
out = path("budget")
first = Run(*args, "--budget", "1", out=out)
equal(first.code, 3, "budget exit code (%s)" % first.stderr)
s = first.summary
check(0 < s["cost_usd"] <= 1, "spent %r of 1 USD" % s["cost_usd"])
check(0 < s["rows"]["accepted"] < N and s["rows"]["pending"] > 0, "some rows are accepted, the rest is pending", s["rows"])
adds_up(s)
second = Run(*args, "--budget", "1", out=out)
equal(second.code, 3, "the ledger remembers what was spent")
check(second.summary["cost_usd"] + s["cost_usd"] <= 1, "two runs together stay under the budget")
third = Run(*args, "--budget", "1000", out=out)
equal(third.code, 0, "with more money it goes on: %s" % third.stderr)
equal(third.summary["rows"]["accepted"], N, "all rows")
equal(third.summary["calls"]["replayed"], s["rows"]["accepted"] + second.summary["calls"]["sent"], "nothing is paid twice")
r = Run("ask", "rows=" + rows, "--model", "m=free", "--config", config, "--budget", "1")
equal(r.code, 2, "a model without a price cannot keep a budget")
check("price" in r.stderr, r.stderr)
print("budget: stopped at $%.2f of $1, resumed without paying twice" % (s["cost_usd"] + second.summary["cost_usd"]))

# --- a target on accepted rows cuts in source order, and what lies behind it did not enter
recipe = write("t.yaml", "quern: 1\nparams:\n  rows: {type: path}\n  m: {type: model}\nsteps:\n  - read_rows: {path: $rows}\n  - ask: {model: $m, prompt: '{{ .prompt }}'}\n"
        "  - keep: {where: '.prompt | test(\"[13579][?]$\")', why: even}\n  - write: {to: data.jsonl, rows: 25}\n")
want = None
for j, k in [(1, 1), (2, 50), (4, 400)]:
    m = Mock([{"match": "Question %d?" % i, "latency_ms": (i * 13) % 17} for i in range(0, N, 5)])
    r = Run(recipe, "rows=" + rows, "--model", "m=" + m.url, "-j", str(j), "--in-flight", str(k))
    equal(r.code, 0, r.stderr)
    equal(r.summary["rows"]["accepted"], 25, "target")
    adds_up(r.summary)
    equal(r.summary["rows"]["in"], 50, "rows up to the last one needed")
    want = want or (r.data(), r.data("rejected.jsonl"))
    equal((r.data(), r.data("rejected.jsonl")), want, "a target's bytes do not depend on timing")
    m.stop()
print("target: 25 accepted of 50 in, whatever the timing; ahead %d" % r.summary["rows"]["ahead"])

# --- a target that cannot be met ends with exit 1 and says what lacks
few = write_rows("few.jsonl", [{"prompt": "Question %d?" % i} for i in range(10)])
r = Run(recipe, "rows=" + few, "--model", "m=" + mock.url)
equal(r.code, 1, "a target that is not met")
check("target" in str(r.summary), "the summary says so")

# --- --limit
r = Run("ask", "rows=" + rows, "--model", "m=" + mock.url, "--limit", "7")
equal(r.summary["rows"]["in"], 7, "--limit")

# --- a signal: what is accepted is there, the rest is pending, and the next run goes on
slow = Mock([], "--latency", "150")
out = path("signal")
p = subprocess.Popen([QUERN, "run", "ask", "rows=" + rows, "--model", "m=" + slow.url, "-o", out, "--in-flight", "8", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
time.sleep(1.2)
p.send_signal(signal.SIGINT)
stdout, _ = p.communicate(timeout=30)
equal(p.returncode, 130, "interrupted")
s = json.loads(stdout)
adds_up(s)
check(0 < s["rows"]["accepted"] < N and s["rows"]["pending"] > 0, "partial", s["rows"])
equal(len(read_rows(out + "/data.jsonl")), s["rows"]["accepted"], "what is accepted is in the file")
r = Run("ask", "rows=" + rows, "--model", "m=" + slow.url, out=out)
equal((r.code, r.summary["rows"]["accepted"]), (0, N), "goes on")
check(len(slow.requests()) <= N + r.summary["interrupted_in_flight"], "nothing recorded is asked again: %d requests" % len(slow.requests()))
print("signal: %d accepted, %d pending, then all %d with %d requests" % (s["rows"]["accepted"], s["rows"]["pending"], N, len(slow.requests())))

# --- a document that changes costs only its own rows
changed = read_rows(rows)
changed[3]["prompt"] = "Another question?"
write_rows("p.jsonl", changed)
before = len(slow.requests())
r = Run("ask", "rows=" + rows, "--model", "m=" + slow.url, out=out)
equal((r.code, len(slow.requests()) - before), (0, 1), "one changed row is one request")
equal(r.summary["calls"]["replayed"], N - 1, "the others are replayed")
# --- --fresh asks anew, and a resume of it goes on with the fresh replies
before = len(slow.requests())
r = Run("ask", "rows=" + rows, "--model", "m=" + slow.url, "--fresh", "--limit", "5", out=out)
equal((r.code, len(slow.requests()) - before), (0, 5), "--fresh asks anew")
r = Run("ask", "rows=" + rows, "--model", "m=" + slow.url, "--limit", "6", out=out)
equal((r.code, len(slow.requests()) - before), (0, 6), "the run after --fresh goes on with its replies")
print("changes and --fresh: only what must be asked is asked")
