#!/usr/bin/env python3
"""Recipes that make instructions. Each runs against a scripted server on real rows with some planted among them; what is checked is what the paper's loop or filter does,
so that the check fails when that part is taken out."""
import json, os, re, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import asked, check, equal, lib, main, needs_sandbox, rejects, requests, rouge_l, run, sources, told, user, varies

SUBJECTS = "rivers bakers violins glaciers ledgers orchards engines proverbs bridges comets taxes lanterns harbours verbs bicycles volcanoes".split()


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
    bad.append({"instruction": "Give the gist of nothing at all in no words.", "input": "", "output": "  "})
    mock = lib.Mock([{"match": "list of twenty tasks", "to": 4, "together": True, "json": json.dumps({"tasks": tasks[:6] + bad})}, {"match": "list of twenty tasks", "json": json.dumps({"tasks": tasks + bad})}])
    seeds = lib.write_rows("alpaca.jsonl", [{"instruction": "Name a seed of the pool in words, please."}] + [{"instruction": "Tell me why %s matter so much." % w} for w in ("clocks", "maps")] + sources.instructions(200))
    r = run("alpaca", "seeds=" + seeds, "rows=9", "rounds=3", writer=mock.url)
    rows = r.rows()
    rejects("alpaca", "needs_more_than_text", "write_a_program", "novel", "empty_output", "output_repeats_input")
    texts = [x["instruction"] for x in rows]
    check(len(rows) >= 8, "the pool grows over more than one round: alpaca gives", len(rows))
    worst = max((rouge_l(a, b), a, b) for i, a in enumerate(texts) for b in texts[:i] + [x["instruction"] for x in lib.read_rows(seeds)])
    check(worst[0] < 0.7, "two instructions are too near:", worst)
    check(not any("graph" in t or t.startswith("Write a program") for t in texts), "what needs more than text is there", texts)
    check(all(x["output"].strip() and x["output"] != x["input"] for x in rows), "an output that is empty or repeats its input")
    check(all(user(q).count("\n- ") >= 3 for q in requests(mock)), "three seeds are shown")
    return "nearest pair of %d new tasks and the seeds: ROUGE-L %.2f, under 0.7" % (len(rows), worst[0])


def reanswer():
    writer = lib.Mock([{"match": "planted refusal", "reply": "I'm sorry, but I cannot help with that."}, {"reply": "A better answer, in whole words."}])
    judge = lib.Mock([{"regex": "Answer A: A better", "json": '{"a": 9, "b": 4}'}, {"regex": "Answer B: A better", "json": '{"a": 4, "b": 9}'}])
    rows = [{"instruction": "Say\twhy %s — “matter”." % s, "input": "", "output": "Old words on %s." % s} for s in SUBJECTS] + sources.instructions(60) + [{"instruction": "A planted refusal.", "input": "", "output": "Old."}]
    r = run("reanswer", "rows=" + lib.write_rows("re.jsonl", rows), "before=an older model", writer=writer.url, judge=judge.url)
    rows = rows[:-1]
    rejects("reanswer", "refusals")
    equal([x["instruction"].encode() for x in r.rows()], [x["instruction"].encode() for x in rows], "instructions")
    for x in r.rows():
        equal(x["output"], "A better answer, in whole words.", "the answer is the new one")
        equal((x["answered_by"], x["before"]), ("m", "an older model"), "both are named")
        equal(x["scores"], [9, 4], "the score goes with the answer, wherever it stood")
    places = {"A" if "Answer A: A better" in user(q) else "B" for q in requests(judge)}
    equal(places, {"A", "B"}, "the new answer stands in either place")
    return "%d of %d instructions byte for byte, answers replaced, both models named" % (len(rows), len(rows))


def keywords():
    asks = {"wind mills": ["Explain how sails catch a storm.", "Which parts of a windmill wear out first?"], "flour": ["Compare rye with spelt for bread.", "Draw a graph of grain prices."],
            "deltas": ["Why does silt settle where it does?", "Name animals that need brackish water."], "floods": ["Plan the evacuation of a village.", "Write a warning for radio listeners."],
            "fish": ["Which trout can be eaten raw?", "Check this licence for anglers."]}
    more = [t for t in sources.topics(12, "books/academic_subjects.json") if "Music" not in t]   # a word that the filters forbid
    mock = lib.Mock([{"match": "Topic: mills\nName", "json": json.dumps({"subtopics": ["wind mills", "Wind Mills", "flour"]})},
                     {"match": "Topic: rivers\nName", "json": json.dumps({"subtopics": ["deltas", "floods", "fish"]})},
                     *[{"match": "Subtopic: %s." % t, "json": json.dumps({"instructions": i})} for t, i in asks.items()],
                     {"regex": "Topic: ([^\n]+)\nName", "json": json.dumps({"subtopics": ["{{1}} at home", "history of {{1}}", "dangers of {{1}}"]})},
                     {"regex": "Subtopic: ([^\n]+)[.]\n", "json": json.dumps({"instructions": ["Explain {{1}} to {{n}}a{{hash}} and {{n}}b{{hash}} of c{{hash}}.", "What d{{hash}}{{n}} costs e{{hash}}{{n}} in f{{n}}{{hash}}?", "Name three things that every one of these has in common."]})},
                     {"every": 11, "reply": "I'm sorry, but I cannot help with that."},
                     {"reply": "An answer of some length about {{user}}"}])
    r = run("keywords", "topics=" + lib.write_rows("topics.jsonl", [{"topic": "mills"}, {"topic": "rivers"}, {"topic": "Mills"}] + [{"topic": t} for t in more]), "subtopics=3", "per_subtopic=3", writer=mock.url)
    rejects("keywords", "dedup_exact", "dedup_exact", "needs_more_than_text", "novel", "refusals", "balance")
    count = {}
    for x in r.rows():
        count[x["topic"]] = count.get(x["topic"], 0) + 1
    equal(set(count), {"mills", "rivers", *more}, "topics")
    equal(len(set(count.values())), 1, "each topic has the same number of rows: %r" % count)
    equal(len(asked(mock, "Subtopic:")), 5 + 3 * len(more), "a subtopic that comes twice is asked for once")
    return "%d topics with %d rows each" % (len(count), min(count.values()))


def personas():
    real = sources.articles(12)
    mock = lib.Mock([{"regex": "^Text: ([A-Z][^ ]*) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+) ([^ ]+)", "json": '{"persona": "Someone who has to do with {{3}}, {{5}} and {{6}}, and with {{hash}}"}'},
                     {"regex": "^Text: ([a-z]+) ([^\n]*)", "json": '{"persona": "A {{1}} expert of thirty years who {{2}}"}'},
                     {"regex": "Here is a person: ([^\n]*)", "json": '{"persona": "Somebody{{n}} near{{n}} who{{n}} once{{n}} met: {{1}}"}'},
                     {"match": "A person: ", "every": 5, "json": '{"instruction": "What can I do about this thing here today?"}'},
                     {"regex": "A person: ([^\n]*)", "json": '{"instruction": "Word{{n}} alpha{{hash}} beta{{n}}{{hash}} with {{n}}x{{n}}?"}'},
                     {"match": "Word", "every": 9, "reply": "I'm sorry, but I cannot help with that."}, {"reply": "Begin with what is at hand."}])
    embedder = lib.Mock()
    texts = [{"text": s + " need care and patience"} for s in SUBJECTS[:4]] + [{"text": SUBJECTS[0] + " need care and patience"}] + [{"text": a["text"]} for a in real]
    texts += [{"text": "dull water and more water, water again"}, {"text": "dull again and more water, water water"}]
    r = run("personas", "texts=" + lib.write_rows("texts.jsonl", texts), "hops=2", writer=mock.url, embedder=embedder.url)
    rejects("personas", "dedup_minhash", "dedup_embedding", "novel", "refusals")
    varies(r.rows(), "relation", 5)
    varies(r.rows(), "task", 3)
    found = [x["persona"] for x in r.rows()]
    equal(len(found), len(set(found)), "personas are distinct")
    check(any(x["relation"] == "of the text" for x in r.rows()) and any(x["from"] for x in r.rows()), "from texts and from personas")
    for x in r.rows():
        check(x["from"] == "" or any(x["from"] in user(q) for q in asked(mock, "Here is a person")), "the persona it came from was shown")
    equal(len(asked(mock, "Here is a person")), 2 * len(texts), "two hops from each text's persona")
    hops = [user(q) for q in asked(mock, "Here is a person")]
    equal(sum("Somebody" in h for h in hops), len(texts), "the second hop starts at the first's persona")
    check(len([f for f in found if f.startswith("A rivers expert")]) <= 1, "the same text twice gives one persona")
    return "%d personas of %d texts, all distinct, each with its origin" % (len(found), len(texts))


def evol_code():
    needs_sandbox()
    good = {"solution": "def f(x):\n    return x + 1\n", "tests": "assert f(1) == 2\nassert f(0) == 1\nassert f(-1) == 0\n"}
    bad = {"solution": "def f(x):\n    return x\n", "tests": good["tests"]}
    mock = lib.Mock([{"regex": "Task: (Write a function f that adds one|Task of request)", "match": "somewhat harder", "json": '{"instruction": "Task of request {{n}}: add one."}'},
                     {"match": "somewhat harder", "regex": "Task: Planted still", "json": '{"instruction": "Planted still: write f."}'},
                     {"match": "somewhat harder", "regex": "Task: Planted twin", "json": '{"instruction": "Twin task, the same for both."}'},
                     {"match": "somewhat harder", "regex": "Task: Twin task", "json": '{"instruction": "Twin task, later {{n}}."}'},
                     {"match": "somewhat harder", "json": '{"instruction": "Real task {{hash}}: as before, with one more condition {{n}}."}'},
                     {"match": "add one", "regex": "Solve this task", "nth": 1, "together": True, "json": json.dumps(bad)},
                     {"match": "add one", "regex": "Solve this task", "nth": 3, "together": True, "json": json.dumps({**good, "tests": "assert f(1) == 2"})},
                     {"match": "Solve this task", "json": json.dumps(good)}])
    r = run("evol_code", "seeds=" + lib.write_rows("code.jsonl", [{"instruction": "Write a function f that adds one."}, {"instruction": "Planted still: write f."}, {"instruction": "Planted twin one."}, {"instruction": "Planted twin two."}] + sources.coding_tasks(10)), "rounds=5", writer=mock.url)
    everything = r.rows()
    rows = [x for x in everything if x["ancestors"][0].endswith("that adds one.")]
    equal([x["round"] for x in rows], [2, 3, 5], "rounds whose solution passed")
    equal([len(x["ancestors"]) for x in rows], [1, 2, 3], "what failed goes round again as it was: ancestors")
    for x in everything:
        exec(x["solution"] + x["tests"], {})
    rejects("evol_code", "check_code", "tests_too_few", "unchanged", "dedup_exact")
    varies(everything, "method", 4)
    return "%d of %d solutions executed again and passed" % (len(everything), len(everything))


def codeclm():
    strong = lib.Mock([{"match": "What is it used for", "regex": "Seed:", "json": '{"use_case": "travel planning", "skills": ["geography"]}'},
                       {"match": "What is it used for", "regex": "Planted none", "json": '{"use_case": "nothing at all", "skills": ["none"]}'},
                       {"match": "What is it used for", "regex": "Planted twin", "json": '{"use_case": "twin work", "skills": ["t"]}'}, {"match": "Improve it:", "regex": "twin work", "json": '{"instruction": "The twin task that is the same for one and for the other of them."}'},
                       {"match": "What is it used for", "json": '{"use_case": "work of kind {{hash}}", "skills": ["reading"]}'},
                       {"match": "Write an instruction for an assistant", "regex": "travel", "json": '{"instruction": "Plan a trip."}'},
                       {"match": "Write an instruction for an assistant", "json": '{"instruction": "Do {{hash}} work, number {{n}}."}'},
                       {"match": "What is it used for", "regex": "Planted none", "json": '{"use_case": "nothing at all", "skills": ["none"]}'}, {"match": "Name up to four rubrics", "regex": "nothing at all", "json": '{"rubrics": ["r"], "actions": []}'},
                       {"match": "Name up to four rubrics", "json": '{"rubrics": ["number of constraints"], "actions": ["Add a budget."]}'},
                       {"match": "Improve it:", "regex": "version 1", "json": '{"instruction": "Plan a trip, version 2."}'}, {"match": "Improve it:", "regex": "Plan a trip", "json": '{"instruction": "Plan a trip, version 1."}'},
                       {"match": "Improve it:", "json": '{"instruction": "Work {{hash}} with a budget of {{n}} and {{hash}}{{n}} conditions."}'},
                       {"regex": "version 1.*Answer 1: strong", "json": '{"one": 8, "two": 7}'},
                       {"regex": "version 1.*Answer 1: weak", "json": '{"one": 8, "two": 7}'},
                       {"regex": "Answer 1: strong", "json": '{"one": 9, "two": 3}'},
                       {"regex": "Answer 1: weak", "json": '{"one": 4, "two": 9}'},
                       {"reply": "strong words on it"}])
    target = lib.Mock([{"reply": "weak words on it"}])
    r = run("codeclm", "seeds=" + lib.write_rows("codec.jsonl", [{"instruction": "Seed: where to go in May?"}] + [{"instruction": "Planted " + w} for w in ("none", "twin a", "twin b")] + sources.instructions(20)), "gap=3", strong=strong.url, target=target.url)
    gaps = [x["gap"] for x in r.rows()]
    check(min(map(abs, gaps)) >= 3, "a row without a gap is kept", gaps)
    x, = [x for x in r.rows() if "Plan a trip" in x["instruction"]]
    equal(x["round"], 2, "the first round had no gap")
    equal(x["gap"], 5.5, "the mean of both orders")
    equal(x["applied"], ["Add a budget."] * 2, "an action a round")
    equal((x["rubrics"], x["from_target"]), (["number of constraints"], False), "rubrics")
    check(not any("Seed:" in user(q) for q in asked(strong, "Write an instruction for an assistant")), "decoding must not see the seed")
    even = lib.Mock([{"match": "Score two", "json": '{"one": 7, "two": 7}'}, {"match": "Name up", "json": '{"rubrics": ["a"], "actions": ["b"]}'}])
    r = run("codeclm", "seeds=" + lib.write_rows("codec.jsonl", [{"instruction": "Seed: where to go in May?"}]), "rounds=2", code=1, strong=even.url, target=target.url)
    equal(r.summary["rows"]["accepted"], 0, "rows without a gap")
    rejects("codeclm", "no_action", "no_gap", "dedup_minhash")
    return "smallest gap of %d kept rows: %.1f, over 3; one was kept in its second round" % (len(gaps), min(map(abs, gaps)))


def orca():
    sorry = {"every": 9, "reply": "I'm sorry, but I cannot help with that."}
    lesser, strong = lib.Mock([sorry, {"reply": "A lesser explanation, complete."}]), lib.Mock([sorry, {"reply": "A stronger explanation, complete."}])
    sorter = lib.Mock([{"json": '{"task": "reasoning"}'}])
    unsorted = [{"instruction": "How many %s fit into %d rooms?" % (s, i)} for i, s in enumerate(SUBJECTS)]
    rows = [{"instruction": "Question %d about %s?" % (i, SUBJECTS[i % 16]), "task": t} for i, t in enumerate(["qa"] * 30 + ["choice"] * 16 + ["sorting"] * 16)]
    rows += [{"instruction": x["instruction"], "task": "choice" if x["is_classification"] else "qa"} for x in sources.instructions(60)]
    rows += [{**x, "task": ""} for x in unsorted] + rows[:1]
    r = run("orca", "rows=" + lib.write_rows("flan.jsonl", rows), "share=0.5", sorter=sorter.url, lesser=lesser.url, strong=strong.url)
    rejects("orca", "dedup_exact", "balance", "refusals", "refusals", "sample")
    equal(sorted(user(q).split("\n")[0] for q in requests(sorter)), sorted("Task: " + x["instruction"] for x in unsorted), "only what has no type is sorted")
    one, two = r.rows("stage_1.jsonl"), r.rows()
    count = {t: sum(x["task"] == t for x in one) for t in ("qa", "choice", "other", "reasoning")}
    check(min(count.values()) >= 8 and sum(count.values()) == len(one) >= 40, "the types had equal shares before a teacher refused: %r" % count)
    check(0.38 * len(one) <= len(two) <= 0.55 * len(one), "half of them for the stronger teacher", len(two), len(one))
    for x in one + two:
        sent = [q for m in (lesser, strong) for q in requests(m) if user(q) == x["instruction"]]
        check(sent and all((q["messages"][0]["content"] if q["messages"][0]["role"] == "system" else "") == x["system"] for q in sent), "the teacher saw the row's system message")
    check(len({x["system"] for x in one}) >= 6, "system messages vary")
    choice = {x["system"] for x in one if x["task"] == "choice"}
    check(all("option" in s or "answer first" in s or "another" in s for s in choice), "messages that suit choices", choice)
    return "types: %s; %d system messages, each on its row" % (told(count), len({x["system"] for x in one}))


def orca2():
    real = sources.problems(12)
    teacher = lib.Mock([{"match": "How should a small model", "json": '{"strategy": "direct"}'},
                        {"system": "Answer at once", "match": "seven", "reply": "It is 8"},
                        {"system": "numbered steps", "match": "seven", "reply": "1. 3 + 4\n2. so\nThe answer is 7"},
                        *[{"match": p["question"], "reply": "In steps: so and so.\nThe answer is " + sources.gold(p)} for p in real],
                        {"match": "Refuse this", "reply": "I'm sorry, but I cannot help with that."}, {"reply": "I think it is blue"}])
    rows = [{"instruction": "Three and four, is that seven or eight?", "answer": "7"}, {"instruction": "What colour is it?", "answer": ""}, {"instruction": "Name a colour.", "answer": "green"}, {"instruction": "Refuse this.", "answer": ""}]
    rows += [{"instruction": p["question"], "answer": sources.gold(p)} for p in real]
    r = run("orca2", "rows=" + lib.write_rows("o2.jsonl", rows), teacher=teacher.url)
    got = r.rows()
    equal([(x["strategy"], x["tries"]) for x in got[:2]], [("step_by_step", 2), ("direct", 1)], "strategies that led to the right answer")
    shown = {q["messages"][0]["content"] for q in requests(teacher) if q["messages"][0]["role"] == "system"}
    stored = {x["system"] for x in got}
    equal(len(stored), 1, "one generic system message")
    check(not (shown & stored), "the strategy's message is erased")
    check(not any(s in json.dumps(x) for x in got for s in shown), "no strategy's message is in a row")
    rejects("orca2", "no_strategy_was_right", "refusals")
    equal(len(got), 2 + len(real), "no strategy led to the right answer of one row")
    return "%d strategies' messages shown to the teacher, 0 in the %d rows" % (len(shown), len(got))


def metamath():
    real, rules = sources.problems(6), []
    for p in real:
        q, end = " ".join(p["question"].split()), "\n#### "
        told = "This is known: " + q.replace("?", ".") + " It is " + sources.gold(p) + "."
        rules += [{"match": "Question: " + q + "\nAsk", "json": json.dumps({"question": "Put in another way: " + q})}, {"match": "Question: " + q + "\nIts answer", "json": json.dumps({"statement": told})}]
        for text in (q, told):
            rules += [{"match": text[:m.start()] + "x" + text[m.end():], "reply": "Backwards {{n}}." + end + m.group().replace(",", "")} for m in re.finditer(r"[0-9]+([,.][0-9]+)*", text)]
        rules += [{"match": q, "every": 4, "reply": "Wrong." + end + "-1"}, {"match": q, "reply": "So it is, {{n}}." + end + sources.gold(p)}]
    rules += [{"match": "Question: Same with 4 geese?\nAsk", "json": '{"question": "Same with 4 geese?"}'}, {"match": "Question: Has Bea any of her two hens?\nAsk", "json": '{"question": "Has Bea her two hens?"}'},
              {"match": "Question: Lost with 7 ducks?\nAsk", "json": '{"question": "Same with 4 geese?"}'},
              {"match": "Question: Lost with 7 ducks?\nIts", "json": '{"statement": "There are some ducks."}'}, {"match": "Question: Same with 4 geese?\nIts", "json": '{"statement": "There are 4 geese, which makes 4."}'},
              {"match": "geese", "reply": "So.\n#### 4"}, {"match": "ducks", "reply": "So.\n#### 7"}, {"match": "Bea", "reply": "So.\n#### 2"}]
    mock = lib.Mock(rules + [{"match": "other words", "json": '{"question": "How many eggs has Ann in all, with 3 hens that lay 5 each?"}'},
                     {"match": "as a statement", "json": '{"statement": "Ann has 3 hens and each lays 5 eggs, so she has 15 eggs."}'},
                     {"match": "3 hens", "match": "x hens", "reply": "15 / 5 = 3\n#### 3"},
                     {"match": "lay x", "reply": "15 / 3\n#### 5"}, {"match": "lays x", "reply": "15 / 3\n#### 5"},
                     {"match": "in all, with", "every": 2, "reply": "I guess.\n#### 8"},
                     {"match": "in all, with", "reply": "3 * 5, say {{n}}\n#### 15"},
                     {"match": "Ann has 3 hens that lay 5", "every": 3, "reply": "3 + 5\n#### 8"},
                     {"reply": "3 * 5 = 15 ({{n}})\n#### 15"}])
    r = run("metamath", "rows=" + lib.write_rows("gsm.jsonl", [{"question": "Ann has 3 hens that lay 5 eggs each. How many eggs?", "answer": "3 * 5 = <<3*5=15>>15\n#### 15"}, {"question": "No number?", "answer": "none"}, {"question": "Has Bea any of her two hens?", "answer": "#### 2"}, {"question": "Same with 4 geese?", "answer": "#### 4"}, {"question": "Lost with 7 ducks?", "answer": "#### 7"}]
            + [{**p, "question": " ".join(p["question"].split())} for p in real]), "samples=4", writer=mock.url)
    everything = r.rows()
    rejects("metamath", "no_number", "unchanged", "no_number_to_mask", "no_number_to_mask", "number_not_once", "dedup_exact", "dedup_exact", "check_number")
    equal({x["type"] for x in everything if not x["original"].startswith("Ann has")}, {"answer", "rephrased", "fobar", "self_verification"}, "the four ways")
    check(all(x["answer"].split("####")[1].strip() == x["expected"] for x in everything), "a wrong answer is there")
    rows = [x for x in everything if x["original"].startswith("Ann has")]
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
    return "%d of %d numbers right, forwards and backwards; %d rows rejected" % (len(everything), len(everything), r.summary["rows"]["rejected"])


def triples():
    docs = sources.docs_with({"mill.md": "# Mill\n\nThe mill of Anna Berg stands in Utrecht and grinds rye for the whole town, day by day, as it has done since the year 1702, and it was "
                              "Jan Smit who built it with his own hands from the wood of old ships that nobody wanted.\n"})
    planted = [{"head": "Jan Smit", "relation": "built", "tail": "mill of Anna Berg"}, {"head": "jan smit ", "relation": "built", "tail": "mill of Anna Berg"}, {"head": "It", "relation": "grinds", "tail": "rye"},
               {"head": "Jan Smit", "relation": "was born in", "tail": "Delft"}, {"head": "Utrecht", "relation": "stands in", "tail": "mill of Anna Berg"}, {"head": "Utrecht", "relation": "is", "tail": "utrecht"},
               {"head": "Jan Smit", "relation": "built", "tail": "mill of Anna Berg"}]
    mock = lib.Mock([{"match": "Anna Berg", "regex": "facts of three parts", "json": json.dumps({"triples": planted})},
                     {"regex": "\n([A-Z][a-z]+) ([a-z]+) ([a-z]+)[ .,]", "match": "facts of three parts", "json": '{"triples": [{"head": "{{1}}", "relation": "goes with", "tail": "{{3}}"}]}'}, {"match": "facts of three parts", "json": '{"triples": []}'}])
    judge = lib.Mock([{"match": "Utrecht | stands in", "json": '{"stated": false}'}, {"json": '{"stated": true}'}])
    r = run("triples", "docs=" + docs, writer=mock.url, judge=judge.url)
    rows = r.rows()
    rejects("triples", "no_triple", "pronoun", "not_in_passage", "dedup_exact", "not_stated")
    check(len(rows) >= 5 and all(x["head"] in x["passage"] and x["tail"] in x["passage"] for x in rows), "both ends stand in the passage", len(rows))
    equal([(x["head"], x["relation"], x["tail"]) for x in rows if "Anna" in x["passage"]], [("Jan Smit", "built", "mill of Anna Berg")], "what the passage says, once")
    equal(len({(x["head"], x["relation"], x["tail"]) for x in rows}), len(rows), "no triple twice")
    return "%d triples of %d documents, both ends of each in its passage; %d rejected" % (len(rows), len(os.listdir(docs)), r.summary["rows"]["rejected"])


def ultrachat():
    one = lib.Mock([{"match": "that people ask about, and", "json": '{"subtopics": ["{{hash}} at work", " "], "things": ["the old {{hash}}", "one too many"]}'},
                    {"match": "Write 2 different", "regex": "Topic: London", "json": '{"openings": ["I have one rainy day in London. What is worth it?", "Write down for my aunt how London came by its bridges."]}'},
                    {"system": "about London", "match": "Begin with the British Museum", "reply": "And with two children who hate queues?"}, {"system": "about London", "reply": "Which of these would you leave out if it rains all day?"},
                    {"match": "Write 2 different", "regex": "Topic: ([A-Z][^\n]*)", "json": '{"openings": ["What is {{1}} {{hash}} good for, in {{n}} words?", "Tell the {{n}} and the {{hash}} of {{1}} to a beginner."]}'},
                    {"match": "Write 2 different", "json": '{"openings": ["Why do mills need wind at all?", "Since when are there bakers in towns?"]}'},
                    {"system": "You play", "every": 13, "reply": "Thank you so much!"}, {"match": "Topic: rye", "json": '{"openings": ["Why do mills need wind at all?"]}'},
                    {"system": "You play", "every": 11, "reply": "How can I help you with that today?"},
                    {"system": "You play", "reply": "Thanks a lot! And what if the wind stops, case {{n}}?"}])
    two = lib.Mock([{"regex": "^I have one rainy day in London", "reply": "Begin with the British Museum before ten, have tea under a roof in Borough Market, and keep the evening for a play."},
                    {"regex": "^And with two children", "reply": "Then the Science Museum instead: its ground floor is wide, free, and full of things that move."}, {"regex": "^Which of these would you leave out", "reply": "The market. It is half open to the sky."}, {"every": 9, "reply": ""}, {"every": 11, "reply": "An answer that ends in the middle of", "finish": "stop"}, {"reply": "An answer number {{n}}, in full."}])
    r = run("ultrachat", "topics=" + lib.write_rows("ut.jsonl", [{"topic": "mills"}, {"topic": "bread", "material": "Bread rises because of yeast."}, {"topic": "rye"}]
            + [{"topic": a["title"].capitalize(), "material": a["text"]} for a in sources.articles(16)]), "per_topic=2", "subtopics=1", "least=3", "most=5", user=one.url, assistant=two.url)
    rows = r.rows()
    check(rows and r.summary["rows"]["rejected"] >= 1, "a user who turned into an assistant is rejected")
    rejects("ultrachat", "novel", "only_politeness", "role_flip", "refusals")
    for x in rows:
        roles = [m["role"] for m in x["messages"]]
        equal(roles, ["user", "assistant"] * x["rounds"], "roles alternate")
        check(3 <= x["rounds"] <= 5, "rounds", x["rounds"])
        said = " ".join(m["content"] for m in x["messages"] if m["role"] == "user")
        check("How can I help" not in said, "a role flip", said)
        check("Thanks" not in said, "polite noise", said)
    world, made = [x for x in rows if x["sector"] == "world"], [x for x in rows if x["sector"] == "creation"]
    check(world and all(x["about"].endswith("at work") or x["about"].startswith("the old") for x in world), "what is asked about is a subtopic or a thing", [x["about"] for x in world])
    check(made and all(x["writing"] and x["about"] == x["topic"] for x in made) and all(not x["writing"] for x in rows if x["sector"] != "creation"), "what is to be written is of a kind", made)
    for q in asked(one, "Write 2 different"):
        check(("in particular: " in user(q)) == ("questions about it" in user(q)) and ("What is to be written is a" in user(q)) == ("requests to write something" in user(q)), "the sector's own way of asking", user(q))
    check(len({user(q).split("What is to be written is ")[1].split(".")[0] for q in asked(one, "What is to be written is")}) > 1, "kinds of writing are drawn")
    sims = [q for q in requests(one) if q["messages"][0]["role"] == "system"]
    check(all(q["messages"][-1]["role"] == "user" and q["messages"][-1]["content"].startswith(("An answer", "Begin with", "Then the Science", "The market")) for q in sims), "the user sees the assistant's words as the other's")
    return "%d dialogues of 3 to 5 rounds, roles alternate, 0 role flips (%d rejected)" % (len(rows), r.summary["rows"]["rejected"])


def backtranslation():
    text = lambda s: "The history of %s is long. " % s + " ".join("%s%d" % (s, i) for i in range(40))
    mock = lib.Mock([{"regex": "Text: The history of ([a-z]+)", "json": '{"instruction": "Tell the history of {{1}}."}'},
                     {"match": "history of rivers", "json": '{"reason": "good", "score": 5}'},
                     {"match": "history of bakers", "every": 3, "json": '{"reason": "good", "score": 2}'},
                     {"match": "history of bakers", "json": '{"reason": "good", "score": 5}'},
                     {"match": "history of violins", "json": '{"reason": "menu", "score": 1}'},
                     {"regex": "^Text: ([^ ]+ [^ ]+ [^ ]+ [^ ]+)", "json": '{"instruction": "Write what {{hash}} says of {{1}}."}'}, {"every": 5, "json": '{"reason": "menu", "score": 3}'}, {"json": '{"reason": "good", "score": 5}'}])
    seeds = lib.write_rows("bt-seeds.jsonl", [{"instruction": "How do I boil an egg?", "response": "Seven minutes."}, {"instruction": "how do I boil an egg", "response": "Long."}] + [{"instruction": x["instruction"], "response": x["output"]} for x in sources.instructions(20)])
    texts = lib.write_rows("bt.jsonl", [{"text": text(s)} for s in ("rivers", "bakers", "violins")] + [{"text": text("rivers") + " And"}] + [{"text": "too short"}] + [{"text": a["text"]} for a in sources.articles(20)])
    r = run("backtranslation", "texts=" + texts, "seeds=" + seeds, backward=mock.url, scorer=mock.url)
    rejects("backtranslation", "length", "dedup_minhash", "low_score", "dedup_exact")
    everything = r.rows()
    check(all(x["score"] >= 4.5 for x in everything if x["origin"] == "augmented"), "a row under the threshold")
    check({x["response"] for x in everything if x["origin"] == "augmented"} <= {x["text"] for x in lib.read_rows(texts)}, "a response that is no text of the source")
    rows = {x["instruction"]: x for x in everything if x["instruction"].startswith(("How do I boil", "Tell the history"))}
    equal(sorted(rows), ["How do I boil an egg?", "Tell the history of rivers."], "kept")
    x = rows["Tell the history of rivers."]
    equal((x["response"], x["scores"], x["score"], x["iteration"]), (text("rivers"), [5, 5, 5], 5, 1), "the text as it stands, all its scores, the turn")
    check(x["system"] != rows["How do I boil an egg?"]["system"], "origins have system messages of their own")
    r = run("backtranslation", "texts=" + texts, "seeds=" + seeds, "least=4", "iteration=2", backward=mock.url, scorer=mock.url)
    equal(sorted(x["score"] for x in r.rows() if "Tell the history" in x["instruction"]), [4, 5], "scores at the threshold of 4")
    scores = [x["score"] for x in everything if x["origin"] == "augmented"]
    return "%d texts as they stand, smallest score %.1f, over 4.5" % (len(scores), min(scores))


def label_to_text():
    writer = lib.Mock([{"regex": 'class "spam".*Number 1 of many', "json": '{"text": "You have won a cruise for two. Answer within the hour, or it goes to the next on our list."}'}, {"every": 13, "json": '{"text": "order now one two three four five six seven"}'}, {"regex": 'class "([a-z]+)"', "json": '{"text": "{{1}} {{hash}} {{n}} alpha{{n}} beta{{hash}}"}'}])
    judge = lib.Mock([{"match": "won a cruise", "json": '{"judged": "spam"}'}, {"match": "Text: spam", "every": 3, "json": '{"judged": "unsure"}'}, {"match": "Text: spam", "json": '{"judged": "Spam"}'}, {"match": "Text: order", "json": '{"judged": "order"}'}])
    labels = lib.write_rows("labels.jsonl", [{"label": "spam", "description": "unwanted"}, {"label": "order", "description": "wants to buy"}])
    r = run("label_to_text", "labels=" + labels, "per_label=30", "classes=spam, order", writer=writer.url, judge=judge.url)
    count = {k: sum(x["label"] == k for x in r.rows()) for k in ("spam", "order")}
    check(count["spam"] == count["order"] >= 15, "equal shares of what the judge confirms: %r" % count)
    rejects("label_to_text", "dedup_minhash", "judged_otherwise", "balance")
    for field in ("length", "mood", "sort"):
        varies(r.rows(), field, 3)
    r = run("label_to_text", "labels=" + labels, "per_label=30", "classes=spam, order", "shares={spam: 0.25, order: 0.75}", writer=writer.url, judge=judge.url)
    count = {k: sum(x["label"] == k for x in r.rows()) for k in ("spam", "order")}
    check(count["order"] == 3 * count["spam"] and count["spam"] >= 9, "shares of 25 and 75 of 100: %r" % count)
    check(all("spam" not in user(q).split("Text:")[0] for q in requests(judge)), "the judge is not told the label")
    return "equal shares to the row; at 25 and 75 of 100: " + told(count)


def self_curation():
    mock = lib.Mock([{"match": "Request: Planted two", "json": '{"reason": "vague", "score": 2}'}, {"match": "Request: Planted odd", "every": 2, "json": '{"reason": "r", "score": 3}'}, {"json": '{"reason": "good", "score": 5}'}])
    rows = [{"instruction": "Planted two", "response": "x"}, {"instruction": "Planted odd", "response": "y"}] + [{"instruction": x["instruction"], "response": x["output"]} for x in sources.instructions(40)]
    r = run("self_curation", "rows=" + lib.write_rows("sc.jsonl", rows), "votes=2", scorer=mock.url)
    got = r.rows()
    equal(len(got), len(rows) - 2, "kept rows: a 2 and a mean of 4 are under 4.5")
    check(all(x["score"] >= 4.5 and len(x["scores"]) == 2 and x["iteration"] == 1 for x in got), "scores and turn on every row")
    return "smallest score of %d kept rows: %.1f, over 4.5; %d votes each" % (len(got), min(x["score"] for x in got), 2)


def ask():
    mock = lib.Mock([{"reply": "You asked: {{user}}"}])
    rows = [{"prompt": x["instruction"]} for x in sources.instructions(40)]
    r = run("ask", "rows=" + lib.write_rows("ask.jsonl", rows), m=mock.url)
    equal([x["reply"] for x in r.rows()], ["You asked: " + x["prompt"] for x in rows], "each row has the answer to its prompt, in order")
    return "%d answers stand with their prompts" % len(rows)


def instruction_filters():
    bad = {"length": "Too short.", "needs_more_than_text": "Draw me a map of the mills by the river.", "write_a_program": "Write a program that counts all sheep.", "odd_start": "%% begins in an odd way, as one sees."}
    r = run("instruction_filters", "rows=" + lib.write_rows("if.jsonl", [{"instruction": t} for t in bad.values()] + sources.instructions(100)))
    rejects("instruction_filters", *bad)
    kept = [x["instruction"] for x in r.rows()]
    check(not set(kept) & set(bad.values()), "a planted one passed")
    return "%d of %d real instructions pass; each of %d rules rejects under its own name" % (len(kept), r.summary["rows"]["in"] - len(bad), len(bad))


TESTS = [triples, instruction_filters, alpaca, reanswer, keywords, personas, evol_code, codeclm, orca, orca2, metamath, ultrachat, backtranslation, label_to_text, self_curation, ask]
if __name__ == "__main__":
    main(TESTS)
