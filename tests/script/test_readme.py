#!/usr/bin/env python3
"""The commands and the recipe that README.md shows run."""
import os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

os.chdir(ROOT)
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
