#!/usr/bin/env python3
"""Recipes that make text to train on, and those that begin with code or a graph: what must be in a text is looked for in the text."""
import difflib, json, os, re, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import asked, check, equal, lib, main, needs_sandbox, rejects, requests, run, sources, user, varies

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
    whole = 'noun "([^"]+)", the verb[^"]*"([^"]+)" and the adjective "([^"]+)"'
    rules = [{"regex": whole, "every": 31, "reply": "I'm sorry, but I cannot write that {{3}} {{1}} story to {{2}} for you."}, {"regex": whole, "every": 37, "reply": "A {{3}} {{1}} did {{2}}. " * 12},
             {"regex": whole, "every": 41, "reply": "It was the same {{3}} story of the {{1}} that would {{2}} as all the other stories that were told by the fire that night, and nobody listened any more to it at all."}] + rules
    rules += [{"regex": 'noun "([^"]+)", the verb[^"]*"([^"]+)" and the adjective "([^"]+)"', "every": 7, "reply": "Once {{n}} a {{1}} was there {{hash}}."},
              {"regex": 'noun "([^"]+)", the verb[^"]*"([^"]+)" and the adjective "([^"]+)"', "reply": "Once {{n}} a {{3}} {{1}} wanted {{hash}} to {{2}} by the {{n}} hill, and {{hash}} it did."}]
    never = [x for x in rules if x["reply"].startswith("Nothing")]      # before the planted faults: these stay incomplete whichever request comes when
    mock = lib.Mock(never + [x for x in rules if x not in never])
    r = run("tinystories", "words=" + lib.write_rows("words.jsonl", words + sources.basic_words(3)), "rows=300", "tries=2", writer=mock.url)
    rows = r.rows()
    for x in rows:
        for k in ("noun", "verb", "adjective"):
            check(any(w in x["story"] for w in (x[k], forms.get(x[k], x[k]).split()[0])), "a story without its %s %s:" % (k, x[k]), x["story"])
    again = [x for x in rows if x["noun"] == "boat"]
    planted = [x for x in rows if all(x[k] in forms for k in ("noun", "verb", "adjective"))]
    check(again and sum(x["attempt"] == 2 for x in again if x in planted) > 0.8 * len([x for x in again if x in planted]), "a story without its verb is asked for again")
    check(sum(x["attempt"] == 1 for x in planted if x["noun"] == "tree") > 0.8 * len([x for x in planted if x["noun"] == "tree"]), "a complete one is not")
    check(not any(x["noun"] == "pony" and x["adjective"] == "soft" for x in planted) and r.summary["rows"]["rejected"] > 0, "one that stays incomplete is rejected")
    check(len({len(x["features"]) for x in rows}) == 4 and len({f for x in rows for f in x["features"]}) == 6, "0 to 3 features of six")
    rejects("tinystories", "word_missing", "refusals", "repetition", "dedup_minhash")
    return "all three words stand in %d of %d stories; %d were asked for again, %d rejected" % (len(rows), len(rows), sum(x["attempt"] > 1 for x in rows), r.summary["rows"]["rejected"])


def phi1_textbooks():
    needs_sandbox()
    good, bad = {"solution": "def f(x):\n    return 2 * x\n"}, {"solution": "def f(x):\n    return x\n"}
    tests = "assert f(1) == 2\nassert f(2) == 4\nassert f(0) == 0\n"
    def ex(d, header="# doubles x\ndef f(x):"):
        return json.dumps({"header": header, **d, "tests": tests})
    bench = "Write a function that tells whether every bracket in a text is closed by another one of the same kind in the right order"
    mock = lib.Mock([{"regex": "Make an exercise", "match": "loops", "every": 3, "json": ex(bad)}, {"regex": "Make an exercise", "match": "brackets", "every": 2, "json": ex(good, "# " + bench)},
                     {"match": "Make an exercise", "every": 11, "json": json.dumps({"header": "def f(x):", **good, "tests": "assert f(1) == 2"})}, {"match": "Make an exercise", "json": ex(good)},
                     {"match": "Topic: ", "every": 13, "reply": "Too short."}, {"match": "Topic: ", "every": 12, "reply": "The same section for all: " + " ".join(MANY * 3)},
                     {"regex": "Topic: ([^.]+)[.]", "reply": "On {{1}}, " + " ".join("{{n}}%s{{hash}}" % w for w in MANY * 3)}])
    r = run("phi1_textbooks", "topics=" + lib.write_rows("pt.jsonl", [{"topic": t} for t in ("loops", "brackets", "strings", *sources.topics(4, "technology/computer_sciences.json"))]), "per_topic=8",
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
    rejects("phi1_textbooks", "too_short", "dedup_minhash", "tests_too_few", "check_code", "decontaminate", "balance")
    varies(rows, "turn", 3)
    return "%d of %d solutions executed again and passed; %d cells of equal share" % (len(rows), len(rows), len(cells))


def cosmopedia():
    good = [{"text": "planets orbit stars gravity telescope comet moon astronomy " + TEXT("a%d" % i)} for i in range(3)]
    bad = [{"text": "discount voucher coupon cheap deal buy shopping sale " + TEXT("b%d" % i)} for i in range(3)]
    bench = "Which planet of the solar system has the largest number of known moons and how many of them were found before 1900?"
    articles = sources.articles(90)
    story = "Old Pip kept a clock on his boat that never ran slow. When fog hid the stars, he looked at it, counted on his fingers, and said: we are as far from home as from supper. And he was right, for the clock still told the hour of the town where his mother lived."
    real = lib.Mock([{"match": "The marine chronometer is", "regex": "Write a story.*children of eight", "reply": story}, {"match": "marked by the words", "every": 3, "json": '{"subject": "Gossip {{seen}}", "value": 2}'}, {"match": "marked by the words", "json": '{"subject": "Subject {{n}}", "value": 8}'},
                     {"match": "An extract", "every": 41, "reply": "I'm sorry, but I cannot write this text for you, whoever may have asked me for it, now or at any time, and I apologise for that."}, {"match": "An extract", "every": 43, "reply": "Short."},
                     {"regex": "web page:\n([^\n]*)\n", "every": 23, "reply": "{{1}}"}, {"match": "An extract", "reply": " ".join("{{n}}%s{{hash}}" % w for w in MANY * 2) + "."}])
    r = run("cosmopedia", "texts=" + lib.write_rows("web.jsonl", [{"text": a["text"]} for a in articles] + [{"text": articles[3]["text"] + " So."}]), "k=6", "against=" + lib.write_rows("arc.jsonl", [{"question": bench}]), writer=real.url)
    all_rows = r.rows()
    shares = {}
    for x in all_rows:
        shares[x["cell"]] = shares.get(x["cell"], 0) + 1
    equal((len(shares), len(set(shares.values()))), (12, 1), "twelve cells of equal share: %r" % shares)
    check(min(x["value"] for x in all_rows) >= 5, "a cluster of low value is there")
    shown = [user(q) for q in asked(real, "marked by the words")]
    check(all(1 <= p.count("\n- ") <= 10 for p in shown) and max(p.count("\n- ") for p in shown) == 10, "up to ten pages of a cluster are shown to who names it")
    mock = lib.Mock([{"regex": "marked by the words.*(discount|voucher|coupon|cheap|deal|buy|shopping|sale)", "json": '{"subject": "Bargains", "value": 2}'},
                     {"match": "marked by the words", "json": '{"subject": "Astronomy", "value": 9}'},
                     {"regex": "Write a blog post.*children of eight", "match": "a0 ", "reply": bench + " Who knows this may tell us at once."},
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
    rejects("cosmopedia", "dedup_minhash", "low_educational_value", "too_short", "refusals", "copied", "dedup_minhash", "decontaminate", "balance")
    named = sum('subject "Astronomy"' in user(q) for q in asked(mock, "An extract"))
    check(8 <= named <= 28, "the subject is named in about half of the prompts:", named)
    equal(len(asked(mock, "marked by the words")), 2, "a request for each cluster")
    texts = [x["text"] for x in rows if x["extract"] == rows[0]["extract"]]
    check(all(difflib.SequenceMatcher(None, a, b).ratio() < 0.9 for i, a in enumerate(texts) for b in texts[:i]), "one topic for several audiences gives distinct texts")
    return "%d texts, equal shares of %d audience x format cells; clusters kept: value %d and more, at least 5" % (len(all_rows), len(shares), min(x["value"] for x in all_rows))


def cosmopedia_outlines():
    bench = "Which planet of the solar system has the largest number of known moons and how many of them were found before 1900?"
    rows = [{"topic": t} for t in ("How to mend a roof", "How to bake rye bread", "how to mend a roof")] + [{"course": "Milling", "units": ["Stones", "Sails", "Grain"]}, {"course": "Rivers"}, {"course": ""}]
    mock = lib.Mock([{"match": "Course: Rivers", "json": '{"units": ["Springs", "Deltas", "deltas", " ", "Floods"]}'},
                     {"match": "Subject: Milling: Sails", "regex": "blog post.*children of eight", "reply": bench + " Who knows this may tell us at once."}, {"match": "How to bake rye bread", "regex": "blog post.*without a degree", "reply": "My first rye loaf could have held a door open. What nobody had told me: rye does not want to be kneaded, it wants to be left alone, sour and warm, for longer than you think. Here is what I do now, and why each hour of it counts."},
                     {"match": "Subject: ", "reply": " ".join("{{n}}%s{{hash}}" % w for w in MANY * 2) + "."}])
    against = "against=" + lib.write_rows("arc.jsonl", [{"question": bench}])
    r = run("cosmopedia_outlines", "outlines=" + lib.write_rows("ol.jsonl", rows), against, "units=4", writer=mock.url)
    got, count = r.rows(), {}
    rejects("cosmopedia_outlines", "nothing_named", "nothing_named", "dedup_exact", "decontaminate", "balance")
    equal({x["subject"] for x in got}, {"How to mend a roof", "How to bake rye bread", "Milling: Stones", "Milling: Sails", "Milling: Grain", "Rivers: Springs", "Rivers: Deltas", "Rivers: Floods"}, "units given and made up")
    for x in got:
        count[x["cell"]] = count.get(x["cell"], 0) + 1
        check(bench not in x["text"], "a benchmark's text")
    equal((len(count), len(set(count.values()))), (12, 1), "twelve cells of equal share: %r" % count)
    check(not any("extract" in user(q) for q in asked(mock, "Subject: ")), "there is no extract to speak of")
    own = run("cosmopedia_outlines", "outlines=" + lib.write_rows("ol.jsonl", rows), against, "units=4", "per_subject=yes", writer=mock.url).rows()
    each = {s: sum(x["subject"] == s for x in own) for s in {x["subject"] for x in got}}
    equal((len({x["cell"] for x in own}), sorted(each.values())), (95, [11] + [12] * 7), "each unit has cells of its own, all but the one of the benchmark's text: %r" % each)
    return "%d texts on %d units, equal shares of %d cells" % (len(got), len({x["subject"] for x in got}), len(count))


def phi1_filter():
    good = ["def %s(values):\n    # gives back the %s of a list, step by step\n    total = 0\n    for value in values:\n        total = total + value\n    return total %s\n" % (w, w, "+ 1" * (i % 3)) for i, w in enumerate(MANY * 4)]
    bad = ["%s_%d = 0x%x;\nregister(%s, NULL, 0, 0);\n#define %s_FLAG 1\n" % (w, i, i * 7919, w, w.upper()) for i, w in enumerate(MANY * 4)]
    rows = [{"code": c} for pair in zip(good, bad) for c in pair] + [{"code": "{};"}, {"code": good[0]}] + [{"code": x["code"]} for x in sources.code(40)]
    judge = lib.Mock([{"match": "step by step", "json": '{"mark": 5}'}, {"json": '{"mark": 1}'}])
    r = run("phi1_filter", "code=" + lib.write_rows("pf.jsonl", rows), "shares={judged: 0.3, rest: 0.7}", judge=judge.url)
    got = r.rows()
    rejects("phi1_filter", "no_code", "dedup_minhash", "learned_filter")
    kept = [x["text"] for x in got]
    precision = sum("step by step" in c for c in kept) / len(kept)
    check(precision > 0.9 and sum("step by step" in c for c in kept) >= 15, "the classifier keeps what the judge would", precision, len(kept))
    check(0 < len(requests(judge)) < 0.5 * len(rows), "a part is judged", len(requests(judge)))
    check(sum(x["mark"] is None for x in got) > len(got) / 2, "most that are kept were judged by nobody")
    return "precision %.2f on unseen judgements, %.2f over all kept; %d of %d files judged" % (got[0]["learned"]["precision"], precision, len(requests(judge)), len(rows))


def continue_prefix():
    rest = "and then the miller went to the town to buy a new stone for the old wheel because it had broken in the night"
    texts = [{"text": "The %s stood by the river for years %s." % (w, rest)} for w in ("mill", "barn", "inn")]
    mock = lib.Mock([{"match": "The mill", "reply": " while children played with boats of bark until evening came. And then"}, {"match": "The barn", "reply": " " + rest + "."},
                     {"match": "The inn", "reply": " so it is. so it is. so it is. so it is. so it is. so it is."},
                     {"match": "The lock", "reply": " and so on."}, {"match": "The gate", "reply": " and everyone who came by there wondered at it for a good long while indeed."}, {"match": "The door", "reply": " and everyone who came by there wondered at it for a good long while indeed."},
                     {"reply": " which nobody had {{n}} looked into {{hash}} before, as far as {{n}} is known {{hash}} here. And th"}])
    texts += [{"text": "The %s stood by the river for years." % w} for w in ("shed",)] + [{"text": "The %s stood by the river for years until it fell." % w} for w in ("lock", "gate", "door")]
    texts += [{"text": a["text"]} for a in sources.articles(40)]
    r = run("continue_prefix", "texts=" + lib.write_rows("cp.jsonl", texts), "prefix=8", base=mock.url)
    everything = r.rows()
    check(all(y["text"].startswith(y["prefix"]) and y["text"].endswith(".") for y in everything), "prefix and continuation, cut to whole sentences")
    rejects("continue_prefix", "too_short", "too_short", "repetition", "copied", "dedup_minhash")
    x, = [y for y in everything if y["text"].startswith(("The mill", "The barn", "The inn"))]
    equal(x["text"], "The mill stood by the river for years while children played with boats of bark until evening came.", "prefix and continuation up to the last whole sentence")
    check(all(q["path"].endswith("/v1/completions") for q in mock.requests() if q.get("method") == "POST"), "the completions endpoint is asked")
    check(all(rest not in user(q) for q in requests(mock)), "the model sees the prefix alone")
    return "0 loops and 0 copies among %d continuations (one of each planted), all from the completions endpoint" % len(everything)


def cloze():
    texts = [{"text": "The mill was built by Joost near the river."}, {"text": "The inn was sold by Maria at the market."}, {"text": "nothing to hide in this sentence here."}, {"text": "The inn of Maria was sold by Maria at noon."}, {"text": "The barn was hired by Piet for a year."}, {"text": "The barn was  hired by Piet, for a year."}]
    real = [" ".join(a["text"].split()) for a in sources.articles(24)]
    gaps = [{"match": t[max(0, m.start(1) - 14):m.start(1)] + "____" + t[m.end(1):m.end(1) + 4], "reply": " " + m.group(1) + "."} for t in real for m in re.finditer(r"[a-z,] ([A-Z][a-z]{2,}|[0-9]{2,})\b", t)]
    mock = lib.Mock([{"match": "hired by", "reply": " Piet."}, {"match": "built by", "every": 3, "reply": " Peter."}, {"match": "built by", "reply": " Joost."}, {"match": "sold by", "reply": " Anna"}] + gaps[::2] + [{"reply": " nobody knows"}])
    r = run("cloze", "texts=" + lib.write_rows("cl.jsonl", texts + [{"text": t} for t in real]), base=mock.url)
    everything = r.rows()
    check(all(y["agreement"] >= 0.5 and y["cloze"].replace("____", y["answer"]) == y["sentence"] for y in everything), "agreement, and the gap filled gives the sentence")
    rejects("cloze", "nothing_to_hide", "stands_there_twice", "base_model_disagrees", "dedup_exact")
    x, = [y for y in everything if y["sentence"].startswith("The mill") or y["sentence"].startswith("The inn was")]
    equal((x["cloze"], x["answer"]), ("The mill was built by ____ near the river.", "Joost"), "the gap")
    check(abs(x["agreement"] - 2 / 3) < 1e-9 and x["cloze"].replace("____", x["answer"]) == x["sentence"], "two of three samples agree")
    equal(len(asked(mock, "The inn was sold by")), 3, "three fillings for each sentence with a gap")
    check(all("Joost" not in user(q) and "Maria" not in user(q) for q in requests(mock)), "the hidden word is shown")
    return "smallest agreement of %d kept gaps: %.2f, at least 0.5; %d rejected" % (len(everything), min(y["agreement"] for y in everything), r.summary["rows"]["rejected"])


def oss_instruct():
    seeds = sources.code(60)
    for i in range(0, len(seeds), 3):
        seeds[i]["licence"] = "GPL-3.0"
    bench = "Write a function to find the shared elements from the given two lists and return them sorted in a new list"
    mock = lib.Mock([{"match": "return value of it", "json": json.dumps({"problem": "Given {{n}} texts p{{hash}}, tell q{{n}} which r{{hash}} one s{{n}} is longest.", "solution": "```python\ndef f(x):\n    return max(x)\n```"})},
                     {"match": "planted_short", "json": json.dumps({"problem": "Do it now.", "solution": "```python\nx = 1\n```"})},
                     {"match": "planted_same", "json": json.dumps({"problem": "Write a function that gives the same problem every time that it is asked for one.", "solution": "```python\ndef f():\n    return 1\n```"})},
                     {"match": "planted_bench", "json": json.dumps({"problem": bench, "solution": "```python\nx = 1\n```"})},
                     {"match": "planted_leaning", "json": json.dumps({"problem": "Explain what the code fragment above does with its text.", "solution": "```python\nx = 1\n```"})},
                     {"match": "planted_broken", "json": json.dumps({"problem": "Find {{n}} the {{hash}} of a list of {{n}} items a{{hash}}", "solution": "```python\ndef f(:\n```"})},
                     {"match": "get ideas from", "json": json.dumps({"problem": "Given {{n}} numbers b{{hash}}, tell c{{n}} how d{{hash}} many e{{n}} differ.", "solution": "```python\ndef f(x):\n    return len(set(x))\n```"})}])
    planted = ["{\n}\n\n;\n"] + ["x%d\n{\n}\n;\n;\n;\n;\n;\n;\n" % i for i in range(5)] + ["return value of it;\n"] * 2
    planted += ["planted_%s %d;\n" % (w, i) for i, w in enumerate("short same same bench leaning broken".split())]
    seeds += [{**seeds[1], "path": "planted_%d" % i, "code": c, "start_line": 1, "end_line": 1 + c.count("\n")} for i, c in enumerate(planted)]
    r = run("oss_instruct", "code=" + lib.write_rows("seeds.jsonl", seeds), "against=" + lib.write_rows("mbpp.jsonl", [{"text": bench}]), writer=mock.url)
    rows = r.rows()
    check(len(seeds) / 4 <= len(rows) <= len(seeds) * 2 / 3, "rows", len(rows))
    rejects("oss_instruct", "licence", "no_code", "empty_fragment", "too_short", "leans_on_fragment", "code_parses", "dedup_exact", "dedup_minhash", "decontaminate")
    by = {(s["repo"], s["path"], s["start_line"]): s for s in seeds}
    sizes = set()
    for x in rows:
        f = x["fragment_from"]
        s = [s for k, s in by.items() if k[:2] == (f["repo"], f["path"]) and s["start_line"] <= f["start_line"] and f["end_line"] <= s["end_line"] + 1]
        lines = x["fragment"].split("\n")
        sizes.add(len(lines))
        check(1 <= len(lines) <= 15 and f["end_line"] - f["start_line"] + 1 == len(lines), "1 to 15 lines")
        check(any(x["fragment"] == "\n".join(y["code"].removesuffix("\n").split("\n")[f["start_line"] - y["start_line"]:][:len(lines)]) for y in s), "the lines stand where the row says", f, x["fragment"])
        check("GPL" not in f["licence"], "a licence that is not allowed")
        check("shared elements" not in x["instruction"] and "above" not in x["instruction"] and "def f(:" not in x["response"], "what must be dropped is there", x["instruction"])
    check(len(sizes) >= 6, "sizes of fragments vary", sizes)
    return "%d of %d fragments found again at their lines, of %d sizes, all under an allowed licence" % (len(rows), len(rows), len(sizes))


def knowledge_graph_qa():
    triples = [{"head": "aspirin", "relation": "treats", "tail": "fever"}, {"head": "fever", "relation": "is a sign of", "tail": "influenza"}, {"head": "rust", "relation": "eats", "tail": "iron"}, {"head": "Rust", "relation": "eats", "tail": "iron"},
               {"head": "salt", "relation": "preserves", "tail": "meat"}, {"head": "", "relation": "x", "tail": "y"}, {"head": "lye", "relation": "cleans", "tail": "cloth"}, {"head": "ash", "relation": "dries", "tail": "wool"}, {"head": "tar", "relation": "seals", "tail": "hull"}]
    real = sources.triples(40)
    mock = lib.Mock([{"regex": "- [^|\n]+ [|] (is a moon of|stands in|flows into) [|] ([^|\n]+)\nQ", "json": '{"again": "{{2}}"}'},
                     {"regex": "- [^|\n]+ [|] (is a moon of|stands in|flows into) [|] ([^|\n]+)\n\n", "json": '{"question": "What do {{n}} books {{hash}} say that {{n}}{{hash}} {{1}} it?", "answer": "{{2}}"}'},
                     {"match": "Question: What does the third", "json": '{"again": "none"}'}, {"match": "Question: What is worked upon", "regex": "lye", "json": '{"again": "cloth"}'}, {"match": "Question: What is worked upon", "json": '{"again": "wool"}'},
                     {"match": "Known facts:", "regex": "lye", "json": '{"question": "What is worked upon by people with it every day?", "answer": "cloth"}'}, {"match": "Known facts:", "regex": "ash [|]", "json": '{"question": "What is worked upon by people with it every day?", "answer": "wool"}'},
                     {"match": "Known facts:", "regex": "tar [|]", "json": '{"question": "What does the third thing do?", "answer": "hull"}'},
                     {"match": "Question: Which disease", "json": '{"again": "Influenza"}'}, {"match": "Question: What is influenza", "json": '{"again": "influenza"}'}, {"match": "Question: What keeps", "json": '{"again": "sugar"}'}, {"match": "Question: What does the red", "json": '{"again": "none"}'}, {"match": "Question:", "json": '{"again": "x"}'},
                     {"match": "aspirin", "json": '{"question": "Which disease is shown by what one takes a well known pill against?", "answer": "influenza"}'},
                     {"match": "influenza", "json": '{"question": "What is influenza seen by?", "answer": "influenza"}'},
                     {"match": "iron", "json": '{"question": "What does the red crust live on?", "answer": "iron"}'},
                     {"match": "salt", "json": '{"question": "What keeps food?", "answer": "sugar"}'}])
    r = run("knowledge_graph_qa", "triples=" + lib.write_rows("kg.jsonl", triples + real), writer=mock.url, judge=mock.url)
    everything = r.rows()
    for y in everything:
        check(y["answer"] in {e for t in y["triples"] for e in (t["head"], t["tail"])}, "the answer is no end of a cited triple", y)
    check(len(everything) > len(real) // 2, "rows", len(everything))
    rejects("knowledge_graph_qa", "no_triple", "dedup_exact", "answer_not_in_triples", "question_gives_answer", "facts_do_not_answer", "dedup_minhash")
    varies(everything, "topic", 4)
    varies(everything, "style", 4)
    x, = [y for y in everything if y["answer"] == "influenza"]
    equal([t["relation"] for t in x["triples"]], ["treats", "is a sign of"], "two triples, the second begins where the first ends")
    check(x["answer"] in {e for t in x["triples"] for e in (t["head"], t["tail"])}, "the answer is an end of a cited triple")
    equal(len(x["passages"]), 2, "what it cites, as text")
    return "the answer is an end of a cited triple in %d of %d rows" % (len(everything), len(everything))


TESTS = [cosmopedia_outlines, tinystories, phi1_textbooks, phi1_filter, cosmopedia, continue_prefix, cloze, oss_instruct, knowledge_graph_qa]
if __name__ == "__main__":
    main(TESTS)
