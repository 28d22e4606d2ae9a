#!/usr/bin/env python3
"""self_instruct and evol_instruct on a scripted model: the pool grows and repeats nothing, examples are 6 seeds and 2 grown, labels come before inputs for
classification; rounds evolve, what is eliminated is named and goes round again, every row knows its ancestors. And the three grounded recipes on a model."""
import os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import *

SEEDS = os.path.join(ROOT, "examples", "seeds", "instructions.jsonl")
seeds = [r["instruction"] for r in read_rows(SEEDS)]


def user_text(request):
    body = request.get("body", request)
    return body["messages"][-1]["content"] if "messages" in body else ""


def words(s):
    return re.findall(r"[a-z0-9]+", s.lower())


def rouge_l(a, b):
    a, b = words(a), words(b)
    row = [0] * (len(b) + 1)
    for x in a:
        prev = 0
        for j, y in enumerate(b, 1):
            row[j], prev = (prev + 1 if x == y else max(row[j], row[j - 1])), row[j]
    return 2 * row[-1] / (len(a) + len(b)) if a and b else 0


# ---------------------------------------------------------------- self_instruct
# Words made of the request's number: a scripted model that never says the same twice.
verbs = ["Write a riddle", "List three myths", "Compare two views", "Explain to a sailor", "Invent a game", "Summarise the debate", "Plan a lesson", "Draft a speech"]
new = ["%s on %s." % (verb, " ".join("%s{{n}}x%d" % (w, i) for w in ["mill", "grain", "stone", "sieve", "sack", "crank"])) for i, verb in enumerate(verbs)]
planted = [seeds[0], "Draw an image of a mill.", "Too short", "%% odd start of a task that is long enough."]
mock = Mock([
    {"match": "These are tasks that people gave", "json": json.dumps({"instructions": new + planted})},
    {"regex": "Does this task ask to choose", "match": "Compare two views", "json": '{"is_classification": true}'},
    {"match": "Does this task ask to choose", "json": '{"is_classification": false}'},
    {"match": "give first the output (the label)", "json": '{"instances": [{"output": "agree", "input": "It is so."}, {"output": "disagree", "input": "It is not."}]}'},
    {"match": "Give up to three examples", "json": '{"instances": [{"input": "", "output": "Here it is, in full."}, {"input": "same", "output": "same"}]}'},
])
r = Run("self_instruct", "seeds=" + SEEDS, "--model", "writer=" + mock.url, "rows=40", "per_round=3")
equal(r.code, 0, "self_instruct: " + r.stderr[-400:])
adds_up(r.summary)
found = sorted({x["instruction"] for x in r.rows()})
check(len(found) >= 40, "the pool grew to %d" % len(found))
everything = seeds + found
worst = max((rouge_l(a, b), a, b) for i, a in enumerate(everything) for b in everything[i + 1:] if b in found)
check(worst[0] < 0.7, "no pair over 0.7:", worst)
why = {w["reason"].split(" ")[0] for s in r.summary["per_step"] for w in s["reasons"]} if "reason" in str(r.summary["per_step"]) else set()
text = json.dumps(r.summary["per_step"])
for word in ["needs_more_than_text", "length", "odd_start", "output_repeats_input"]:
    check(word in text, "%s is among the reasons" % word)
asks = [user_text(q) for q in mock.requests()]
pools = [a for a in asks if "These are tasks that people gave" in a]
shown = [[line[2:] for line in p.splitlines() if line.startswith("- ")] for p in pools]
check(all(len(s) == 8 for s in shown), "8 examples in each prompt", [len(s) for s in shown][:5])
check(all(x in seeds for x in shown[0]), "the first round shows seeds alone")
late = shown[-1]
equal(sum(x in seeds for x in late), 6, "later prompts show 6 seeds and 2 grown")
check(any("give first the output (the label)" in a and "Compare two views" in a for a in asks), "labels come first for classification")
check(not any("give first the output (the label)" in a and "Invent a game" in a for a in asks), "and only there")
again = Run("self_instruct", "seeds=" + SEEDS, "--model", "writer=" + mock.url, "rows=40", "per_round=3", "-j", "4", out=r.out)
equal((again.summary["calls"]["sent"], again.data()), (0, r.data()), "the same again, all replayed")
few = Run("self_instruct", "seeds=" + SEEDS, "--model", "writer=" + mock.url, "rows=4000", "per_round=1", "rounds=2")
equal(few.code, 1, "a pool that cannot reach its size ends with exit 1")
check("rounds are used up" in json.dumps(few.summary), "and says what lacks")
print("self_instruct: %d instructions of %d requests, nearest pair %.2f" % (len(found), len(asks), worst[0]))

# ---------------------------------------------------------------- evol_instruct
few_seeds = write_rows("s.jsonl", [{"task": s} for s in seeds[:6]])
mock = Mock([
    {"match": "Make another one of it.", "every": 5, "json": '{"instruction": "Rewrite the given prompt number {{n}}."}'},
    {"match": "Make another one of it.", "json": '{"instruction": "A harder task, number {{n}}, with one more condition."}'},
    {"match": "Do the two ask for the same", "every": 4, "json": '{"equal": true}'},
    {"match": "Do the two ask for the same", "json": '{"equal": false}'},
    {"match": "A harder task", "every": 6, "reply": "Sorry, I cannot."},
    {"match": "A harder task", "every": 7, "reply": "the and of, is it?"},
    {"reply": "A full answer to the task, with reasons and an example for each of them."},
])
r = Run("evol_instruct", "seeds=" + few_seeds, "column=task", "--model", "writer=" + mock.url, "rounds=4")
equal(r.code, 0, "evol_instruct: " + r.stderr[-400:])
adds_up(r.summary)
rows = r.rows()
equal({x["round"] for x in rows}, {1, 2, 3, 4}, "four rounds")
for x in rows:
    check(x["ancestors"][0] in seeds[:6], "the oldest ancestor is a seed")
    equal(x["ancestors"][-1], x["parent"], "the last one is the parent")
    check(len(x["ancestors"]) <= x["round"], "an ancestor for each round that was not eliminated")
    check("prompt number" not in x["instruction"], "leaks are eliminated")
    equal(x["messages"][0], {"role": "user", "content": x["instruction"]}, "chat layout")
text = json.dumps(r.summary["per_step"])
for word in ["leaks_request", "no_information_gain", "apology", "says_nothing"]:
    check(word in text, "%s is among the reasons" % word)
check(any(len(x["ancestors"]) < x["round"] for x in rows), "what was eliminated went round again as it was")
print("evol_instruct: %d rows, %d eliminated" % (len(rows), r.summary["rows"]["rejected"]))

# ---------------------------------------------------------------- grounded recipes, asked of a model
mock = Mock([
    {"match": "Write one SQLite query", "every": 4, "json": '{"sql": "SELECT flavour FROM nowhere"}'},
    {"match": "Write one SQLite query", "regex": "Table (planets|rivers|mountains|moons|elements|composers|countries|programming_languages|olympic_games) with", "json": '{"sql": "SELECT COUNT(*) FROM {{1}}"}'},
    {"match": "Write the question that a person", "json": '{"question": "How many entries are there in list {{n}}?"}'},
])
r = Run("table_qa", "tables=" + os.path.join(ROOT, "examples", "tables"), "per_table=4", "--model", "writer=" + mock.url)
equal(r.code, 0, "table_qa with a model: " + r.stderr[-300:])
adds_up(r.summary)
check(r.rows() and all(x["answer"] and x["sql"].startswith("SELECT COUNT") and x["question"] and x["seed"] and x["steps"] for x in r.rows()), "rows are executed")
check("no such table" in json.dumps(r.rows("rejected.jsonl") + r.rows("failed.jsonl")), "SQL that does not run is rejected with SQLite's words")
mock = Mock([{"regex": "The (Vistula|Danube|Rhine)", "json": '{"question": "Which river is it?", "answer": "not in the passage at all"}'},
             {"regex": "Passage:[[:space:]]+([A-Z][a-z]+ [a-z]+ [a-z]+)", "json": '{"question": "What does the passage begin with, request {{n}}?", "answer": "{{1}}"}'}])
r = Run("document_qa", "docs=" + os.path.join(ROOT, "examples", "docs"), "--model", "writer=" + mock.url)
check(r.code in (0, 1), r.stderr[-300:])
adds_up(r.summary)
for x in r.rows():
    equal(x["passage"].encode()[x["start"]:x["start"] + len(x["answer"].encode())].decode(errors="replace"), x["answer"], "the span")
check(r.summary["rows"]["rejected"] > 0, "answers that do not stand in the passage are rejected")
print("grounded recipes on a model: executed, and spans hold")
