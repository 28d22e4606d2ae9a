#!/usr/bin/env python3
"""Toloka's two recipes: prompts with shares that are met, varied openings and people's decisions; answers from what a search finds."""
import json, math, os, shutil
from scripted import *

DOMAINS = {"genetics": 0.5, "medicine": 0.3, "cells": 0.2}


def filed_documents(n):
    """Real paragraphs, a file each, that say in which drawer they stand; with flamingos among them."""
    folder = os.path.join(lib.TMP, "filed")
    os.makedirs(folder, exist_ok=True)
    drawers = sorted(DOMAINS)
    for i, a in enumerate(sources.articles(n)):
        words = " ".join(a["text"].split()[:140])
        with open(os.path.join(folder, "a%03d.md" % i), "w") as f:
            f.write("# %s\n\nFiled under %s, sheet %d. %s\n" % (a["title"] or "Sheet", drawers[i % 3], i, words))
    for i in range(6):
        with open(os.path.join(folder, "flamingos%d.md" % i), "w") as f:
            f.write("# Flamingos\n\nA group of flamingos on lake %d is called a flamboyance, and it is pink from what it eats there, day by day, in the mud and in the water of the lake, as "
                    "those who watch it from the shore have said for as long as anybody can tell. Filed under %s all the same.\n" % (i, drawers[i % 3]))
    return folder


def opening(text):
    return " ".join(re.findall(r"[a-z0-9']+", text.lower())[:3])


def entropy(texts):
    n = {}
    for t in texts:
        n[opening(t)] = n.get(opening(t), 0) + 1
    return -sum(k / len(texts) * math.log2(k / len(texts)) for k in n.values())


def fill_in(out, how):
    folder, = [os.path.join(out, "review", d) for d in os.listdir(os.path.join(out, "review"))]
    for name in sorted(os.listdir(folder)):
        lines = lib.read_rows(os.path.join(folder, name))
        for t in sorted(lines, key=lambda t: json.dumps(t["show"], sort_keys=True)):     # the same in whatever order the tasks came
            t.update(how(t) or {})
        with open(os.path.join(folder, name), "w") as f:
            f.writelines(json.dumps(t) + "\n" for t in lines)


PARTS = "amber birch coral delta ember fjord grove heath".split()


def toloka_prompts():
    """In the folder of its documents: their path is in their rows, so a folder of another name every time would draw other rows."""
    here = os.getcwd()
    filed_documents(90)
    os.chdir(lib.TMP)
    try:
        return prompts_of("filed")
    finally:
        os.chdir(here)


def prompts_of(docs):
    words_of_parts = "stone water wheel grain river bridge field tower cloud meadow harbour lantern orchard proverb village garden winter summer market castle".split() * 9
    drawer = "Filed under ([a-z]+)"
    words = ["sheet", "study", "patients growth", "protein", "risk trial", "mice", "expression factor", "treatment years"]
    ask = "Could you please explain a{{hash}} b{{n}}c{{hash}} d{{n}}{{hash}} of e{{hash}}{{n}}x in {{1}}?"
    plain = "In {{1}}, f{{hash}} and g{{n}}w{{hash}}: h{{n}}{{hash}} or i{{hash}}{{n}}y?"
    other = "How do j{{hash}} k{{n}}m{{hash}} and l{{n}}{{hash}} go with o{{hash}}{{n}}z?"
    broad = [{"prompt": other, "topic": "another", "use_case": "compare"}, {"prompt": "A group of flamingos is called a flamboyance, q{{n}} r{{hash}}.", "topic": "birds", "use_case": "explain"}]
    good = {"is_request": True, "in_field": True, "makes_sense": True, "false_premise": False, "mark": 4}
    mock = lib.Mock(
        [{"regex": "A passage:.*flamboyance.*" + drawer + ".*Is it of use.*and the use case", "json": json.dumps({"relevant": False, "domain": "{{1}}", "subdomain": "s", "topic": "t", "use_case": "explain"})},
         {"regex": "A passage:.*flamboyance.*" + drawer + ".*Is it of use", "json": json.dumps({"relevant": False, "domain": "{{1}}", "subdomain": "s", "topic": "t"})},
         {"regex": "A passage:.*" + drawer + ".*Is it of use.*and the use case", "json": '{"relevant": true, "domain": "{{1}}", "subdomain": "of {{1}}", "topic": "sheet {{n}}", "use_case": "explain"}'},
         {"regex": "A passage:.*" + drawer + ".*Is it of use", "json": '{"relevant": true, "domain": "{{1}}", "subdomain": "of {{1}}", "topic": "sheet {{n}}"}'}]
        + [{"regex": 'We lack texts of the domain "([a-z]+)"', "every": len(words) - i, "json": json.dumps({"queries": ["filed under {{1}} " + w, "flamingos {{1}}"]})} for i, w in enumerate(words)]
        + [{"regex": "asks an assistant something.*flamboyance", "json": json.dumps({"prompt": "Why s{{hash}} t{{n}} u{{hash}}{{n}} of v{{n}}{{hash}} on the lake?", "broader": []})},
           {"regex": "asks an assistant something.*" + drawer, "every": 4, "json": json.dumps({"prompt": plain, "broader": [broad[0], {"prompt": "Why so?", "topic": "t", "use_case": "explain"}]})},
           {"regex": "asks an assistant something.*" + drawer, "json": json.dumps({"prompt": ask, "broader": broad})},
           {"match": "flamingos is called", "regex": "Somebody wrote this", "json": json.dumps(dict(good, is_request=False))},
           {"match": "Somebody wrote this", "every": 13, "json": json.dumps(dict(good, in_field=False))},
           {"match": "Somebody wrote this", "every": 7, "json": json.dumps(dict(good, false_premise=True))},
           {"match": "Somebody wrote this", "every": 11, "json": json.dumps(dict(good, makes_sense=False))},
           {"match": "Somebody wrote this", "every": 5, "json": json.dumps(dict(good, mark=2))},
           {"match": "Somebody wrote this", "json": json.dumps(good)},
           {"regex": "^Could you please explain ([^\n]*)[?]\n", "every": 2, "json": '{"variants": ["Where do flamingos live?", "I wonder about {{1}}; tell me.", "{{1}}: please, what is it?", "Explain {{1}} for a beginner."]}'},
           {"regex": "^Could you please explain ([^\n]*)[?]\n", "json": '{"variants": ["Why are they pink?", "For a talk, I have to understand {{1}}.", "Tell me of {{1}}.", "{{1}}, what is that?"]}'},
           {"regex": "^How do ([^\n]*)[?]\n", "json": '{"variants": ["Say how {{1}}.", "{{1}}: how?", "I want to know how {{1}}.", "Show me how {{1}}, in short."]}'},
           {"regex": "^In ([^\n]*)[?]\n", "json": '{"variants": []}'}])
    args = ["docs=" + docs, "field=the life sciences", "domains=" + json.dumps(DOMAINS), "use_cases=[explain, compare]", "rows=60", "per_round=6", "under=3", "review=0.1", "people=[anna, ben]"]
    r = run("toloka_prompts", *args, code=1, writer=mock.url)
    waiting = r.summary["rows"]["pending"]
    check("wait for people" in json.dumps(r.summary) + r.stderr and waiting >= 8, "the run waits for people", r.stderr[-300:])
    n = len(requests(mock))
    fates, i, of_genetics = {}, 0, 0

    def decide(t):
        nonlocal i, of_genetics
        i += 1
        of_genetics += t["show"]["domain"] == "genetics"        # its first, fourth, ... task is rejected, whatever order the tasks come in
        fates[t["show"]["prompt"]] = d = ("accept", "modify")[i % 2] if t["show"]["domain"] != "genetics" or of_genetics % 3 != 1 else "reject"
        return {"decision": d, "edit": {"prompt": t["show"]["prompt"] + " Be brief."}}
    fill_in(r.out, decide)
    r = run("toloka_prompts", *args, writer=mock.url, out=r.out)
    equal(len(requests(mock)), n, "nothing is asked of the model again")
    rows = r.rows()
    for x in rows:
        check("flamboyance" not in x["passage"], "a prompt from a passage of another field", x["prompt"])
        check("flam" not in x["prompt"], "a statement about birds is no prompt", x["prompt"])
        fate = fates.get(x["prompt"]) or fates.get(x["prompt"].replace(" Be brief.", ""))
        check(fate != "reject" and (fate == "modify") == x["prompt"].endswith(" Be brief."), "people decided otherwise", x["prompt"])
        check((fate is None) == (x["review"]["state"] == "unreviewed"), "the row knows what people said")
    check(all(x["mark"] >= 3 or x["review"]["state"] != "unreviewed" for x in rows), "low marks went to people")
    share = {d: sum(x["domain"] == d for x in rows) / len(rows) for d in DOMAINS}
    off = max(abs(share[d] - DOMAINS[d]) for d in DOMAINS)
    check(len(rows) >= 45 and off <= 0.01, "shares are met to a point", share, len(rows))
    pool = [s for s in r.summary["per_step"] if s["step"] == "grow.pool"][0] if "per_step" in r.summary else {}
    equal(pool.get("out"), 60, "the pool took as many as were wanted")
    before, after = entropy([x["rephrased_from"] or x["prompt"] for x in rows]), entropy([x["prompt"] for x in rows])
    check(after > before + 1, "openings are more varied: %.2f -> %.2f bits" % (before, after))
    check(all(not x["rephrased_from"] or set(re.findall(r"[a-z]\w*\d\w*", x["rephrased_from"])) <= set(re.findall(r"\w+", x["prompt"])) for x in rows), "rephrased, but not the same meaning")
    data = r.data()
    shutil.rmtree(os.path.join(r.out, "review"))
    equal(run("toloka_prompts", *args, writer=mock.url, out=r.out).data(), data, "a restart without the files: the decisions hold")
    table = open(os.path.join(r.out, "coverage.md")).read()
    check("genetics" in table and "compare" in table, "the map of what is covered")
    # A page of many chunks does not fill the pool alone: its first three are looked at.
    web = lib.Mock()
    port = web.port
    web.stop()
    page = "".join("<p>Filed under genetics, part %s. %s</p>" % (w, " ".join("%s%s" % (w, x) for x in words_of_parts)) for w in PARTS)
    web = lib.Mock([{"path": "/search", "raw": json.dumps({"results": [{"url": "http://127.0.0.1:%d/long" % port, "title": "Long", "content": "c"}]})}, {"path": "/robots.txt", "status": 404},
                    {"path": "/long", "raw": PAGE % ("Long", page), "headers": {"Content-Type": "text/html"}}], "--port", str(port))
    asks_of = len(requests(mock))
    run("toloka_prompts", args[0], "field=the life sciences", 'domains={"genetics": 1}', "use_cases=[explain]", "rows=3", "per_round=1", "rounds=2", "private=yes", "per_minute=60000", code=1, writer=mock.url, engine="http://127.0.0.1:%d#searxng" % port)
    looked = {w for q in requests(mock)[asks_of:] for w in PARTS if user(q).startswith("A passage:") and "part %s." % w in user(q)}
    check(looked and looked <= set(PARTS[:3]), "parts of a long page that were looked at", looked)
    rejects("toloka_prompts", "enough_of_this_page", "dedup_minhash", "irrelevant_source", "irrelevant_source", "other_domain", "length", "no_request", "irrelevant", "meaningless",
            "false_premise", "novel", "balance", "review")
    return "shares off by %.1f points at most; openings over 1 bit more varied than before rephrasing; people's decisions the same after a restart" % (100 * off)


PAGE = "<html><head><title>%s</title></head><body><article>%s</article></body></html>"


def toloka_answers():
    prompts = [{"prompt": "How many stones does mill number %s have?" % w, "domain": "mills"} for w in ["one", "two", "three", "four", "five", "six", "seven", "eight"]]
    filler = "".join("<p>%s</p>" % " ".join(a["text"].split()[:90]) for a in sources.articles(6))
    html = {"Content-Type": "text/html"}
    rules = [{"path": "/robots.txt", "raw": "User-agent: *\nDisallow: /closed\n", "headers": {"Content-Type": "text/plain"}}]
    for p in prompts:
        w = p["prompt"].split()[6]
        hits = [{"url": "{BASE}/open/%s" % w, "title": "Mill %s" % w, "content": "snippet"}, {"url": "{BASE}/closed/%s" % w, "title": "No", "content": "n"}]
        rules.append({"path": "/open/" + w, "raw": PAGE % ("Mill " + w, filler + "<p>Mill number %s has stones, and how many it does have is told here: a pair of %s. %s</p>" % (w, w, "The miller counts them every year before the harvest comes in. " * 6)), "headers": html})
        rules.append({"path": "/search", "regex": "number(%20|\\+)" + w + "|" + w + "(%20|\\+)stones", "raw": json.dumps({"results": hits})})
    rules += [{"path": "/search", "raw": json.dumps({"results": []})}, {"match": "Somebody asks: Which answer", "json": '{"queries": ["nobody"]}'}, {"match": "Somebody asks: Zzyzx", "json": '{"queries": ["two stones"]}'},
              {"match": "Somebody asks: Please refuse", "json": '{"queries": ["one stones"]}'}, {"match": "answer: Please refuse", "reply": "I'm sorry, but I cannot help with that."},
              {"regex": "Somebody asks: How many stones does mill number ([a-z]+)", "json": '{"queries": ["{{1}} stones", "mill {{1}} stones how many"]}'},
              {"regex": "a pair of ([a-z]+)[.].*answer: How", "every": 3, "reply": "A good answer: it has a pair of {{1}}, counted every year, as {{n}} says."},
              {"regex": "a pair of ([a-z]+)[.].*answer: How", "every": 2, "reply": "A fair answer: it has a pair of {{1}}, as request {{n}} says."},
              {"regex": "a pair of ([a-z]+)[.].*answer: How", "reply": "A thin answer on {{1}}."}]
    rules += [{"regex": "Answer:\nA (thin|fair|good) answer( on (seven|eight)|: it has a pair of (seven|eight))", "json": '{"reason": "r", "style": 2, "domain": 2, "context": 2}'},
              {"regex": "Answer:\nA (thin|fair|good) answer.*(six)", "every": 2, "json": '{"reason": "r", "style": 5, "domain": 5, "context": 5}'},
              {"regex": "Answer:\nA (thin|fair|good) answer.*(six)", "json": '{"reason": "r", "style": 3, "domain": 3, "context": 3}'},
              {"match": "A thin answer", "json": '{"reason": "r", "style": 1, "domain": 1, "context": 1}'},
              {"match": "A fair answer", "json": '{"reason": "r", "style": 3, "domain": 4, "context": 3}'},
              {"match": "A good answer", "json": '{"reason": "r", "style": 5, "domain": 5, "context": 4}'}]
    mock = lib.Mock()           # the pages name their own address: first a port, then the script
    port = mock.port
    mock.stop()
    rules = json.loads(json.dumps(rules).replace("{BASE}", "http://127.0.0.1:%d" % port))
    mock = lib.Mock(rules, "--port", str(port))
    args = ["prompts=" + lib.write_rows("prompts.jsonl", prompts), "private=yes", "per_minute=60000", "people=[anna]", "spread=2", "chunks=2", "least=3"]
    r = run("toloka_answers", *args, code=1, writer=mock.url, judge=mock.url, engine="http://127.0.0.1:%d#searxng" % port)
    asks = [q for q in requests(mock) if "With what stands above" in user(q)]
    equal(len(asks), 3 * len(prompts), "three candidates for each prompt")
    for q in asks:
        w = re.search(r"mill number ([a-z]+) have", user(q).split("answer:")[1]).group(1)
        check("a pair of %s." % w in user(q) and 2 <= len(user(q).split("] ")) <= 3, "the closest chunks are shown, two at most", user(q))
    check(not [q for q in mock.requests() if q["path"].startswith("/closed")], "robots.txt holds for what a search finds")
    equal(len([q for q in mock.requests() if q["path"].startswith("/open")]), len(prompts), "a page is fetched once")
    done = {x["prompt"].split()[6]: x for x in r.rows()}
    equal(sorted(done), ["five", "four", "one", "three", "two"], "low marks are out, what the judgements dispute waits")
    for w, x in done.items():
        check(x["overall"] == max(c["overall"] for c in x["candidates"]) and x["answer"] == max(x["candidates"], key=lambda c: c["overall"])["answer"], "the best candidate stays")
        check("thin" not in x["answer"] and len(x["candidates"]) == 3, "of three")
        equal(x["messages"][-1]["content"], x["answer"], "chat")
    equal(r.summary["rows"]["pending"], 1, "six waits")
    fill_in(r.out, lambda t: {"decision": "modify", "edit": {"answer": "Six, says the expert."}, "scores": {"style": 4, "domain": 5, "context": 5}})
    r = run("toloka_answers", *args, writer=mock.url, judge=mock.url, engine="http://127.0.0.1:%d#searxng" % port, out=r.out)
    six, = [x for x in r.rows() if x["prompt"].split()[6] == "six"]
    equal((six["answer"], six["review"]["scores"]["domain"], six["messages"][-1]["content"]), ("Six, says the expert.", 5.0, "Six, says the expert."), "what the expert wrote is written")
    equal(r.summary["calls"]["sent"], 0, "nothing is asked again")
    odd = [prompts[0], prompts[0], {"prompt": "Which answer has nobody found?"}, {"prompt": "Zzyzx quux?"}, {"prompt": "Please refuse to say of mill number one."}]
    run("toloka_answers", "prompts=" + lib.write_rows("odd.jsonl", odd), *args[1:], writer=mock.url, judge=mock.url, engine="http://127.0.0.1:%d#searxng" % port)
    rejects("toloka_answers", "dedup_exact", "nothing_found", "nothing_close", "refusals", "low_marks", "fetch_pages")
    local = run("toloka_answers", args[0], "docs=" + filed_documents(30), "least=1", code=1, writer=mock.url, judge=mock.url)
    check(local.summary["rows"]["in"] >= len(prompts), "and without an engine, over documents")
    return "best of 3 candidates from the 2 closest of %d fetched pages' chunks; %d of %d answered, 1 by an expert" % (len(prompts), len(r.rows()), len(prompts))


TESTS = [toloka_prompts, toloka_answers]
if __name__ == "__main__":
    main(TESTS)
