#!/usr/bin/env python3
"""Table questions: tries judges replies by executing them, SQL and lines of marks alike; what spoil_sql spoils gives another answer, and what it leaves gives its own."""
import os, sqlite3, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import *

# ---- tries by execution ----
tables = path("tables", "rivers.csv")
write(tables, "River,Country,Length\nRhine,Germany,1233\nWeser,Germany,452\nSeine,France,777\nLoire,France,1006\nEbro,Spain,930\n")
recipe = """quern: 1
params: {tables: {type: path}, m: {type: model}, marks: {type: bool}}
steps:
  - read_tables: {path: $tables}
  - each: {of: '[{question: "how many rivers are in germany", answer: [2]}, {question: "which rivers are in france", answer: ["Loire", "Seine"]}, {question: "what is the length of the ebro", answer: [930]}]', as: q}
  - set: {fields: {question: .q.question, answer: .q.answer}}
  - tries: {model: $m, prompt: '{{ .question }}', by: execution, marks: $marks, k: 2, early: no, spare: yes, as: reply}
  - fields: {keep: [question, n_right, tries, reply]}
  - write: {to: data.jsonl}
"""
write("tries.yaml", recipe)


def right(rules, marks):
    r = Run(path("tries.yaml"), "tables=" + os.path.dirname(tables), "marks=" + marks, "--model", "m=" + Mock(rules).url)
    equal(r.code, 0, r.stderr)
    return {x["question"].split()[-1]: (x["n_right"], x["tries"]) for x in r.rows()}


sql = [{"match": "germany", "reply": "SELECT COUNT(*) FROM rivers WHERE Country = 'Germany'"}, {"match": "france", "reply": "SELECT River FROM rivers WHERE Country = 'France' ORDER BY Length"},
       {"match": "ebro", "reply": "SELECT Length FROM no_such_table"}]
equal(right(sql, "no"), {"germany": (2, 2), "france": (2, 2), "ebro": (0, 2)}, "SQL is executed; order does not matter, what fails is wrong")
marks = [{"match": "germany", "reply": "count VA CB"}, {"match": "france", "reply": "which CA VA CB"}, {"match": "ebro", "reply": "which CC VA CA VA"}]
equal(right(marks, "yes"), {"germany": (2, 2), "france": (2, 2), "ebro": (0, 2)}, "so are lines of marks; a line that means nothing is wrong")
equal(right([{"match": "", "reply": "rows"}], "yes"), {"germany": (0, 2), "france": (0, 2), "ebro": (0, 2)}, "another answer is wrong")

# ---- most: what the tries agree on ----
with open(path("most.yaml"), "w") as f:
    f.write(recipe.replace("k: 2, early: no, spare: yes", "k: 5, most: yes, mend: $mend, spare: $spare").replace("marks: {type: bool}", "marks: {type: bool}, mend: {type: bool, default: no}, spare: {type: bool, default: yes}").replace("n_right, tries", "n_right, tries, n_other"))


def most(rules, *more):
    r = Run(path("most.yaml"), "tables=" + os.path.dirname(tables), "marks=yes", *more, "--model", "m=" + Mock(rules).url)
    equal(r.code, 0, r.stderr)
    return {x["question"].split()[-1]: (x["n_right"], x["n_other"], x["reply"]) for x in r.rows()}


# germany: two right, three another answer in two wordings and one that means nothing; france: two right, two that give nothing, one other; ebro: always another
first = lambda match, n, reply: {"match": match, "to": n, "reply": reply}
drawn = [first("germany", 2, "count VA CB"), first("germany", 2, "rows"), {"match": "germany", "reply": "count CA <"},
         first("france", 2, "which CA VA CC"), first("france", 1, "rows"), {"match": "france", "reply": "which CA VA CB"}, {"match": "ebro", "reply": "rows"}]
equal(most(drawn), {"germany": (2, 2, "count VA CB"), "france": (2, 1, "which CA VA CB"), "ebro": (0, 5, None)}, "tries that agree on another answer are counted; replies without an answer are not")
drawn[1]["to"] = 3
equal(most(drawn)["germany"], (2, 3, "count VA CB"), "three agree on another answer")
equal(set(most(drawn, "spare=no")), {"france"}, "a row whose own answer is not the one given most is dropped, though it was given twice")
equal(most(drawn, "mend=yes")["france"], (4, 1, "which CA VA CB"), "with `mend` a value of the wrong column is put right, and the line is kept as it is read")

# ---- a chat model's rows: four styles, and none without a model ----
with open(path("shots.jsonl"), "w") as f:
    f.write('{"question": "how long is the rhine", "sql": "SELECT Length FROM rivers WHERE River = 1", "answer": "1233"}\n')
with open(path("chat.yaml"), "w") as f:
    f.write(recipe.split("  - set:")[0].replace("m: {type: model}, marks: {type: bool}", "m: {type: model, default: builtin}, shots: {type: path}")
            + "  - set: {fields: {id: .q.question, question: .q.question, expected: '.q.answer | map(tostring)'}}\n  - recipe: {use: tqa_chat, with: {model: $m, shots: $shots}}\n  - write: {to: data.jsonl}\n")
none = Run(path("chat.yaml"), "tables=" + os.path.dirname(tables), "shots=" + path("shots.jsonl"))
check(none.code in (0, 1), none.stderr)
equal((none.code, len(none.rows())), (1, 0), "without a model there are no rows, and none of them is failed")
equal({x["_reason"].split(" ")[0].rstrip(":") for x in none.rows("rejected.jsonl")}, {"no_chat_model"}, "they are accounted for")
mock = Mock([{"match": "Write one SQLite query", "whole": "in germany", "reply": "```sql\nSELECT COUNT(*) FROM rivers WHERE Country = 'Germany'\n```"}, {"match": "Write one SQLite query", "reply": "SELECT nothing"},
             {"whole": "in germany", "reply": "2"}, {"whole": "in france", "reply": "Seine, Loire"}, {"reply": "930 km"}])
r = Run(path("chat.yaml"), "tables=" + os.path.dirname(tables), "shots=" + path("shots.jsonl"), "--model", "m=" + mock.url)
equal(r.code, 0, r.stderr)
got = {}
for x in r.rows():
    got.setdefault(x["system"].split(": ")[1], {})[x["question"].split()[-1]] = x["em"]
words = {"germany": 1, "france": 1, "ebro": 0}
equal(got, {"zero-shot with the table": words, "one-shot without the table": words, "one-shot with the table": words, "one-shot with the table and a SQL tool": {"germany": 1, "france": 0, "ebro": 0}}, "words are compared, queries executed")
prompts = [x["body"]["messages"][-1]["content"] for x in mock.requests()]
equal(len(prompts), 12, "each question is asked in four styles")
equal(sorted(("Weser" in p, "rhine" in p, "SQLite" in p) for p in prompts), sorted([(True, False, False), (False, True, False), (True, True, False), (True, True, True)] * 3), "table, example and SQL stand in the prompts that should have them")

# ---- spoiled rows ----
write("spoil.yaml", """quern: 1
params: {tables: {type: path}}
steps:
  - read_tables: {path: $tables}
  - seed_table: {per_row: 40}
  - sample_sql: {loose: 0.9}
  - question_for_sql: {loose: 0.9}
  - set: {fields: {right_sql: .sql}}
  - spoil_sql: {share: 0.5}
  - run_sql: {check_order: no}
  - write: {to: data.jsonl}
""")
r = Run(path("spoil.yaml"), "tables=" + os.path.join(lib.ROOT, "examples", "tables"))
equal(r.code, 0, r.stderr)
db = sqlite3.connect(os.path.join(r.out, "tables.db"))
cells = lambda sql: sorted(str(c) for row in db.execute(sql).fetchall() for c in row)
rows = r.rows()
spoiled = [x for x in rows if x["spoiled"]]
check(len(rows) > 200 and 0.3 < len(spoiled) / len(rows) < 0.55, "about half are spoiled: %d of %d" % (len(spoiled), len(rows)))
for x in rows:
    check((x["sql"] != x["right_sql"]) == x["spoiled"], "a spoiled row has another query", x["sql"], x["right_sql"])
    check((cells(x["sql"]) != cells(x["right_sql"])) == x["spoiled"], "a spoiled row has another answer", x["sql"], x["right_sql"])
print("%d rows, %d of them spoiled" % (len(rows), len(spoiled)))
