#!/usr/bin/env python3
"""Programs behind `pipe` that hang, die, lie and flood: each costs the row in hand, with a reason, and the rest goes on."""
import json, os, subprocess, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N = 30
rows = write_rows("p.jsonl", [{"i": i} for i in range(N)])


def run(body, *args, expect=0, timeout=2, max_failed="1"):
    program, recipe = path("program.py"), path("r.yaml")
    write(program, "import sys, json, time, os\ndef say(x): print(json.dumps(x), flush=True)\nfor line in sys.stdin:\n    r = json.loads(line); i = r['i']\n"
            + "".join("    %s\n" % x for x in body.strip().split("\n")))
    write(recipe, "quern: 1\nparams: {rows: {type: path}}\nsteps:\n  - read_rows: {path: $rows}\n"
            "  - pipe: {run: '%s %s', writes: {n: int}, timeout: %d}\n  - write: {to: data.jsonl}\n" % (sys.executable, program, timeout))
    r = Run(recipe, "rows=" + rows, "--yes", "--max-failed", max_failed, *args)
    equal(r.code, expect, "exit code: %s" % r.stderr)
    adds_up(r.summary)
    return r


def reasons(r):
    return {x["i"]: x["_reason"] for x in r.rows("failed.jsonl")}


good = run("say({'n': i * 2})")
equal([(x["i"], x["n"]) for x in good.rows()], [(i, 2 * i) for i in range(N)], "an honest program, in order")
equal(run("say({'n': i * 2})", "-j", "4").data(), good.data(), "with 4 workers the same bytes")

r = run("if i == 7: os._exit(3)\nsay({'n': 1})")
equal(list(reasons(r)), [7], "a program that dies costs one row")
check("ended" in reasons(r)[7], reasons(r))

r = run("if i % 3 == 0: os.kill(os.getpid(), 11)\nsay({'n': 1})")
equal(sorted(reasons(r)), [i for i in range(N) if i % 3 == 0], "it is started again after each crash")

r = run("if i == 4: time.sleep(60)\nsay({'n': 1})", timeout=1)
equal(list(reasons(r)), [4], "a program that hangs costs one row")
check("longer than 1 s" in reasons(r)[4], reasons(r))

r = run("print('not json' if i == 9 else json.dumps({'n': 1}), flush=True)")
equal(list(reasons(r)), [9], "a line that is no JSON")

r = run("say(5 if i == 2 else [1] if i == 3 else 'x' if i == 4 else {'n': 1})")
equal(sorted(reasons(r)), [2, 3, 4], "answers of the wrong kind")

r = run("print(json.dumps({'n': i}) + ('\\n' + json.dumps({'n': -1}) if i == 11 else ''), flush=True)")
equal(r.summary["rows"]["failed"], 1, "a line too many is noticed")
check(all(x["n"] == x["i"] for x in r.rows()), "no answer goes to another row", [(x["i"], x["n"]) for x in r.rows() if x["n"] != x["i"]])

r = run("sys.stdout.write('{\"n\": ' + '1' * (70 << 20) if i == 5 else json.dumps({'n': 1})); print(flush=True)", "--memory", "64M", timeout=20)
equal(list(reasons(r)), [5], "a flood costs one row")
check("larger than 64 MB" in reasons(r)[5], reasons(r))

r = run("sys.stderr.write('noise ' * 50000); sys.stderr.flush()\nsay({'n': 1})", timeout=20)
equal(r.summary["rows"]["accepted"], N, "a noisy standard error blocks nobody")

r = run("say([{'n': 1}, {'n': 2}] if i % 2 else None if i == 0 else {'_reject': 'even'})")
equal((r.summary["rows"]["accepted"], r.summary["rows"]["rejected"]), (N, N // 2), "one to two, and rejections")

r = run("os._exit(1)", expect=1)
equal(r.summary["rows"]["failed"], N, "a program that always dies fails every row and is not started for ever")
check(any("not started again" in x for x in reasons(r).values()), "it says so")
r = Run(path("r.yaml"), "rows=" + rows)
equal(r.code, 2, "without --yes a recipe's commands are not run")

# ---- a recipe's commands: not by plan, not by compile, not without a yes; what was allowed is written down
mark = path("it-ran")
mock = Mock([{"match": "", "reply": "yes"}])
ASKS = "quern: 1\nparams:\n  rows: {type: path}\n  m: {type: model}\nsteps:\n  - read_rows: {path: $rows}\n  - %s: %s\n  - ask: {model: $m, prompt: '{{ .i }}', as: reply}\n  - write: {to: data.jsonl}\n"
for op, body in (("pipe", "{run: 'touch %s; cat', writes: {i: int}}" % mark), ("check_command", "{run: 'echo %s', as: said, files: [%s]}" % (mark, rows))):
    write("c.yaml", "quern: 1\nparams:\n  rows: {type: path}\nsteps:\n  - read_rows: {path: $rows}\n  - %s: %s\n  - write: {to: data.jsonl}\n" % (op, body))
    code, out, err = quern("plan", path("c.yaml"), "rows=" + rows)
    check(code == 0 and mark in out and "asks before" in out and not os.path.exists(mark), "plan shows the command and does not run it", op, code, out, err)
    code, out, err = quern("run", path("c.yaml"), "rows=" + rows, "-o", path("c-" + op))
    check(code == 2 and mark in err and "--yes" in err and not os.path.exists(mark) and not os.path.exists(path("c-" + op)), "run says what would run and what to do", op, err)
    write("asks.yaml", ASKS % (op, body))
    code, out, err = quern("compile", path("asks.yaml"), "rows=" + rows, "--metric", ".reply == \"yes\"", "--model", "m=" + mock.url, "--dir", path("compile-" + op), "-o", path("compiled.yaml"))
    check(code == 2 and mark in err and "--yes" in err and not os.path.exists(mark), "compile runs nobody's commands either", op, code, err)
    r = Run(path("c.yaml"), "rows=" + rows, "--yes", out=path("c-" + op))
    equal((r.code, r.summary["rows"]["accepted"]), (0, N), r.stderr)
    equal([(c["step"], c["allowed_by"], mark in c["runs"], rows in c["runs"]) for c in r.summary["commands"]], [(op, "--yes", True, op == "check_command")], "what was allowed, and by what")
    check("command_allowed" in bytes_of(r.out, "run.log").decode(), "run.log has it too")
    if os.path.exists(mark): os.remove(mark)
# at a terminal it asks: n runs nothing, y runs it and is recorded as an answer
import pty
for answer, want in (("n\n", 2), ("y\n", 0)):
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    p = subprocess.run([QUERN, "run", path("c.yaml"), "rows=" + rows, "-o", path("asked")], stdin=theirs, capture_output=True, text=True, timeout=60)
    check(p.returncode == want and "run it? [y/N]" in p.stderr, "an answer of " + answer.strip(), p.returncode, p.stderr)
    os.close(ours), os.close(theirs)
equal(json.load(open(path("asked/summary.json")))["commands"][0]["allowed_by"], "an answer at the terminal", "the answer is recorded")
print("12 kinds of programs")
