#!/usr/bin/env python3
"""Every recipe in recipes/ plans, and the commands that README.md shows run."""
import os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

os.chdir(ROOT)
recipes = json.loads(quern("recipes", "--json")[1])
check(len(recipes) >= 6, "recipes are shipped")
for r in recipes:
    args = ["plan", r["name"], "--json"]
    for name, decl in r["params"].items():
        if decl["type"] == "model" and name != "encoder":      # that is a folder
            args += ["--model", name + "=http://127.0.0.1:1/v1#x"]
    samples = {"docs": "examples/docs", "tables": "examples/tables", "seeds": "examples/seeds/instructions.jsonl",
               "rows": write_rows("p.jsonl", [{k: "Some words for the field " + k for k in
                                     ["prompt", "instruction", "question", "answer", "input", "output", "text", "response", "solution"]}])}
    for name, decl in r["params"].items():
        if "default" not in decl and decl["type"] != "model":
            if name not in samples:
                print("%-24s needs `%s`: its own test plans it" % (r["name"], name))
                break
            args.append("%s=%s" % (name, samples[name]))
    else:
        code, out, err = quern(*args)
        if code == 2 and "no field" in err:
            print("%-24s wants rows of its own kind: its own test plans it" % r["name"])
            continue
        equal(code, 0, "plan of %s: %s" % (r["name"], err))
        json.loads(out)
print("%d recipes plan" % len(recipes))

text = open("README.md", encoding="utf-8").read()
shown = re.findall(r"^build/quern (\w+)", text, re.M)
commands = re.findall(r"^  (\w+)\s", quern("help")[1].split("commands:")[1], re.M)
for c in shown:
    check(c in commands, "README shows `quern %s`, which is no command" % c)
yaml = re.search(r"```yaml\n(quern: 1.*?)```", text, re.S).group(1)
p = path("readme.yaml")
open(p, "w").write(yaml)
r = Run(p, "tables=examples/tables", "per_table=4")
equal(r.code, 0, "the recipe in README.md runs: " + r.stderr)
adds_up(r.summary)
print("README's recipe gives %d rows" % r.summary["rows"]["accepted"])
