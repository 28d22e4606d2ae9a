#!/usr/bin/env python3
"""`rounds`: the same steps one behind the other; rows and models go from a round to the next; names inside, outside and of all rounds; mistakes are named."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

rows = write_rows("rows.jsonl", [{"n": i, "t": "word %d" % i} for i in range(20)])
HEAD = "quern: 1\nparams: {rows: {type: path}, times: {type: int, default: 3}}\nsteps:\n  - name: begin\n    read_rows: {path: $rows, licence: mit}\n"


def recipe(name, text):
    write(name, HEAD + text)
    return path(name)


# rows that a round leaves are what the next begins with; outside, `from: grown.kept` is all rounds' rows
grown = recipe("grown.yaml", """  - name: grown
    rounds:
      times: $times
      as: k
      first: {pool: begin}
      next: {pool: kept}
      steps:
        - from: $pool
          keep: {where: '.n % 2 == 0 or .n > 10 * $k'}
        - name: kept
          set: {fields: {n: '.n + 10', by: '((.by? // "") | tostring) + "$k"'}}
        - write: {to: round$k.jsonl}
        - from: begin
          keep: {where: '.n == $k'}
        - name: own
          set: {fields: {of: '$k'}}
  - from: grown.own
    write: {to: own.jsonl}
  - from: grown.kept
    write: {to: data.jsonl}
""".replace("by: '((.by? // \"\") | tostring) + \"$k\"'", "of: '$k'"))
r = Run(grown, "rows=" + rows)
equal(r.code, 0, r.stderr)
pool, want = list(range(20)), []
for k in (1, 2, 3):
    pool = [n + 10 for n in pool if n % 2 == 0 or n > 10 * k]
    equal([x["n"] for x in r.rows("round%d.jsonl" % k)], pool, "round %d begins with what the round before left" % k)
    want += [(n, k) for n in pool]
equal(sorted((x["n"], x["of"]) for x in r.rows()), sorted(want), "the rows of all rounds")
equal([(x["n"], x["of"]) for x in r.rows("own.jsonl")], [(1, 1), (2, 2), (3, 3)], "a name outside is seen inside, the number is the round's")
one = Run(grown, "rows=" + rows, "times=1")
equal((one.code, len(one.rows()), os.path.exists(os.path.join(one.out, "round2.jsonl"))), (0, len(r.rows("round1.jsonl")), False), "one round")

# a model that each round trains on top of the last one's
models = recipe("models.yaml", """  - name: zero
    train_lm: {text: .t, steps: 2, size: {wide: 16, layers: 1, heads: 2, vocab: 260, max_tokens: 32}}
  - name: star
    rounds:
      times: $times
      first: {student: $zero}
      next: {student: level}
      steps:
        - from: begin
          ask: {model: $student, kind: completion, prompt: '{{ .t }}', temperature: 0, max_tokens: 3, keep_cut: yes, as: said}
        - name: seen
          set: {fields: {by: '"$round"'}}
        - from: [begin, seen]
          name: level
          train_lm: {base: $student, text: .t, steps: 2}
  - from: begin
    ask: {model: $star.level, kind: completion, prompt: '{{ .t }}', temperature: 0, max_tokens: 3, keep_cut: yes, as: last, by: who}
  - ask: {model: $star.1.level, kind: completion, prompt: '{{ .t }}', temperature: 0, max_tokens: 3, keep_cut: yes, as: first, by: who1}
  - write: {to: data.jsonl}
""")
code, out, err = quern("plan", models, "rows=" + rows)
check(code == 0, "plan: " + err)
m = Run(models, "rows=" + rows)
equal(m.code, 0, m.stderr)
equal([m.rows("model.star.%d.level.jsonl" % k)[0]["base"] for k in (1, 2, 3)], ["zero", "star.1.level", "star.2.level"], "each round goes on from the round before")
x = m.rows()[0]
equal((x["who"], x["who1"]), ("star.3.level", "star.1.level"), "behind the rounds $star.level is the last round's model")
weights = [m.data("models/star.%d.level/model.safetensors" % k) for k in (1, 2, 3)]
check(len(set(weights)) == 3, "each round trains")

for text, what in (("rounds: {steps: [{keep: {where: '.n > 0'}}], time: 2}", "`rounds` has no `time`"), ("rounds: {times: 2}", "`rounds` needs `steps`"),
                   ("rounds: {times: 17, steps: [{keep: {where: '.n > 0'}}]}", "a whole number from 1 to 16"), ("rounds: {first: {a: begin}, steps: [{keep: {where: '.n > 0'}}]}", "`a` stands in `first` and not in `next`"),
                   ("rounds: {first: {a: begin}, next: {a: lost}, steps: [{from: $a, keep: {where: '.n > 0'}}]}", "no step before this one is called `bad.1.lost`"),
                   ("rounds: {steps: [{set: {fields: {k: '$rund'}}}]}", "rund")):
    p = recipe("bad.yaml", "  - name: bad\n    %s\n" % text)
    code, _, err = quern("plan", p, "rows=" + rows)
    check(code == 2 and what in err and "bad.yaml:" in err, "named: " + what, err)
print("rounds: rows and models carried on, names, mistakes")
