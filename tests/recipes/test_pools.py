#!/usr/bin/env python3
"""self_instruct and evol_instruct on a scripted model: the pool grows and repeats nothing, examples are 6 seeds and 2 grown, labels come before inputs for
classification; rounds evolve, what is eliminated is named and goes round again, every row knows its ancestors."""
import json, os, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import check, equal, lib, main, rejects, requests, rouge_l, run, sources, user, varies


def self_instruct():
    seeds = [x["instruction"] for x in sources.instructions(175)]
    SEEDS = lib.write_rows("si.jsonl", [{"instruction": s} for s in seeds])
    # Words made of the request's number: a scripted model that never says the same twice.
    verbs = ["Write a riddle", "List three myths", "Compare two views", "Explain to a sailor", "Invent a game", "Summarise the debate", "Plan a lesson", "Draft a speech"]
    new = ["%s on %s." % (verb, " ".join("%s{{n}}x%d" % (w, i) for w in ["mill", "grain", "stone", "sieve", "sack", "crank"])) for i, verb in enumerate(verbs)]
    planted = [seeds[0], "Draw an image of a mill.", "Too short", "%% odd start of a task that is long enough."]
    mock = lib.Mock([
        {"match": "These are tasks that people gave", "json": json.dumps({"instructions": new + ["Tell me why bread goes stale sooner in the fridge than on the table."] + planted})},
        {"regex": "Does this task ask to choose", "match": "Compare two views", "json": '{"is_classification": true}'},
        {"match": "Does this task ask to choose", "json": '{"is_classification": false}'},
        {"match": "give first the output (the label)", "json": '{"instances": [{"output": "agree", "input": "It is so."}, {"output": "disagree", "input": "It is not."}]}'},
        {"match": "bread goes stale sooner", "regex": "Give up to three examples", "json": '{"instances": [{"input": "", "output": "Cold makes the starch of bread turn back into crystals faster, and that is what staleness is; on the table it stays soft for longer, and only dries."}]}'},
        {"match": "Give up to three examples", "every": 5, "json": '{"instances": [{"input": "", "output": " "}, {"input": "a", "output": "b"}, {"input": "A.", "output": "c"}, {"input": "A", "output": "c"}, {"input": "A", "output": "d"}]}'},
        {"match": "Give up to three examples", "json": '{"instances": [{"input": "", "output": "Here it is, in full."}, {"input": "same", "output": "same"}]}'},
    ])
    r = run("self_instruct", "seeds=" + SEEDS, "rows=40", "per_round=3", writer=mock.url)
    found = sorted({x["instruction"] for x in r.rows()})
    check(len(found) >= 40, "the pool grew to %d" % len(found))
    everything = seeds + found
    worst = max((rouge_l(a, b), a, b) for i, a in enumerate(everything) for b in everything[i + 1:] if b in found)
    check(worst[0] < 0.7, "no pair over 0.7:", worst)
    verbs = r.rows("verbs.jsonl")
    equal(sum(v["n"] for v in verbs), len(found), "each instruction has its verb and object")
    count = {w: sum(v["n"] for v in verbs if v["verb"] == w) for w in ("write", "explain", "plan")}
    equal(count, {w: sum(x.lower().startswith(w) for x in found) for w in count}, "how often a verb opens a task")
    equal([v["object"] for v in verbs if v["verb"] == "tell"], ["why"], "what stands behind it, without article and pronoun")
    text = json.dumps(r.summary["per_step"])
    for word in ["needs_more_than_text", "length", "odd_start", "output_repeats_input"]:
        check(word in text, "%s is among the reasons" % word)
    asks = [user(q) for q in requests(mock)]
    pools = [a for a in asks if "These are tasks that people gave" in a]
    shown = [[line[2:] for line in p.splitlines() if line.startswith("- ")] for p in pools]
    check(all(len(s) == 8 for s in shown), "8 examples in each prompt", [len(s) for s in shown][:5])
    check(all(x in seeds for x in shown[0]), "the first round shows seeds alone")
    late = shown[-1]
    equal(sum(x in seeds for x in late), 6, "later prompts show 6 seeds and 2 grown")
    check(any("give first the output (the label)" in a and "Compare two views" in a for a in asks), "labels come first for classification")
    check(not any("give first the output (the label)" in a and "Invent a game" in a for a in asks), "and only there")
    rejects("self_instruct", "dedup_exact", "length", "needs_more_than_text", "odd_start", "novel", "empty_output", "output_repeats_input", "dedup_exact")
    again = lib.Run(r.argv[0], "seeds=" + SEEDS, "--model", "writer=" + mock.url, "rows=40", "per_round=3", "-j", "4", out=r.out)
    equal((again.summary["calls"]["sent"], again.data()), (0, r.data()), "the same again, all replayed")
    few = run("self_instruct", "seeds=" + SEEDS, "rows=4000", "per_round=1", "rounds=2", code=1, writer=mock.url)   # a pool that cannot reach its size ends with exit 1
    check("rounds are used up" in json.dumps(few.summary), "and says what lacks")
    return "pool of %d grew by %d; nearest pair ROUGE-L %.2f, under 0.7" % (len(seeds), len(found), worst[0])


def evol_instruct():
    first = [x["instruction"] for x in sources.instructions(12)]
    few_seeds = lib.write_rows("s.jsonl", [{"task": s} for s in first])
    mock = lib.Mock([
        {"match": "Make another one of it.", "regex": "opening paragraph of a mystery set in a lighthouse", "json": '{"instruction": "Write the opening paragraph of a mystery set in a lighthouse, told by the keeper in the winter of 1911, without naming the lamp."}'},
        {"regex": "^Write the opening paragraph.*without naming the lamp", "reply": "The sea had been quiet for three days, and on the third I counted one step too many on the stairs. Nobody climbs to me in January."},
        {"match": "Make another one of it.", "every": 4, "json": '{"instruction": "A harder task, the same for all of them that come by."}'},
        {"match": "Make another one of it.", "every": 5, "json": '{"instruction": "Rewrite the given prompt number {{n}}."}'},
        {"match": "Make another one of it.", "json": '{"instruction": "A harder task, number {{n}}, with one more condition."}'},
        {"match": "Do the two ask for the same", "every": 4, "json": '{"equal": true}'},
        {"match": "Do the two ask for the same", "json": '{"equal": false}'},
        {"match": "A harder task, the same", "reply": "One answer to all who come by, asked for once: were it eliminated, no duplicates would be left."},
        {"match": "A harder task", "every": 6, "reply": "Sorry, I cannot."},
        {"match": "A harder task", "every": 7, "reply": "the and of, is it?"},
        {"reply": "A full answer to the task, with reasons and an example for each of them."},
    ])
    r = run("evol_instruct", "seeds=" + few_seeds, "column=task", "rounds=4", writer=mock.url)
    rows = r.rows()
    equal({x["round"] for x in rows}, {1, 2, 3, 4}, "four rounds")
    for x in rows:
        check(x["ancestors"][0] in first, "the oldest ancestor is a seed")
        equal(x["ancestors"][-1], x["parent"], "the last one is the parent")
        check(len(x["ancestors"]) <= x["round"], "an ancestor for each round that was not eliminated")
        check("prompt number" not in x["instruction"], "leaks are eliminated")
        equal(x["messages"][0], {"role": "user", "content": x["instruction"]}, "chat layout")
    text = json.dumps(r.summary["per_step"])
    for word in ["leaks_request", "no_information_gain", "apology", "says_nothing"]:
        check(word in text, "%s is among the reasons" % word)
    check(any(len(x["ancestors"]) < x["round"] for x in rows), "what was eliminated went round again as it was")
    rejects("evol_instruct", "leaks_request", "no_information_gain", "apology", "says_nothing", "dedup_exact")
    varies(rows, "method", 4)
    return "%d rows of 4 rounds, each with its ancestors; %d eliminated, each with its reason" % (len(rows), r.summary["rows"]["rejected"])


TESTS = [self_instruct, evol_instruct]
if __name__ == "__main__":
    main(TESTS)
