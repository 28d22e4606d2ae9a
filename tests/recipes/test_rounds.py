#!/usr/bin/env python3
"""Recipes that train between their turns: what is trained on what, who is asked in the next turn, and which turn is taken. The trainings stand in a service on 127.0.0.1;
tinystories_model and best_of_n train small networks of their own."""
import json, os, re, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import asked, check, equal, lib, main, rejects, requests, run, sources, told, user, varies
from tuning import Tuner


def grath_rounds():
    right = lambda m, q: {"model": m, "match": q, "regex": "right answer and a wrong", "json": json.dumps({"right": "%s says what is true of %s here." % (m, q), "wrong": "%s says what is false of %s here." % (m, q)})}
    words = ["rain", "iron", "moss", "wool"]
    real = [p["question"] for p in sources.problems(12)]
    test = [{"question": "T%d of truth?" % i, "right": "True t%d." % i, "wrong": "False t%d." % i} for i in range(10)]
    rules = [right(m, "about " + w) for m in ("small", "tuned-1") for w in words]
    # The blind check finds what is true; the test is passed by the base at 4 of 10, after turn 1 at 9, after turn 2 at 6.
    rules += [{"model": m, "regex": "%s of truth.*[(]%s[)] True" % (t, ab), "json": json.dumps({"true_one": ab if int(t[1:]) < n else "BA"["AB".index(ab)]})}
              for m, n in (("small", 4), ("tuned-1", 9), ("tuned-2", 6)) for t in ("T%d" % i for i in range(10)) for ab in "AB"]
    rules += [{"regex": "[(]A[)] .*what is true of.*[(]B[)]", "match": "Which answer is true", "json": '{"true_one": "A"}'}, {"match": "Which answer is true", "json": '{"true_one": "B"}'},
              {"model": "small", "json": '{"right": "small says what is true of {{hash}} here.", "wrong": "small says what is false of {{hash}} here."}'},
              {"model": "tuned-1", "json": '{"right": "tuned-1 says what is true of {{hash}} here.", "wrong": "tuned-1 says what is false of {{hash}} here."}'}]
    tuner = Tuner(rules)
    rows = [{"question": "What is there to know about %s?" % w} for w in words] + [{"question": q} for q in real] + [{"question": test[0]["question"]}]
    r = run("grath_rounds", "rows=" + lib.write_rows("gr.jsonl", rows), "test=" + lib.write_rows("grt.jsonl", test), "by=openai", "beta=0.2", model=tuner.url)
    rejects("grath_rounds", "decontaminate")
    one, two, (turns,) = r.rows("turn_1.jsonl"), r.rows(), r.rows("turns.jsonl")
    equal((len(one), len(two)), (len(rows) - 1, len(rows) - 1), "a pair a question, in each turn")
    text = lambda x, k: x[k][0]["content"]
    first = {x["question"]: x for x in one}
    for x in two:
        check(text(first[x["question"]], "chosen").startswith("small says what is true") and text(x, "chosen").startswith("tuned-1 says what is true"), "the tuned model refines the right answer", x)
        equal(text(x, "rejected"), text(first[x["question"]], "rejected"), "the wrong answer stays")
    equal([(j["model"], j["method"]["type"], j["method"]["dpo"]["hyperparameters"]["beta"]) for j in tuner.jobs], [("small", "dpo", 0.2), ("tuned-1", "dpo", 0.2)], "DPO on the base, then on what it made")
    for job, pairs in ((1, one), (2, two)):
        equal(sorted(x["preferred_output"][0]["content"] for x in tuner.learnt(job)), sorted(text(x, "chosen") for x in pairs), "what turn %d learns" % job)
    refining = [q for q in asked(tuner, "more truthful where it can be")]
    check(len(refining) == len(two) and {q["model"] for q in refining} == {"tuned-1"} and all("small says what is true" in user(q) for q in refining), "the right answer so far is shown to the tuned model")
    equal(([t["share"] for t in turns["turns"]], turns["take"]), ([0.4, 0.9, 0.6], 1), "the turn to take is the best of the test, not the last")
    equal({user(q).split("(A) ")[1][:4] for q in asked(tuner, "of truth?")}, {"True", "Fals"}, "the true one stands in either place of the test")
    return "2 turns of %d pairs, wrong answers unchanged; share of the test 0.4, 0.9, 0.6: turn 1 is taken" % len(two)


def backtranslation_rounds():
    texts = [a["text"] for a in sources.articles(16)]
    seeds = [{"instruction": "Seed task number %d?" % i, "response": "Seed answer number %d." % i} for i in range(5)]
    first = lambda t: re.escape(t[:30]).replace("\\ ", " ").replace("\\-", "-").replace("\\,", ",").replace("\\'", "'").replace('\\"', '"').replace("\\%", "%")
    rules = [{"model": "tuned-1", "match": texts[0][:40], "reply": "Say"}, {"model": "tuned-1", "match": texts[1][:40], "reply": texts[1][:200]},
             {"model": "tuned-1", "match": texts[3][:40], "reply": "Explain the same, as somebody else asked."}, {"model": "tuned-1", "match": texts[4][:40], "reply": "explain the same as somebody else asked"},
             {"model": "tuned-1", "match": "full answer to?", "reply": "Explain matter {{hash}} in full."}]
    # M0 (the second job) gives a text 5 where its number is even; M1 (the third) where it can be divided by three.
    for i, t in enumerate(texts):
        rules += [{"model": "tuned-2", "match": t[:40], "json": json.dumps({"reason": "r", "quality": 5 if i % 2 == 0 else 3})}, {"model": "tuned-3", "match": t[:40], "json": json.dumps({"reason": "r", "quality": 5 if i % 3 == 0 else 4})}]
    tuner = Tuner(rules)
    r = run("backtranslation_rounds", "texts=" + lib.write_rows("bt.jsonl", [{"text": t} for t in texts] + [{"text": texts[2]}, {"text": "Too short."}]), "seeds=" + lib.write_rows("bts.jsonl", seeds), "by=openai", base=tuner.url)
    rejects("backtranslation_rounds", "length", "dedup_minhash", "instruction_length", "copied", "dedup_exact", "judge", "judge")
    place = {t.strip(): i for i, t in enumerate(texts)}
    one = [place[x["response"]] for x in r.rows("turn_1.jsonl")]
    final = [x for x in r.rows() if x["origin"] == "augmented"]
    equal(one, [i for i in range(2, 16) if i % 2 == 0 and i != 4], "turn 1 keeps what M0 rates")
    equal([place[x["response"]] for x in final], [i for i in range(2, 16) if i % 3 == 0], "turn 2 rates all candidates again, those included that turn 1 dropped")
    equal({x["iteration"] for x in final}, {2}, "the turn is on the row")
    equal(len([x for x in r.rows() if x["origin"] == "seed"]), 5, "the seeds are in the set")
    equal([(j["model"], len(tuner.learnt(i + 1))) for i, j in enumerate(tuner.jobs)], [("small", 5), ("small", 5), ("small", 5 + len(one)), ("small", 5 + len(final))], "each training begins with the base, on seeds and what was kept")
    check(tuner.learnt(1)[0]["messages"][-1]["content"].startswith("Seed task") and tuner.learnt(2)[0]["messages"][-1]["content"].startswith("Seed answer"), "the backward model learns the instruction, the forward one the response")
    equal([len([q for q in asked(tuner, "Response: ") if q["model"] == m]) for m in ("tuned-2", "tuned-3")], [13, 13], "M0 and M1 rate all candidates")
    check(len({x["system"] for x in r.rows()}) == 2, "both origins have a system message of their own")
    return "turn 1 keeps %d of 13 candidates, turn 2 rates them again and keeps %d; 4 trainings, each on what it should" % (len(one), len(final))


def toloka_tuned():
    prompts = [{"prompt": "What does mill %s grind by itself?" % w} for w in ("amber", "birch", "coral", "delta", "ember", "fjord")]
    docs = lib.path("mills", "x")
    for p in prompts:
        w = p["prompt"].split()[3]
        with open(os.path.join(os.path.dirname(docs), w + ".md"), "w") as f:
            f.write("# Mill %s\n\nThe mill called %s grinds %s-flour by itself, and nothing else, as everybody knows who has ever lived near it. %s\n" % (w, w, w, "The miller tells it to whoever asks, every year again. " * 6))
    tuner = Tuner([{"model": "tuned-1", "regex": "answer: What does mill (delta)", "reply": "The tuned one finds delta-flour, at last {{n}}."},
                   {"model": "tuned-1", "regex": "answer: What does mill ([a-z]+)", "reply": "The tuned one says {{1}}-flour {{n}}."}])
    writer = lib.Mock([{"regex": "Somebody asks: What does mill ([a-z]+)", "json": '{"queries": ["mill {{1}} flour"]}'}, {"regex": "answer: What does mill ([a-z]+)", "reply": "The first one says {{1}}-flour {{n}}."}])
    # The first model fails at delta; for amber and birch its answer is the better one, for the others that of the tuned model. Coral waits for a person.
    mark = lambda n: json.dumps({"reason": "r", "style": n, "domain": n, "context": n})
    judge = lib.Mock([{"match": "first one says delta", "json": mark(1)}, {"regex": "first one says (amber|birch)", "json": mark(5)}, {"match": "tuned one says birch", "json": mark(2)}, {"match": "The first one", "json": mark(3)}, {"json": mark(4)}])
    r = run("toloka_tuned", "prompts=" + lib.write_rows("tp.jsonl", prompts), "docs=" + os.path.dirname(docs), "candidates=2", "chunks=1", "by=openai", "least=3", writer=writer.url, judge=judge.url, student=tuner.url)
    rejects("toloka_tuned", "low_marks", "low_marks")
    got = {x["prompt"].split()[3]: x for x in r.rows()}
    equal(sorted(got), ["amber", "birch", "coral", "delta", "ember", "fjord"], "a prompt at which the first model failed is answered by the tuned one")
    equal({w: x["generation"] for w, x in got.items()}, {"amber": 1, "birch": 1, "coral": 2, "delta": 2, "ember": 2, "fjord": 2}, "of two answers the better marked stays")
    for w, x in got.items():
        check(("tuned one" if x["generation"] == 2 else "first one") in x["answer"] and w in x["answer"] and x["answered_by"] == ("tuned-1" if x["generation"] == 2 else "m"), "an answer of its generation", x["answer"])
        check(x["messages"][-1]["content"] == x["answer"] and w + "-flour" in x["passages"][0]["text"], "chat, with the passages it rests on", x)
    equal((got["delta"]["overall_first"], got["delta"]["overall_second"], got["birch"]["overall_second"], got["coral"]["overall_first"]), (None, 4, None, 3), "both marks are on the row")
    learnt = tuner.learnt(1)
    equal(sorted(re.search("says ([a-z]+)", x["messages"][-1]["content"]).group(1) for x in learnt), ["amber", "birch", "coral", "ember", "fjord"], "what was chosen is learnt")
    check(all(x["messages"][0]["content"].count("-flour by itself") == 1 for x in learnt), "with its passages")
    n = len(requests(writer))
    equal(len([q for q in requests(writer) if "Somebody asks" in user(q)]), len(prompts), "the search is made once for both generations")
    again = run("toloka_tuned", "prompts=" + os.path.join(lib.TMP, "tp.jsonl"), "docs=" + os.path.dirname(docs), "candidates=2", "chunks=1", "by=openai", "least=3", writer=writer.url, judge=judge.url, student=tuner.url, out=r.out)
    equal((again.data(), len(tuner.jobs), len(requests(writer))), (r.data(), 1, n), "again: nothing is trained or asked")
    return "%d answers of the first model, %d of the one that they tuned, 1 where the first had failed" % (sum(x["generation"] == 1 for x in got.values()), sum(x["generation"] == 2 for x in got.values()))


def tinystories_model():
    stories = [{"text": a["text"]} for a in sources.articles(90)]
    judge = lib.Mock([{"match": "What the pupil wrote", "every": 3, "json": '{"reason": "r", "grammar": 4, "creativity": 2, "consistency": 3, "plot": 1}'}, {"json": '{"reason": "r", "grammar": 7, "creativity": 5, "consistency": 6, "plot": 4}'}])
    path = lib.write_rows("stories.jsonl", stories + stories[:2] + [{"text": "Too short."}])
    r = run("tinystories_model", "stories=" + path, "shares={learnt: 0.75, held: 0.25}", "size={wide: 32, layers: 1, heads: 2, vocab: 400, max_tokens: 128}", "epochs=6", "lr=0.004", "begin=12", "length=24", judge=judge.url)
    rejects("tinystories_model", "dedup_minhash", "too_short", "learnt")
    rows, scores, (model,) = r.rows(), r.rows("scores.jsonl"), r.rows("model.teller.jsonl")
    check(len(rows) >= 3 and all(x["told_by"] == "teller" and x["completion"] for x in rows), "the trained model's own words", rows[:1])
    texts = {s["text"] for s in stories}
    learnt = [x["text"] for x in r.rows("rejected.jsonl") if x["_reason"] == "learnt"]
    check(all(any(t.startswith(x["beginning"]) for t in texts) and not any(t.startswith(x["beginning"]) for t in learnt) for x in rows) and len(learnt) + len(rows) == len(texts), "beginnings of stories that were held back")
    check(model["loss_last"] < 0.9 * model["loss_first"], "it learns", model)
    seen = [user(q) for q in requests(judge)]
    check(all(any(x["beginning"] + " ***" in q and x["completion"] in q for q in seen) for x in rows), "the judge sees where the model's words begin")
    equal({s["measure"] for s in scores}, {"grammar", "creativity", "consistency", "plot"}, "a mean for each scale")
    grammar = [x["grammar"] for x in rows]
    check(abs(next(s["value"] for s in scores if s["measure"] == "grammar") - sum(grammar) / len(grammar)) < 1e-6, "the mean of the marks", scores)
    return "%d weights trained on %d stories, loss %.1f to %.1f; %d held-back beginnings continued and marked on 4 scales" % (model["params"], len(learnt), model["loss_first"], model["loss_last"], len(rows))


def best_of_n():
    # Labelled solutions: a step that doubles is right, one that says "guess" is wrong. Reward models that learn this find the right solutions.
    label = [{"question": "What is twice %d?" % i, "steps": ["Take %d two times." % i, "Adding them gives the sum." if i % 2 else "Just guess a sum."], "labels": [True, bool(i % 2)],
              "solution": "Take %d two times.\n%s\n#### %d" % (i, "Adding them gives the sum." if i % 2 else "Just guess a sum.", 2 * i if i % 2 else 2 * i + 1), "correct": bool(i % 2)} for i in range(120)]
    test = [{"question": "What is twice %d?" % i, "answer": "#### %d" % (2 * i)} for i in range(200, 224)]
    # Of four solutions one is right and adds; the others guess, two of them the same: a vote goes wrong.
    rules = [{"match": "What is twice %d?" % i, "every": 4, "reply": "Take %d two times.\nAdding them gives the sum.\n#### %d" % (i, 2 * i)} for i in range(200, 224)]
    rules.append({"match": "Unfinished?", "reply": "Take 3 two times."})
    writer = lib.Mock(rules + [{"regex": "What is twice ([0-9]+)", "reply": "Take {{1}} two times.\nJust guess a sum.\n#### 7"}, {"reply": "#### 3"}])
    r = run("best_of_n", "labelled=" + lib.write_rows("bl.jsonl", label + [{**label[1], "question": test[0]["question"]}]), "rows=" + lib.write_rows("bt2.jsonl", test + [{"question": "In words?", "answer": "none"}, {"question": "Silent?", "answer": "#### 3"}, {"question": "Unfinished?", "answer": "#### 6"}]),
            "n=4", "size={wide: 32, layers: 1, heads: 2, vocab: 300, max_tokens: 96}", "epochs=12", "lr=0.004", writer=writer.url)
    rejects("best_of_n", "decontaminate", "no_number", "no_steps", "no_answer")
    scores = {s["group"]: s["value"] for s in r.rows("scores.jsonl")}
    rows = r.rows()
    equal((len(rows), {len(x["solutions"]) for x in rows}), (len(test), {4}), "four solutions of each question, the same for each way")
    check(all(x["chosen"]["prm"] == max(x["solutions"], key=lambda s: s["prm"])["result"] and abs(x["solutions"][0]["prm"] - x["solutions"][0]["step_rewards"][0] * x["solutions"][0]["step_rewards"][1]) < 1e-9 for x in rows),
          "the product of the steps' probabilities decides")
    share = sum(x["chosen"]["prm"] == x["expected"] for x in rows) / len(rows)
    check(abs(scores["process reward"] - share) < 1e-9, "the share by hand", scores)
    equal((scores["any of them"], scores["majority vote"]), (1, 0), "what can be reached, and what a vote finds")
    check(scores["process reward"] > 0.9 and scores["one at random"] < 0.6, "the reward model finds what the vote does not", scores)
    return "of 4 solutions the right one is found by process reward %.2f, outcome reward %.2f, vote %.2f, at random %.2f" % tuple(scores[k] for k in ("process reward", "outcome reward", "majority vote", "one at random"))


TESTS = [grath_rounds, backtranslation_rounds, toloka_tuned, tinystories_model, best_of_n]
if __name__ == "__main__":
    main(TESTS)
