#!/usr/bin/env python3
"""Requests that travel in batch files: half the price, the same keys; kill -9 at every commit and no request is ever in two batches; batches that
expire, fail, are cancelled; lines that fail; limits; ctrl-C; budgets; a start whose answer never came."""
import http.client, os, signal, subprocess, sys, time, urllib.request
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N = 20
rows = write_rows("p.jsonl", [{"prompt": "Question %d?" % i} for i in range(N)])
few = write_rows("few.jsonl", [{"prompt": "Question %d?" % i} for i in range(2)])


class Endpoint(Mock):
    """A mock server and a quern.yaml that calls it `it`."""

    def __init__(self, rules=(), *args, batch="{poll: 50ms}", more=""):
        super().__init__(rules, *args)
        self.config = path("quern-%d.yaml" % time.monotonic_ns())
        write(self.config, "models:\n  it:\n    url: http://127.0.0.1:%d/v1\n    name: m\n    silence: 2s\n    deadline: 6s\n    retry: 10ms\n    batch: %s\n%s" %
                (self.port, batch, more))

    def args(self, rows=rows, recipe="ask"):
        return [recipe, "rows=" + rows, "--model", "m=it", "--config", self.config]

    def get(self, p):
        for tries in range(4):      # the script's faults meet the test as well
            try:
                with urllib.request.urlopen("http://127.0.0.1:%d/v1%s" % (self.port, p)) as r:
                    return r.read().decode()
            except (OSError, http.client.HTTPException):
                if tries == 3: raise

    def batches(self):
        """The custom ids of each batch that the server was asked to start."""
        out = []
        for r in self.requests():
            if r["method"] == "POST" and r["path"] == "/v1/batches":
                lines = self.get("/files/%s/content" % r["body"]["input_file_id"]).splitlines()
                out.append([json.loads(l)["custom_id"] for l in lines])
        return out

    def asked(self):
        return [k for b in self.batches() for k in b]


def once(m, what):
    keys = m.asked()
    equal(len(keys), len(set(keys)), "%s: no request is in two batches" % what)


def single(m):
    return [r for r in m.requests() if r["path"].endswith("/chat/completions")]


# --- the same rows as with single requests, at half the price, under the same keys
m = Endpoint(more="    price: {prompt: 100, completion: 200}\n")
r = Run(*m.args(), out=path("plain"))
equal(r.code, 0, r.stderr)
adds_up(r.summary)
equal((r.summary["rows"]["accepted"], r.summary["calls"]["sent"], len(m.batches()), len(single(m))), (N, N, 1, 0), "one batch, no single request")
t = r.summary["tokens"]
want = (t["prompt"] * 100 + t["completion"] * 200) / 1e6 / 2
check(abs(r.summary["cost_usd"] - want) < 1e-6, "half the price: %r, wanted %r" % (r.summary["cost_usd"], want))
sent = json.loads(m.get("/files/%s/content" % [q for q in m.requests() if q["path"] == "/v1/batches"][0]["body"]["input_file_id"]).splitlines()[0])
equal((sent["method"], sent["url"], sent["body"]["model"], "stream" in sent["body"]), ("POST", "/v1/chat/completions", "m", False), "a line")
plain = open(m.config).read().replace("batch: {poll: 50ms}", "batch: no")
write(m.config, plain)
again = Run(*m.args(), out=path("plain"))
equal((again.code, again.summary["calls"]["sent"], again.summary["calls"]["replayed"]), (0, 0, N), "without batches: nothing is asked again")
equal(again.data(), r.data(), "the same bytes")
flag = Run(*m.args(), "--batch", out=path("flag"))
equal((flag.code, flag.data(), len(m.batches()), len(single(m))), (0, r.data(), 2, 0), "--batch does what `batch: yes` does")
m.stop()
print("one batch of %d, half the price, the same keys and bytes as single requests" % N)

# --- kill -9 before and after every commit
def kills(name, *mock_args):
    n_killed, lost = 0, 0
    for sign in (1, -1):
        n = 0
        while True:
            n += 1
            check(n < 60, "60 kills and still not through")
            m, out = Endpoint([], "--batch-ms", str((n * 37) % 150), *mock_args), path("kill-%s-%d-%d" % (name, sign, n))
            first = Run(*m.args(few), out=out, env={"QUERN_TEST_KILL_AT_COMMIT": str(sign * n)})
            if first.code == 0:
                m.stop()
                break
            equal(first.code, -9, "killed at commit %d (%s)" % (sign * n, first.stderr))
            n_killed += 1
            before = len(m.asked())
            r = Run(*m.args(few), out=out)
            equal(r.code, 0, "resumed after commit %d: %s" % (sign * n, r.stderr))
            equal([x["prompt"] for x in r.rows()], ["Question %d?" % i for i in range(2)], "all rows")
            adds_up(r.summary)
            gone = r.summary["interrupted_in_flight"]
            if "--no-batch-list" in mock_args: lost += gone
            else: once(m, "%s, commit %d" % (name, sign * n))
            check(len(m.asked()) <= 2 + gone, "commit %d: %d requests for 2 rows, %d were lost" % (sign * n, len(m.asked()), gone))
            c = r.summary["calls"]
            equal(c["sent"] + c["replayed"] + c["collected"] >= 2, True, "sent, replayed and collected: %r" % c)
            equal(c["sent"], len(m.asked()) - before, "what this run says it sent")
            third = Run(*m.args(few), out=out)
            equal((third.summary["calls"]["sent"], third.summary["calls"]["replayed"], third.data()), (0, 2, r.data()), "a third run only replays")
            m.stop()
    check(n_killed >= 12, "the kill hook did not fire: %d kills" % n_killed)
    return n_killed, lost


print("killed at %d instants: no request was ever in two batches" % kills("list")[0])
print("killed at %d instants, at an endpoint that forgets metadata: nor there" % kills("file", "--no-metadata")[0])

# --- an endpoint that does not list its batches: what cannot be known is lost, counted and named, as with single requests
m, out = Endpoint([], "--no-batch-list"), path("no-list")
codes = []
for n in range(1, 9):
    m, out = Endpoint([], "--no-batch-list"), path("no-list-%d" % n)
    Run(*m.args(few), out=out, env={"QUERN_TEST_KILL_AT_COMMIT": str(-n)})
    r = Run(*m.args(few), out=out)
    if r.code != 0:         # the kill fell between the start and its commit
        check(r.summary["rows"]["failed"] == 2 and "cannot be told" in r.rows("failed.jsonl")[0]["_reason"], r.stderr)
        r = Run(*m.args(few), out=out)
        equal((r.code, r.summary["interrupted_in_flight"]), (0, 2), "then they are counted as lost, and asked again: %s" % r.stderr)
        codes.append(n)
    m.stop()
equal(len(codes), 1, "only one instant cannot be told: %r" % codes)
print("no list of batches: the one instant that cannot be told is said, counted, and asked again")

# --- a start whose answer never came: looked for, not started twice
for fault in ("silent_close", "cut", "reset", "not_json", "empty", "hang"):
    m = Endpoint([{"path": "/v1/batches", "nth": 1, "together": True, "fault": fault}])
    r = Run(*m.args())
    equal((r.code, r.summary["rows"]["accepted"], len(m.batches())), (0, N, 1), "%s at the start: %s" % (fault, r.stderr))
    m.stop()
m = Endpoint([{"path": "/v1/batches", "times": 3, "together": True, "status": 503, "error": "busy"}, {"path": "/v1/files", "times": 2, "together": True, "status": 429, "retry_after_ms": 20}])
r = Run(*m.args())
equal((r.code, r.summary["rows"]["accepted"]), (0, N), "429 and 503 pass: %s" % r.stderr)
m.stop()
print("a start whose answer is cut, hung, broken or 503: one batch")

# --- results that come cut, slow or broken
m = Endpoint([{"path": "/content", "nth": 1, "together": True, "fault": "cut"}, {"path": "/content", "nth": 2, "together": True, "status": 500}, {"path": "/batches/", "nth": 2, "together": True, "fault": "not_json"},
              {"path": "/batches/", "nth": 3, "together": True, "status": 502}], "--batch-ms", "200")
r = Run(*m.args())
equal((r.code, r.summary["rows"]["accepted"]), (0, N), "polls and downloads are tried again: %s" % r.stderr)
once(m, "broken polls")
m.stop()
print("polls and downloads that fail are tried again")

# --- lines that fail
def ends(rules, *args, expect=0, batch="{poll: 50ms}", rows=rows):
    m = Endpoint(rules, *args, batch=batch)
    r = Run(*m.args(rows), timeout=60)
    equal(r.code, expect, "exit code with %r: %s" % (rules, r.stderr))
    adds_up(r.summary)
    sizes = [len(b) for b in m.batches()]
    m.stop()
    return r, sizes


r, sizes = ends([{"path": "/v1/chat", "match": "Question 7?", "times": 1, "status": 500, "error": "oops"}])
equal((r.summary["rows"]["accepted"], sizes), (N, [N, 1]), "a line that failed with 500 goes into a second batch")
r, sizes = ends([{"path": "/v1/chat", "match": "Question 7?", "fault": "empty"}])
equal((r.summary["rows"]["failed"], sizes), (1, [N, 1, 1]), "a line without content is asked three times")
r, sizes = ends([{"path": "/v1/chat", "match": "Question 7?", "status": 400, "error": "this prompt is not liked"}])
equal((r.summary["rows"]["failed"], sizes), (1, [N]), "a 400 is final")
check("not liked" in r.rows("failed.jsonl")[0]["_reason"], r.rows("failed.jsonl")[0]["_reason"])
r, sizes = ends([{"path": "/v1/chat", "match": "Question 7?", "refusal": "I will not."}])
equal((r.summary["rows"]["rejected"], r.rows("rejected.jsonl")[0]["_measure"]), (1, "refused"), "a refusal is a verdict")
r, sizes = ends([{"path": "/v1/chat", "match": "Question 7?", "times": 1, "batch": "lacks"}])
equal((r.summary["rows"]["accepted"], sizes), (N, [N, 1]), "a request without any result goes into a second batch")
r, sizes = ends([{"path": "/v1/chat", "match": "Question 1", "times": 5, "together": True, "batch": "expired"}])
equal((r.summary["rows"]["accepted"], sizes), (N, [N, 5]), "what was not reached goes into a second batch")
r, sizes = ends([{"path": "/v1/batches", "nth": 1, "together": True, "batch": "expired"}])
equal((r.summary["rows"]["accepted"], sizes), (N, [N, N]), "an expired batch is made again")
r, sizes = ends([{"path": "/v1/batches", "batch": "expired"}], expect=1)
equal((r.summary["rows"]["failed"], sizes), (N, [N, N, N]), "three times, then the rows fail")
check("expired" in r.rows("failed.jsonl")[0]["_reason"], r.rows("failed.jsonl")[0]["_reason"])
r, sizes = ends([{"path": "/v1/batches", "batch": "cancelled"}], expect=1)
equal((r.summary["rows"]["failed"], sizes), (N, [N]), "who cancels a batch does not want it sent again")
r, sizes = ends([{"path": "/v1/batches", "batch": "failed"}], expect=1)
equal((r.summary["rows"]["failed"], sizes), (N, [N]), "a failed batch")
check("invalid_json_line" in r.rows("failed.jsonl")[0]["_reason"], r.rows("failed.jsonl")[0]["_reason"])
r, sizes = ends([{"path": "/v1/files", "status": 404, "error": "no such path"}], expect=1)
check("leave out `batch`" in r.rows("failed.jsonl")[0]["_reason"], r.rows("failed.jsonl")[0]["_reason"])
print("lines and batches that fail, expire, are cancelled or forgotten: each row ends once, with its reason")

# --- repairs: a few are asked singly, at the full price; many, or where it is wished, make a further batch
many = write_rows("many.jsonl", [{"prompt": "Question %d?" % i} for i in range(60)])
shaped = write("shaped.yaml", "quern: 1\nparams:\n  rows: {type: path}\n  m: {type: model}\nsteps:\n  - read_rows: {path: $rows}\n"
        "  - ask: {model: $m, prompt: '{{ .prompt }}', reply: {colour: text}, max_tokens: 50}\n  - write: {to: data.jsonl}\n")


def repairs(which, batch):
    """`which`: the questions whose first reply lacks its shape."""
    wrong = {"regex": "^Question (%s)[?]" % which, "json": '{"color": 1}'}
    m = Endpoint([{"path": "/v1/chat", "whole": "color", "json": '{"colour": "red"}'}, wrong, {"path": "/v1/chat", "json": '{"colour": "blue"}'}], batch=batch, more="    price: {prompt: 100, completion: 200}\n")
    r = Run(*m.args(many, shaped))
    equal((r.code, r.summary["rows"]["accepted"]), (0, 60), "repaired: %s" % r.stderr)
    equal(sorted({x["colour"] for x in r.rows()}), ["blue", "red"], "the repaired replies are used")
    got = [len(b) for b in m.batches()], len(single(m))
    m.stop()
    return r, got


r, got = repairs("7", "{poll: 50ms}")
equal(got, ([60], 1), "one repair after a batch of 60 is asked singly")
_, got = repairs("7", "{poll: 50ms, singly: 0}")
equal(got, ([60, 1], 0), "singly: 0 makes a batch of it")
_, got = repairs("1[0-9]", "{poll: 50ms}")
equal(got, ([60, 10], 0), "ten of sixty are a batch")
print("one repair after a batch of 60 does not wait for another batch; ten make one, and so does `singly: 0`")

# --- limits of a file, and of the endpoint
r, sizes = ends([], batch="{poll: 50ms, requests: 7}")
equal((r.summary["rows"]["accepted"], sorted(sizes)), (N, [6, 7, 7]), "at most 7 requests in a file")
r, sizes = ends([], batch="{poll: 50ms, size: 3kB}")
check(r.summary["rows"]["accepted"] == N and len(sizes) >= 4 and sum(sizes) == N, "at most 3 kB in a file: %r" % sizes)
r, sizes = ends([{"path": "/v1/batches", "from": 2, "together": True, "batch": "full"}], "--batch-ms", "200", batch="{poll: 50ms, requests: 7}")
equal(r.summary["rows"]["accepted"], N, "an endpoint that is full is waited for: %r" % sizes)
print("files stay within their limits; an endpoint that is full is waited for")

# --- ctrl-C leaves a batch where it is; the next run collects it, with or without --batch
def interrupted(m, out, *more):
    p = subprocess.Popen([QUERN, "run", *m.args(), "-o", out, "--json", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(200):
        if any(q["path"].startswith("/v1/batches/") for q in m.requests()): break
        time.sleep(0.05)
    p.send_signal(signal.SIGINT)
    stdout, stderr = p.communicate(timeout=30)
    return p.returncode, json.loads(stdout), stderr.decode()


m, out = Endpoint([], "--batch-ms", "2500"), path("ctrl-c")
begin = time.monotonic()
code, s, words = interrupted(m, out)
check(time.monotonic() - begin < 2.4, "ctrl-C does not wait for the batch")
equal((code, s["rows"]["pending"], s["interrupted_in_flight"]), (130, N, 0), words)
check("in batches" in s["ended_words"], s["ended_words"])
with open(m.config) as f: text = f.read()
write(m.config, text.replace("batch: {poll: 50ms}", "batch: no"))
r = Run(*m.args(), out=out)
equal((r.code, r.summary["rows"]["accepted"], r.summary["calls"]["sent"], r.summary["calls"]["collected"], r.summary["interrupted_in_flight"]), (0, N, 0, N, 0), r.stderr)
equal((len(m.batches()), len(single(m))), (1, 0), "nothing is sent a second time, also when the model takes no batches any more")
m.stop()
print("ctrl-C leaves %d requests in their batch, the next run collects them" % N)

# --- fewer rows in the next run: what nobody asked for is recorded all the same
m, out = Endpoint([], "--batch-ms", "1200"), path("fewer")
interrupted(m, out)
r = Run(*m.args(), "--limit", "3", out=out)
equal((r.code, r.summary["rows"]["accepted"], r.summary["calls"]["sent"]), (0, 3, 0), r.stderr)
r = Run(*m.args(), out=out)
equal((r.code, r.summary["rows"]["accepted"], r.summary["calls"]["sent"]), (0, N, 0), r.stderr)
once(m, "fewer rows")
m.stop()
print("replies that no row asked for are recorded for the next run")

# --- the server is gone while a batch is waited for; it comes back
m, out = Endpoint([], "--batch-ms", "1000"), path("gone")
interrupted(m, out)
m.process.send_signal(signal.SIGSTOP)
r = Run(*m.args(), out=out, timeout=60)
check(r.code in (1, 4) and r.summary["rows"]["accepted"] == 0, "a server that does not answer: %d %s" % (r.code, r.stderr))
m.process.send_signal(signal.SIGCONT)
r = Run(*m.args(), out=out)
equal((r.code, r.summary["rows"]["accepted"], r.summary["calls"]["sent"]), (0, N, 0), r.stderr)
once(m, "a server that hung")
m.stop()
print("a server that hangs while a batch is waited for: its requests stay there, the next run collects them")

# --- a budget: worst cases at half the price; what lies in a batch is counted in the next run
m, out = Endpoint([{"completion_tokens": 1000}], "--batch-ms", "1500", more="    price: {prompt: 100, completion: 1000}\n"), path("budget")
code, s, words = interrupted(m, out, "max_tokens=1000", "--budget", "5")
n_sent = len(m.asked())
check(code in (3, 130) and 5 <= n_sent <= 10, "1000 tokens at $1000 per million, half: $0.50 each; %d of them in $5 (%s)" % (n_sent, words))
r = Run(*m.args(), "max_tokens=1000", "--budget", "1", out=out)
check(r.code == 3 and len(m.asked()) == n_sent, "what lies in the batch is counted: nothing new leaves under a smaller budget (%d)" % r.code)
m.stop()
print("a budget of $5 let %d requests of at most $0.50 leave, and the next run counts them" % n_sent)

# --- two steps, both in batches; and one of each kind
recipe = write("two.yaml", "quern: 1\nparams:\n  rows: {type: path}\n  m: {type: model}\nsteps:\n  - read_rows: {path: $rows}\n"
        "  - ask: {model: $m, prompt: '{{ .prompt }}', reply: {first: text}}\n  - ask: {model: $m, prompt: 'Again: {{ .first }}'}\n  - write: {to: data.jsonl}\n")
m = Endpoint()
r = Run(*m.args(recipe=recipe))
equal((r.code, r.summary["rows"]["accepted"], [len(b) for b in m.batches()]), (0, N, [N, N]), r.stderr)
m.stop()
print("two steps: one batch after the other")
