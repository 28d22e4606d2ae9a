#!/usr/bin/env python3
"""toolformer, autode, exam: what a tool call does to the loss, what an agent's calls are worth, what an exam's questions tell. Each figure is worked out again by other means."""
import collections, datetime, json, os, re, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import asked, check, equal, lib, main, rejects, requests, run, sources, user


def toolformer():
    planted = {
        "Calculator": {"text": "Of 1,400 sacks that came 400 were wet, so 1,000 could be ground within the 3 days.", "call": "1,400 - 400", "result": "1000", "after": "so"},
        "QA": {"text": "The mill at Sans Souci belongs to the king, as people say.", "call": "Whose is the mill at Sans Souci?", "result": "The king's", "after": "to"},
        "Search": {"text": "The first moon that anybody saw at Neptune was Triton, and Lassell saw it.", "call": "Lassell discoverer Triton", "result": "Lassell", "after": "was"},
        "MT": {"text": "Over the door stood Mühle, which is to say mill.", "call": "Mühle", "result": "mill", "after": "say"},
        "Calendar": {"text": "The market is held today, for it is a Wednesday.", "date": "2019-01-30", "call": "", "result": "Today is Wednesday, 2019-01-30", "after": "for"},
    }
    rules = []
    for tool, p in planted.items():
        sampled = p["call"] + ")]"
        rules += [{"match": p["text"][:12], "regex": r"\[%s\($" % tool, "every": 3, "reply": sampled if tool == "Calendar" else "nothing much)]"},
                  {"match": p["text"][:12], "regex": r"\[%s\($" % tool, "reply": sampled},
                  {"regex": r"^\[%s\(%s\) -> .*%s" % (tool, re.escape(p["call"]).replace("\\ ", " ").replace("\\-", "-").replace("\\,", ",").replace("\\'", "'"), re.escape(p["result"]).replace("\\ ", " ").replace("\\-", "-").replace("\\,", ",").replace("\\'", "'")), "match": p["text"][:12], "logprob": -1.25 if tool == "MT" else -0.25},
                  {"match": "Text: " + p["text"] + " With calls:", "regex": r"With calls: .*[^(]$", "logprob": -2, "top_token": " [", "top_after": p["after"], "top_logprob": -0.5}]
    # Real texts: a call for some is likely and useful, for some likely and useless, for the rest unlikely.
    real = sources.articles(18)
    for i, a in enumerate(real):
        start = a["text"].split(".")[0][:40]
        rules += [{"match": start, "regex": r"\[QA\($", "reply": "What is known of number %d?)]" % i},
                  {"match": start, "regex": r"^\[QA\(What is known of number %d\?\) -> It is fact" % i, "logprob": -0.5 if i % 3 == 0 else -1.5},
                  {"match": start, "regex": r"With calls: .*[^(]$", "logprob": -2, "top_token": " [", "top_after": "the", "top_logprob": -1 if i % 3 < 2 else -4}]
    rules = [{"match": "The mill at Sans Souci", "regex": r"\[QA\($", "every": 3, "reply": ")]"}, {"match": "Of 1,400 sacks", "regex": r"\[Calculator\($", "every": 2, "reply": "1 / 0)]"}] + rules
    base = lib.Mock(rules + [{"regex": r"\[[A-Za-z]+\($", "reply": "no use)]"}, {"logprob": -2}])
    qa = lib.Mock([{"match": "Sans Souci", "reply": "The king's"}, {"reply": "It is fact {{hash}}"}])
    translator = lib.Mock([{"match": "Mühle", "reply": "mill"}, {"reply": "words"}])
    rows = [{"text": p["text"], "date": p.get("date", "")} for p in [*planted.values(), planted["QA"]]] + [{"text": a["text"], "date": ""} for a in real]
    r = run("toolformer", "texts=" + lib.write_rows("tf.jsonl", rows), "docs=" + sources.docs(), "m=3", "k=2", "rare_m=4", "rare_k=3", base=base.url, qa=qa.url, translator=translator.url)
    rejects("toolformer", "dedup_exact", "unlikely_place", "empty_call", "dedup_exact", "no_result", "no_gain")
    got, found = r.rows(), set()
    for x in got:
        equal(re.sub(r" \[[A-Za-z]+\((?:(?!\)\]| -> ).)*\) -> [^\]]*\]", "", x["text"]), x["original"], "the text without its calls")
        for c in x["calls"]:
            rare = c["tool"] in ("Calculator", "MT")
            check(c["gain"] >= (0.5 if rare else 1) and abs(min(c["loss_plain"], c["loss_call"]) - c["loss_result"] - c["gain"]) < 1e-9, "a call without a gain, or with a wrong one", c)
            check(c["p"] >= 0.05 or rare, "a place that the model would not have chosen", c)
            found.add(c["tool"])
            if c["tool"] == "Calculator":
                equal(float(c["result"]), eval(c["input"].replace(",", "")), "the sum")
            if c["tool"] == "Calendar":
                check(c["result"] == datetime.date(2019, 1, 30).strftime("Today is %A, %Y-%m-%d"), "the day", c["result"])
        equal(len({c["at"] for c in x["calls"]}), len(x["calls"]), "one call a place")
    equal(found, set(planted), "five tools")
    texts = {x["original"] for x in got}
    for i, a in enumerate(real):
        check((a["text"].strip() in texts) == (i % 3 == 0), "a call that helps stays, one that does not, or is unlikely, goes:", i, a["text"][:60])
    losses = [q for q in requests(base) if q.get("echo")]
    check(any(user(q).startswith("[Calculator(1,400 - 400)] Of") for q in losses) and any(user(q).startswith("[Calculator(1,400 - 400) -> 1000] Of") for q in losses), "with the call alone, with its result")
    calls = [c for x in got for c in x["calls"]]
    check(any(c["p"] < 0.05 for c in calls if c["tool"] == "Calculator"), "the calculator's places need not be likely")
    check(all(abs(c["gain"] - 0.75) < 1e-9 for c in calls if c["tool"] == "MT"), "a translation may help less than others")
    at_place = {}
    for q in requests(base):
        m = re.search(r"\[([A-Za-z]+)\($", q.get("prompt") or "")
        if m and not q.get("echo"):
            at_place.setdefault((m.group(1) in ("Calculator", "MT"), q["prompt"]), []).append(q)
    check(all(len(v) == (4 if rare else 3) for (rare, _), v in at_place.items()), "calls sampled at a place, each place once", {len(v) for v in at_place.values()})
    places = collections.Counter((rare, q[:q.rindex(" With calls:")], q[q.rindex("[") + 1:]) for rare, q in at_place)
    equal(tuple(max(n for (r0, _, _), n in places.items() if r0 == rare) for rare in (False, True)), (2, 3), "places of a text, for each sort of tools")
    gains = [c["gain"] for c in calls if c["tool"] not in ("Calculator", "MT")]
    return "%d calls of %d tools, smallest gain %.2f, at least 1, of calculator and translation 0.5; %d without gain or unlikely rejected" % (len(calls), len(found), min(gains), r.summary["rows"]["rejected"])


FORECAST = [{"name": "forecast", "description": "weather of days", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city", "days"]}}]


def labelled(n):
    """Real functions, requests and labelled calls, each argument with a list of right values."""
    p, answers = sources.there("bfcl", "BFCL_v4_simple_python.jsonl"), sources.there("bfcl", "possible_answer", "BFCL_v4_simple_python.jsonl")
    if not p:
        return [{"functions": FORECAST, "instruction": "How is the weather in town %d during the next %d days?" % (i, i + 1), "calls": [{"forecast": {"city": ["Town %d" % i], "days": [i + 1]}}]} for i in range(n)]
    labels = {x["id"]: x["ground_truth"] for x in sources.lines(answers)}
    rows = [{"functions": x["function"], "instruction": x["question"][0][0]["content"], "calls": labels[x["id"]]} for x in sources.lines(p)]
    return sources.spread([x for x in rows if x["instruction"].isascii() and not re.search(r'["\\\n]', x["instruction"]) and len(x["calls"]) == 1], n)


def autode():
    rows, agent_rules, user_rules = labelled(60), [], []
    want = {"made": 0, "right": 0, "expected": 0, "wrong": 0, "missing": 0, "extra": 0}
    for i, x in enumerate(rows):
        (name, slots), = x["calls"][0].items()
        args = {k: v[0] for k, v in slots.items() if v[0] != ""}
        kind = i % 5
        want["expected"] += 1
        if kind == 1 and args:          # a wrong value
            args[sorted(args)[0]] = "something else entirely"
            want["wrong"] += 1
        elif kind == 2:                 # an argument that nobody asked for
            args["made_up_slot"] = 1
            want["extra"] += 1
        elif kind == 3:                 # it never calls
            want["missing"] += 1
        else:
            want["right"] += 1
        want["made"] += kind != 3
        said = {"next": "say", "message": "Could you say more?"} if kind == 3 else {"next": "call", "calls": json.dumps([{"name": name, "arguments": args}])}
        agent_rules.append({"match": "user: " + x["instruction"] + "\n", "json": json.dumps(said)})
        user_rules += [{"match": "The user would say: " + x["instruction"], "json": json.dumps({"background": "A person.", "goal": x["instruction"], "facts": ["all of it"]})},
                       {"system": "You want: " + x["instruction"] + " You know", "reply": x["instruction"]}]
        x["human"] = kind in (0, 4)
    # In a live talk the agent has to ask for what the user did not say; in the static history all is there.
    talk = {"functions": FORECAST, "instruction": "Planted weather.", "calls": [{"forecast": {"city": ["Bergen"], "days": [3]}}], "human": False,
            "messages": [{"role": "user", "content": "The weather in Bergen for 3 days, please."}]}
    agent_rules += [{"match": "user: The weather in Bergen for 3 days, please.", "json": json.dumps({"next": "call", "calls": json.dumps([{"name": "forecast", "arguments": {"city": "Bergen", "days": 3}}])})},
                    {"match": "user: In Bergen", "json": json.dumps({"next": "call", "calls": json.dumps([{"name": "forecast", "arguments": {"city": "Bergen"}}])})},
                    {"match": "user: I want to know the weather", "json": json.dumps({"next": "say", "message": "Where?"})}]
    user_rules += [{"match": "The user would say: Planted weather", "json": json.dumps({"background": "A hiker.", "goal": "to know the weather", "facts": ["Bergen", "three days"]})},
                   {"system": "A hiker.", "match": "Where?", "reply": "In Bergen"}, {"system": "A hiker.", "reply": "I want to know the weather"}]
    agent, simulated = lib.Mock(agent_rules), lib.Mock(user_rules)
    path = lib.write_rows("autode.jsonl", [{**talk, "functions": []}] + rows + [talk])
    r = run("autode", "rows=" + path, "any_of=yes", "turns=3", user=simulated.url, agent=agent.url)
    got, (score,) = r.rows(), r.rows("scores.jsonl")
    equal(len(got), len(rows) + 1, "rows")
    last = got[-1]
    equal([m["role"] for m in last["messages"]], ["user", "assistant", "user", "assistant"], "it asked, the user answered, it called")
    equal((last["match"]["missing"], last["match"]["exact"]), (["forecast.days"], False), "what it did not ask for")
    made, right, expected = want["made"] + 1, want["right"], want["expected"] + 1
    check(abs(score["precision"] - right / made) < 1e-9 and abs(score["recall"] - right / expected) < 1e-9, "precision and recall by hand", score, want)
    equal((score["wrong_slots"], score["missing_slots"], score["extra_slots"]), (want["wrong"], want["missing"] + 1, want["extra"]), "slot errors by hand")
    equal(score["agreement"], 1, "agreement with a person's verdicts")
    check(all(x["user_messages"] == 3 for x in got if not x["called"]), "who never calls has had all turns")
    check(not any(re.search(r"\bfunctions\b|parameters", m["content"]) for q in requests(simulated) for m in q["messages"] if m["role"] == "system"), "the user's part knows no functions")
    other = run("autode", "rows=" + path, "mode=other", code=1, user=simulated.url, agent=agent.url)
    equal(other.summary["calls"]["sent"], 0, "an unknown mode asks nobody")
    rejects("autode", "unknown_mode", "check_schema")
    static = run("autode", "rows=" + path, "any_of=yes", "mode=static", user=simulated.url, agent=agent.url)
    equal(static.rows()[-1]["match"]["exact"], True, "the static history hides the error")
    check(all(len(x["messages"]) == 2 for x in static.rows()), "static: one answer to the history")
    return "precision %.2f, recall %.2f, %d slot errors, as counted by hand; an error that the static mode does not see" % (score["precision"], score["recall"], score["wrong_slots"] + score["missing_slots"] + score["extra_slots"])


def exam_by_meaning(folder, writer, takers, without):
    """With an encoder two retrievers more take it. What the dense one gave is worked out again from the vectors of all passages and questions; `without`: prompts of the grid that has none."""
    encoder = lib.small_encoder()
    r = run("exam", "docs=" + folder, "least=0.02", "encoder=" + encoder, writer=writer.url, **{k: m.url.replace("#m", "#model-" + k) for k, m in takers.items()})
    rows, scores = r.rows(), {x["part"]: x for x in r.rows("scores.jsonl")}
    check(len(rows) >= 10 and all(len(x["answers"]) == 15 for x in rows), "five retrievers by three models", [len(x["answers"]) for x in rows])
    for k in ("none", "oracle", "bm25", "dense", "mixed"):
        equal(scores["retriever " + k]["answers"], 3 * len(rows), "answers of the retriever " + k)
    recipe = lib.path("passages.yaml")
    with open(recipe, "w", encoding="utf-8") as f:
        f.write("quern: 1\nparams: {docs: {type: path}, encoder: {type: path}}\nsteps:\n  - read_docs: {path: $docs}\n  - chunk: {by: paragraph, min: 48, max: 256, to: passage}\n"
                "  - embed: {text: .passage, encoder: $encoder, digits: 7}\n  - write: {to: data.jsonl}\n")
    passages = lib.Run(recipe, "docs=" + folder, "encoder=" + encoder).rows()
    questions = lib.quern("apply", "embed", "text=.question", "encoder=" + encoder, "digits=7", lib.write_rows("questions.jsonl", [{"question": x["question"]} for x in rows]))[1]
    vectors = {x["question"]: x["vector"] for x in map(json.loads, questions.splitlines())}
    prompts, fresh = [user(q) for q in requests(takers["a"])], 0
    for x in rows:
        nearest = sorted(passages, key=lambda p: -sum(a * b for a, b in zip(p["vector"], vectors[x["question"]])))[:3]
        given = "Passages:\n" + "\n\n".join(p["passage"] for p in nearest) + "\n"
        check(any(given in p and x["question"] in p for p in prompts), "the three passages nearest by meaning were not given with", x["question"])
        fresh += not any(given in p for p in without)
    check(fresh >= 10, "the dense retriever gives what the others do not", fresh)


def exam():
    text = ("%s place %s lies in a valley of its own, number %d of its kind. It was %s built when the river still ran there. Many people go to it, for it has a mill with %d stones "
            "and a bridge over what was once the water. Nobody knows who made either of them, or when, or why it was done at all in such a place.")
    # Questions on these are answered right by everybody, on those by nobody.
    folder = sources.docs_with({"%s_%d.txt" % (kind, i): text % (kind, "abcdef"[i] * 5, i, "abcdef"[i] * 4, i + 3) for i in range(6) for kind in ("Easy", "Lost")})
    writer = lib.Mock([{"regex": "(Easy|Lost) place ([a-z]+) lies", "json": json.dumps({"question": "Where does {{1}} place {{2}} lie by itself?", "right": "in a valley of its own", "wrong": ["Zug one of {{hash}}", "Zug two of {{hash}}", "Zug three of {{hash}}"]})},
                       {"regex": "was (an? [a-zA-Z]+ [a-zA-Z]+)[^a-zA-Z]", "every": 7, "json": json.dumps({"question": "What does this passage tell?", "right": "{{1}}", "wrong": ["Zug {{n}} a", "Zug {{n}} b", "Zug {{n}} c"]})},
                       {"regex": "was (an? [a-zA-Z]+ [a-zA-Z]+)[^a-zA-Z]", "every": 8, "json": json.dumps({"question": "What was it in place {{n}} {{hash}}?", "right": "something of {{n}} invented {{hash}}", "wrong": ["Zug {{n}} a", "Zug {{n}} b", "Zug {{n}} c"]})},
                       {"regex": "was (an? [a-zA-Z]+ [a-zA-Z]+)[^a-zA-Z]", "every": 9, "json": json.dumps({"question": "What was it in place {{n}} {{hash}}?", "right": "{{1}}", "wrong": ["Zug {{n}} a", "Zug {{n}} a", "Zug {{n}} c"]})},
                       {"regex": "was (an? [a-zA-Z]+ [a-zA-Z]+)[^a-zA-Z]", "every": 11, "json": json.dumps({"question": "What was it in place {{n}} {{hash}}?", "right": "{{1}}", "wrong": ["Zug {{n}} a", "Zug {{n}} b", "All of these"]})},
                       {"regex": "was (an? [a-zA-Z]+ [a-zA-Z]+)[^a-zA-Z]", "every": 4, "json": json.dumps({"question": "What was the thing that is asked of everybody here?", "right": "{{1}}", "wrong": ["Zug {{n}} a", "Zug {{n}} b", "Zug {{n}} c"]})},
                       {"regex": "was (an? [a-zA-Z]+ [a-zA-Z]+)[^a-zA-Z]", "every": 5, "json": json.dumps({"question": "What was it in place {{n}} {{hash}}?", "right": "{{1}}", "wrong": ["Zug " * 20 + "{{n}}", "Zug {{n}} b", "Zug {{n}} c"]})},
                       {"regex": "was (an? [a-zA-Z]+ [a-zA-Z]+)[^a-zA-Z]", "every": 10, "json": json.dumps({"question": "Is it {{1}} in place {{n}} {{hash}}?", "right": "{{1}}", "wrong": ["Zug {{n}} a", "Zug {{n}} b", "Zug {{n}} c"]})},
                       {"regex": "(was|is) (an? [a-zA-Z]+ [a-zA-Z]+)[^a-zA-Z]", "json": json.dumps({"question": "What {{1}} it in place {{n}} {{hash}} of list {{n}}{{hash}}?", "right": "{{2}}", "wrong": ["Zug {{n}} a", "Zug {{n}} b", "Zug {{n}} c"]})},
                       {"json": json.dumps({"question": "Which of {{n}} is {{hash}} it?", "right": "Zug", "wrong": ["a"]})}])

    def taker(open_book, closed_book):
        """Knows that many of ten questions; a right choice is the one that does not begin with a Z."""
        right, wrong = {"regex": "([A-D])\\) [^Z]", "json": '{"choice": "{{1}}"}'}, {"regex": "([A-D])\\) Z", "json": '{"choice": "{{1}}"}'}
        known = lambda n: "[%s][?].*([A-D])\\) [^Z]" % "0123456789abcdef"[:n]     # a question ends in a hash: its last digit says how hard it is
        return lib.Mock([{**right, "match": "Question: Where does Easy"}, {**wrong, "match": "Question: Where does Lost"},
                         {"match": "Passages:", "regex": known(open_book), "json": '{"choice": "{{1}}"}'}, {"regex": known(closed_book), "json": '{"choice": "{{1}}"}'}, wrong])
    takers = {"a": taker(15, 8), "b": taker(11, 5), "c": taker(7, 3)}
    r = run("exam", "docs=" + folder, "least=0.02", writer=writer.url, **{k: m.url.replace("#m", "#model-" + k) for k, m in takers.items()})
    rows, scores = r.rows(), {x["part"]: x for x in r.rows("scores.jsonl")}
    check(len(rows) >= 10, "questions", len(rows))
    rejects("exam", "leans_on_passage", "not_four_choices", "choice_about_choices", "length_tells", "question_gives_answer", "in_source", "dedup_minhash", "item_response")
    for x in rows:
        equal(len(x["answers"]), 9, "three retrievers by three models")
        check("Easy" not in x["question"] and "Lost" not in x["question"], "a question that tells nothing is there:", x["question"])
        check(0 < x["item"]["share_right"] < 1 and x["item"]["information"] >= 0.02 and x["item"]["discrimination"] > 0, "figures of a question", x["item"])
        equal(x["options"]["ABCD".index(x["letter"])], x["right"], "the letter is that of the right choice")
        check("passage" not in x["question"] and "invented" not in x["right"] and len(set(x["options"])) == 4 and x["right"] not in x["question"], "a question that the rules forbid", x["question"])
    check(len({x["letter"] for x in rows}) >= 3, "the right choice stands in different places")
    check(scores["model model-a"]["ability"] > scores["model model-b"]["ability"] > scores["model model-c"]["ability"], "abilities of the models", scores)
    check(scores["retriever oracle"]["ability"] > scores["retriever none"]["ability"] and scores["retriever bm25"]["ability"] > scores["retriever none"]["ability"], "abilities of the retrievers", scores)
    prompts = [user(q) for q in requests(takers["a"])]
    check(any("Passages:" not in p for p in prompts) and any("Passages:" in p for p in prompts), "with and without passages")
    exam_by_meaning(folder, writer, {"a": taker(15, 8), "b": taker(11, 5), "c": taker(7, 3)}, prompts)
    return "%d questions tell (discrimination %.2f to %.2f); abilities: closed book %.2f, BM25 %.2f, oracle %.2f" % (len(rows), min(x["item"]["discrimination"] for x in rows),
           max(x["item"]["discrimination"] for x in rows), *(scores["retriever " + k]["ability"] for k in ("none", "bm25", "oracle")))


TESTS = [toolformer, autode, exam]
if __name__ == "__main__":
    main(TESTS)
