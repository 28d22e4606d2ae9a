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
