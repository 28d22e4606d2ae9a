#!/usr/bin/env python3
"""Recipes that make pairs, scores and labels of steps. Each runs against a scripted server; what is checked is what the paper's loop, swap or filter does."""
import itertools, json, math, os, re, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import asked, check, equal, lib, main, rejects, requests, run, sources, system, told, user, varies

def ultrafeedback():
    pool = {k: lib.Mock([{"reply": "%s says: {{user}}" % k}]) for k in "abcd"}
    marks = {"a": 5, "b": 3, "c": 3, "d": 1}

    def script():
        """The judge goes by who speaks, wherever the answer stands."""
        out = [{"match": "Three marks", "json": json.dumps({"marks": [{"reason": "same", "score": 3}] * 3})}, {"match": "All alike", "json": json.dumps({"marks": [{"reason": "same", "score": 3}] * 4})}]
        for p in itertools.permutations("abcd"):
            out.append({"regex": "".join("Answer %d: %s says.*" % (i + 1, k) for i, k in enumerate(p)), "json": json.dumps({"marks": [{"reason": "by " + k, "score": marks[k]} for k in p]})})
        return out
    judge = lib.Mock(script())
    rows = [{"instruction": "Say something on matter %d." % i} for i in range(6)] + [{"instruction": "All alike: hello there."}, {"instruction": "Three marks: hello."}] + sources.instructions(14)
    n = len(rows) - 1           # one gets three marks
    r = run("ultrafeedback", "rows=" + lib.write_rows("uf.jsonl", rows), **{k: m.url.replace("#m", "#model-" + k) for k, m in pool.items()}, judge=judge.url)
    pairs, ranks = r.rows(), r.rows("ranking.jsonl")
    equal((len(pairs), len(ranks)), (n - 1, n), "a tie is no pair, but a ranking")
    for x in pairs:
        check(x["chosen"][0]["content"].startswith("a says") and x["rejected"][0]["content"].startswith("d says"), "best against worst", x["chosen"], x["rejected"])
        equal((x["chosen_model"], x["rejected_model"]), ("model-a", "model-d"), "models on the row")
        equal({y["model"]: y["mean"] for y in x["responses"]}, {"model-a": 5, "model-b": 3, "model-c": 3, "model-d": 1}, "scores go with their answers")
        equal(len({y["principle"] for y in x["responses"]}), 4, "four principles")
        equal(sorted(x["responses"][0]["scores"]), ["helpfulness", "honesty", "instruction_following", "truthfulness"], "aspects")
    firsts = {re.search("Answer 1: (.) says", user(q)).group(1) for q in requests(judge)}
    check(len(firsts) > 1, "the judge's order is drawn")
    rejects("ultrafeedback", "not_four_marks", "tie")
    check(len({y["principle"] for x in ranks for y in (x.get("responses") or [])} | {y["principle"] for x in pairs for y in x["responses"]}) == 5, "principles are drawn")
    equal(len([q for q in requests(judge) if "Three marks" not in user(q)]), 4 * n, "one question an aspect")
    equal(len(r.rows("critic.jsonl")), 4 * n, "a critic's row for each answer")
    check(len({system(q) for q in requests(pool["a"])}) > 1, "a model's principle varies")
    return "%d pairs, 1 tie left out; %d of 4 models stood first before the judge" % (len(pairs), len(firsts))


def teacher_ranking():
    real = sources.instructions(20)
    a, b, c = (lib.Mock([{"match": "Same?", "reply": "the same"}, {"reply": w}]) for w in ("apple", "bread", "crumb"))
    fair = [{"regex": r"\[A\] apple", "json": '{"reason": "r", "better": "A"}'}, {"regex": r"\[B\] apple", "json": '{"reason": "r", "better": "B"}'}]
    teacher = lib.Mock([{"match": "Request: Even", "json": '{"reason": "r", "better": "tie"}'}] + fair + [{"match": "[A]", "json": '{"reason": "the first one", "better": "A"}'}])
    r = run("teacher_ranking", "rows=" + lib.write_rows("tr.jsonl", [{"instruction": "Eat what?"}, {"instruction": "Even?"}, {"instruction": "Same?"}] + real), a=a.url, b=b.url, c=c.url, teacher=teacher.url)
    got = [(x["chosen"][0]["content"], x["rejected"][0]["content"]) for x in r.rows()]
    equal(sorted(set(got)), [("apple", "bread"), ("apple", "crumb")], "pairs whose verdict survives the swap")
    equal((len(got), len(requests(teacher))), (2 + 2 * len(real), 12 + 6 * len(real)), "each pair in both orders")
    rejects("teacher_ranking", "equal_answers", "position_bias", "tie")
    return "%d pairs whose verdict survived the swap; position bias found in %d of %d pairs" % (len(got), 1 + len(real), 6 + 3 * len(real))


def self_refine():
    mock = lib.Mock([{"regex": "meets the feedback", "match": "say when", "reply": "best"}, {"regex": "meets the feedback", "match": "say more", "reply": "better"},
                     {"regex": "meets the feedback", "reply": "stuck as before, {{n}}"},
                     {"match": "Answer: best", "json": '{"feedback": "nothing", "score": 9}'}, {"match": "Answer: better", "json": '{"feedback": "say when", "score": 7}'},
                     {"match": "Answer: good", "json": '{"feedback": "say more", "score": 4}'}, {"match": "Answer: stuck", "json": '{"feedback": "no", "score": 3}'},
                     {"match": "Answer: perfect", "json": '{"feedback": "none", "score": 10}'},
                     {"match": "Rise", "reply": "good"}, {"match": "Stay", "reply": "stuck"}, {"match": "Done", "reply": "perfect"}, {"reply": "good"}])
    r = run("self_refine", "rows=" + lib.write_rows("sr.jsonl", [{"instruction": i} for i in ("Rise", "Stay", "Done")] + [x for x in sources.instructions(20) if "Answer:" not in x["instruction"]]), model=mock.url)
    everything = r.rows()
    check(all(y["scores"][0] > y["scores"][1] for y in everything), "a pair whose score did not rise")
    check(not any(y["instruction"] in ("Stay", "Done") for y in everything), "no rise, nothing to refine: no pair")
    rejects("self_refine", "nothing_to_refine", "score_did_not_rise")
    x, = [y for y in everything if y["instruction"] == "Rise"]
    equal([t["score"] for t in x["trajectory"]], [4, 7, 9], "the trajectory, stopped at 9")
    equal((x["chosen"][0]["content"], x["rejected"][0]["content"], x["scores"]), ("best", "good", [9, 4]), "last against first")
    equal(len([q for q in asked(mock, "meets the feedback") if "Request: Stay" in user(q)]), 3, "four rounds: three refinements")
    return "in %d of %d pairs the score rose; trajectories of up to %d answers kept" % (len(everything), len(everything), max(len(y["trajectory"]) for y in everything))


def constitutional_ai():
    model = lib.Mock([{"match": "Request unmoved", "reply": "the same words"}, {"match": "Where does this answer go against it", "reply": "It does, {{n}}."}, {"match": "critique no longer applies", "reply": "revised {{n}}"}, {"reply": "raw {{n}}"}])
    judge = lib.Mock([{"match": "(A) revised", "json": '{"better": "A"}'}, {"match": "(B) revised", "json": '{"better": "B"}'}])
    rows = lib.write_rows("ca.jsonl", [{"instruction": "Request %d" % i} for i in range(8)] + [{"instruction": "Request unmoved"}] + sources.instructions(12))
    r = run("constitutional_ai", "rows=" + rows, "revisions=3", model=model.url, judge=judge.url)
    pairs, sft = r.rows(), r.rows("sft.jsonl")
    equal((len(pairs), len(sft)), (20, 21), "rows")
    rejects("constitutional_ai", "equal_answers")
    for x in pairs:
        equal(len(x["revisions"]), 3, "revisions")
        check(x["principle"] and all(v["principle"] and v["critique"] for v in x["revisions"]), "principles on the row")
        check(x["chosen"][0]["content"].startswith("revised") and x["rejected"][0]["content"].startswith("raw"), "chosen by the judge")
        shown = [q for q in requests(model) if "go against it" in user(q) and x["revisions"][0]["answer"] in user(q)]
        check(shown, "the second critique is of the first revision")
    check(len({v["principle"] for x in pairs for v in x["revisions"]}) >= 4, "principles are drawn")
    check(any(len({v["principle"] for v in x["revisions"]}) > 1 for x in pairs), "a principle is drawn anew for each revision")
    biased = lib.Mock([{"json": '{"better": "A"}'}])
    r = run("constitutional_ai", "rows=" + rows, "revisions=1", model=model.url, judge=biased.url)
    equal(len(r.rows()), 0, "a judge that goes by the place gives no pair")
    return "%d pairs, %d principles on their rows; 0 pairs from a judge who goes by the place" % (len(pairs), len({v["principle"] for x in pairs for v in x["revisions"]}))


def refiner():
    return lib.Mock([{"match": "In what ways", "reply": "It hurts."}, {"regex": "Request: (one|two|same).*Write a better answer", "reply": "kind {{1}}"}, {"match": "same", "reply": "kind same"}, {"match": "Write a better answer", "reply": "kind words {{hash}}"}, {"reply": "raw {{user}}"}])


def scorer():
    return lib.Mock([{"match": "Answer: kind one", "json": '{"score": 9}'}, {"match": "Answer: raw one", "json": '{"score": 2}'}, {"match": "Answer: kind two", "json": '{"score": 3}'}, {"match": "Answer: raw two", "json": '{"score": 5}'}, {"match": "Answer: kind", "json": '{"score": 8}'}, {"json": '{"score": 3}'}])


def rdpo():
    rows = lib.write_rows("rd.jsonl", [{"instruction": i} for i in ("one", "two", "same")] + sources.harmful(30))
    model, reward = refiner(), scorer()
    everything = {x["instruction"]: x for x in run("rdpo", "rows=" + rows, model=model.url, reward=reward.url).rows()}
    got = {k: v for k, v in everything.items() if k in ("one", "two", "same")}
    equal(sorted(got), ["one", "two"], "what did not change is no pair")
    for k, (first, revised) in {"one": (2, 9), "two": (5, 3)}.items():
        equal((got[k]["score_first"], got[k]["score_revised"]), (first, revised), "scores on the row")
        check(abs(got[k]["weight"] - 1 / (1 + math.exp(first - revised))) < 1e-9, "weight", got[k]["weight"])
    check(got["one"]["weight"] > 0.99 and got["two"]["weight"] < 0.2, "a pair that got worse weighs little")
    hard = run("rdpo", "rows=" + rows, "hard=1", model=model.url, reward=reward.url).rows()
    equal(sorted(x["instruction"] for x in hard), sorted(k for k in everything if k != "two"), "the hard filter")
    return "weights of %d pairs from %.2f to %.2f, both scores on the row" % (len(everything), min(x["weight"] for x in everything.values()), max(x["weight"] for x in everything.values()))


def configurable_safety():
    real = sources.harmful(20)
    everything = run("configurable_safety", "rows=" + lib.write_rows("cs.jsonl", [{"instruction": i} for i in ("one", "two")] + real), model=refiner().url, reward=scorer().url).rows()
    equal(len(everything), 2 + 2 * len(real), "each pair twice")
    for a, b in zip(everything[::2], everything[1::2]):
        check(a["chosen"] == b["rejected"] and a["rejected"] == b["chosen"] and a["system"] != b["system"], "not swapped, or not under two messages")
    rows = [x for x in everything if "kind one" in (x["chosen"][0]["content"], x["rejected"][0]["content"])]
    equal(len(rows), 2, "each pair twice; what got worse is gone")
    a, b = rows
    equal((a["chosen"], a["rejected"]), (b["rejected"], b["chosen"]), "swapped")
    check(a["system"] != b["system"] and a["prompt"][0]["role"] == "system", "under two system messages")
    equal(a["chosen"][0]["content"], "kind one", "safe: the revised answer is chosen")
    return "%d pairs, each there twice, swapped, under two system messages" % (len(everything) // 2)


def pink_elephant():
    talk = lambda last: json.dumps({"messages": [{"role": "user", "content": "Which trains do you like?"}, {"role": "assistant", "content": last}]})
    real = sources.topics(8, "corporations/industries.json")
    mock = lib.Mock([{"match": "subtopics of it", "regex": "Topic: travel", "json": '{"subtopics": ["trains"]}'}, {"match": "subtopics of it", "json": '{"subtopics": ["what it costs"]}'},
                     {"regex": "of ([^\n]+)\n.*pairs of things", "match": "what it costs", "json": '{"pairs": [{"avoid": "Acme {{1}}", "prefer": "Bolt and Sons"}]}'},
                     {"regex": "speaks of (Acme [^,]+),", "json": json.dumps({"messages": [{"role": "user", "content": "Whom do you know?"}, {"role": "assistant", "content": "{{1}}, of course."}]})},
                     {"regex": "must not name Acme", "reply": "Bolt and Sons are good."},
                     {"match": "pairs of things", "json": '{"pairs": [{"avoid": "Zuglinie", "prefer": "Railway One"}, {"avoid": "Bahnwerk", "prefer": "Railway One"}, {"avoid": "Mute", "prefer": "Railway One"}, {"avoid": "Rail", "prefer": "Railway One"}, {"avoid": "zuglinie", "prefer": "railway one"}, {"avoid": "Halted", "prefer": "Railway One"}]}'},
                     {"match": "speaks of Zuglinie", "json": talk("ZUGLINIE is fine.")}, {"match": "speaks of Bahnwerk", "json": talk("Bahnwerk, of course.")}, {"match": "speaks of Mute", "json": talk("None at all.")}, {"match": "speaks of Halted", "json": json.dumps({"messages": [{"role": "user", "content": "Halted?"}]})},
                     {"match": "Say where this last reply", "reply": "It names it."},
                     {"match": "must not name Zuglinie", "whole": "Rather than zuglinie", "reply": "Railway One is good."}, {"match": "must not name Zuglinie", "reply": "Rather than zuglinie, Railway One."},
                     {"match": "must not name Bahnwerk", "reply": "Not Bahnwerk, I must not say Bahnwerk."}])
    r = run("pink_elephant", "topics=" + lib.write_rows("pe.jsonl", [{"topic": "travel"}] + [{"topic": t} for t in real]), "pairs=6", writer=mock.url)
    everything = r.rows()
    equal(len(everything), 1 + len(real), "rows")
    for y in everything:
        check(y["avoid"].lower() not in y["chosen"][0]["content"].lower() and y["avoid"].lower() in y["rejected"][0]["content"].lower(), "the chosen reply names it, or the rejected does not", y)
        equal([m["role"] for m in y["prompt"]], ["system"] + [m["role"] for m in y["dialogue"]], "the prompt is the dialogue, message by message")
        check(y["prompt"][-1]["role"] == "user" and not any(re.match("(user|assistant): ", m["content"]) for m in y["prompt"]), "no transcript inside a message", y["prompt"])
    x, = [y for y in everything if y["topic"] == "travel"]
    check(x["avoid"].lower() not in x["chosen"][0]["content"].lower(), "the chosen reply names what is to be avoided")
    check(x["avoid"].lower() in x["rejected"][0]["content"].lower(), "the rejected one names it")
    equal((x["avoid"], x["chosen"][0]["content"]), ("Zuglinie", "Railway One is good."), "revised until it was clean")
    rejects("pink_elephant", "no_pair", "dedup_exact", "no_dialogue", "did_not_come_up", "still_mentioned")
    equal(len(asked(mock, "must not name Acme")), len(real), "what is clean is not revised again")
    equal(r.summary["rows"]["rejected"], 5, "no pair, twice, no dialogue, did not come up, still mentioned")
    equal(len(asked(mock, "speaks of Rail,")), 0, "a thing inside the other's name is no pair")
    return "avoided entity named in 0 of %d chosen replies, in %d of %d rejected ones" % (len(everything), len(everything), len(everything))


def grath():
    mock = lib.Mock([{"match": "Q4", "regex": "right answer and a wrong", "json": '{"right": "Same words.", "wrong": "Same words."}'}, {"match": "Q1", "regex": "right answer and a wrong", "json": '{"right": "The sky is blue by scattering.", "wrong": "The sky is blue by reflection."}'},
                     {"match": "Q2", "regex": "right answer and a wrong", "json": '{"right": "No.", "wrong": "Yes, since many people have said so again and again for years."}'},
                     {"match": "Q3", "regex": "right answer and a wrong", "json": '{"right": "It is four.", "wrong": "It is five."}'},
                     {"match": "(A) The sky is blue by scattering", "json": '{"true_one": "A"}'}, {"match": "(B) The sky is blue by scattering", "json": '{"true_one": "B"}'},
                     {"match": "(A) No.", "json": '{"true_one": "A"}'}, {"match": "(B) No.", "json": '{"true_one": "B"}'},
                     {"match": "Q3", "regex": "Which answer is true", "json": '{"true_one": "both"}'},
                     {"match": "(A) True", "json": '{"true_one": "A"}'}, {"match": "(B) True", "json": '{"true_one": "B"}'}, {"json": '{"right": "True words on {{hash}}.", "wrong": "False words on {{hash}}."}'}])
    r = run("grath", "rows=" + lib.write_rows("gr.jsonl", [{"question": q} for q in ("Q1", "Q2", "Q3", "Q4")] + [{"question": p["question"]} for p in sources.problems(20)]), model=mock.url)
    everything = r.rows()
    rejects("grath", "equal_answers", "length_tells", "not_told_apart")
    check({user(q).split("(A) ")[1][:5] for q in asked(mock, "Which answer is true") if "words on" in user(q)} == {"True ", "False"}, "the true one stands in either place")
    ratio = max(max(y["words_right"] / y["words_wrong"], y["words_wrong"] / y["words_right"]) for y in everything)
    check(ratio <= 1.5 and not any(y["question"] in ("Q2", "Q3") for y in everything), "length, or nothing at all, tells the answers apart")
    x, = [y for y in everything if y["question"] == "Q1"]
    check(x["words_right"] <= 1.5 * x["words_wrong"] and x["words_wrong"] <= 1.5 * x["words_right"], "length tells the answers apart")
    equal(x["chosen"][0]["content"], "The sky is blue by scattering.", "chosen is the true one")
    again = run("grath", "rows=" + lib.write_rows("gr2.jsonl", [{"question": "Q1", "chosen": "Old right answer here now.", "rejected": "It mirrors the sea below it."}]), "iteration=2", model=mock.url).rows()
    equal((again[0]["rejected"][0]["content"], again[0]["iteration"]), ("It mirrors the sea below it.", 2), "a later turn refines the right answer alone")
    check("Old right answer" in user(asked(mock, "more truthful")[0]), "the right answer so far is shown")
    return "a blind check told all %d pairs apart; largest ratio of lengths %.2f, at most 1.5" % (len(everything), ratio)


def process_labels():
    good, bad, odd = "3 + 4 is 7\n7 * 2 is 14\n#### 14", "3 + 4 is 8\n8 * 2 is 16\n16 is it\n#### 16", "no idea\nat all\n#### 1"
    real = [p for p in sources.problems(8)]
    rules = [x for p in real for x in ({"match": p["question"], "regex": "Solve it in steps", "every": 2, "reply": "First so, {{n}}.\nThen so.\n#### 0.5"}, {"match": p["question"], "regex": "Solve it in steps", "reply": "First so.\nThen so.\n#### " + sources.gold(p)},
                                       {"match": p["question"], "every": 2, "reply": "and so\n#### 0.5"}, {"match": p["question"], "reply": "and so\n#### " + sources.gold(p)})]
    rules.append({"match": "Stepless", "reply": "At once.\n#### 14"})
    writer = lib.Mock(rules + [{"match": "Solve it in steps", "nth": 1, "reply": good}, {"match": "Solve it in steps", "nth": 1, "reply": bad}, {"match": "Solve it in steps", "nth": 1, "reply": odd}, {"match": "Solve it in steps", "reply": good},
                       {"regex": "begins so:[^#]*3 [+] 4 is 8", "reply": "so\n#### 16"}, {"match": "7 * 2 is 14", "reply": "#### 14"}, {"match": "3 + 4 is 7", "every": 2, "reply": "#### 13"}, {"match": "3 + 4 is 7", "reply": "#### 14"}])
    judge = lib.Mock([{"match": "At a glance", "regex": "no idea", "json": '{"looks": 1}'}, {"match": "At a glance", "json": '{"looks": 4}'},
                      {"match": "3 + 4 is 8", "json": '{"label": "negative"}'}, {"json": '{"label": "positive"}'}])
    r = run("process_labels", "rows=" + lib.write_rows("pl.jsonl", [{"question": "Twice three and four?", "answer": "(3+4)*2\n#### 14"}, {"question": "Unnumbered?", "answer": "none"}, {"question": "Stepless?", "answer": "#### 14"}] + real), "solutions=4", "rollouts=4", writer=writer.url, judge=judge.url)
    rejects("process_labels", "no_number", "no_steps", "dedup_exact", "not_convincing")
    everything = r.rows()
    for y in everything:
        check(len(y["labels"]) == len(y["completions"]) == len(y["estimates"]) and False not in y["labels"][:-1], "a label and an estimate for each step, none after the first wrong one", y["labels"])
    rows = sorted([y for y in everything if "Twice three" in json.dumps(y["prompt"])], key=lambda x: x["correct"])
    equal(len(rows), 2, "a convincing wrong one and a right one; the odd one and the repeat are gone")
    wrong, right = rows
    equal((wrong["labels"], len(wrong["completions"])), ([False], 1), "nothing after the first wrong step")
    equal((right["labels"], len(right["completions"])), ([True, True], 2), "a label for each step")
    equal((wrong["estimates"], right["estimates"]), ([0], [0.5, 1]), "roll-out estimates")
    equal(right["agreement"], 1, "judge and roll-outs agree")
    check(all(x["solution"] for x in everything), "the whole solution is there, for an outcome model")
    # By execution: sums are worked out again. Three sources of labels, each ends at its own first wrong step.
    sums = ["48 / 2 = 24 clips, $1,200 x 2 = $2400.", "So 10 / 3 = 3.33, and (5 + 3) is 8.", "Nothing to add up here.", "Then 24 + 48 = 73, as is plain.", "And 7 * 3 = 21."]
    chain = lib.Mock([{"match": "Solve it in steps", "every": 2, "reply": "\n".join(sums) + "\n#### 73"}, {"match": "Solve it in steps", "reply": "1 + 1 = 2\n9 / 0 = 9\n#### 72"},
                      {"match": "Nothing to add", "reply": "#### 73"}, {"match": "48 / 2", "every": 2, "reply": "#### 72"}, {"match": "48 / 2", "reply": "#### 1"}, {"reply": "#### 72"}])
    lenient = lib.Mock([{"match": "At a glance", "json": '{"looks": 5}'}, {"match": "And 7", "json": '{"label": "negative"}'}, {"json": '{"label": "neutral"}'}])
    rows = lib.write_rows("plx.jsonl", [{"question": "Executed?", "answer": "#### 72"}])
    by = {}
    for who in ("judge", "rollouts", "execution"):
        out = run("process_labels", "rows=" + rows, "solutions=4", "rollouts=4", "by=" + who, writer=chain.url, judge=lenient.url).rows()
        by[who] = {x["correct"]: x for x in out}
        equal({x["by"] for x in out}, {who}, "who labelled stands on the row")
    equal({w: by[w][False]["labels"] for w in by}, {"judge": [True, True, True, True, False], "rollouts": [True, True, False], "execution": [True, True, True, False]}, "labels end where their source finds the first wrong step")
    equal(by["judge"][False]["executed"], [True, True, None, False, True], "each step's sums, worked out again; rounded ones are right, a step without one says nothing")
    equal(by["execution"][True]["labels"], [True, False], "what cannot be worked out is wrong")
    odd = run("process_labels", "rows=" + rows, "by=luck", code=1, writer=chain.url, judge=lenient.url)
    equal(odd.summary["calls"]["sent"], 0, "an unknown source of labels asks nobody")
    rejects("process_labels", "unknown_labeller")
    return "%d steps of %d solutions, each with a label and a roll-out estimate" % (sum(len(x["labels"]) for x in everything), len(everything))


def openhermes():
    words = "amber birch coral delta ember fjord grove heath inlet jetty knoll ledge marsh north ochre plain quarry ridge shore tundra".split()
    rows = [{"instruction": "Tell me of %s and what %s has to do with %s." % (words[i % 20], words[(i * 7 + 3) % 20], words[(i * 3 + s) % 20]), "output": "It is about %s%d %s." % (words[i % 20], i, src), "source": src}
            for s, (src, n) in enumerate({"chat": 18, "code": 9}.items()) for i in range(n)]
    rows += [{"instruction": x["instruction"], "output": x["output"], "source": "seeds"} for x in sources.instructions(80)]
    rows += [{"instruction": "A planted refusal to keep out.", "output": "I'm sorry, but I cannot help with that.", "source": "chat"}, {"instruction": "A planted nothing to keep out.", "output": " ", "source": "chat"},
             {"instruction": "Tell me of delta once more in the end.", "output": "It is about delta.", "source": "code"},
             *({"instruction": "Tell of " + t, "output": " ".join(w + str(i) for i in range(4) for w in words), "source": "chat"} for t in ("one thing", "another thing"))]
    rows += [rows[0], {"instruction": "Tell me.", "output": "x", "source": "chat"}, {"instruction": "How many moons of the planet Jupiter were known in the year 1700 to people?", "output": "Four were known then.", "source": "code"}]
    against = lib.write_rows("bench.jsonl", [{"question": "How many moons of the planet Jupiter were known in the year 1700 to people?"}])
    weak, judge = lib.Mock([{"match": "delta once more", "reply": "It is about delta."}, {"reply": "weak words"}]), lib.Mock([{"match": "me of heath", "json": '{"better": "tie"}'}, {"match": "me of fjord", "json": '{"better": "A"}'}, {"regex": "me of grove.*[(]B[)] weak", "json": '{"better": "B"}'}, {"match": "me of grove", "json": '{"better": "A"}'}, {"match": "(B) weak", "json": '{"better": "A"}'}, {"match": "(A) weak", "json": '{"better": "B"}'}])
    r = run("openhermes", "rows=" + lib.write_rows("oh.jsonl", rows), "against=" + against, "pairs=1", weak=weak.url, judge=judge.url)
    sft, pairs = r.rows("sft.jsonl"), r.rows()
    rejects("openhermes", "empty", "refusals", "dedup_exact", "dedup_minhash", "decontaminate", "balance", "equal_answers", "not_better", "position_bias")
    few = run("openhermes", "rows=" + r.summary["params"]["rows"], "against=" + against, "pairs=0.3", weak=weak.url, judge=judge.url)
    check(len(few.rows()) < len(pairs) / 2, "pairs are made of a part", len(few.rows()), len(pairs))
    count = {s: sum(x["source"] == s for x in sft) for s in ("chat", "code", "seeds")}
    check(len(set(count.values())) == 1 and count["code"] >= 9, "shares of the sources: %r" % count)
    check("Jupiter" not in json.dumps(sft), "an evaluation question is there")
    equal(len({x["instruction"] for x in sft}), len(sft), "no instruction twice")
    check(pairs and all(set(x) >= {"prompt", "chosen", "rejected"} and x["rejected"][0]["content"] == "weak words" for x in pairs) and not any("me of heath" in json.dumps(x) for x in pairs), "standard columns")
    check(not any("me of fjord" in json.dumps(x) or "me of grove" in json.dumps(x) for x in pairs), "a verdict for a place, or for the weak answer")
    check(sft[0]["conversations"][0]["from"] == "human", "the layout of the first stage")
    return "shares of the sources to the row: %s; %d pairs with the standard columns" % (told(count), len(pairs))


TESTS = [ultrafeedback, teacher_ranking, self_refine, constitutional_ai, rdpo, configurable_safety, pink_elephant, grath, process_labels, openhermes]
if __name__ == "__main__":
    main(TESTS)
