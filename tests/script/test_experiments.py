#!/usr/bin/env python3
# slow
"""The experiments' recipes in their short form: each ends in its table, their filters do what they promise, and a run that was killed gives the same table."""
import os, re, signal, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TOOL = os.path.join(ROOT, "tools", "experiments.py")
sys.path.insert(0, os.path.join(ROOT, "tools"))
import experiments


def command(name, out, *more):
    return [sys.executable, TOOL, "--size", "short", "--only", name, "--out", out, "--quern", QUERN, "--results", os.path.join(out, "results.md"), *more]


def run(name, out, *more):
    """The folder of a short run, or None when its data are not here."""
    os.makedirs(out, exist_ok=True)
    p = subprocess.run(command(name, out, *more), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=800)
    if "skipped:" in p.stderr:
        print([x for x in p.stderr.split("\n") if x.startswith("skipped:")][0])
        return None
    equal(p.returncode, 0, "%s: %s" % (name, p.stderr[-1500:]))
    return os.path.join(out, "short", name, "run")


def lines(folder, name):
    return experiments.rows(os.path.join(folder, name))


def systems(folder, measure):
    return {r["group"]: r for r in lines(folder, "data.jsonl") if r["measure"] == measure}


def self_improve():
    """Learning from what it solved itself: what the checker accepts helps, as many that nobody checked help less; all that is learnt is right."""
    out = run("self_improve", path("whole"))
    at = systems(out, "em")
    learnt = lines(out, "round1.jsonl") + lines(out, "round2.jsonl")
    check(len(learnt) > 200 and all(int(r["solution"]) == int(r["answer"]) for r in learnt), "only right solutions are learnt: %d" % len(learnt))
    check(at["after round 1"]["value"] > at["round 1, unchecked"]["value"] + 0.03, "checked rows teach more than unchecked ones", at)
    check(at["after round 2"]["value"] > at["after round 1"]["value"], "the second round goes on", at)
    check("| after round 1 | 500 |" in open(path("whole/results.md")).read(), "the table is in the page of results")

    # the same, killed while a model is trained
    killed = path("killed")
    os.makedirs(killed, exist_ok=True)
    p = subprocess.Popen(command("self_improve", killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    models, end = os.path.join(killed, "short", "self_improve", "run", "models"), time.time() + 120
    while time.time() < end and p.poll() is None and not (os.path.isdir(models) and any(f.startswith("level0") for f in os.listdir(models))):
        time.sleep(0.02)
    time.sleep(0.3)
    was_running = p.poll() is None
    os.killpg(p.pid, signal.SIGKILL)
    p.wait()
    check(was_running, "it was killed in the middle")
    again = run("self_improve", killed)
    equal(open(os.path.join(again, "data.jsonl"), "rb").read(), open(os.path.join(out, "data.jsonl"), "rb").read(), "the table of a run that was killed and resumed")


def weak_to_strong():
    """A weak teacher: its labels, not the right ones, are what the strong model learns; a strong model that knows how to add and is stopped early is better than its teacher, and loses it again."""
    out = run("weak_to_strong", path("weak"))
    at = {g: r["value"] for g, r in systems(out, "em").items()}
    labels, own = lines(out, "labels.jsonl"), lines(out, "own1.jsonl")
    equal(len(labels), 1500, "all rows are labelled")
    check(0 < sum(r["right"] for r in labels) < 750 and all(r["right"] == (r["label"] == r["answer"]) for r in labels), "the weak model is weak")
    check(all((r["chance"] == r["answer"]) >= r["right"] for r in labels) and sum(r["chance"] == r["label"] for r in labels if not r["right"]) < 100, "the control's errors are not the weak model's")
    tests = {r["question"] for r in lines(os.path.join(out, ".."), "test.jsonl")}
    sums = lambda name: {tuple(re.findall("[0-9]+", r["question"])) for r in lines(os.path.join(out, ".."), name)}
    check(len(tests) == 500 and not sums("test.jsonl") & (sums("studied.jsonl") | sums("rows.jsonl") | sums("solved.jsonl")), "nothing that is learnt is a question of the test")
    check(at["strong, right labels, to the end"] > at["strong, weak labels, to the end"] + 0.3, "right labels teach more", at)
    check(at["strong, weak labels, stopped early"] > at["weak"] + 0.04, "weak labels bring out more than they say", at)
    check(at["strong, weak labels, stopped early"] > at["strong, weak labels, to the end"], "and less when they are learnt by heart", at)
    check(len(own) > 500 and sum(r["said"] == r["answer"] for r in own) / len(own) > sum(r["right"] for r in own) / len(own), "its own answers are right more often than its labels", len(own))


def process_reward():
    """Rewards of steps and of outcomes: every label by execution worked out again, no sum in two parts, a label by roll-out for each step, the choice is what the table says."""
    out = run("process_reward", path("prm"))
    labels, chosen = lines(out, "labels.jsonl"), lines(out, "solutions.jsonl")

    def worked(r):
        """Labels of the steps, from the question alone."""
        at, terms, right = int(re.match("[0-9]+", r["question"]).group()), re.findall("([+-])([0-9]+)", r["question"]), []
        for k, step in enumerate(r["steps"]):
            sign, n = terms[k] if k < len(terms) else ("", "0")
            right.append(step == "%d%s%s=%d" % (at, sign, n, at - int(n) if sign == "-" else at + int(n)) if sign else k == len(terms) and step == "#### %d" % at)
            last = step.split("=")[-1]
            at = int(last) if re.fullmatch("-?[0-9]{1,6}", last) else at
        return right

    check(len(labels) > 1000 and len({r["question"] + r["solution"] for r in labels}) == len(labels) and all(worked(r) == r["executed"] for r in labels), "labels by execution", next((r for r in labels if worked(r) != r["executed"]), None))
    check(all(r["right"] == (r["steps"][-1] == "#### " + r["answer"]) and eval(r["question"]) == int(r["answer"]) for r in labels), "outcomes")
    check(all(r["taught"] == [y if not k or all(r["executed"][:k]) else None for k, y in enumerate(r["executed"])] for r in labels), "what is taught ends behind the first wrong step")
    check(not {r["question"] for r in labels} & {r["question"] for r in chosen}, "no sum in two parts")
    check(all(len(r["rolled"]) == len(r["steps"]) and r["rolled"][-1] == r["right"] for r in labels), "a label by roll-out for each step, behind the last the outcome")
    ends = {x for r in labels for x in r["rolled"][:-1]}
    check({0, 0.5, 1} == ends, "shares of two roll-outs", ends)
    check(all(not all(r["executed"]) for r in labels if len(r["steps"]) != 1 + len(re.findall("[+-]", r["question"]))), "what stops early, or goes on behind the end, has a wrong step")
    mean = lambda xs: sum(xs) / max(1, len(xs))
    at = {(r["group"], r["along"]): r["value"] for r in lines(out, "data.jsonl")}
    most = max(n for _, n in at)
    check(all(at[g, 1] == at["majority vote", 1] for g in ("outcome reward", "process reward, executed", "by chance", "any right")), "of one solution all take that one", at)
    for n in (1, most):
        best = [max(r["samples"][: int(n)], key=lambda x: (x["by_prm"])) for r in chosen]
        ties = sum(len({x["said"] for x in r["samples"][: int(n)] if x["by_prm"] == b["by_prm"]}) > 1 for r, b in zip(chosen, best))
        check(abs(at["process reward, executed", n] - mean([b["said"] == r["answer"] for r, b in zip(chosen, best)])) <= (ties + 0.01) / len(chosen), "the table says what the scores choose, best of %d" % n)
        check(abs(at["any right", n] - mean([any(x["said"] == r["answer"] for x in r["samples"][: int(n)]) for r in chosen])) < 1e-6, "the most that could be reached")
    check(at["any right", most] >= max(v for (g, n), v in at.items() if n == most), "nothing is above it")
    ranks = {r["group"]: r for r in lines(out, "ranks.jsonl")}

    def ranked(r, key):
        """Share of the pairs of a right and a wrong solution in which the right one has the higher score."""
        good, bad = ([s[key] for s in r["samples"] if s["right"] == so] for so in (True, False))
        return mean([(g > b) + 0.5 * (g == b) for g in good for b in bad]) if good and bad else None
    for key, group in (("by_prm", "process reward, executed"), ("by_orm", "outcome reward")):
        shares = [x for x in (ranked(r, key) for r in chosen) if x is not None]
        check(len(shares) == ranks["solutions, " + group]["n"] and abs(mean(shares) - ranks["solutions, " + group]["value"]) < 1e-5, "how often a right one is above a wrong one: " + group)
    check(ranks["steps, process reward, executed"]["low"] > 0.55, "the reward model of steps has learnt something", ranks["steps, process reward, executed"])


def source2synth_tqa():
    """Table questions: no table of the test among those of the rows; spoiled rows pass the filter less often than right ones; the curves hold what was measured."""
    out = run("source2synth_tqa", path("tqa"))
    if not out:
        return
    tried = lines(out, "slice2.jsonl")
    asked = {r["table"]["name"] for r in lines(out, "answers.jsonl")}
    check(asked and not asked & {r["table"]["name"] for r in tried}, "tables of the test are not those of the rows")
    passed = lambda spoiled, rule: sum(rule(r) for r in tried if r["spoiled"] == spoiled) / max(1, sum(r["spoiled"] == spoiled for r in tried))
    check(sum(r["spoiled"] for r in tried) > 50, "rows were spoiled")
    check(all(r["kept"] == (r["n_right"] > 0 and r["n_right"] >= r["n_other"]) and r["n_right"] + r["n_other"] <= r["tries"] for r in tried), "a row is kept when no other answer is given more often")
    kept, once = ([passed(s, rule) for s in (True, False)] for rule in (lambda r: r["kept"], lambda r: r["n_right"] > 0))
    check(kept[0] < kept[1] / 2, "the filter: %.2f of spoiled rows pass, %.2f of right ones" % tuple(kept))
    check(kept[0] / kept[1] < once[0] / once[1], "most votes are a sharper rule than one right try", kept, once)
    at = systems(out, "em")
    equal(len(at), 14, "all arms are in the table")
    learnt = {m: [lines(out, "model.%s%d.jsonl" % (m, seed))[0]["rows"] for seed in (1, 2, 3)] for m in ("curated", "uncurated", "clean")}
    check(learnt["uncurated"] == learnt["clean"] == [120] * 3 and all(60 <= n <= 120 for n in learnt["curated"]), "arms of one size; curated ones never more", learnt)
    equal(len({r["n"] for r in at.values()}), 1, "each arm has every question once, whatever its seeds")
    check(at["slice 1"]["value"] > at["ungrounded, as many rows as that part"]["value"], "grounding is worth something", at)
    by_rows, by_share = ({(r["group"], r["along"]): r["value"] for r in lines(out, f)} for f in ("by_rows.jsonl", "by_share.jsonl"))
    equal(set(by_rows), {(g, n) for g in ("curated", "uncurated") for n in (30, 60, 120)}, "a quarter, half, all")
    equal([by_rows[g, 120] for g in ("curated", "uncurated")], [at[g]["value"] for g in ("slice 2, as many curated", "slice 2, uncurated")], "the curve ends in the table")
    equal(sorted(x for _, x in by_share), [0, 0.25, 0.5, 1], "shares of people's rows")
    check(by_share[min(by_share)] == at["slice 1 + curated"]["value"], "the curve of shares begins with none")


def source2synth_mhqa():
    """Questions over two documents: nothing of the test among the rows; wrong answers pass the filter less often than right ones; imputed questions are new and
    have their old answer; every row of the paper's table is there, those of a chat model when one is given."""
    mock = Mock([{"match": "step by step", "reply": "It says so.\nAnswer: yes"}, {"reply": "no"}])
    out = run("source2synth_mhqa", path("mhqa"), "--chat", mock.url)
    if not out:
        return
    tried, passed_, kept, imputed, drawn = (lines(out, f) for f in ("slice2.jsonl", "passed.jsonl", "kept.jsonl", "imputed.jsonl", "drawn.jsonl"))
    asked = {p["title"].split(" (")[0] for q in lines(os.path.join(out, ".."), "questions.jsonl") for p in q["passages"]}
    check(len(asked) > 30 and not asked & {x for r in tried for x in (r["a"], r["b"])}, "things of the test are not those of the rows")
    passed = lambda spoiled: sum(r["spoiled"] == spoiled for r in passed_) / max(1, sum(r["spoiled"] == spoiled for r in tried))
    check(sum(r["spoiled"] for r in tried) > 20 and all((r["answer"] != r["right"]) == r["spoiled"] for r in tried), "wrong answers were given on purpose")
    check(passed(True) < passed(False) / 3 and passed(False) > 0.25, "the filter: %.2f of wrong rows pass, %.2f of right ones" % (passed(True), passed(False)))
    check(all(r["n_right"] * 2 > r["tries"] for r in passed_ if r["type"] == "comparison"), "one right try of three is no proof where two answers are possible")
    share = {f: sum(r["form"] == f for r in tried) / len(tried) for f in ("time", "occupation", "other", "choice", "yes", "no")}
    check(abs(sum(share.values()) - 1) < 1e-9 and 0.5 < share["time"] + share["occupation"] + share["other"] < 0.7 and min(share.values()) > 0.05, "six in ten are bridges, of several forms", share)
    bridges = {r["question"]: r for r in passed_ if r["type"] == "bridge"}
    check(20 < len(imputed) < len(bridges), "imputation drops bridges whose answer changes: %d of %d stay" % (len(imputed), len(bridges)))
    check(all(r["answer"] == bridges[r["was"]]["answer"] and r["a"] in r["question"] and r["seed"] not in r["question"] and not set("<>") & set(r["question"]) for r in imputed), "an imputed question has its names and its old answer")
    check(sum(r["question"] != r["was"] for r in imputed) > len(imputed) / 4, "the writer does not see the question: many come out in other words")
    learnt = {m: [lines(out, "model.%s%d.reader.jsonl" % (m, seed))[0]["rows"] for seed in (1, 2)] for m in ("uncurated", "curated", "curated_human")}
    check(learnt["uncurated"] == [80] * 2 and all(15 <= n <= 80 for n in learnt["curated"]) and all(a > b for a, b in zip(learnt["curated_human"], learnt["curated"])), "rows of the arms", learnt)
    wrong = lambda arm: sum(r["spoiled"] for r in drawn if r["arm"] == arm) / sum(r["arm"] == arm for r in drawn)
    check(wrong("curated") < wrong("uncurated") / 2, "what curated arms draw is less often wrong", wrong("curated"), wrong("uncurated"))
    at = systems(out, "soft_em")
    equal(len(at), 12, "all arms are in the table")
    equal({r["n"] for r in at.values()}, {30}, "each arm has every question once, whatever its seeds")
    requests = [q["body"]["messages"][-1]["content"] for q in mock.requests() if isinstance(q.get("body"), dict)]
    worked = [q for q in requests if "step by step" in q]
    check(len(requests) == 60 and len(worked) == 30 and all(q.count("Question: ") == 4 for q in worked), "the chat model is asked all questions twice, once with three worked examples", len(requests), len(worked))
    check(at["chat model, zero-shot"]["value"] < 0.3 and "chat model, 3-shot chain of thought" in at, "its rows are in the table", at.keys())
    page = open(path("mhqa/results.md")).read()
    check(all(words in page for words in ("| slice 2, curated | 30 |", "Over the share of its rows", "by form")) and "No chat model" not in page, "the page has its tables and curves")


def retriever():
    """Retrieval: the round trip drops planted wrong pairs, and never is a worse encoder taken."""
    out = run("retriever", path("retriever"))
    if not out:
        return
    rows_ = lines(out, "filter.jsonl")
    passed = lambda spoiled: sum(r["kept"] for r in rows_ if r["spoiled"] == spoiled) / max(1, sum(r["spoiled"] == spoiled for r in rows_))
    check(passed(True) < 0.35 and passed(False) > 0.6, "the round trip: %.2f of wrong pairs pass, %.2f of right ones" % (passed(True), passed(False)))
    for m in ("synth", "curated", "as_many_uncurated", "quarter", "half", "searched"):
        r = lines(out, "model.%s.jsonl" % m)[0]
        equal(r["refused"], r["right_valid"] < r["right_before"], "the gate of " + m)
    equal(len(systems(out, "joined")), 5, "all arms are in the table")
    learnt = [lines(out, "model.%s.jsonl" % m)[0]["rows"] for m in ("quarter", "half", "curated")]
    check(0 < learnt[0] < learnt[1] < learnt[2], "the curve's rows grow", learnt)
    equal(sorted({r["along"] for r in lines(out, "curve.jsonl") if r["along"] is not None}), [0.25, 0.5, 1.0], "a place on the curve for each")
    asked, seen = lines(out, "filter.jsonl"), {r["passage"] for r in lines(os.path.dirname(out), "others.jsonl")}
    check(not any(r["passage"] in seen for r in asked), "no passage of the test in slice 2")


parts = [self_improve, weak_to_strong, process_reward, source2synth_tqa, source2synth_mhqa, retriever]
for part in parts:
    if len(sys.argv) < 2 or part.__name__ in sys.argv[1:]:      # names of parts as arguments: these alone
        part()
print("experiments: tables of short runs, filters, resume")
