#!/usr/bin/env python3
"""Recipes that make text to train on, and those that begin with code or a graph: what must be in a text is looked for in the text."""
import difflib, json, os, re, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import asked, check, equal, lib, main, requests, run, user

MANY = "amber birch coral delta ember fjord grove heath inlet jetty knoll ledge marsh north ochre plain quarry ridge shore tundra".split()
TEXT = lambda tag, n=40: " ".join("%s%s" % (MANY[(i * 7 + hash_of(tag)) % 20], tag if i % 3 == 0 else "") for i in range(n)) + "."


def hash_of(s):
    return sum(map(ord, s))


def tinystories():
    words = [{"word": w, "kind": k} for k, ws in {"noun": ["tree", "pony", "boat"], "verb": ["carry", "hop", "like"], "adjective": ["happy", "big", "soft"]}.items() for w in ws]
    forms = {"carry": "carried", "hop": "hopping", "like": "liked", "happy": "happier", "big": "bigger", "soft": "softly spoken", "tree": "trees", "pony": "ponies", "boat": "boat"}
    rules = []
    for n in ("tree", "pony", "boat"):
        for v in ("carry", "hop", "like"):
            for a in ("happy", "big", "soft"):
                key = 'noun "%s", the verb.*"%s" and the adjective "%s"' % (n, v, a)
                full = "Once {{n}} there {{hash}} were %s on {{n}} hills, %s near {{hash}} and %s by {{n}} night." % (forms[n], forms[v], forms[a])
                if n == "boat":
                    rules += [{"regex": key + ".*must not be left out: %s" % v, "reply": full}]
                    rules += [{"regex": key, "reply": "Once {{n}} there {{hash}} was a boat by {{n}} night, %s in {{hash}} light." % forms[a]}]
                elif n == "pony" and a == "soft":
                    rules += [{"regex": key, "reply": "Nothing {{n}} of the {{hash}} kind happened here {{n}}."}]
                else:
                    rules += [{"regex": key, "reply": full}]
    mock = lib.Mock(rules)
    r = run("tinystories", "words=" + lib.write_rows("words.jsonl", words), "rows=60", "tries=2", writer=mock.url)
    rows = r.rows()
    for x in rows:
        for k in ("noun", "verb", "adjective"):
            check(forms[x[k]].split()[0] in x["story"], "a story without its %s %s:" % (k, x[k]), x["story"])
    again = [x for x in rows if x["noun"] == "boat"]
    check(again and all(x["attempt"] == 2 for x in again), "a story without its verb is asked for again")
    check(all(x["attempt"] == 1 for x in rows if x["noun"] == "tree"), "a complete one is not")
    check(not any(x["noun"] == "pony" and x["adjective"] == "soft" for x in rows) and r.summary["rows"]["rejected"] > 0, "one that stays incomplete is rejected")
    check(len({len(x["features"]) for x in rows}) == 4, "0 to 3 features")
    print("tinystories: %d of 60 stories, all with their words" % len(rows))


def phi1_textbooks():
    good, bad = {"solution": "def f(x):\n    return 2 * x\n"}, {"solution": "def f(x):\n    return x\n"}
    tests = "assert f(1) == 2\nassert f(2) == 4\nassert f(0) == 0\n"
    def ex(d, header="# doubles x\ndef f(x):"):
        return json.dumps({"header": header, **d, "tests": tests})
    bench = "Write a function that tells whether every bracket in a text is closed by another one of the same kind in the right order"
    mock = lib.Mock([{"regex": "Make an exercise", "match": "loops", "every": 3, "json": ex(bad)}, {"regex": "Make an exercise", "match": "brackets", "every": 2, "json": ex(good, "# " + bench)},
                     {"match": "Make an exercise", "json": ex(good)},
                     {"regex": "Topic: ([a-z]+)[.]", "reply": "On {{1}}, " + " ".join("{{n}}%s{{hash}}" % w for w in MANY * 3)}])
    r = run("phi1_textbooks", "topics=" + lib.write_rows("pt.jsonl", [{"topic": t} for t in ("loops", "brackets", "strings")]), "per_topic=8",
            "against=" + lib.write_rows("he.jsonl", [{"prompt": bench}]), writer=mock.url)
    rows = r.rows()
    check(rows, "no rows")
    cells = {}
    for x in rows:
        scope = {}
        exec(x["solution"] + x["tests"], scope)
        check(bench not in x["text"], "a benchmark's text is there")
        check(x["solution"] in x["text"] and x["section"] in x["text"], "section and exercise make the text")
        cells[x["topic"], x["reader"]] = cells.get((x["topic"], x["reader"]), 0) + 1
    equal(len(set(cells.values())), 1, "equal shares of topics and readers")
    check(r.summary["rows"]["rejected"] >= 2, "what fails or leaks is rejected")
    print("phi1_textbooks: %d of 24, all solutions run" % len(rows))


def cosmopedia():
    good = [{"text": "planets orbit stars gravity telescope comet moon astronomy " + TEXT("a%d" % i)} for i in range(3)]
    bad = [{"text": "discount voucher coupon cheap deal buy shopping sale " + TEXT("b%d" % i)} for i in range(3)]
    bench = "Which planet of the solar system has the largest number of known moons and how many of them were found before 1900?"
    mock = lib.Mock([{"regex": "marked by these words.*(discount|voucher|coupon|cheap|deal|buy|shopping|sale)", "json": '{"subject": "Bargains", "value": 2}'},
                     {"match": "marked by these words", "json": '{"subject": "Astronomy", "value": 9}'},
                     {"regex": "Write a blog post.*children of eight", "nth": 1, "reply": bench + " Who knows this may tell us at once."},
                     {"regex": "Write a section of a textbook.*for students", "reply": " ".join("same%s" % w for w in MANY * 2) + "."},
                     {"match": "An extract", "reply": " ".join("{{n}}%s{{hash}}" % w for w in MANY * 2) + "."}])
    r = run("cosmopedia", "texts=" + lib.write_rows("web.jsonl", good + bad), "k=2", "against=" + lib.write_rows("arc.jsonl", [{"question": bench}]), writer=mock.url)
    rows = r.rows()
    equal({x["subject"] for x in rows}, {"Astronomy"}, "subjects")
    count = {}
    for x in rows:
        count[x["cell"]] = count.get(x["cell"], 0) + 1
        check(bench not in x["text"], "a benchmark's text is there")
    equal((len(count), set(count.values())), (12, {1}), "twelve cells of equal share (one text was a benchmark's, three were the same): %r" % count)
    named = sum('subject "Astronomy"' in user(q) for q in asked(mock, "An extract"))
    check(8 <= named <= 28, "the subject is named in about half of the prompts:", named)
    equal(len(asked(mock, "marked by these words")), 2, "a request for each cluster")
    texts = [x["text"] for x in rows if x["extract"] == rows[0]["extract"]]
    check(all(difflib.SequenceMatcher(None, a, b).ratio() < 0.9 for i, a in enumerate(texts) for b in texts[:i]), "one topic for several audiences gives distinct texts")
    print("cosmopedia: %d texts in 12 cells, named in %d of %d prompts" % (len(rows), named, 36))


def continue_prefix():
    rest = "and then the miller went to the town to buy a new stone for the old wheel because it had broken in the night"
    texts = [{"text": "The %s stood by the river for years %s." % (w, rest)} for w in ("mill", "barn", "inn")]
    mock = lib.Mock([{"match": "The mill", "reply": " while children played with boats of bark until evening came. And then"}, {"match": "The barn", "reply": " " + rest + "."},
                     {"match": "The inn", "reply": " so it is. so it is. so it is. so it is. so it is. so it is."}])
    r = run("continue_prefix", "texts=" + lib.write_rows("cp.jsonl", texts), "prefix=8", base=mock.url)
    x, = r.rows()
    equal(x["text"], "The mill stood by the river for years while children played with boats of bark until evening came.", "prefix and continuation up to the last whole sentence")
    check(all(q["path"].endswith("/v1/completions") for q in mock.requests() if q.get("method") == "POST"), "the completions endpoint is asked")
    check(all(rest not in user(q) for q in requests(mock)), "the model sees the prefix alone")
    print("continue_prefix: a copy and a loop are rejected")


def cloze():
    texts = [{"text": "The mill was built by Joost near the river."}, {"text": "The inn was sold by Maria at the market."}, {"text": "nothing to hide in this sentence here."}]
    mock = lib.Mock([{"match": "built by", "every": 3, "reply": " Peter."}, {"match": "built by", "reply": " Joost."}, {"match": "sold by", "reply": " Anna"}])
    r = run("cloze", "texts=" + lib.write_rows("cl.jsonl", texts), base=mock.url)
    x, = r.rows()
    equal((x["cloze"], x["answer"]), ("The mill was built by ____ near the river.", "Joost"), "the gap")
    check(abs(x["agreement"] - 2 / 3) < 1e-9 and x["cloze"].replace("____", x["answer"]) == x["sentence"], "two of three samples agree")
    equal(len(requests(mock)), 6, "three fillings for each sentence with a gap")
    check(all("Joost" not in user(q) and "Maria" not in user(q) for q in requests(mock)), "the hidden word is shown")
    print("cloze: kept at 2 of 3, rejected at 0 of 3")


def oss_instruct():
    path = lib.shared("code_seeds", "code_seeds.jsonl")
    seeds = lib.read_rows(path)[:40]
    for i in range(0, 40, 3):
        seeds[i]["licence"] = "GPL-3.0"
    bench = "Write a function to find the shared elements from the given two lists and return them sorted in a new list"
    mock = lib.Mock([{"match": "get ideas from", "every": 9, "json": json.dumps({"problem": bench, "solution": "```python\nx = 1\n```"})},
                     {"match": "get ideas from", "every": 10, "json": json.dumps({"problem": "Explain what the code fragment above does with its text.", "solution": "```python\nx = 1\n```"})},
                     {"match": "get ideas from", "every": 11, "json": json.dumps({"problem": "Find {{n}} the {{hash}} of a list of {{n}} items a{{hash}}", "solution": "```python\ndef f(:\n```"})},
                     {"match": "get ideas from", "json": json.dumps({"problem": "Given {{n}} numbers b{{hash}}, tell c{{n}} how d{{hash}} many e{{n}} differ.", "solution": "```python\ndef f(x):\n    return len(set(x))\n```"})}])
    r = run("oss_instruct", "code=" + lib.write_rows("seeds.jsonl", seeds), "against=" + lib.write_rows("mbpp.jsonl", [{"text": bench}]), writer=mock.url)
    rows = r.rows()
    check(15 <= len(rows) <= 24, "rows", len(rows))
    by = {(s["repo"], s["path"], s["start_line"]): s for s in seeds}
    sizes = set()
    for x in rows:
        f = x["fragment_from"]
        s = [s for k, s in by.items() if k[:2] == (f["repo"], f["path"]) and s["start_line"] <= f["start_line"] and f["end_line"] <= s["end_line"] + 1]
        lines = x["fragment"].split("\n")
        sizes.add(len(lines))
        check(1 <= len(lines) <= 15 and f["end_line"] - f["start_line"] + 1 == len(lines), "1 to 15 lines")
        check(any(x["fragment"] == "\n".join(y["code"].rstrip("\n").split("\n")[f["start_line"] - y["start_line"]:][:len(lines)]) for y in s), "the lines stand where the row says", f)
        check("GPL" not in f["licence"], "a licence that is not allowed")
        check("shared elements" not in x["instruction"] and "above" not in x["instruction"] and "def f(:" not in x["response"], "what must be dropped is there", x["instruction"])
    check(len(sizes) >= 6, "sizes of fragments vary", sizes)
    print("oss_instruct: %d rows from %d fragments, %d sizes" % (len(rows), len(seeds), len(sizes)))


def knowledge_graph_qa():
    triples = [{"head": "aspirin", "relation": "treats", "tail": "fever"}, {"head": "fever", "relation": "is a sign of", "tail": "influenza"}, {"head": "rust", "relation": "eats", "tail": "iron"}, {"head": "Rust", "relation": "eats", "tail": "iron"},
               {"head": "salt", "relation": "preserves", "tail": "meat"}]
    mock = lib.Mock([{"match": "Question: Which disease", "json": '{"again": "Influenza"}'}, {"match": "Question: What is influenza", "json": '{"again": "influenza"}'}, {"match": "Question: What keeps", "json": '{"again": "sugar"}'}, {"match": "Question: What does the red", "json": '{"again": "none"}'}, {"match": "Question:", "json": '{"again": "x"}'},
                     {"match": "aspirin", "json": '{"question": "Which disease is shown by what one takes a well known pill against?", "answer": "influenza"}'},
                     {"match": "influenza", "json": '{"question": "What is influenza seen by?", "answer": "influenza"}'},
                     {"match": "iron", "json": '{"question": "What does the red crust live on?", "answer": "iron"}'},
                     {"match": "salt", "json": '{"question": "What keeps food?", "answer": "sugar"}'}])
    r = run("knowledge_graph_qa", "triples=" + lib.write_rows("kg.jsonl", triples), writer=mock.url, judge=mock.url)
    x, = r.rows()
    equal([t["relation"] for t in x["triples"]], ["treats", "is a sign of"], "two triples, the second begins where the first ends")
    check(x["answer"] in {e for t in x["triples"] for e in (t["head"], t["tail"])}, "the answer is an end of a cited triple")
    equal(len(x["passages"]), 2, "what it cites, as text")
    equal(r.summary["rows"]["rejected"], 4, "a repeat, an answer that is named, one that is not there, one that the facts do not give")
    print("knowledge_graph_qa: one row of two triples; four rejected, each for its reason")


main([tinystories, phi1_textbooks, cosmopedia, continue_prefix, cloze, oss_instruct, knowledge_graph_qa], globals())
