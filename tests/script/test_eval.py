#!/usr/bin/env python3
"""quern eval: means with denominators and intervals, paired differences, styles of prompts, a SQL tool whose results are scored."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *


def lines(out):
    return {(r["group"], r["measure"]): r for r in map(json.loads, out.splitlines()) if r}


# replies that the rows have: 60 of 100 against 45 of 100 on the same questions
rows = write_rows("r.jsonl", [{"question": "q%d" % i, "answer": str(i), "system": s, "reply": ("It is %d." % i) if i % 20 < right else "no"}
                              for i in range(100) for s, right in (("old", 9), ("new", 12))])
code, out, err = quern("eval", rows, "--by", ".system", "--against", "old", "--metric", "em,soft_em", "--json", "-q", "-o", path("e1"))
equal(code, 0, "eval: " + err)
t = lines(out)
equal([(t[g, "soft_em"]["n"], t[g, "soft_em"]["value"]) for g in ("old", "new")], [(100, 0.45), (100, 0.6)], "means and denominators")
equal(t["new", "em"]["value"], 0, "a sentence is not the answer")
new = t["new", "soft_em"]
check(0.49 < new["low"] < 0.53 and 0.67 < new["high"] < 0.72, "the interval is that of 60 in 100", new)
check(abs(new["diff"] - 0.15) < 1e-9 and new["diff_low"] > 0.07 and new["diff_high"] < 0.23 and new["p"] < 0.01, "the difference is paired: 15 rows better, none worse", new)
check(t["old", "soft_em"]["diff"] is None, "nothing is held against itself")
code, table, err = quern("eval", rows, "--by", ".system", "--against", "old", "--metric", "soft_em", "-q", "-o", path("e1"))
check("60.00" in table and "+15.00" in table and "rows read: 200" in table, "the table", table)

# a model is asked, in three styles; the SQL is executed on the table
csv = write("rivers.csv", "river,km\nRhine,1233\nElbe,1094\nWeser,452\n")
questions = path("q.jsonl")
recipe = write("tables.yaml", "quern: 1\nsteps:\n  - read_tables: {path: %s}\n  - each: {of: '[{question: \"How long is the Rhine?\", answer: 1233}, {question: \"How long is the Weser?\", answer: 452}]', as: qa}\n"
        "  - set: {fields: {question: .qa.question, answer: .qa.answer}}\n  - write: {to: q.jsonl}\n" % csv)
made = Run(recipe)
equal(made.code, 0, "tables: " + made.stderr)
qa = made.rows("q.jsonl")
for r in qa:
    r["table"]["db"] = r["table"].get("db") or os.path.join(made.out, "tables.db")
questions = write_rows("qa.jsonl", qa)
shots = write_rows("shots.jsonl", [{"question": "How long is the Ems?", "answer": "371", "reasoning": "The Ems is in the table."}, {"question": qa[0]["question"], "answer": "no"}])
mock = Mock([{"match": "SQLite", "reply": "```sql\nSELECT km FROM rivers WHERE river = 'Rhine'\n```"}, {"match": "step by step", "reply": "1,000 and 233.\nAnswer: 1233"}, {"match": "How long is the Weser", "reply": "452 km"}, {"match": "", "reply": "1,233"}])
argv = ["eval", questions, "--model", "m=" + mock.url, "--style", "direct,reason+shots,sql,direct+table", "--shots", shots, "-k", "2", "--metric", "em,soft_em", "--json", "-q", "-o", path("e2")]
code, out, err = quern(*argv)
equal(code, 0, "styles: " + err)
t = lines(out)
equal({k[0]: (v["n"], v["value"]) for k, v in t.items() if k[1] == "em"}, {"m direct": (2, 0.5), "m reason+shots": (2, 0.5), "m sql": (2, 0.5), "m direct+table": (2, 0.5)}, "each style's em")
equal(t["m direct", "soft_em"]["value"], 1.0, "soft_em of `452 km`")
asked = [json.dumps(r) for r in mock.requests()]
equal(len(asked), 8, "each question in each style once")
check(sum("Weser | 452" in a for a in asked) == 4, "the table is shown where it should be", asked)
shown = [a for a in asked if "How long is the Ems?" in a]
check(len(shown) == 2 and all("The Ems is in the table." in a for a in shown), "worked examples with their reasoning")
check(sum("Answer: no" in a for a in shown) == 1, "an example that asks the row's own question is passed over")
quern(*argv)
equal(len(mock.requests()), 8, "again: nothing is asked anew")
print("intervals, paired differences, 4 styles, executed SQL")
