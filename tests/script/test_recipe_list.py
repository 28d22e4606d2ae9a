#!/usr/bin/env python3
"""`quern recipes --json`: every published system is there by its name, with its group, paper, check and what it needs; each has a test of its own and a page with a row and a price."""
import glob, os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

NAMES = """tinystories phi1_textbooks cosmopedia self_instruct alpaca reanswer keywords personas evol_instruct evol_code codeclm orca orca2 oss_instruct metamath knowledge_graph_qa ultrachat
backtranslation label_to_text continue_prefix cloze toloka_prompts toloka_answers toolformer toolalpaca autode chain_of_abstraction ultrafeedback teacher_ranking grath pink_elephant self_refine
rdpo configurable_safety constitutional_ai self_curation process_labels openhermes e5_embeddings chunk_queries document_qa multi_hop_qa table_qa exam rag_testset""".split()
NEEDS = {"model", "log-probabilities", "embeddings", "search", "sandbox"}
recipes = {r["name"]: r for r in json.loads(quern("recipes", "--json")[1])}
check(not [n for n in NAMES if n not in recipes], "systems without a recipe", [n for n in NAMES if n not in recipes])
tests = "\n".join(open(f, encoding="utf-8").read() for f in glob.glob(os.path.join(ROOT, "tests", "recipes", "test_*.py")))
listed = quern("recipes")[1]
for name, r in recipes.items():
    check(r["about"] and r["group"] and isinstance(r["builtin"], bool) and set(r["needs"]) <= NEEDS, "what is said of " + name, r)
    check(re.search(r"(?m)^  %s +[* ] " % name, listed), name + " is not listed")
    if r["group"] in ("Parts", "Experiments"):
        continue
    check(re.search(r"(?m)^def %s\(" % name, tests), "no test of " + name)
    if r["group"] == "Basics":
        continue
    check(re.search(r"\b(19|20)\d\d\b", r["paper"]) and r["check"], "paper and check of " + name, r["paper"])
    page = open(os.path.join(ROOT, "docs", "recipes", name + ".md"), encoding="utf-8").read()
    for part in ("# " + name, "\nPaper: ", "\nCheck: ", "\n## Parameters\n", "\n## A row\n", "\n## What it costs\n", "\n## The recipe\n"):
        check(part in page, "the page of %s lacks %r" % (name, part.strip()))
for name, needs in {"toolformer": ["model", "log-probabilities", "search"], "evol_code": ["model", "sandbox"], "personas": ["model", "embeddings"], "instruction_filters": []}.items():
    equal(recipes[name]["needs"], needs, "what %s needs" % name)
equal([recipes[n]["builtin"] for n in ("table_qa", "document_qa", "multi_hop_qa", "alpaca")], [True, True, True, False], "built-in writers")
print("%d recipes, %d published systems by name, each with a test and a page" % (len(recipes), len(NAMES)))
