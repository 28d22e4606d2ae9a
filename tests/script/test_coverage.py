#!/usr/bin/env python3
"""grow: {cover} meets the shares of a table to the row; coverage shows the table, gives its gaps as rows, and says when a cell has too few; openings raise the
entropy of real instructions' openings."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *


def recipe(name, steps):
    p = write(name, "quern: 1\nparams: {rows: {type: path}, of: {type: any, default: {domain: {a: 0.7, b: 0.3}, use: [x, y]}}}\nsteps:\n  - read_rows: {path: $rows}\n" + steps)
    return p


seed = write_rows("seed.jsonl", [{"domain": "a", "use": "x"}])
grow = recipe("grow.yaml", """  - grow:
      until_rows: 40
      per_round: 6
      cover: $of
      steps:
        - draw: {as: domain, from: [a, b, c]}
        - draw: {as: use, from: [x, y]}
  - coverage: {of: $of, least: 6}
  - write: {to: data.jsonl}
""")
r = Run(grow, "rows=" + seed)
equal(r.code, 0, r.stderr)
adds_up(r.summary)
count = {}
for x in r.rows():
    count[x["domain"] + x["use"]] = count.get(x["domain"] + x["use"], 0) + 1
equal(count, {"ax": 14, "ay": 14, "bx": 6, "by": 6}, "every cell has its share")
check({x["_reason"].split(":")[0].split(" ")[0] for x in r.rows("rejected.jsonl")} == {"off_map", "over_supply"}, "the rest is named")
targets = [x["target"] for x in r.rows()]
check(all(set(t) == {"domain", "use"} for t in targets) and len({json.dumps(t) for t in targets}) == 4, "every cell was a target")
equal([c["have"] for c in json.load(open(os.path.join(r.out, "coverage.json")))["cells"]], [14, 14, 6, 6], "the table")
equal(Run(grow, "rows=" + seed, "-j", "4").data(), r.data(), "with four workers the same")
r = Run(grow, "rows=" + seed, "of={domain: {a: 0.9, b: 0.1}, use: [x, y]}")
check(r.code == 1 and "2 of 4 cells have fewer than 6 rows" in r.stderr + json.dumps(r.summary), "too few in a cell ends with exit 1", r.stderr)
check("add up to 0.9" in Run(grow, "rows=" + seed, "of={domain: {a: 0.9}}").stderr, "shares that do not add up are an error before anything runs")

some = write_rows("some.jsonl", [{"domain": "a", "use": "x"}] * 5 + [{"domain": "b", "use": "y"}] + [{"domain": "z", "use": "y"}])
r = Run(recipe("gaps.yaml", "  - coverage: {of: $of, rows: 20, gaps: yes}\n  - write: {to: data.jsonl}\n"), "rows=" + some)
equal(r.rows(), [{"domain": "a", "use": "x", "have": 5, "want": 7}, {"domain": "a", "use": "y", "have": 0, "want": 7}, {"domain": "b", "use": "x", "have": 0, "want": 3},
                 {"domain": "b", "use": "y", "have": 1, "want": 3}], "gaps are rows")

tasks = os.path.join(ROOT, "examples", "seeds", "instructions.jsonl")
vary = recipe("vary.yaml", """  - set: {fields: {instruction: '"Please tell me: " + .instruction', variants: '[.instruction, "Could you please say: " + .instruction]'}}
  - openings: {text: instruction, most: 0.05, choose: .variants}
  - write: {to: data.jsonl}
""")
r = Run(vary, "rows=" + tasks)
check(r.code == 0 and sum(x["before"] is not None for x in r.rows()) > 40, "monotonous openings are replaced", r.stderr)
check(max(x["opening"]["share"] for x in r.rows()) <= 0.12, "none is left that many share", max(x["opening"]["share"] for x in r.rows()))
print("coverage: shares met to the row, gaps as targets; openings varied")
