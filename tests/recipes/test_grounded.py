#!/usr/bin/env python3
"""table_qa, document_qa and multi_hop_qa without a model: every promise of a row is checked by other means than ours.

Each SQL is executed again by Python's own SQLite on the CSV files, loaded anew: the answer must be the same. Each answer of document_qa stands where it
is said to stand. Each multi-hop question hides its entity, and its steps lead to its answer."""
import csv, json, os, re, sqlite3, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import check, equal, lib, main, rejects, run, sources


def load_csv(con, table):
    """The interface's words: a table of that name with those columns, cells as they stand, NUMERIC affinity for int and real, else TEXT."""
    q = lambda s: '"' + s.replace('"', '""') + '"'
    with open(table["path"], newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))[1:]
    con.execute("CREATE TABLE %s (%s)" % (q(table["name"]), ", ".join(
        q(c["name"]) + (" NUMERIC" if c["type"] in ("int", "real") else " TEXT") for c in table["columns"])))
    con.executemany("INSERT INTO %s VALUES (%s)" % (q(table["name"]), ",".join("?" * len(table["columns"]))), [r for r in rows])


def same(a, b, ordered):
    def near(x, y):
        if isinstance(x, (int, float)) and isinstance(y, (int, float)):
            return abs(x - y) <= 1e-9 * max(1, abs(x), abs(y))
        return x == y
    key = lambda v: (str(type(v)), str(v))
    if not ordered:
        a, b = sorted(a, key=key), sorted(b, key=key)
    return len(a) == len(b) and all(near(x, y) for x, y in zip(a, b))


def verify(rows, con_of, what):
    for r in rows:
        for k in ("seed", "steps", "question", "sql", "answer", "table"):
            check(k in r, what, "a row has no", k)
        got = [x[0] if len(x) == 1 else list(x) for x in con_of(r["table"]).execute(r["sql"])]
        check(same(got, r["answer"], "ORDER BY" in r["sql"]), what, r["sql"], "gives", got, "and not", r["answer"])
        check(r["steps"] and r["steps"][-1]["result"] in (r["answer"], r["answer"][0], str(r["answer"][0])), what, "the last step is not the answer", r["steps"])


def table_qa():
    r = run("table_qa", "tables=" + sources.tables(), timeout=300)
    con = sqlite3.connect("file:%s?mode=ro" % os.path.join(r.out, "tables.db"), uri=True)
    verify(r.rows(), lambda t: con, "real tables")
    total = len(r.rows())

    # The example tables, loaded by other means than ours.
    r = run("table_qa", "tables=examples/tables")
    rows, con, seen = r.rows(), sqlite3.connect(":memory:"), set()
    check(len(rows) > 100, "only", len(rows), "rows")

    def con_of(t):
        if t["name"] not in seen:
            seen.add(t["name"])
            load_csv(con, t)
        return con
    verify(rows, con_of, "examples")
    equal(run("table_qa", "tables=examples/tables", "--workers", "1").data(), r.data(), "bytes with one worker")
    check(run("table_qa", "tables=examples/tables", "--seed", "7").data() != r.data(), "another seed gives the same rows")
    noisy = run("table_qa", "tables=examples/tables", "noise=1").rows()
    check(all(x["question"] == x["question"].lower() for x in noisy if x["question"].isascii()), "noise: questions typed in a hurry are in lower case")

    # Asked of a model: what it writes is executed.
    mock = lib.Mock([
        {"match": "Write one SQLite query", "every": 4, "json": '{"sql": "SELECT flavour FROM nowhere"}'},
        {"match": "Write one SQLite query", "regex": "Table (planets|rivers|mountains|moons|elements|composers|countries|programming_languages|olympic_games) with", "json": '{"sql": "SELECT COUNT(*) FROM {{1}}"}'},
        {"match": "Write the question that a person", "every": 5, "json": '{"question": "Many?"}'}, {"match": "Write the question that a person", "every": 3, "json": '{"question": "How many entries are there in the whole of this table?"}'},
        {"match": "Write the question that a person", "json": '{"question": "How many entries are there in list {{n}}?"}'}])
    r = run("table_qa", "tables=examples/tables", "per_table=4", writer=mock.url)
    check(r.rows() and all(x["answer"] and x["sql"].startswith("SELECT COUNT") and x["question"] and x["seed"] and x["steps"] for x in r.rows()), "rows are executed")
    rejects("table_qa", "run_sql", "dedup_minhash", "where")
    check("no such table" in json.dumps(r.rows("rejected.jsonl") + r.rows("failed.jsonl")), "SQL that does not run is rejected with SQLite's words")
    return "%d of %d answers confirmed by another SQLite client" % (total + len(rows), total + len(rows))


def document_qa():
    r = run("document_qa", "docs=" + sources.docs())
    rows = r.rows()
    check(len(rows) > 80, "only", len(rows), "rows")

    def stands(x):
        p, a = x["passage"].encode(), x["answer"].encode()
        equal(p[x["start"]:x["start"] + len(a)], a, "the answer stands at `start`")
        equal(p.count(a), 1, "the answer stands there once: " + x["answer"])
    for x in rows:
        stands(x)
        check(x["answer"] not in x["question"], "the question gives its answer away:", x["question"])
    # An unrelated passage does not answer: the answer does not stand in it together with what the question names.
    names = lambda t: set(re.findall("[A-Z][a-z]{3,}", t)) - {"What", "Which", "When", "Where", "Who", "Whose", "How", "Why"}
    apart = [(x, rows[(i + len(rows) // 2) % len(rows)]) for i, x in enumerate(rows)]
    stray = [x["question"] for x, y in apart if y["title"] != x["title"] and x["answer"] in y["passage"] and names(x["question"]) and names(x["question"]) <= names(y["passage"])]
    check(len([1 for x, y in apart if y["title"] != x["title"]]) > 80 and len(stray) <= len(rows) // 50, "answered by a passage of another document", stray)
    mock = lib.Mock([{"regex": "The (Vistula|Danube|Rhine)", "json": '{"question": "Which river is it?", "answer": "not in the passage at all"}'},
                     {"regex": " was (an? [A-Za-z]+ [A-Za-z]+)", "every": 3, "json": '{"question": "Why so?", "answer": "{{1}}"}'},
                     {"regex": " was (an? [A-Za-z]+ [A-Za-z]+)", "every": 4, "json": '{"question": "What was the thing that everybody asks about here?", "answer": "{{1}}"}'},
                     {"regex": " (is|was) (an? [A-Za-z]+ [A-Za-z]+)", "json": '{"question": "What was thing {{n}} of list {{hash}}?", "answer": "{{2}}"}'}])
    asked_of_model = run("document_qa", "docs=" + sources.docs(), writer=mock.url)
    for x in asked_of_model.rows():
        stands(x)
    rejects("document_qa", "answer_span", "where", "dedup_minhash")
    check(len(asked_of_model.rows()) > 3, "rows of a model")
    check(not any("Which river" in x["question"] or len(x["question"]) <= 10 for x in asked_of_model.rows()), "an answer that does not stand there, or no question")
    check(asked_of_model.summary["rows"]["rejected"] > 0, "answers that do not stand in the passage are rejected")
    return "%d of %d answers stand once, where they are said to; %d are answered by an unrelated passage too" % (len(rows), len(rows), len(stray))


def multi_hop_qa():
    r = run("multi_hop_qa", "docs=" + sources.docs())
    rows = r.rows()
    bridges = [x for x in rows if x["type"] == "bridge"]
    check(len(bridges) >= 10 and len(rows) > len(bridges), "bridges", len(bridges), "rows", len(rows))
    for x in rows:
        equal(len(x["passages"]), 2, "passages")
        equal(len(x["steps"]), 2, "steps")
        texts = [" ".join(p["text"].split()) for p in x["passages"]]
        for s, t in zip(x["steps"], texts):
            check(s["answer"] in t, "a step's answer does not stand in its passage:", s)
        if x["type"] == "bridge":
            check(x["seed"].lower() not in x["question"].lower(), "the question names its seed:", x["question"])
            check(x["steps"][0]["answer"].lower().removeprefix("the ") == x["seed"].lower(), "the first step does not lead to the seed", x["steps"])
            equal(x["answer"], x["steps"][1]["answer"], "the answer is the second step's")
            check(x["answer"] not in texts[0], "one passage is enough for", x["question"])
        elif x["answer"] in ("yes", "no"):
            a, b = (s["answer"] for s in x["steps"])
            check((a == b) == (x["answer"] == "yes") and all(p["title"] in x["question"] for p in x["passages"]), "yes and no follow from the steps", x)
        elif x["answer"] in [p["title"] for p in x["passages"]]:
            check(x["steps"][0]["answer"] != x["steps"][1]["answer"], "a choice between two that are alike", x)
        else:
            check(x["answer"] == x["steps"][0]["answer"] == x["steps"][1]["answer"] and x["answer"] not in x["question"], "what both have in common", x)
    steps = [{"question": "a?", "answer": "b"}] * 2
    mock = lib.Mock([{"every": 3, "json": json.dumps({"question": "What of Titan, Paris, Vienna, Neptune, London, Warsaw, Jupiter, radium, Ganymede and the Alps?", "answer": "x", "steps": steps})},
                     {"json": json.dumps({"question": "Which one of {{n}} is it, {{hash}}?", "answer": "x", "steps": steps})}])
    asked_of_model = run("multi_hop_qa", "docs=" + sources.docs(), writer=mock.url)
    check(not any(x["type"] == "bridge" and x["seed"].lower() in x["question"].lower() for x in asked_of_model.rows()), "a model's question that names its entity")
    rejects("multi_hop_qa", "where", "dedup_minhash")
    return "%d bridges hide their entity and need both passages; %d comparisons" % (len(bridges), len(rows) - len(bridges))


TESTS = [table_qa, document_qa, multi_hop_qa]
if __name__ == "__main__":
    main(TESTS)
