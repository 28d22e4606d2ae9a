#!/usr/bin/env python3
"""mhqa_chat: a chat model's rows of the multi-hop table. What is asked, what is scored, and that without a model there are none."""
import os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import check, equal, lib, requests, run, user

questions = [{"id": "1", "kind": "bridge", "question": "Where was the author of Red Sky born?", "expected": ["Leeds", "Leeds, England"],
              "passages": [{"title": "Red Sky", "text": "Red Sky is a novel by Ann Vale."}, {"title": "Ann Vale", "text": "Ann Vale was born in Leeds."}]},
             {"id": "2", "kind": "comparison", "question": "Are Red Sky and Low Tide both novels?", "expected": ["no"],
              "passages": [{"title": "Red Sky", "text": "Red Sky is a novel."}, {"title": "Low Tide", "text": "Low Tide is a film."}]}]
shots = [{"question": "Which river flows through the town of example %d?" % k, "reasoning": "The town of example %d is Ems. The Lahn flows through Ems." % k, "answer": "the Lahn"} for k in range(7)]
rows, worked = lib.write_rows("questions.jsonl", questions), lib.write_rows("shots.jsonl", shots)

none = run("mhqa_chat", "rows=" + rows, code=1)
equal(none.rows(), [], "rows without a model")
equal(none.summary["rows"]["rejected"], 2, "they are rejected, and counted")

mock = lib.Mock([{"match": "author of Red Sky", "reply": "Leeds"}, {"reply": "yes"}])
r = run("mhqa_chat", "rows=" + rows, model=mock.url)
equal([(x["id"], x["em"], x["system"], x["of_kind"]) for x in r.rows()], [("1", 1, "chat model, zero-shot", "chat model, zero-shot, bridge"), ("2", 0, "chat model, zero-shot", "chat model, zero-shot, comparison")], "scores")
asked = [user(q) for q in requests(mock)]
check(len(asked) == 2 and all("Red Sky. Red Sky is a novel" in q and "example" not in q and "step by step" not in q for q in asked), "the passages are asked of, without worked examples", asked)

mock = lib.Mock([{"match": "author of Red Sky", "reply": "Ann Vale wrote Red Sky; she was not born in York.\nAnswer: Leeds"}, {"reply": "Both no novels? One is a film.\nAnswer: no"}])
r = run("mhqa_chat", "rows=" + rows, "style=reason", "shots=" + worked, "system=three shots", model=mock.url)
equal([(x["em"], x["system"]) for x in r.rows()], [(1, "three shots"), (1, "three shots")], "the last line alone is scored")
for q in (user(x) for x in requests(mock)):
    check(q.count("flows through the town of example") == 3 and q.count("The Lahn flows through Ems.") == 3 and q.count("Answer: the Lahn") == 3, "three worked examples with their reasoning", q)
    check("Ann Vale" in q or "Low Tide is a film" in q, "and the passages", q)
print("2 questions, with and without worked examples, and with no model")
