#!/usr/bin/env python3
"""in = accepted + rejected + failed, for every operator, on real rows with bad ones between them.

By `quern apply`: what the counts say is what lies in the files, and every row that was read is in one of them, once. By a recipe: at each of its steps what
went in came out, was rejected or failed. Operators that make rows of their own out of those they read stand in MAKES with what they do: of these only the files are held
against the counts."""
import concurrent.futures, json, os, sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import gzip
import lib
from lib import check, equal
from operators import NEEDS_MORE, SETTINGS, of_all, words

MAKES = {"chunk": "pieces", "collect": "a row of many", "each": "rows of a list", "pair_entities": "pairs", "tally": "figures", "swap_terms": "twins", "mix": "a file's rows", "spoil": "spoiled copies",
         "coverage": "gaps", "grow": "a pool", "query_from_passage": "queries"}
WAITS = {"review"}
N = 240
# Beside what tests/operators.py gives: settings under which something is rejected, where its own reject nothing.
CASES = [("sample", ["rows=50", "reservoir=yes"]), ("sample", ["rows=50", "weight=.n"]), ("sample", ["rows=50", "weight=.n", "reservoir=yes"]), ("sample", ["share=0.3", "by=.answer"]),
         ("balance", ["by=.kind", "shares={a: 0.5, b: 0.5}"]), ("balance", ["by=.kind", "rows=20"]), ("diverse", ["rows=30", "text=.question"]), ("diverse", ["rows=30", "vector=.v"]),
         ("dedup_minhash", ["text=.passage"]), ("dedup_exact", ["text=.passage"]), ("dedup_exact", []), ("dedup_substring", ["text=.passage", "over=0.3"]), ("dedup_embedding", ["vector=.v"]),
         ("novel", ["text=.question", "over=0.4"]), ("cluster", ["text=.question", "k=4"]), ("keep", ["where=.n > 100"]), ("openings", ["text=question"]), ("language", ["text=.question", "want=[en]"]),
         ("learned_filter", ["text=.text", "judged=.judged"]), ("item_response", ["answers=.samples"]), ("find_passage", []), ("mine_negatives", []), ("quality_gopher", ["text=.passage"]),
         ("quality_c4", ["text=.passage"]), ("toxicity", ["text=.passage"]), ("pii", ["text=.passage", "action=drop"]), ("copied", []), ("repetition", ["text=.passage"]), ("split", []), ("perplexity",
         ["text=.question", "texts=[what is a mill, who grinds corn]"]), ("decontaminate", ["text=.question", "against=FILE", "field=question"]), ("mix", ["with=FILE", "share=0.2"])]


def rows():
    """Questions on paragraphs by people; every 12th row has a fault: a text that is none, a field that is not there, an empty text."""
    with gzip.open(lib.shared("squad", "dev-v2.0.json.gz"), "rt", encoding="utf-8") as f:
        articles = json.load(f)["data"]
    asked = [(p["context"], q["question"], (q["answers"] or [{"text": ""}])[0]["text"]) for a in articles[::6] for p in a["paragraphs"][:8] for q in p["qas"][:6]]
    for n, (passage, question, answer) in enumerate(asked[:N]):
        r = {"text": passage if n % 5 else "I'm sorry, but I can't help with that.", "question": question, "answer": answer, "passage": passage, "messages": [{"role": "user", "content": question}], "n": n % 7,
             "v": [n % 5 - 2, n % 3, 1], "items": passage.split(". "), "code": "x = 1" if n % 4 else "x = (", "expected": "1", "sql": "SELECT 1", "query": question, "reply": answer, "kind": "abc"[n % 3],
             "variants": [question + "?"], "solution": "Step 1. " + answer, "samples": [answer, "a"], "judged": n % 2 == 0}
        if n % 12 == 5: r.update(text=None, passage=7, question=["a"], v="x", query=None, n="seven", items=4, answer=None)
        elif n % 12 == 7: r = {"other": n}
        elif n % 12 == 9: r.update(text="", passage="", question="", query="", answer="", v=[], items=[])
        yield r


mock = lib.Mock()
ROWS = lib.write_rows("rows.jsonl", rows())
FEW = lib.write_rows("few.jsonl", [r for r in rows() if isinstance(r.get("question"), str)][:40])


def account(case):
    number, (name, given) = case
    out, rejected = lib.path("%d.%s.jsonl" % (number, name)), lib.path("%d.%s.rejected.jsonl" % (number, name))
    argv = [w.replace("FILE", FEW) for w in given]
    code, _, err = lib.quern("apply", name, *argv, ROWS, "-o", out, "--rejected", rejected, "--json", timeout=100)
    counts = [json.loads(x) for x in err.splitlines() if x.startswith('{"in"')]
    if not counts and name in NEEDS_MORE: return None
    check(counts, name, argv, code, err)
    n = counts[-1]
    where = "%s %s: %s" % (name, argv, n)
    equal(n["in"], n["accepted"] + n["rejected"] + n["failed"], where)
    try: kept, gone = lib.read_rows(out), lib.read_rows(rejected)
    except ValueError as why: check(False, "what is written is JSON lines", where, why)
    let_go = "reservoir=yes" in argv
    equal(len(kept), n["accepted"], "rows written; " + where)
    equal(sum("_measure" in r for r in gone), 0 if let_go else n["rejected"], "rejected rows written; " + where)
    equal(sum("_measure" not in r for r in gone), n["failed"], "failed rows written; " + where)
    if name in WAITS or name in MAKES and name != "mix": return n
    more = sum("_row" not in r for r in gone) + n["accepted"] - N + sum("_row" in r for r in gone) if name == "mix" else 0      # of its own file
    if name == "mix": check(0 < more <= 40, "mix: rows of its file", where)
    equal(n["in"], N + more, "every row that was read has one end; " + where)
    numbers = [r["_row"] for r in gone if "_row" in r]
    check(len(set(numbers)) == len(numbers) and all(1 <= k <= N for k in numbers), "each once, by its number", where, sorted(k for k in numbers if numbers.count(k) > 1)[:9])
    return n


ops = of_all()
cases = [(o["name"], words(o, FEW, mock.url)) for o in ops] + CASES
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    got = [n for n in pool.map(account, enumerate(cases)) if n]
check(len(got) > len(ops) - len(NEEDS_MORE), "operators that ran", len(got))
print("%d operators in %d settings on %d real rows: %d rejections and %d failures, each row in one place" % (len(ops), len(got), N, sum(n["rejected"] for n in got), sum(n["failed"] for n in got)))

# ---- the same of each step of a recipe
recipe = lib.write("account.yaml", """quern: 1
steps:
  - read_rows: {path: %s}
  - dedup_exact: {text: .question}
  - language: {text: .passage, want: [en]}
  - dedup_minhash: {text: .question, shingle: 2, over: 0.2}
  - novel: {text: .question, over: 0.5}
  - sample: {rows: 60, weight: .n, reservoir: yes}
  - openings: {text: question}
  - diverse: {rows: 40, text: .question}
  - balance: {by: .kind, shares: {a: 0.5, b: 0.5}}
  - write: {}
""" % ROWS)
r = lib.Run(recipe)
check(r.summary, r.code, r.stderr)
steps = r.summary["per_step"]
for before, s in zip([None, *steps], steps):
    equal(s["in"], s["out"] + s["rejected"] + s["failed"], "what went into the step `%s` has one end: %s" % (s["step"], s))
    equal(s["in"], before["out"] if before else N, "into the step `%s` goes what came out of the one before" % s["step"])
    equal(sum(why["n"] for why in s["reasons"]), s["rejected"] + s["failed"], "the reasons at `%s` add up" % s["step"])
total = r.summary["rows"]
equal((total["in"], total["in"], len(r.rows())), (N, total["accepted"] + total["rejected"] + total["failed"], total["accepted"]), "and the run's rows do")
let_go = next(s["rejected"] for s in steps if s["step"] == "sample")
check(let_go > 20 and sum(s["rejected"] > 0 for s in steps) >= 5, "steps that rejected something", steps)
equal(len(r.rows("rejected.jsonl")), total["rejected"] - let_go, "what was rejected is in the file, but for what the reservoir let go")
equal(len(r.rows("failed.jsonl")), total["failed"], "what failed is in its file")
print("a recipe of %d steps: at each in = out + rejected + failed" % len(steps))
