#!/usr/bin/env python3
"""search and fetch_pages on a scripted server on 127.0.0.1: engines as quern.yaml says, keys that reach nobody else, replies that are asked for once."""
import collections, os, subprocess, sys, urllib.parse, urllib.request
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *


def recipe(name, text):
    p = write(name, text)
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
write(home, """models:
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
write(path("odd", "quern.yaml"), "models:\n  odd: {url: %s, search: google}\n" % base)
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
ways = recipe("ways.yaml", """quern: 1
params: {rows: {type: path}, docs: {type: path}, encoder: {type: path, default: ""}}
steps:
  - read_rows: {path: $rows}
  - search: {query: .q, in: $docs, encoder: $encoder, by: '{{ .how }}', k: 2, max: 64, min: 8}
  - write: {to: data.jsonl}
""")
rows = write_rows("q3.jsonl", [{"q": q, "how": how} for q in ("what grinds grain", "zzzz") for how in ("words", "meaning", "both")] + [{"q": "zzzz", "how": "luck"}])
r = Run(ways, "rows=" + rows, "docs=" + corpus, "encoder=" + small_encoder())
equal([(x["how"], len(x["results"])) for x in r.rows()], [("words", 1), ("meaning", 2), ("both", 2), ("words", 0), ("meaning", 2), ("both", 2)], "by words only what shares one, by meaning all")
check(r.summary["rows"]["failed"] == 1 and "words, meaning and both, not `luck`" in r.stderr + r.stdout, "a way that is none fails its row", r.stderr)
r = Run(ways, "rows=" + rows, "docs=" + corpus)
equal((r.summary["rows"]["failed"], len(r.rows())), (5, 2), "without an encoder the rows that want the meaning fail")
print("search: documents of one's own, by words, by meaning and by both")

# An embeddings endpoint: each passage is embedded once, for all rows and for all steps over the same documents; the order is that of the cosines.
library = write_rows("library.jsonl", [{"title": "T%d" % i, "text": "Passage number %d is about %s and about %s, as is told in book %d." % (i, a, b, i)}
                                       for i, (a, b) in enumerate((a, b) for a in "mills rivers bread ships clocks salt wool tin bees coal".split() for b in "trade law fire song ice dust war".split())])
twice = recipe("twice.yaml", """quern: 1
params: {rows: {type: path}, docs: {type: path}, embedder: {type: model}}
steps:
  - read_rows: {path: $rows}
  - search: {query: .q, in: $docs, embedder: $embedder, by: '{{ .how }}', k: 5, max: 64, min: 8}
  - search: {query: '.q + " told"', in: $docs, embedder: $embedder, by: meaning, k: 3, max: 64, min: 8, as: more}
  - write: {to: data.jsonl}
""")
mock = Mock()
rows = write_rows("q4.jsonl", [{"q": q, "how": how} for how in ("meaning", "words", "both") for q in ("ships and ice", "bees in war", "zzzz")])
r = Run(twice, "rows=" + rows, "docs=" + library, "--model", "embedder=" + mock.url, "--workers", "2")
equal(r.code, 0, "search by an endpoint's vectors: " + r.stderr)
inputs = collections.Counter(t for q in mock.requests() if "body" in q for t in q["body"].get("input", []))
passages = [t for t in inputs if t.startswith("Passage")]
equal((len(passages), set(inputs.values())), (70, {1}), "each text is embedded once, for nine rows and two steps")
check(max(len(q["body"]["input"]) for q in mock.requests() if "body" in q) <= 32, "no more texts in a request than small servers take")
equal(r.stderr.count("passages of") + open(os.path.join(r.out, "run.log")).read().count("passages of"), 1, "two steps share one index")


def vector(text):
    q = urllib.request.Request("http://127.0.0.1:%d/v1/embeddings" % mock.port, json.dumps({"model": "m", "input": [text]}).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(q))["data"][0]["embedding"]


vectors = {t: vector(t) for t in passages}
for x in r.rows():
    for query, results in ((x["q"], x["results"] if x["how"] == "meaning" else None), (x["q"] + " told", x["more"])):
        if results is None:
            continue
        near = sorted(passages, key=lambda t: -sum(a * b for a, b in zip(vectors[t], vector(query))))
        score = lambda t: round(sum(a * b for a, b in zip(vectors[t], vector(query))), 4)
        equal([score(h["text"]) for h in results], [score(t) for t in near[:len(results)]], "the passages nearest to %r" % query)
equal([len(x["results"]) for x in r.rows() if x["q"] == "zzzz"], [5, 0, 5], "by words nothing, by meaning what is nearest")
n = len(mock.requests())
again = Run(twice, "rows=" + rows, "docs=" + library, "--model", "embedder=" + mock.url, out=r.out)
equal((again.summary["calls"]["sent"], again.data(), len(mock.requests())), (0, r.data(), n), "again: all vectors from the ledger")
traced = quern("trace", "--line", "1", "-o", r.out)[1]
equal(traced.count('{"input":['), 2, "a row's history has its own two queries, and no passage's vectors: " + traced)
planned = quern("plan", twice, "rows=" + write_rows("many.jsonl", [{"q": "word %d" % i, "how": "both"} for i in range(400)]), "docs=" + library, "--model", "embedder=" + mock.url, "--json")[1]
steps = {s["step"]: s["calls"] for s in json.loads(planned)["steps"]}
check(400 <= steps["search"] <= 404, "the plan counts a request a row, and those for the passages once", steps)
mock.stop()
print("search: vectors of an endpoint, once for all rows and steps")

# ---------------------------------------------------------------- fetch_pages
PAGE = "<html><head><title>%s</title></head><body><nav><a href=x>menu</a></nav><article><h1>%s</h1><p>%s</p></article></body></html>"
PROSE = "A water mill turns the weight of falling water into the turning of a stone, and the stone grinds grain into flour for the whole village. " * 4
html = {"Content-Type": "text/html; charset=utf-8"}
pdfs = os.path.join(SHARED, "docs", "pdf")
pdf = sorted(os.listdir(pdfs))[0] if os.path.isdir(pdfs) else None
latin = path("latin.html")
with open(latin, "wb") as f:
    f.write((PAGE % ("Caf\u00e9", "Caf\u00e9", PROSE)).encode("latin-1"))
rules = [
    {"path": "/robots.txt", "raw": "User-agent: *\nDisallow: /\n\nUser-agent: quern\nDisallow: /private\nAllow: /private/open\n", "headers": {"Content-Type": "text/plain"}},
    {"path": "/mill", "raw": PAGE % ("Mills", "The mill", PROSE), "headers": html},
    {"path": "/private", "raw": PAGE % ("No", "No", "never"), "headers": html},
    {"path": "/moved", "status": 301, "headers": {"Location": "/mill?moved"}},
    {"path": "/into", "status": 302, "headers": {"Location": "/private/secret"}},
    {"path": "/round", "status": 302, "headers": {"Location": "/round"}},
    {"path": "/gone", "status": 404},
    {"path": "/picture", "raw": "PNG", "headers": {"Content-Type": "image/png"}},
    {"path": "/long", "raw": "x" * 5000, "headers": {"Content-Type": "text/plain"}},
    {"path": "/slow", "raw": "x", "latency_ms": 20000},
    {"path": "/plain", "raw": "Plain words.\n\nAnd more.", "headers": {"Content-Type": "text/plain"}},
    {"path": "/latin", "file": latin, "headers": {"Content-Type": "text/html; charset=iso-8859-1"}},
    {"path": "/broken", "raw": "%PDF-1.4 nothing", "headers": {"Content-Type": "application/pdf"}},
]
if pdf:
    rules.append({"path": "/paper", "file": os.path.join(pdfs, pdf), "headers": {"Content-Type": "application/pdf"}})
mock = Mock(rules)
base = "http://127.0.0.1:%d" % mock.port
fetch = recipe("fetch.yaml", """quern: 1
params: {rows: {type: path}, private: {type: bool, default: no}, pace: {type: real, default: 60000}}
steps:
  - read_rows: {path: $rows}
  - fetch_pages: {allow_private: $private, max_bytes: 4000, seconds: 3, per_minute: $pace}
  - write: {to: data.jsonl}
""")


def fetched(paths, *args, code=0, where=None, out=None):
    rows = write_rows("urls-%d.jsonl" % time.monotonic_ns(), [{"url": p if "://" in p else base + p} for p in paths])
    r = Run(where or fetch, "rows=" + rows, *args, out=out)
    equal(r.code, code, "fetch: " + r.stderr[-400:])
    adds_up(r.summary)
    return r


n = len(mock.requests())
r = fetched(["/mill", "/plain"], code=1)
check(all("private or local address" in x["_reason"] for x in r.rows("failed.jsonl")) and len(r.rows("failed.jsonl")) == 2, "private addresses are refused", r.rows("failed.jsonl"))
equal(len(mock.requests()), n, "and not asked")
urls = ["/mill", "/mill#part", "/private/x", "/private/open", "/moved", "/into", "/round", "/gone", "/picture", "/plain", "/latin", "ftp://a.example/", "http://u:p@127.0.0.1/"]
r = fetched(urls, "private=yes")
got = {x["url"].replace(base, ""): x for x in r.rows()}
equal(sorted(got), ["/latin", "/mill", "/mill#part", "/moved", "/plain", "/private/open"], "what was fetched")
check("water mill turns" in got["/mill"]["text"] and "menu" not in got["/mill"]["text"], "the text without its menu", got["/mill"]["text"][:200])
equal((got["/mill"]["title"], got["/mill"]["doc"]["format"]), ("Mills", "html"), "title and format")
equal(got["/moved"]["doc"]["url"], base + "/mill?moved", "a redirect is followed, and the row says where to")
check("Caf\u00e9" in got["/latin"]["title"], "the encoding that the server names", got["/latin"]["title"])
why = {x["url"].replace(base, ""): x["_reason"] for x in r.rows("rejected.jsonl")}
for url, says in {"/private/x": "does not allow /private", "/into": "does not allow /private", "/round": "redirects", "/gone": "404", "/picture": "image/png",
                  "ftp://a.example/": "address", "http://u:p@127.0.0.1/": "user or password"}.items():
    check(says in why.get(url, ""), "%s is rejected: %r" % (url, why.get(url)))
asked = [q["path"] for q in mock.requests()[n:]]
equal(asked.count("/robots.txt"), 1, "one robots.txt for a host")
check(not [a for a in asked if a in ("/private/x", "/private/secret")], "what is not allowed is not asked for")
equal(asked.count("/mill"), 2, "the same page, with and without a query, once each")
again = Run(fetch, "rows=" + write_rows("same.jsonl", [{"url": u if "://" in u else base + u} for u in urls]), "private=yes", out=r.out)
equal((again.summary["calls"]["sent"], again.data()), (0, r.data()), "again: all from the ledger")

r = fetched(["/long", "/slow", "/broken"], "private=yes", code=1)
why = {x["url"].replace(base, ""): x["_reason"] for x in r.rows("failed.jsonl")}
check("larger than allowed" in why["/long"] and "deadline" in why["/slow"] and "cannot be read" in why["/broken"], "limits and broken files fail their row", why)
check("/tmp/quern-page" not in json.dumps(why), "no name of a temporary file", why)
check(not [f for f in os.listdir(os.environ.get("TMPDIR", "/tmp")) if f.startswith("quern-page-") and f.endswith(".pdf") and os.stat("/tmp/" + f).st_mtime > time.time() - 60], "and none is left")
if pdf:
    big = recipe("pdf.yaml", open(fetch).read().replace("max_bytes: 4000", "max_bytes: 20M").replace("seconds: 3", "seconds: 60"))
    r = fetched(["/paper"], "private=yes", where=big)
    check(len(r.rows()[0]["text"]) > 500 and r.rows()[0]["doc"]["format"] == "pdf", "a PDF comes as bytes and is read")
    again = fetched(["/paper"], "private=yes", where=big, out=r.out)
    equal((again.summary["calls"]["sent"], again.data()), (0, r.data()), "and is the same from the ledger")

# Rows that meet at one address share one request, and each gets all of the reply: type, place of the redirect, bytes.
n = len(mock.requests())
many = fetched(["/moved", "/latin"] * 30, "private=yes", "--workers", "2", out=path("shared", "x")[:-2])
equal(many.summary["rows"]["accepted"], 60, "60 rows of 2 addresses: %s" % many.summary["rows"])
equal(collections.Counter((x["doc"]["url"][len(base):], x["doc"]["format"]) for x in many.rows()), {("/mill?moved", "html"): 30, ("/latin", "html"): 30}, "every row has the page")
equal(len([q for q in mock.requests()[n:] if q["path"] == "/latin"]), 1, "asked once")

began = time.monotonic()
fetched(["/mill?%d" % i for i in range(4)], "private=yes", "pace=120")
check(time.monotonic() - began > 1.2, "4 pages and a robots.txt at 120 a minute took %.2f s" % (time.monotonic() - began))
mock.stop()
mock = Mock([{"path": "/robots.txt", "status": 404}, {"path": "/mill", "raw": PAGE % ("Mills", "The mill", PROSE), "headers": html}])
base = "http://127.0.0.1:%d" % mock.port
equal(len(fetched(["/mill"], "private=yes").rows()), 1, "no robots.txt: all is allowed")
mock.stop()
# A robots.txt holds for a time: then it is asked for again for pages that are not there yet; what was fetched stays.
mock = Mock([{"path": "/robots.txt", "nth": 1, "raw": "User-agent: *\nDisallow: /late\n", "headers": {"Content-Type": "text/plain"}},
             {"path": "/robots.txt", "raw": "User-agent: *\nDisallow: /mill\n", "headers": {"Content-Type": "text/plain"}},
             {"path": "/", "raw": PAGE % ("Mills", "The mill", PROSE), "headers": html}])
base = "http://127.0.0.1:%d" % mock.port
aging = recipe("aging.yaml", open(fetch).read().replace("per_minute: $pace", "per_minute: $pace, robots_hours: $hours").replace("params: {", "params: {hours: {type: real}, "))
urls = write_rows("aging.jsonl", [{"url": base + p} for p in ("/mill", "/late", "/mill?2")])
first = Run(aging, "rows=" + urls, "private=yes", "hours=24")
equal(sorted(x["url"][len(base):] for x in first.rows()), ["/mill", "/mill?2"], "what the first robots.txt allows")
same = Run(aging, "rows=" + urls, "private=yes", "hours=24", out=first.out)
equal((same.summary["calls"]["sent"], same.data()), (0, first.data()), "while it holds nothing is asked")
more = write_rows("aging.jsonl", [{"url": base + p} for p in ("/mill", "/late", "/mill?2", "/mill?3")])
later = Run(aging, "rows=" + more, "private=yes", "hours=0.0001", out=first.out)
asked = collections.Counter(q["path"] for q in mock.requests())
check(asked["/robots.txt"] >= 2 and later.summary["calls"]["sent"] >= 2, "a robots.txt that holds no longer is asked for again", asked)
equal(sorted(x["url"][len(base):] for x in later.rows()), ["/late", "/mill", "/mill?2"], "the new rules for what is new; what was fetched stays")
equal((asked["/mill"], asked["/late"]), (2, 1), "no page is asked for twice")
traced = quern("trace", "--line", "1", "-o", later.out)[1]
check("/mill" in traced and "robots.txt" not in traced, "a row's history is its page", traced)
mock.stop()
mock = Mock([{"path": "/robots.txt", "status": 503, "retry_after_ms": 0}, {"path": "/mill", "raw": PAGE % ("Mills", "The mill", PROSE), "headers": html}])
base = "http://127.0.0.1:%d" % mock.port
r = fetched(["/mill"], "private=yes", code=1)
check("allows nothing now" in r.rows("failed.jsonl")[0]["_reason"], "a robots.txt that cannot be had allows nothing", r.rows("failed.jsonl"))
equal([q for q in mock.requests() if q["path"] == "/mill"], [], "and the page is not asked for")
mock.stop()
print("fetch_pages: robots.txt, redirects, limits, types, private addresses, the ledger")
