#!/usr/bin/env python3
"""search and fetch_pages on a scripted server on 127.0.0.1: engines as quern.yaml says, keys that reach nobody else, replies that are asked for once."""
import os, subprocess, sys, urllib.parse
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *


def recipe(name, text):
    p = path(name)
    with open(p, "w") as f:
        f.write(text)
    return p


def everything_under(folder):
    return b"".join(bytes_of(d, f) for d, _, files in os.walk(folder) for f in files)


# ---------------------------------------------------------------- search: engines
HITS = [{"link": "http://a.example/%d" % i, "name": "Page %d" % i, "about": "What stands on page %d." % i} for i in range(8)]
mock = Mock([
    {"path": "/find", "regex": "q=nothing", "raw": json.dumps({"hits": []})},
    {"path": "/find", "raw": json.dumps({"hits": HITS})},
    {"path": "/brave", "raw": json.dumps({"web": {"results": [{"url": "http://b.example/", "title": "B <strong>x</strong>", "description": "a &amp; b"}]}})},
    {"path": "/search", "raw": json.dumps({"results": [{"url": "http://s.example/", "title": "S", "content": "s"}]})},
    {"path": "/away", "status": 302, "headers": {"Location": "/brave"}},
])
base = "http://127.0.0.1:%d" % mock.port
home = path("home", "quern.yaml")
with open(home, "w") as f:
    f.write("""models:
  own:
    url: %s
    query: {token: env:OWN_TOKEN}
    rpm: 120
    search: {address: "/find?q={{ .query | @uri }}&n={{ .k }}", results: .hits, url: .link, title: .name, text: .about}
  brave: {url: %s/brave, search: brave, key: env:BRAVE_KEY, price: {request: 0.005}}
  moved: {url: %s/away, search: brave, key: env:BRAVE_KEY}
""" % (base, base, base))
asks = recipe("search.yaml", """quern: 1
params: {rows: {type: path}, engine: {type: model}}
steps:
  - read_rows: {path: $rows}
  - search: {query: .q, engine: $engine, k: 3}
  - write: {to: data.jsonl}
""")
rows = write_rows("q.jsonl", [{"q": "mill & stone %d" % i} for i in range(3)] + [{"q": "nothing"}, {"q": "mill & stone 0"}])
env = {"OWN_TOKEN": "T0KEN-of-mine", "BRAVE_KEY": "K3Y-of-brave"}
os.chdir(os.path.dirname(home))


def search(engine, *args, code=0, out=None):
    r = Run(asks, "rows=" + rows, "--model", "engine=" + engine, *args, env=env, out=out)
    equal(r.code, code, "search by %s: %s" % (engine, r.stderr[-400:]))
    return r


began = time.monotonic()
r = search("own")
took = time.monotonic() - began
adds_up(r.summary)
asked = [q for q in mock.requests() if q["path"] == "/find"]
equal(len(asked), 4, "equal queries are asked once")
check(took > 0.7, "4 requests at 120 a minute took %.2f s" % took)
equal(sorted(urllib.parse.parse_qs(q["query"])["q"][0] for q in asked), ["mill & stone 0", "mill & stone 1", "mill & stone 2", "nothing"], "queries arrive whole")
check(all(urllib.parse.parse_qs(q["query"])["token"] == ["T0KEN-of-mine"] for q in asked), "the secret of the query is on the wire")
got = {x["q"]: x["results"] for x in r.rows()}
equal(got["nothing"], [], "no results are an empty list")
equal(got["mill & stone 1"], [{"url": h["link"], "title": h["name"], "text": h["about"], "rank": i + 1, "query": "mill & stone 1"} for i, h in enumerate(HITS[:3])], "three results")
again = search("own", out=r.out)
equal((again.summary["calls"]["sent"], again.data()), (0, r.data()), "asked again: all from the ledger")
r2 = search("brave")
check(all(q.get("token") == "K3Y-of-brave" and not q["authorization"] for q in mock.requests() if q["path"] == "/brave"), "brave's key goes into its own header")
equal(r2.rows()[0]["results"][0]["title"], "B x", "tags are gone")
check(abs(r2.summary["cost_usd"] - 0.020) < 1e-9, "four requests at half a cent", r2.summary["cost_usd"])
n = len(mock.requests())
r3 = search("moved", code=1)
check(not any(q["path"] == "/brave" for q in mock.requests()[n:]), "a redirect is not followed with a key")
r4 = search("http://127.0.0.1:%d#searxng" % mock.port)
equal(r4.rows()[0]["results"][0]["url"], "http://s.example/", "an engine on the command line")
check("no search engine that quern knows" in search("http://127.0.0.1:%d#m" % mock.port, code=2).stderr, "a model is no engine")
os.makedirs(path("odd"), exist_ok=True)
with open(path("odd", "quern.yaml"), "w") as f:
    f.write("models:\n  odd: {url: %s, search: google}\n" % base)
os.chdir(path("odd"))
check("quern.yaml:2:" in search("odd", code=2).stderr and "called `google`" in search("odd", code=2).stderr, "an unknown kind is named, with its place")
for run in (r, r2, r3):
    held = everything_under(run.out) + run.stderr.encode()
    check(b"T0KEN" not in held and b"K3Y" not in held, "no secret in what a run leaves")
mock.stop()
print("search: engines, keys, pace, one request for equal queries")

# ---------------------------------------------------------------- search: documents
os.chdir(TMP)
docs = os.path.join(ROOT, "examples", "docs")
local = recipe("local.yaml", """quern: 1
params: {rows: {type: path}, docs: {type: path}, engine: {type: model, default: builtin}}
steps:
  - read_rows: {path: $rows}
  - search: {query: .q, engine: $engine, in: $docs, k: 2, max: 64, min: 8}
  - each: {of: .results, spread: yes}
  - write: {to: data.jsonl}
""")
corpus = write_rows("corpus.jsonl", [{"title": "Mills", "text": "A water mill grinds grain between two stones."}, {"title": "Bread", "text": "Bakers knead dough."}])
rows = write_rows("q2.jsonl", [{"q": "what grinds grain"}, {"q": "zzzz"}])
r = Run(local, "rows=" + rows, "docs=" + corpus)
equal([(x["q"], x["url"], x["title"], x["rank"]) for x in r.rows()], [("what grinds grain", "corpus.jsonl:1#0", "Mills", 1)], "the passage with its place")
equal(r.summary["rows"]["rejected"], 1, "a query that finds nothing leaves no row")
r = Run(local, "rows=" + rows, "docs=" + docs)
check(r.code in (0, 1), r.stderr)
missing = Run(local, "rows=" + rows, "docs=" + path("none"))
check(missing.code != 0 and "none" in missing.stderr, "documents that are not there stop the run", missing.stderr)
print("search: documents of one's own")
