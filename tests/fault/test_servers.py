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
    write(fast, text + (models or ""))
    r = Run(recipe, "rows=" + rows, "--model", "m=it", "--config", fast, timeout=timeout)
    equal(r.code, expect, "exit code with %s (%s)" % (rules, r.stderr))
    adds_up(r.summary)
    equal(r.summary["rows"]["in"], N, "all rows are accounted for with %s" % rules)
    mock.stop()
    return r


def all_answered(name, rules, retried=True):
    r = run(rules)
    equal(r.summary["rows"]["accepted"], N, "%s: rows accepted" % name)
    equal(r.summary["calls"]["retried"] > 0, retried, "%s: requests were retried" % name)
    print("%-28s all %d rows answered, %d requests retried" % (name, N, r.summary["calls"]["retried"]))


all_answered("a storm of 429", [{"to": 30, "together": True, "status": 429, "retry_after_ms": 20, "error": "slow down"}])
all_answered("429 with Retry-After", [{"every": 3, "status": 429, "retry_after_ms": 100}])
all_answered("half of all replies are 500", [{"every": 2, "status": 500, "error": "oops"}])
all_answered("connections cut", [{"every": 4, "fault": "cut"}])
all_answered("connections reset", [{"every": 4, "fault": "reset"}])
all_answered("a slow drip", [{"every": 6, "fault": "drip", "drip_ms": 20, "drip_bytes": 8}], retried=False)
all_answered("hangs", [{"every": 8, "times": 3, "together": True, "fault": "hang"}])
all_answered("empty bodies", [{"every": 5, "fault": "empty"}])
all_answered("truncated JSON", [{"every": 5, "fault": "truncated"}])
all_answered("no JSON at all", [{"every": 5, "fault": "not_json"}])
all_answered("invalid UTF-8", [{"every": 5, "fault": "invalid_utf8"}])
all_answered("a lying Content-Length", [{"every": 5, "stream": False, "fault": "lie_long"}])

r = run([{"match": "Question 7?", "status": 400, "error": "this prompt is not liked"}])
equal((r.summary["rows"]["accepted"], r.summary["rows"]["failed"]), (N - 1, 1), "one row fails for good")
check("not liked" in r.rows("failed.jsonl")[0]["_reason"], "the server's words are the reason:", r.rows("failed.jsonl")[0]["_reason"])
print("%-28s one failed row, with the server's words" % "HTTP 400 on one row")

# some servers end a stream empty where they would have said why without one
asked = Mock([{"match": "Question 7?", "nth": 1, "fault": "empty"}, {"match": "Question 7?", "status": 400, "error": "the prompt is too long"}])
r = Run("ask", "rows=" + rows, "--model", "m=" + asked.url)
check("too long" in r.rows("failed.jsonl")[0]["_reason"], r.rows("failed.jsonl")[0]["_reason"])
equal([q["body"].get("stream") for q in asked.requests() if "Question 7?" in json.dumps(q["body"])], [True, None], "asked again without a stream")
asked.stop()
print("%-28s asked again without one, and the server's words are had" % "a stream that comes empty")

r = run([{"match": "Question 7?", "refusal": "I will not."}])
equal((r.summary["rows"]["accepted"], r.summary["rows"]["rejected"]), (N - 1, 1), "a refusal is a verdict")
equal(r.rows("rejected.jsonl")[0]["_measure"], "refused", "its name")
print("%-28s one rejected row" % "a refusal")

r = run([{"status": 500, "error": "down for good"}], expect=1)
equal(r.summary["rows"]["failed"], N, "every row failed")
print("%-28s exit 1, nothing is called success" % "every reply is 500")

for name, url in [("nobody listens", "http://127.0.0.1:9/v1#m"), ("a name that is not there", "http://no-such-host.invalid/v1#m")]:
    r = Run("ask", "rows=" + rows, "--model", "m=" + url, timeout=180)
    equal(r.code, 4, "%s: exit code (%s)" % (name, r.stderr))
    check(r.summary["rows"]["accepted"] == 0, name)
    print("%-28s exit 4: %s" % (name, r.summary["ended_words"][:70] if r.summary.get("ended_words") else r.stderr.strip()[:70]))

# --- a proxy: named in quern.yaml or by the environment, dead, refusing; and never between us and a server on this machine
import socket, threading


class Proxy:
    """Forwards plain requests to one port, whatever host they name; or answers 407."""

    def __init__(self, to, refuses=False):
        self.to, self.refuses, self.n = to, refuses, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try: c, _ = self.listener.accept()
            except OSError: return
            self.n += 1
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        if self.refuses:
            c.recv(65536)
            c.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            c.close()
            return
        up = socket.create_connection(("127.0.0.1", self.to))
        threading.Thread(target=self.pump, args=(up, c), daemon=True).start()
        self.pump(c, up)

    def pump(self, a, b):
        try:
            while (data := a.recv(65536)): b.sendall(data.replace(b"POST http://far.invalid", b"POST ").replace(b"POST  ", b"POST "))
        except OSError: pass
        for s in (a, b):
            try: s.shutdown(socket.SHUT_RDWR)
            except OSError: pass


def through(proxy_line, env=None, url="http://far.invalid/v1"):
    write(fast, "models:\n  it:\n    url: %s\n    name: m\n    silence: 1s\n    deadline: 5s\n    retry: 50ms\n%s" % (url, proxy_line))
    clean = {k: "" for k in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")}
    return Run("ask", "rows=" + rows, "--model", "m=it", "--config", fast, env={**clean, **(env or {})}, timeout=90)


mock = Mock()
proxy = Proxy(mock.port)
for name, r in [("named in quern.yaml", through("    proxy: http://127.0.0.1:%d\n" % proxy.port)),
                ("named by http_proxy", through("", {"http_proxy": "http://127.0.0.1:%d" % proxy.port}))]:
    equal((r.code, r.summary["rows"]["accepted"]), (0, N), "a proxy %s: %s" % (name, r.stderr))
check(proxy.n > 0 and len(mock.requests()) == 2 * N, "all of it went through the proxy")
dead = {"http_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"}
r = through("", dead, "http://127.0.0.1:%d/v1" % mock.port)
equal((r.code, r.summary["rows"]["accepted"], r.summary["calls"]["replayed"]), (0, N, 0), "the environment's proxy does not come between us and this machine: " + r.stderr)
r = through("", dead)
equal(r.code, 4, "a dead proxy: " + r.stderr)
r = through("    proxy: http://127.0.0.1:%d\n" % Proxy(mock.port, refuses=True).port)
equal((r.code, r.summary["rows"]["failed"]), (1, N), "a proxy that refuses: " + r.stderr)
check("407" in r.rows("failed.jsonl")[0]["_reason"], r.rows("failed.jsonl")[0]["_reason"])
mock.stop()
print("%-28s used where named, not for this machine; dead and refusing ones are said" % "proxies")

# --- a server that dies in the middle for good: what was answered is kept; when it is back, only the rest is asked
first = Mock([], "--latency", "100", "--slots", "2")
out, killer = path("dies"), threading.Timer(0.7, first.process.kill)
write(fast, "models:\n  it:\n    url: http://127.0.0.1:%d/v1\n    name: m\n    silence: 1s\n    deadline: 3s\n    retry: 50ms\n" % first.port)
killer.start()
r = Run("ask", "rows=" + rows, "--model", "m=it", "--config", fast, out=out, timeout=90)
check(r.code in (1, 4) and 0 < r.summary["rows"]["accepted"] < N, "a server that died: exit %d, %r" % (r.code, r.summary["rows"]))
adds_up(r.summary)
had = r.summary["rows"]["accepted"]
first.process.wait()
second = Mock([], "--port", str(first.port))
r = Run("ask", "rows=" + rows, "--model", "m=it", "--config", fast, out=out, timeout=90)
equal((r.code, r.summary["rows"]["accepted"], r.summary["calls"]["replayed"], len(second.requests())), (0, N, had, N - had), "it is back: " + r.stderr)
print("%-28s %d replies kept, the other %d asked when it was back" % ("a server that dies", had, N - had))
