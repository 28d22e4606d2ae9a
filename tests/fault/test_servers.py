#!/usr/bin/env python3
"""Bad servers: storms of 429, errors, hangs, slow drips, cut and broken and lying replies, wrong shapes, dead addresses. Every row ends once, with its
reason; what can be had is had."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N = 24
rows = write_rows("p.jsonl", [{"prompt": "Question %d?" % i} for i in range(N)])
fast = path("quern.yaml")


def run(rules, *args, models=None, expect=0, timeout=90, recipe="ask"):
    mock = Mock(rules, *args)
    text = "models:\n  it:\n    url: http://127.0.0.1:%d/v1\n    name: m\n    silence: 1s\n    deadline: 8s\n    retry: 50ms\n" % mock.port
    with open(fast, "w") as f:
        f.write(text + (models or ""))
    r = Run(recipe, "rows=" + rows, "--model", "m=it", "--config", fast, timeout=timeout)
    equal(r.code, expect, "exit code with %s (%s)" % (rules, r.stderr))
    adds_up(r.summary)
    equal(r.summary["rows"]["in"], N, "all rows are accounted for with %s" % rules)
    mock.stop()
    return r


def all_answered(name, rules):
    r = run(rules)
    equal(r.summary["rows"]["accepted"], N, "%s: rows accepted" % name)
    print("%-28s all %d rows answered, %d requests retried" % (name, N, r.summary["calls"]["retried"]))


all_answered("a storm of 429", [{"to": 30, "status": 429, "retry_after_ms": 20, "error": "slow down"}])
all_answered("429 with Retry-After", [{"every": 3, "status": 429, "retry_after_ms": 100}])
all_answered("half of all replies are 500", [{"every": 2, "status": 500, "error": "oops"}])
all_answered("connections cut", [{"every": 4, "fault": "cut"}])
all_answered("connections reset", [{"every": 4, "fault": "reset"}])
all_answered("a slow drip", [{"every": 6, "fault": "drip", "drip_ms": 20, "drip_bytes": 8}])
all_answered("hangs", [{"every": 8, "times": 3, "fault": "hang"}])
all_answered("empty bodies", [{"every": 5, "fault": "empty"}])
all_answered("truncated JSON", [{"every": 5, "fault": "truncated"}])
all_answered("no JSON at all", [{"every": 5, "fault": "not_json"}])
all_answered("invalid UTF-8", [{"every": 5, "times": 2, "fault": "invalid_utf8"}])
all_answered("a lying Content-Length", [{"every": 5, "fault": "lie_long"}])

r = run([{"match": "Question 7?", "status": 400, "error": "this prompt is not liked"}])
equal((r.summary["rows"]["accepted"], r.summary["rows"]["failed"]), (N - 1, 1), "one row fails for good")
check("not liked" in r.rows("failed.jsonl")[0]["_reason"], "the server's words are the reason:", r.rows("failed.jsonl")[0]["_reason"])
print("%-28s one failed row, with the server's words" % "HTTP 400 on one row")

r = run([{"match": "Question 7?", "refusal": "I will not."}])
equal((r.summary["rows"]["accepted"], r.summary["rows"]["rejected"]), (N - 1, 1), "a refusal is a verdict")
equal(r.rows("rejected.jsonl")[0]["_measure"], "refused", "its name")
print("%-28s one rejected row" % "a refusal")

r = run([{"status": 500, "error": "down for good"}], expect=1)
equal(r.summary["rows"]["failed"], N, "every row failed")
print("%-28s exit 1, nothing is called success" % "every reply is 500")

for name, url in [("nobody listens", "http://127.0.0.1:9/v1#m"), ("a name that is not there", "http://no-such-host.invalid/v1#m")]:
    r = Run("ask", "rows=" + rows, "--model", "m=" + url, timeout=90)
    equal(r.code, 4, "%s: exit code (%s)" % (name, r.stderr))
    check(r.summary["rows"]["accepted"] == 0, name)
    print("%-28s exit 4: %s" % (name, r.summary["ended_words"][:70] if r.summary.get("ended_words") else r.stderr.strip()[:70]))
