#!/usr/bin/env python3
"""`quern compile` on a scripted student: demonstrations come from runs that the metric accepts, instructions are tried, what is saved runs and is better on rows
that nothing was chosen by; where nothing helps, nothing is written; a stop costs nothing twice."""
import os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import *

RECIPE = path("sort.yaml")
open(RECIPE, "w").write("""quern: 1
about: Sorts words
params:
  rows: {type: path}
  m:    {type: model}
steps:
  - read_rows: {path: $rows}     # a comment that stays
  - name: think
    ask:
      model: $m
      temperature: 0
      prompt: "Word: {{ .word }}\\nWhat comes to mind?"
      as: thought
  - ask: {model: $m, temperature: 0, prompt: "Word: {{ .word }} ({{ .thought }})\\nWhich kind?", reply: {kind: choice animal|tool}}
  - write: {to: data.jsonl}
""")
animals, tools = ["cat", "dog", "cow", "hen", "pig", "fox", "owl", "eel", "ant", "bee"], ["saw", "axe", "hoe", "awl", "pick", "rake", "file", "vice", "plane", "drill"]
rows = write_rows("words.jsonl", [{"word": "%s%d" % (w, i), "gold": k} for i in range(6) for k, ws in (("animal", animals), ("tool", tools)) for w in ws])
said = lambda k: '{"kind": "%s"}' % k
right = lambda **when: [{"regex": "Word: (%s)" % "|".join(ws), "match": "Which kind", "json": said(k), **when} for k, ws in (("animal", animals), ("tool", tools))]
proposal = [{"match": "Write an instruction", "regex": "mistakes that are easy", "json": '{"instruction": "Mind that a {{tool}} is no animal, and say $5."}'}, {"match": "Write an instruction", "json": '{"instruction": "Guess well, number {{hash}}."}'}]


def student(*better):
    """Says animal to everything, unless something in front of the question helps."""
    return lib.Mock([*proposal, {"match": "What comes to mind", "reply": "Something."}, *better, {"match": "Which kind", "json": said("animal")}])


def compile(mock, *more, code=0, out="new.yaml", teacher=None, dir="work"):
    teach = ["--teacher", "m=" + teacher.url] if teacher else []
    got, stdout, err = quern("compile", RECIPE, "rows=" + rows, "--metric", ".kind == .gold", "--model", "m=" + mock.url, *teach, "-d", path(dir, ""), "-o", path(out), "--json", *more, timeout=300)
    equal(got, code, "exit code of compile: " + err[-600:] + stdout[-1500:])
    return json.loads(stdout) if stdout.strip() else None, err


# Demonstrations alone help: the student knows better once it has seen an answer with a tool.
teacher = lib.Mock([*proposal, {"match": "What comes to mind", "reply": "A thing to hold, {{hash}}."}, {"match": "Which kind", "every": 5, "json": said("animal")}, *right()])
shown = student(*right(whole='{"kind": "tool"}'))
r, _ = compile(shown, teacher=teacher)
check(r["gained"] and r["held_out"]["compiled"]["mean"] > 0.9 > r["held_out"]["as_it_is"]["mean"], "the held-out metric rises", r["held_out"])
text = open(path("new.yaml")).read()
check("# a comment that stays" in text and "- user: " in text and "{user: " in text, "the new recipe is the old one with demonstrations, in lines and in braces", text)
demos = read_rows(path("work", "demonstrations.jsonl"))
golds = {x["word"]: x["gold"] for x in read_rows(rows)}
for d in demos:
    word = re.search(r"Word: (\w+)", d["messages"][0]["content"]).group(1)
    if d["step"] == "ask":
        equal(json.loads(d["messages"][1]["content"])["kind"], golds[word], "a demonstration of a run that the metric accepted")
        check("Reply with exactly" not in d["messages"][0]["content"], "the shape's words are not repeated in demonstrations")
train, held = ({x["word"] for x in read_rows(path("work", "rows", s + ".jsonl"))} for s in ("train", "held_out"))
check(not train & held and all(re.search(r"Word: (\w+)", d["messages"][0]["content"]).group(1) in train for d in demos), "demonstrations are of the train slice")
check(not any(w in text for w in held), "no held-out row is in the new recipe")
check({d["step"] for d in demos} == {"think", "ask"}, "both steps have demonstrations")
run = lib.Run(path("new.yaml"), "rows=" + rows, "--model", "m=" + shown.url)
equal(run.code, 0, "the new recipe runs: " + run.stderr[-400:])
check(sum(x["kind"] == x["gold"] for x in run.rows()) > 0.9 * len(golds), "and is better")

# Again: everything is in the ledger.
before = len(shown.requests()) + len(teacher.requests())
again, _ = compile(shown, teacher=teacher)
equal((len(shown.requests()) + len(teacher.requests()), again), (before, r), "a second compile asks nothing, and finds the same")

# An instruction alone helps; its braces and dollar sign stand for themselves.
told = student(*right(system="Mind that a {{tool}} is no animal, and say $5."))
r, _ = compile(told, "--demos", "0", "--trials", "14", out="told.yaml", dir="told")
check(r["gained"] and r["held_out"]["compiled"]["mean"] == 1, "the instruction is found", r["held_out"], r["trials"])
check(all(c["demonstrations"] == 0 for t in r["trials"] for c in t["choices"]), "without demonstrations")
equal(r["trials"][0]["choices"], [{"instruction": 0, "demonstrations": 0}] * 2, "the first trial is the recipe as it is")

# Nothing helps: nothing is written, and that is said.
deaf = student()
r, _ = compile(deaf, "--trials", "4", code=1, out="none.yaml", dir="none")
check(not r["gained"] and not os.path.exists(path("none.yaml")), "nothing gained, nothing written")

# A budget stops it, the same command goes on; nothing is paid twice.
dear = student(*right(whole='{"kind": "tool"}'))
config = path("quern.yaml")
open(config, "w").write("models:\n  dear: {url: \"%s\", name: m, price: {prompt: 1000, completion: 1000}}\n" % dear.url.split("#")[0])
argv = ["compile", RECIPE, "rows=" + rows, "--metric", ".kind == .gold", "--model", "m=dear", "--teacher", "m=" + teacher.url, "--config", config, "-d", path("dear", ""), "-o", path("dear.yaml"), "--trials", "8", "--json"]
code, _, err = quern(*argv, "--budget", "5")
equal(code, 3, "the budget stops it: " + err[-300:])
n = len(dear.requests())
check(n > 0 and not os.path.exists(path("dear.yaml")), "after some requests, with nothing written")
code, stdout, err = quern(*argv)
equal(code, 0, "it goes on: " + err[-300:])
bodies = [json.dumps(q["body"], sort_keys=True) for q in dear.requests() if isinstance(q.get("body"), dict) and q["body"].get("temperature") == 0]
equal(len(bodies), len(set(bodies)), "no request twice")

for wrong, words in ((["--metric", ".kind =="], "--metric"), (["--metric", ".nothing"], ""), (["--trials", "0", "--metric", "true"], "--trials")):
    code, _, err = quern("compile", RECIPE, "rows=" + rows, "--model", "m=" + deaf.url, "-d", path("bad", ""), *wrong)
    check(code in (1, 2) and words in err, "a mistake is named", wrong, code, err)
code, _, err = quern("compile", "multi_hop_qa", "docs=examples/docs/articles", "--metric", "true", "--model", "writer=" + deaf.url, "-d", path("bad", ""))
check(code == 2 and "rows=FILE" in err, "a recipe without labelled rows", code, err)
print("compile: demonstrations and instructions found on a train and a search slice, better on the held-out one; resumed at no cost")
