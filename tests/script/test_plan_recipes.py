#!/usr/bin/env python3
"""`quern plan` of every shipped recipe: it ends well, counts what its models would be asked without asking anybody, and needs no model that a step of the recipe is yet to train."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

TABLE = {"name": "mills", "columns": ["name", "town", "stones"], "rows": [["Ost", "Bonn", 3], ["West", "Ulm", 5]]}
FUNCTION = {"name": "find_mill", "description": "finds a mill", "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}}


def text(i):
    return "The mill of Bonn number %d has %d stones and grinds wheat for the town. The miller Otto Berg built it in %d beside the river Rhine, where boats bring the grain." % (i, i % 7 + 2, 1700 + i)


def row(i):
    """A row that has whatever a recipe's sources read."""
    q = "A mill has %d stones and each grinds 12 sacks. How many sacks does mill %d grind?" % (i + 2, i)
    a = "%d * 12 = %d\n#### %d" % (i + 2, (i + 2) * 12, (i + 2) * 12)
    p = {"title": "Mill %d" % i, "text": text(i)}
    return {"id": "r%d" % i, "kind": "plain", "question": q, "query": "Who built the mill number %d?" % i, "answer": a, "expected": [str((i + 2) * 12)], "prompt": q, "instruction": "Say how mill %d works." % i, "input": "",
            "output": "Its %d stones turn and grind the wheat." % (i + 2), "response": "Its stones turn and grind the wheat.", "chosen": "It has stones.", "rejected": "It flies.", "right": ["It has stones."],
            "wrong": ["It flies."], "text": text(i), "passage": text(i), "texts": [text(i)], "reasoning": a, "title": p["title"], "passages": [p, {"title": "Rhine", "text": "The Rhine is a river of Europe that passes Bonn and number %d of its mills." % i}],
            "topic": "mills number %d" % i, "subtopic": "stones", "material": "", "course": "", "subject": "mills", "extract": text(i), "source": "set%d" % (i % 3), "task": "qa", "label": "order%d" % i, "description": "a customer orders flour, kind %d" % i,
            "head": "mill %d" % i, "relation": "stands in", "tail": "Bonn", "word": "mill%d" % i, "code": "def stones(n):\n    \"\"\"Stones of n mills.\"\"\"\n    return n * %d\n" % i, "repo": "a/b", "path": "a%d.py" % i,
            "licence": "MIT", "start_line": 1, "language": "python", "name": "Mill API %d" % i, "functions": [FUNCTION], "calls": [{"name": "find_mill", "arguments": {"town": "Bonn"}}], "steps": ["%d * 12 = %d" % (i + 2, (i + 2) * 12)],
            "labels": [True], "solution": a, "correct": True, "table": TABLE, "table_name": "mills", "linked": q, "date": "2019-01-30", "skeleton": "count <c0>", "sql": "SELECT 1", "terms": [{"sign": "+", "k": 9}], "field": "milling", "start": 0}


def other(i):
    return dict(row(i), text="Ships sail on the sea number %d and carry cotton to the harbour of a far country each year." % i, passage="Ships sail on the sea number %d and carry cotton." % i)


rows, others = write_rows("rows.jsonl", [row(i) for i in range(24)]), write_rows("others.jsonl", [other(i) for i in range(6)])
words = write_rows("words.jsonl", [{"word": w + k, "kind": k} for k in ("noun", "verb", "adjective") for w in "abc"])
docs, tables = os.path.join(ROOT, "examples", "docs", "articles"), os.path.join(ROOT, "examples", "tables")
here, mock = small_encoder(), Mock()
recipes = json.loads(quern("recipes", "--json")[1])
check(len(recipes) > 60, "the recipes")


ENCODERS = {("retriever", "base"), ("find_all", "encoder"), ("mhqa_arm", "base")}
MORE = {"backtranslation_rounds": ["by=openai"], "grath_rounds": ["by=openai"], "toloka_answers": ["docs=" + docs], "toloka_tuned": ["docs=" + docs, "by=openai"]}
TEXTS = {"classes": "spam, order", "field": "milling", "domains": "{stones: 0.6, boats: 0.4}"}


FOLDERS_OR_ENGINES = {"base", "encoder", "engine", "embedder"}     # no chat model plays these parts


def value(recipe, name, p):
    if p["type"] == "model":
        return here if (recipe, name) in ENCODERS else mock.url
    if p["type"] != "path":
        return TEXTS.get(name, "a name")
    if name in ("against", "others", "invented"):
        return others
    return {"tables": tables, "words": words, "docs": docs}.get(name, rows) if recipe != "source2synth_mhqa" else rows


def arguments(r, optional):
    """What the recipe must be given; optional: also a model for each role that does without one."""
    args = list(MORE.get(r["name"], []))
    for n, p in r["params"].items():
        if "default" not in p or optional and p["type"] == "model" and n not in FOLDERS_OR_ENGINES:
            args += ["--model"] * (p["type"] == "model") + ["%s=%s" % (n, value(r["name"], n, p))]
    return args


failed, trains, asked = [], [], 0
for r in recipes:
    args = arguments(r, False)
    code, out, err = quern("plan", r["name"], *args, "--sample", "6", "--json", timeout=300)
    if code:
        failed.append("%s: %s" % (r["name"], err.strip()))
        continue
    plan = json.loads(out)
    if any(s["op"].startswith("train_") for s in plan["steps"]):
        trains.append(r["name"])
    ends = any(p["type"] == "model" and "default" not in p and (r["name"], n) not in ENCODERS for n, p in r["params"].items())
    if plan["source_rows"] == 0 or ends and not plan["calls"]:
        failed.append("%s: %d rows, %d requests: %s" % (r["name"], plan["source_rows"], plan["calls"], err))
    asked += plan["calls"]
    more = arguments(r, True)
    if more != args:
        code, out, err = quern("plan", r["name"], *more, "--sample", "6", "--json", timeout=300)
        if code or json.loads(out)["calls"] <= plan["calls"]:
            failed.append("%s with a model in every role: %s" % (r["name"], err.strip() or "no request more"))
check(not failed, "%d of %d recipes have no plan:\n%s" % (len(failed), len(recipes), "\n".join(failed)))
check({"retriever", "self_improve", "weak_to_strong", "process_reward", "source2synth_tqa", "source2synth_mhqa"} <= set(trains), "recipes that train, all planned", trains)
equal(mock.requests(), [], "nobody is asked")
print("plan: %d recipes, %d of them train models first; %d requests counted, none sent" % (len(recipes), len(trains), asked))
