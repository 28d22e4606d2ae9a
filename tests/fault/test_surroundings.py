#!/usr/bin/env python3
"""What happens around a run: a second run in its folder or on its ledger, signals, closed standard files, folders that cannot be written, sources that
change or vanish, 2,000 requests in flight."""
import os, signal, stat, sys, threading
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N = 120
rows = write_rows("p.jsonl", [{"prompt": "Question %d?" % i} for i in range(N)])


def start(*args, **more):
    return subprocess.Popen([QUERN, "run", *args, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def until(what, test, seconds=20):
    end = time.monotonic() + seconds
    while not test():
        check(time.monotonic() < end, "waited %d s for %s" % (seconds, what))
        time.sleep(0.02)


# --- a second run in the same folder, and one on the same ledger: refused, naming the owner; the first is not disturbed
slow = Mock([], "--latency", "100")
args = ["ask", "rows=" + rows, "--model", "m=" + slow.url]
out, other = path("one"), path("two")
first = start(*args, "-o", out, "--in-flight", "4")
until("the first run to ask", lambda: len(slow.requests()) > 3)
second = Run(*args, out=out)
check(second.code != 0 and "held by process %d" % first.pid in second.stderr, "the same folder: exit %d, %s" % (second.code, second.stderr))
third = Run(*args, "--ledger", out + "/ledger.db", out=other)
check(third.code != 0 and "held by process %d" % first.pid in third.stderr, "the same ledger: exit %d, %s" % (third.code, third.stderr))
stdout, stderr = first.communicate(timeout=60)
equal(first.returncode, 0, "the first run: %s" % stderr)
equal((len(read_rows(out + "/data.jsonl")), len(slow.requests())), (N, N), "the first run's rows and requests")
print("two at once: the second is refused, naming process %d" % first.pid)

# --- the same without a ledger: a recipe that asks nobody
recipe = write("plain.yaml", "quern: 1\nparams: {rows: {type: path}}\nsteps:\n  - read_rows: {path: $rows}\n  - set: {fields: {n: '.prompt | length'}}\n  - write: {to: data.jsonl}\n")
out = path("plain")
first = start(recipe, "rows=-", "-o", out, stdin=subprocess.PIPE)
first.stdin.write(b'{"prompt": "a"}\n')
first.stdin.flush()
until("the first run's folder", lambda: os.path.exists(out + "/run.lock"))
second = Run(recipe, "rows=" + rows, out=out)
check(second.code != 0 and "held by process %d" % first.pid in second.stderr, "without a ledger: %s" % second.stderr)
stdout, stderr = first.communicate(b'{"prompt": "bc"}\n', timeout=60)
equal((first.returncode, [r["n"] for r in read_rows(out + "/data.jsonl")]), (0, [1, 2]), "rows from standard input: %s" % stderr)

# --- signals: what is accepted is there, the rest is pending, the next run goes on
for name, sig in [("SIGTERM", signal.SIGTERM), ("SIGHUP", signal.SIGHUP)]:
    slow = Mock([], "--latency", "100")
    args, out = ["ask", "rows=" + rows, "--model", "m=" + slow.url], path(name)
    p = start(*args, "-o", out, "--in-flight", "4")
    until("some replies", lambda: len(slow.requests()) > 12)
    p.send_signal(sig)
    stdout, stderr = p.communicate(timeout=30)
    equal(p.returncode, 130, "%s: %s" % (name, stderr))
    s = json.loads(stdout)
    adds_up(s)
    check(0 < s["rows"]["accepted"] < N, name, s["rows"])
    equal(len(read_rows(out + "/data.jsonl")), s["rows"]["accepted"], name + ": the file holds what was accepted")
    r = Run(*args, out=out)
    equal((r.code, r.summary["rows"]["accepted"], r.summary["calls"]["replayed"] + r.summary["calls"]["sent"]), (0, N, N), name + ": goes on")
    check(len(slow.requests()) <= N + r.summary["interrupted_in_flight"], name + ": nothing is paid twice")
    print("%s: exit 130, %d accepted, then all" % (name, s["rows"]["accepted"]))
# two signals: at once, even when the server says nothing
hang = Mock([{"fault": "hang"}])
p = start("ask", "rows=" + rows, "--model", "m=" + hang.url, "-o", path("hang"))
until("requests", lambda: len(hang.requests()) > 3)
began = time.monotonic()
p.send_signal(signal.SIGTERM)
time.sleep(0.3)
p.send_signal(signal.SIGTERM)
p.communicate(timeout=30)
check(p.returncode == 130 and time.monotonic() - began < 4, "a second signal ends at once: exit %d after %.1f s" % (p.returncode, time.monotonic() - began))
# nohup stays nohup
p = start(recipe, "rows=-", "-o", path("nohup"), stdin=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
until("the lock", lambda: os.path.exists(path("nohup", "run.lock")))
p.send_signal(signal.SIGHUP)
time.sleep(0.3)
p.communicate(b'{"prompt": "a"}\n', timeout=30)
equal(p.returncode, 0, "SIGHUP under nohup")

# --- closed standard files: nothing is written into a file that took their place
want = Run(recipe, "rows=" + rows).data()
for closed in ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"]:
    out = path("closed-%d" % len(closed))
    p = subprocess.run(["sh", "-c", '"$0" run "$1" rows="$2" -o "$3" --json ' + closed, QUERN, recipe, rows, out], capture_output=True, timeout=60)
    equal(p.returncode, 0, "with %s: %r" % (closed, p.stderr))
    check(bytes_of(out, "data.jsonl") == want, "the same bytes with %s" % closed)
    json.load(open(out + "/summary.json"))
    for line in open(out + "/run.log"):
        json.loads(line)
p = subprocess.run(["sh", "-c", '"$0" run "$1" rows="$2" -o "$3" --json >/dev/full', QUERN, recipe, rows, path("devfull")], capture_output=True, timeout=60)
check(p.returncode == 1 and b"standard output" in p.stderr, "a full standard output is no success: %d %r" % (p.returncode, p.stderr))
p = subprocess.run(["sh", "-c", '"$0" apply keep where=true "$1" | head -n 1', QUERN, rows], capture_output=True, timeout=60)
check(b"Question 0?" in p.stdout and b"ASSERT" not in p.stderr, "a reader that goes away: %r" % p.stderr)

# --- folders that cannot be written, paths that are something else
if os.geteuid() != 0:
    ro = path("ro", "x")[:-2]
    os.chmod(ro, 0o555)
    r = Run(recipe, "rows=" + rows, out=ro + "/out")
    check(r.code != 0 and "cannot" in r.stderr, "a read-only folder: %s" % r.stderr)
for where in ["/proc/quern", "/dev/null", rows, rows + "/x"]:
    r = Run(recipe, "rows=" + rows, out=where)
    check(r.code in (1, 2) and "cannot" in r.stderr or "is a file" in r.stderr, "-o %s: exit %d, %s" % (where, r.code, r.stderr))
os.makedirs(path("taken", "data.jsonl"))
r = Run(recipe, "rows=" + rows, out=path("taken"))
check(r.code == 1 and "data.jsonl" in r.stderr, "a folder where the file belongs: %s" % r.stderr)

# --- a pipe with a name is written to and stays one (as does a device: /dev/null first of all)
pipe = path("pipe")
os.mkfifo(pipe)
got = []
reader = threading.Thread(target=lambda: got.append(open(pipe).read()))
reader.start()
code, _, err = quern("apply", "keep", "where=true", rows, "-o", pipe)
reader.join(20)
check(code == 0 and stat.S_ISFIFO(os.stat(pipe).st_mode) and not os.path.exists(pipe + ".part"), "the pipe is still one", code, err)
equal(got, [open(rows).read()], "and its reader has every row")

# --- a source that changes while it is read fails the run with a clear word; one that vanishes is named
big = path("big.jsonl")
line = json.dumps({"prompt": "x" * 2000}) + "\n"
write(big, line * 60000)
out = path("changes")
stop = threading.Event()


def append():
    while not stop.is_set():
        with open(big, "a") as f:
            f.write(line)
        time.sleep(0.01)


t = threading.Thread(target=append)
t.start()
r = Run(recipe, "rows=" + big, out=out)
stop.set()
t.join()
equal(r.code, 1, "a source that changes: %s" % r.stderr)
check("changed while it was read" in r.stderr and "big.jsonl" in r.stderr, r.stderr)
check(not os.path.exists(out + "/data.jsonl"), "no data of a source that never was")
equal(Run(recipe, "rows=" + big, "--limit", "10").code, 0, "when it lies still, it runs")
r = Run(recipe, "rows=" + path("gone.jsonl"))
check(r.code == 2 and "gone.jsonl" in r.stderr, "a source that is not there is a mistake of the command: %d %s" % (r.code, r.stderr))
os.remove(big)

# --- 2,000 requests in flight
many = write_rows("many.jsonl", [{"prompt": "Question %d?" % i} for i in range(4000)])
mock = Mock([], "--latency", "300")
r = Run("ask", "rows=" + many, "--model", "m=" + mock.url, "--in-flight", "2000", timeout=200)
equal((r.code, r.summary["rows"]["accepted"], len(mock.requests())), (0, 4000, 4000), "2,000 in flight: %s" % r.stderr[-300:])
print("4,000 rows with up to 2,000 requests in flight: %.1f s, %.0f MB" % (r.summary["seconds"], r.summary["peak_memory_bytes"] / 1e6))
