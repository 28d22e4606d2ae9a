#!/usr/bin/env python3
"""Recipes that make instructions: alpaca, reanswer, keywords, personas, evol_code, codeclm, orca, orca2. Each runs against a scripted server; what is checked is
what the paper's loop or filter does, so that the check fails when that part is taken out."""
import subprocess, json, os, re, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import asked, check, equal, lib, main, requests, run, user

SUBJECTS = "rivers bakers violins glaciers ledgers orchards engines proverbs bridges comets taxes lanterns harbours verbs bicycles volcanoes".split()


def lcs(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        prev = 0
        for j, y in enumerate(b, 1):
            prev, row[j] = row[j], prev + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]


def rouge_l(a, b):
    a, b = (re.findall("[a-z0-9]+", t.lower()) for t in (a, b))
    return 2 * lcs(a, b) / (len(a) + len(b))


def alpaca():
    good = ["Explain to a child how tides come about.", "List three books on beekeeping and say why.", "Compare comets with something that lies near.",
            "Who invented the zip fastener?", "Rewrite this sentence so that it sounds friendlier.", "Plan a week of meals without milk.", "Is seven a prime number, and how do you know?",
            "Sort these words from small to large.", "Give advice to somebody who cannot sleep.", "Translate a greeting into Danish.", "Summarise the plot of a well known play.", "Write a letter of complaint about late trains."]
    tasks = [{"instruction": t, "input": "", "output": "Something that answers %d." % i} for i, t in enumerate(good)]
    bad = [{"instruction": "Draw a graph of the %s." % SUBJECTS[0], "input": "", "output": "x"},
           {"instruction": "Write a program that counts sheep.", "input": "", "output": "x"},
           {"instruction": "Compare comets with something that lies near!", "input": "", "output": "a repeat"},
           {"instruction": "Name a seed of the pool in words.", "input": "", "output": "too near a seed"},
           {"instruction": "Say this text again and again.", "input": "same", "output": "same"}]
    mock = lib.Mock([{"match": "list of twenty tasks", "json": json.dumps({"tasks": tasks + bad})}])
    seeds = lib.write_rows("alpaca.jsonl", [{"instruction": "Name a seed of the pool in words, please."}] + [{"instruction": "Tell me why %s matter so much." % w} for w in ("clocks", "maps")])
    r = run("alpaca", "seeds=" + seeds, "rows=8", "rounds=2", writer=mock.url)
    rows = r.rows()
    texts = [x["instruction"] for x in rows]
    check(len(rows) >= 8, "alpaca gives", len(rows))
    for i, a in enumerate(texts):
        for b in texts[:i] + [json.loads(l)["instruction"] for l in open(seeds)]:
            check(rouge_l(a, b) < 0.7, "two instructions are too near:", a, "|", b)
    check(not any("graph" in t or t.startswith("Write a program") for t in texts), "what needs more than text is there", texts)
    check(all(x["output"].strip() and x["output"] != x["input"] for x in rows), "an output that is empty or repeats its input")
    check(all(user(q).count("\n- ") >= 3 for q in requests(mock)), "three seeds are shown")
    print("alpaca: %d tasks, no pair at ROUGE-L 0.7" % len(rows))


def reanswer():
    writer = lib.Mock([{"reply": "A better answer, in whole words."}])
    judge = lib.Mock([{"regex": "Answer A: A better", "json": '{"a": 9, "b": 4}'}, {"regex": "Answer B: A better", "json": '{"a": 4, "b": 9}'}])
    rows = [{"instruction": "Say\twhy %s — “matter”." % s, "input": "", "output": "Old words on %s." % s} for s in SUBJECTS]
    r = run("reanswer", "rows=" + lib.write_rows("re.jsonl", rows), "before=an older model", writer=writer.url, judge=judge.url)
    equal([x["instruction"].encode() for x in r.rows()], [x["instruction"].encode() for x in rows], "instructions")
    for x in r.rows():
        equal(x["output"], "A better answer, in whole words.", "the answer is the new one")
        equal((x["answered_by"], x["before"]), ("m", "an older model"), "both are named")
        equal(x["scores"], [9, 4], "the score goes with the answer, wherever it stood")
    places = {"A" if "Answer A: A better" in user(q) else "B" for q in requests(judge)}
    equal(places, {"A", "B"}, "the new answer stands in either place")
    print("reanswer: %d answers replaced, instructions byte for byte" % len(rows))


def keywords():
    asks = {"wind mills": ["Explain how sails catch a storm.", "Which parts of a windmill wear out first?"], "flour": ["Compare rye with spelt for bread.", "Draw a graph of grain prices."],
            "deltas": ["Why does silt settle where it does?", "Name animals that need brackish water."], "floods": ["Plan the evacuation of a village.", "Write a warning for radio listeners."],
            "fish": ["Which trout can be eaten raw?", "Check this licence for anglers."]}
    mock = lib.Mock([{"match": "Topic: mills\nName", "json": json.dumps({"subtopics": ["wind mills", "Wind Mills", "flour"]})},
                     {"match": "Topic: rivers\nName", "json": json.dumps({"subtopics": ["deltas", "floods", "fish"]})},
                     *[{"match": "Subtopic: %s." % t, "json": json.dumps({"instructions": i})} for t, i in asks.items()],
                     {"reply": "An answer of some length about {{user}}"}])
    r = run("keywords", "topics=" + lib.write_rows("topics.jsonl", [{"topic": "mills"}, {"topic": "rivers"}, {"topic": "Mills"}]), "subtopics=3", "per_subtopic=2", writer=mock.url)
    count = {}
    for x in r.rows():
        count[x["topic"]] = count.get(x["topic"], 0) + 1
    equal(set(count), {"mills", "rivers"}, "topics")
    equal(len(set(count.values())), 1, "each topic has the same number of rows: %r" % count)
    equal(len(asked(mock, "Subtopic:")), 5, "a subtopic that comes twice is asked for once")
    print("keywords: %r" % count)


def personas():
    mock = lib.Mock([{"regex": "^Text: ([a-z]+) ([^\n]*)", "json": '{"persona": "A {{1}} expert of thirty years who {{2}}"}'},
                     {"regex": "Here is a person: ([^\n]*)", "json": '{"persona": "Somebody{{n}} near{{n}} who{{n}} once{{n}} met: {{1}}"}'},
                     {"regex": "A person: ([^\n]*)", "json": '{"instruction": "Word{{n}} alpha{{hash}} beta{{n}}{{hash}} with {{n}}x{{n}}?"}'},
                     {"reply": "Begin with what is at hand."}])
    texts = [{"text": s + " need care and patience"} for s in SUBJECTS[:4]] + [{"text": SUBJECTS[0] + " need care and patience"}]
    r = run("personas", "texts=" + lib.write_rows("texts.jsonl", texts), "hops=2", writer=mock.url)
    found = [x["persona"] for x in r.rows()]
    equal(len(found), len(set(found)), "personas are distinct")
    check(any(x["relation"] == "of the text" for x in r.rows()) and any(x["from"] for x in r.rows()), "from texts and from personas")
    for x in r.rows():
        check(x["from"] == "" or any(x["from"] in user(q) for q in asked(mock, "Here is a person")), "the persona it came from was shown")
    equal(len(asked(mock, "Here is a person")), 10, "two hops from each of five")
    hops = [user(q) for q in asked(mock, "Here is a person")]
    equal(sum("Somebody" in h for h in hops), 5, "the second hop starts at the first's persona")
    equal(len([f for f in found if f.startswith("A rivers expert")]), 1, "the same text twice gives one persona")
    print("personas: %d distinct" % len(found))


def evol_code():
    if subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True).returncode != 0:
        print("skipped: evol_code: bwrap cannot make a sandbox here")
        return
    good = {"solution": "def f(x):\n    return x + 1\n", "tests": "assert f(1) == 2\nassert f(0) == 1\nassert f(-1) == 0\n"}
    bad = {"solution": "def f(x):\n    return x\n", "tests": good["tests"]}
    mock = lib.Mock([{"match": "somewhat harder", "json": '{"instruction": "Task of request {{n}}: add one."}'},
                     {"match": "Solve this task", "nth": 1, "json": json.dumps(bad)},
                     {"match": "Solve this task", "nth": 3, "json": json.dumps({**good, "tests": "assert f(1) == 2"})},
                     {"match": "Solve this task", "json": json.dumps(good)}])
    r = run("evol_code", "seeds=" + lib.write_rows("code.jsonl", [{"instruction": "Write a function f that adds one."}]), "rounds=5", writer=mock.url)
    rows = r.rows()
    equal([x["round"] for x in rows], [2, 3, 5], "rounds whose solution passed")
    equal([len(x["ancestors"]) for x in rows], [1, 2, 3], "what failed goes round again as it was: ancestors")
    for x in rows:
        scope = {}
        exec(x["solution"] + x["tests"], scope)
        equal(x["ancestors"][0], "Write a function f that adds one.", "the tree begins at the seed")
    print("evol_code: %d solutions pass, 1 failed and 1 had too few tests" % len(rows))


def codeclm():
    strong = lib.Mock([{"match": "What is it used for", "json": '{"use_case": "travel planning", "skills": ["geography"]}'},
                       {"match": "Write an instruction for an assistant", "json": '{"instruction": "Plan a trip."}'},
                       {"match": "Name up to four rubrics", "json": '{"rubrics": ["number of constraints"], "actions": ["Add a budget."]}'},
                       {"match": "Improve it:", "json": '{"instruction": "Plan a trip, version {{seen}}."}'},
                       {"regex": "version 1.*Answer 1: strong", "json": '{"one": 8, "two": 7}'},
                       {"regex": "version 1.*Answer 1: weak", "json": '{"one": 8, "two": 7}'},
                       {"regex": "Answer 1: strong", "json": '{"one": 9, "two": 3}'},
                       {"regex": "Answer 1: weak", "json": '{"one": 4, "two": 9}'},
                       {"reply": "strong words on it"}])
    target = lib.Mock([{"reply": "weak words on it"}])
    r = run("codeclm", "seeds=" + lib.write_rows("codec.jsonl", [{"instruction": "Seed: where to go in May?"}]), "gap=3", strong=strong.url, target=target.url)
    x, = r.rows()
    equal(x["round"], 2, "the first round had no gap")
    equal(x["gap"], 5.5, "the mean of both orders")
    equal(x["applied"], ["Add a budget."] * 2, "an action a round")
    equal((x["rubrics"], x["from_target"]), (["number of constraints"], False), "rubrics")
    check(not any("Seed:" in user(q) for q in asked(strong, "Write an instruction for an assistant")), "decoding must not see the seed")
    even = lib.Mock([{"match": "Score two", "json": '{"one": 7, "two": 7}'}, {"match": "Name up", "json": '{"rubrics": ["a"], "actions": ["b"]}'}])
    r = run("codeclm", "seeds=" + lib.write_rows("codec.jsonl", [{"instruction": "Seed: where to go in May?"}]), "rounds=2", code=1, strong=even.url, target=target.url)
    equal(r.summary["rows"]["accepted"], 0, "rows without a gap")
    print("codeclm: kept in round 2 with a gap of 5.5; without a gap nothing is kept")


def orca():
    lesser, strong = lib.Mock([{"reply": "A lesser explanation, complete."}]), lib.Mock([{"reply": "A stronger explanation, complete."}])
    rows = [{"instruction": "Question %d about %s?" % (i, SUBJECTS[i % 16]), "task": t} for i, t in enumerate(["qa"] * 30 + ["choice"] * 10 + ["sorting"] * 12)]
    r = run("orca", "rows=" + lib.write_rows("flan.jsonl", rows), "share=0.5", lesser=lesser.url, strong=strong.url)
    one, two = r.rows("stage_1.jsonl"), r.rows()
    count = {t: sum(x["task"] == t for x in one) for t in ("qa", "choice", "other")}
    equal(count, {"qa": 10, "choice": 10, "other": 10}, "the types have equal shares")
    equal(len(two), 15, "half of them for the stronger teacher")
    for x in one + two:
        sent = [q for m in (lesser, strong) for q in requests(m) if user(q) == x["instruction"]]
        check(sent and all((q["messages"][0]["content"] if q["messages"][0]["role"] == "system" else "") == x["system"] for q in sent), "the teacher saw the row's system message")
    check(len({x["system"] for x in one}) >= 6, "system messages vary")
    choice = {x["system"] for x in one if x["task"] == "choice"}
    check(all("option" in s or "answer first" in s or "another" in s for s in choice), "messages that suit choices", choice)
    print("orca: %d and %d rows, %d system messages" % (len(one), len(two), len({x["system"] for x in one})))


def orca2():
    teacher = lib.Mock([{"match": "How should a small model", "json": '{"strategy": "direct"}'},
                        {"system": "Answer at once", "match": "seven", "reply": "It is 8"},
                        {"system": "numbered steps", "match": "seven", "reply": "1. 3 + 4\n2. so\nThe answer is 7"},
                        {"reply": "I think it is blue"}])
    rows = [{"instruction": "Three and four, is that seven or eight?", "answer": "7"}, {"instruction": "What colour is it?", "answer": ""}, {"instruction": "Name a colour.", "answer": "green"}]
    r = run("orca2", "rows=" + lib.write_rows("o2.jsonl", rows), teacher=teacher.url)
    got = r.rows()
    equal([(x["strategy"], x["tries"]) for x in got], [("step_by_step", 2), ("direct", 1)], "strategies that led to the right answer")
    shown = {q["messages"][0]["content"] for q in requests(teacher) if q["messages"][0]["role"] == "system"}
    stored = {x["system"] for x in got}
    equal(len(stored), 1, "one generic system message")
    check(not (shown & stored), "the strategy's message is erased")
    check(not any(s in json.dumps(x) for x in got for s in shown), "no strategy's message is in a row")
    print("orca2: %d strategies shown, none stored" % len(shown))


def metamath():
    mock = lib.Mock([{"match": "other words", "json": '{"question": "How many eggs has Ann in all, with 3 hens that lay 5 each?"}'},
                     {"match": "as a statement", "json": '{"statement": "Ann has 3 hens and each lays 5 eggs, so she has 15 eggs."}'},
                     {"match": "3 hens", "match": "x hens", "reply": "15 / 5 = 3\n#### 3"},
                     {"match": "lay x", "reply": "15 / 3\n#### 5"}, {"match": "lays x", "reply": "15 / 3\n#### 5"},
                     {"match": "in all, with", "every": 2, "reply": "I guess.\n#### 8"},
                     {"match": "in all, with", "reply": "3 * 5, say {{n}}\n#### 15"},
                     {"match": "Ann has 3 hens that lay 5", "every": 3, "reply": "3 + 5\n#### 8"},
                     {"reply": "3 * 5 = 15 ({{n}})\n#### 15"}])
    r = run("metamath", "rows=" + lib.write_rows("gsm.jsonl", [{"question": "Ann has 3 hens that lay 5 eggs each. How many eggs?", "answer": "3 * 5 = <<3*5=15>>15\n#### 15"}, {"question": "No number?", "answer": "none"}]),
            "samples=4", writer=mock.url)
    rows = r.rows()
    equal({x["type"] for x in rows}, {"answer", "rephrased", "fobar", "self_verification"}, "the four ways")
    for x in rows:
        equal(x["answer"].split("####")[1].strip(), x["expected"], "a wrong answer is there")
        if x["type"] in ("fobar", "self_verification"):
            check(re.search(r"\bx\b", x["question"]) and "15" in x["question"], "x is asked for, the answer is given", x["question"])
            hidden = x["question"].split("\n")[0] if x["type"] == "fobar" else None
            if hidden:
                equal(hidden.replace("x", x["expected"], 1), x["original"], "the masked number put back gives the question")
        else:
            equal(x["expected"], "15", "the forward answer")
    check(r.summary["rows"]["rejected"] >= 3, "wrong samples are rejected")
    print("metamath: %d rows of four kinds, each number right" % len(rows))


def ultrachat():
    one = lib.Mock([{"match": "Write 2 different", "json": '{"openings": ["Why do mills need wind at all?", "Since when are there bakers in towns?"]}'},
                    {"match": "about bakers", "nth": 1, "reply": "Happy to help."},
                    {"nth": 3, "system": "You play", "reply": "How can I help you with that today?"},
                    {"system": "You play", "reply": "Thanks a lot! And what if the wind stops, case {{n}}?"}])
    two = lib.Mock([{"reply": "An answer number {{n}}, in full."}])
    r = run("ultrachat", "topics=" + lib.write_rows("ut.jsonl", [{"topic": "mills"}, {"topic": "bread", "material": "Bread rises because of yeast."}]), "per_topic=2", "least=3", "most=5", user=one.url, assistant=two.url)
    rows = r.rows()
    check(rows and r.summary["rows"]["rejected"] >= 1, "a user who turned into an assistant is rejected")
    for x in rows:
        roles = [m["role"] for m in x["messages"]]
        equal(roles, ["user", "assistant"] * x["rounds"], "roles alternate")
        check(3 <= x["rounds"] <= 5, "rounds", x["rounds"])
        said = " ".join(m["content"] for m in x["messages"] if m["role"] == "user")
        check("How can I help" not in said, "a role flip", said)
        check("Thanks" not in said, "polite noise", said)
    sims = [q for q in requests(one) if q["messages"][0]["role"] == "system"]
    check(all(q["messages"][-1]["role"] == "user" and q["messages"][-1]["content"].startswith("An answer") for q in sims), "the user sees the assistant's words as the other's")
    print("ultrachat: %d dialogues of 3 to 5 rounds" % len(rows))


def backtranslation():
    text = lambda s: "The history of %s is long. " % s + " ".join("%s%d" % (s, i) for i in range(40))
    mock = lib.Mock([{"regex": "Text: The history of ([a-z]+)", "json": '{"instruction": "Tell the history of {{1}}."}'},
                     {"match": "history of rivers", "json": '{"reason": "good", "score": 5}'},
                     {"match": "history of bakers", "every": 3, "json": '{"reason": "good", "score": 2}'},
                     {"match": "history of bakers", "json": '{"reason": "good", "score": 5}'},
                     {"match": "history of violins", "json": '{"reason": "menu", "score": 1}'}])
    seeds = lib.write_rows("bt-seeds.jsonl", [{"instruction": "How do I boil an egg?", "response": "Seven minutes."}])
    texts = lib.write_rows("bt.jsonl", [{"text": text(s)} for s in ("rivers", "bakers", "violins")] + [{"text": "too short"}])
    r = run("backtranslation", "texts=" + texts, "seeds=" + seeds, backward=mock.url, scorer=mock.url)
    rows = {x["instruction"]: x for x in r.rows()}
    equal(sorted(rows), ["How do I boil an egg?", "Tell the history of rivers."], "kept")
    x = rows["Tell the history of rivers."]
    equal((x["response"], x["scores"], x["score"], x["iteration"]), (text("rivers"), [5, 5, 5], 5, 1), "the text as it stands, all its scores, the turn")
    check(x["system"] != rows["How do I boil an egg?"]["system"], "origins have system messages of their own")
    r = run("backtranslation", "texts=" + texts, "seeds=" + seeds, "least=4", "iteration=2", backward=mock.url, scorer=mock.url)
    equal(sorted(x["score"] for x in r.rows() if x["origin"] == "augmented"), [4, 5], "scores at the threshold of 4")
    print("backtranslation, self_curation: 5s alone at 4.5, the 4 too at 4")


def label_to_text():
    writer = lib.Mock([{"regex": 'class "([a-z]+)"', "json": '{"text": "{{1}} {{hash}} {{n}} alpha{{n}} beta{{hash}}"}'}])
    judge = lib.Mock([{"match": "Text: spam", "every": 3, "json": '{"judged": "unsure"}'}, {"match": "Text: spam", "json": '{"judged": "Spam"}'}, {"match": "Text: order", "json": '{"judged": "order"}'}])
    labels = lib.write_rows("labels.jsonl", [{"label": "spam", "description": "unwanted"}, {"label": "order", "description": "wants to buy"}])
    recipe = open(os.path.join(lib.ROOT, "recipes", "label_to_text.yaml")).read()
    r = run("label_to_text", "labels=" + labels, "per_label=30", "classes=spam, order", writer=writer.url, judge=judge.url)
    count = {k: sum(x["label"] == k for x in r.rows()) for k in ("spam", "order")}
    equal(count, {"spam": 20, "order": 20}, "equal shares of what the judge confirms")
    mine = lib.path("shares.yaml")
    open(mine, "w").write(recipe.replace('default: ""', "default: {spam: 0.25, order: 0.75}"))
    r = lib.Run(mine, "labels=" + labels, "per_label=30", "classes=spam, order", "--model", "writer=" + writer.url, "--model", "judge=" + judge.url)
    count = {k: sum(x["label"] == k for x in r.rows()) for k in ("spam", "order")}
    check(count["order"] == 3 * count["spam"] and count["spam"] >= 9, "shares of 25 and 75 of 100: %r" % count)
    check(all("spam" not in user(q).split("Text:")[0] for q in requests(judge)), "the judge is not told the label")
    print("label_to_text: shares met to the row, %r" % count)


main([alpaca, reanswer, keywords, personas, evol_code, codeclm, orca, orca2, metamath, ultrachat, backtranslation, label_to_text], globals())
