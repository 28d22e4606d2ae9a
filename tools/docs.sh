#!/usr/bin/env bash
# Writes the reference pages from the program's own descriptors: docs/ops/*.md, docs/recipes/*.md, docs/expressions.md, docs/quern.1.
# Usage: tools/docs.sh QUERN [DIR]   (DIR: docs)
set -euo pipefail
q=$(realpath "$1"); out=${2:-docs}
mkdir -p "$out/ops" "$out/recipes"
rm -f "$out"/ops/*.md "$out"/recipes/*.md
names() { "$q" "$1" --json | python3 -c 'import json,sys; [print(x["name"]) for x in json.load(sys.stdin)]'; }
for n in $(names ops); do "$q" help op "$n" --markdown >"$out/ops/$n.md"; done
for n in $(names recipes); do "$q" help "$n" --markdown >"$out/recipes/$n.md"; done
# What `tools/systems.py --rows` saw goes into each recipe's page: a row, and what such rows take.
python3 - "$(dirname "$0")/../docs/systems.json" "$out/recipes" <<'END'
import json, os, sys
seen, folder = sys.argv[1:]
for name, s in (json.load(open(seen, encoding="utf-8")) if os.path.exists(seen) else {}).items():
    page = os.path.join(folder, name + ".md")
    if not os.path.exists(page):
        continue
    rows, calls, tokens = s["rows"], s["calls"], s["prompt_tokens"]
    out = []
    if s["example"] is not None:
        out.append("\n## A row\n\nMade from the files in examples/, with scripted replies in a model's place, so it shows the columns and not a model's wit; long texts are cut.\n\n```json\n%s\n```\n" % json.dumps(s["example"], ensure_ascii=False, indent=1))
    if calls and rows["accepted"]:
        k, t = calls / rows["accepted"], tokens / rows["accepted"]
        cost = 1000 * (t * 0.5 + k * 300 * 1.5) / 1e6
        out.append("\n## What it costs\n\nIn that run %d rows came in and %d were accepted, after %d requests: %.1f requests and about %.0f tokens of prompts for an accepted row. At $0.50 a million tokens of\n"
                   "prompts, $1.50 of replies, and replies of 300 tokens, a thousand accepted rows cost about $%s. Your rows, filters and prices differ: `quern plan %s ...` says what a run of\n"
                   "yours would ask at most, before anything is sent, and `--budget` stops it.\n" % (rows["in"], rows["accepted"], calls, k, t, "%.2f" % cost if cost < 10 else "%.0f" % cost, name))
    elif rows["accepted"]:
        out.append("\n## What it costs\n\nNo model was asked: a run costs nothing. With a model in a role, `quern plan %s ...` says what it would ask at most.\n" % name)
    text = open(page, encoding="utf-8").read()
    at = text.index("\n## The recipe\n")
    with open(page, "w", encoding="utf-8") as f:
        f.write(text[:at] + "".join(out) + text[at:])
END
"$q" help expressions --markdown >"$out/expressions.md"
{ echo "# Operators"; echo; "$q" ops --json | python3 -c '
import json, sys
ops = json.load(sys.stdin)
titles = [("source", "Sources"), ("generate", "Making rows"), ("curate", "Curating rows"), ("train", "Training"), ("eval", "Measuring"), ("sink", "Writing")]
for stage, title in titles:
    mine = [o for o in ops if o["stage"] == stage]
    if mine:
        print("## %s\n\n| operator | what it does |\n|---|---|" % title)
        for o in mine: print("| [%s](%s.md) | %s |" % (o["name"], o["name"], o["brief"]))
        print()'; } >"$out/ops/README.md"
{ echo "# Recipes"; echo; "$q" recipes --json | python3 -c '
import json, sys
rs = json.load(sys.stdin)
groups = []
for r in rs:
    if r["group"] not in groups: groups.append(r["group"])
for g in groups:
    print("## %s\n\n| recipe | what it makes | after | needs | without a model |\n|---|---|---|---|---|" % (g or "Other"))
    for r in rs:
        if r["group"] == g: print("| [%s](%s.md) | %s | %s | %s | %s |" % (r["name"], r["name"], r["about"], r["paper"], ", ".join(r["needs"]) or "nothing", "yes" if r["builtin"] else "no"))
    print()'; } >"$out/recipes/README.md"
"$q" help man >"$out/quern.1"
