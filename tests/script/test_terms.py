#!/usr/bin/env python3
"""Terms: a teacher whose terms forbid it stops the run before a request is sent; its own family is excepted; unknown terms are a warning."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

mock = Mock()
rows = write_rows("p.jsonl", [{"prompt": "Hello?"}])
config = path("quern.yaml")
with open(config, "w") as f:
    f.write("models:\n")
    for name, terms in [("llama2", "terms: llama2"), ("apache", "licence: apache-2.0"), ("mine", "about: nothing is known")]:
        f.write("  %s:\n    url: http://127.0.0.1:%d/v1\n    name: %s-model\n    %s\n" % (name, mock.port, name, terms))


def run(model, *args):
    return Run("ask", "rows=" + rows, "--model", "m=" + model, "--config", config, *args)


r = run("llama2", "--for", "my-own-7b")
equal(r.code, 2, "forbidden terms stop the run: " + r.stderr)
check("may not train my-own-7b" in r.stderr and "llama2" in r.stderr, r.stderr)
equal(len(mock.requests()), 0, "nothing was sent")
for model, student in [("llama2", "Llama-2-7b-chat"), ("llama2", "evaluation"), ("apache", "my-own-7b"), ("mine", "my-own-7b")]:
    r = run(model, "--for", student)
    equal(r.code, 0, "%s for %s: %s" % (model, student, r.stderr))
print("forbidden terms stop, a family's own, evaluation and free licences go on")

# --- the licences of sources: named by the recipe or the command, by the documents themselves, by a file beside, by the row; inherited by all that is made of them
def docs_run(name, files, *args, recipe=None, **more):
    folder = path(name, "x")[:-1]
    for f, text in files.items():
        write(os.path.join(folder, f), text)
    return Run(recipe or "document_qa", "docs=" + folder, *args, **more)


ARTICLES = os.path.join(ROOT, "examples", "docs", "articles")
FACTS = "\n".join(open(os.path.join(ARTICLES, f), encoding="utf-8").read() for f in sorted(os.listdir(ARTICLES))[:8])
PAGE = "".join("<h1>%s</h1>" % p[2:] if p.startswith("# ") else "<p>%s</p>" % p for p in FACTS.split("\n\n"))
PLAIN = {"a.md": FACTS}


def card(r):
    return open(os.path.join(r.out, "README.md")).read()


r = docs_run("unknown", PLAIN, "--for", "my-7b")
equal(r.code, 0, r.stderr)
equal((r.summary["licences"], r.summary["may_train"]), (["unknown"], "unknown"), "nobody said")
check("**not known**" in card(r) and "the licence of some sources is not known" in card(r), card(r))
r = docs_run("given", PLAIN, "--for", "my-7b", "--licence", "CC BY-SA 4.0")
equal((r.code, r.summary["licences"], r.summary["may_train"]), (0, ["CC BY-SA 4.0"], "conditions"), r.stderr)
check('license: "cc-by-sa-4.0"' in card(r) and "**yes, on conditions**" in card(r) and "same licence" in card(r), card(r))
for how, args, files in [("--licence", ["--licence", "cc-by-nd-4.0"], PLAIN), ("a file beside", [], {**PLAIN, "a.md.license": "SPDX-License-Identifier: CC-BY-ND-4.0\n"}),
                         ("the document", [], {"a.html": "<html><head><link rel='license' href='https://creativecommons.org/licenses/by-nd/4.0/'></head><body>%s</body></html>" % PAGE})]:
    r = docs_run("forbidden " + how, files, "--for", "my-7b", *args)
    equal(r.code, 2, "%s says no: %s" % (how, r.stderr))
    check("may not train my-7b" in r.stderr and not os.path.exists(os.path.join(r.out, "data.jsonl")), r.stderr)
    for student in ([], ["--for", "evaluation"]):
        r = docs_run("allowed " + how, files, *student, *args)
        equal(r.code, 0, "%s, %r: %s" % (how, student, r.stderr))
check("made for evaluation" in card(r), card(r))
print("a source's licence stops, warns or binds, whoever names it; the card says it")

# beside a folder, for all that is in it; what stands nearer to a file holds
for name, files, want in [("open", {"a.md": FACTS}, ["CC0-1.0"]), ("nearer", {"a.md": FACTS, "a.md.license": "SPDX-License-Identifier: MIT\n"}, ["MIT"])]:
    folder = os.path.dirname(path(name + "/inner", "x"))
    for f, text in {"../../%s.license" % name: "SPDX-FileCopyrightText: somebody\nSPDX-License-Identifier: CC0-1.0\n", **files}.items():
        write(os.path.join(folder, f), text)
    r = Run("document_qa", "docs=" + folder)
    equal((r.code, r.summary["licences"]), (0, want), "the licence beside a folder, %s: %s" % (name, r.stderr))
for args in (["table_qa", "tables=examples/tables", "per_table=2"], ["document_qa", "docs=examples/docs/articles"], ["instruction_filters", "rows=examples/seeds/instructions.jsonl"]):
    r = Run(*args)
    equal((r.code, r.summary["licences"], r.summary["may_train"]), (0, ["CC0-1.0"], "yes"), "the examples are given away: %s" % r.stderr)
    check('license: "cc0-1.0"' in card(r) and "not known" not in card(r), card(r))
    check("is not known" not in bytes_of(r.out, "report.html").decode(), "the report knows it, too")
print("a licence beside a folder holds for its files, the nearest first; the examples' is known")

# a model is not asked about a row that may not be used
before = len(mock.requests())
r = docs_run("asked", {**PLAIN, "a.md.license": "SPDX-License-Identifier: CC-BY-ND-4.0\n"}, "--for", "my-7b", "--model", "writer=apache", "--config", config)
equal((r.code, len(mock.requests()) - before), (2, 0), "nothing is sent for a row whose source forbids it: " + r.stderr)
# a step that leaves such rows out makes the run go through
filtered = write("filtered.yaml", "quern: 1\nparams:\n  rows: {type: path}\nsteps:\n  - read_rows: {path: $rows, licence: cc-by-nd-4.0}\n  - licence: {deny: ['*-nd-*']}\n  - write: {to: data.jsonl}\n")
mixed = write_rows("mixed.jsonl", [{"q": "a", "licence": "MIT"}, {"q": "b"}, {"q": "c", "license": "CC0 1.0"}])
r = Run(filtered, "rows=" + mixed, "--for", "my-7b")
equal((r.code, [x["q"] for x in r.rows()], r.summary["licences"], r.summary["may_train"]), (0, ["a", "c"], ["MIT", "CC0 1.0"], "yes"), r.stderr)
with open(filtered) as f:
    unfiltered = f.read().replace("  - licence: {deny: ['*-nd-*']}\n", "")
write(filtered, unfiltered)
equal(Run(filtered, "rows=" + mixed, "--for", "my-7b").code, 2, "without the step the run stops")
print("no request for a forbidden row; a step that leaves it out lets the run go on")

# through 1-to-n steps, joins, gathers that put rows together
through = path("through.yaml")
STEPS = ("quern: 1\nparams:\n  rows: {type: path}\nsteps:\n  - read_rows: {path: $rows}\n  - name: part\n    each: {of: .parts}\n"
         "  - name: left\n    set: {fields: {l: '.group'}}\n  - name: right\n    from: part\n    set: {fields: {r: '.group'}}\n"
         "  - from: [left, right]\n    join: {}\n  - collect: {by: .group, of: .item}\n%s  - write: {to: data.jsonl}\n")
parts = write_rows("parts.jsonl", [{"group": g, "parts": ["%s%d" % (g, k) for k in range(3)], "licence": l}
                                   for g, l in [("x", "MIT"), ("x", "CC BY-ND 4.0"), ("y", "ISC")]])
write(through, STEPS % "")
r = Run(through, "rows=" + parts)
check(r.summary, r.stderr)
equal((r.code, r.summary["rows"]["accepted"], r.summary["licences"]), (0, 2, ["MIT", "CC BY-ND 4.0", "ISC"]), r.stderr)
equal(Run(through, "rows=" + parts, "--for", "my-7b").code, 2, "a row put together from both has both licences")
write(through, STEPS % "  - fields: {drop: [licence]}\n  - licence: {deny: ['*-nd-*']}\n")
r = Run(through, "rows=" + parts, "--for", "my-7b")
equal((r.code, [x["group"] for x in r.rows()], r.summary["licences"]), (0, ["y"], ["ISC"]), "the step `licence` knows what went into a row: " + r.stderr)
print("licences go through 1-to-n steps, joins and gathers")

# through a model that the run trains: what it writes is made from what it was trained on, and so is what is trained on top of it
taught = path("taught.yaml")
TRAIN = "%s: {prompt: '{{ .q }} =', reply: .a, epochs: 1, batch: 4, %s}"
SIZE = "size: {wide: 16, layers: 1, heads: 1, vocab: 260, max_tokens: 16}"
write(taught, "quern: 1\nparams:\n  rows: {type: path}\n  tests: {type: path}\n  spare: {type: model, default: builtin}\nsteps:\n  - read_rows: {path: $rows}\n"
        "  - name: first\n    " + TRAIN % ("train_sft", SIZE) + "\n  - read_rows: {path: $tests}\n  - name: cut\n    copy: {from: q, to: text}\n  - name: second\n    " + TRAIN.replace(".q ", ".text ") % ("train_sft", "base: $first") +
        "\n  - from: cut\n    ask: {model: $second, prompt: '{{ .text }} =', as: said, max_tokens: 2, temperature: 0, keep_cut: yes}\n  - write: {to: data.jsonl}\n")
taught_rows = lambda licence: write_rows("taught.%s.jsonl" % licence, [{"q": "%d + 1" % k, "a": str(k + 1), "licence": licence} for k in range(8)])
tests = write_rows("asked.jsonl", [{"q": "%d + 1" % k, "a": str(k + 1), "licence": "ISC"} for k in range(4)])
r = Run(taught, "rows=" + taught_rows("MIT"), "tests=" + tests)
check(r.summary, r.stderr)
equal((r.code, r.summary["licences"], r.summary["may_train"]), (0, ["MIT", "ISC"], "yes"), r.stderr)
check("| first | first | of its rows: MIT |" in card(r) and "| second | second | of its rows: MIT, ISC |" in card(r), card(r))
equal([m["role"] for m in r.summary["models"]], ["spare", "first", "second"], "no other step is a model")
r = Run(taught, "rows=" + taught_rows("cc-by-nd-4.0"), "tests=" + tests, "--for", "my-7b")
check(r.code == 2 and "may not train my-7b" in r.stderr, "what the model was taught forbids it: " + r.stderr)
with open(taught) as f:
    left_out = f.read().replace("  - write:", "  - licence: {deny: ['*-nd-*']}\n  - write:")
write(taught, left_out)
for licence, n in [("cc-by-nd-4.0", 0), ("MIT", 4)]:
    equal(len(Run(taught, "rows=" + taught_rows(licence), "tests=" + tests).rows()), n, "the rows that the second model wrote know what the first was taught: " + licence)
print("licences go through a model that the run trains, and one trained on top of it")

# a model that no step names has nothing to do with the rows: not in the table, no word about its terms
r = Run(taught, "rows=" + taught_rows("MIT"), "tests=" + tests, "--model", "spare=llama2", "--config", config, "--for", "my-7b")
equal((r.code, r.summary["may_train"], [m["role"] for m in r.summary["models"]]), (0, "yes", ["first", "second"]), r.stderr)
check("spare" not in card(r).split("## Models")[1].split("## ")[0], card(r))
print("a model that no step names is left out")
