#!/usr/bin/env python3
"""table_qa, document_qa and multi_hop_qa without a model: every promise of a row is checked by other means than ours.

Each SQL is executed again by Python's own SQLite on the CSV files, loaded anew: the answer must be the same. Each answer of document_qa stands where it
is said to stand. Each multi-hop question hides its entity, and its steps lead to its answer."""
import csv, glob, os, sqlite3, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import check, equal


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
    print("%s: %d of %d answers confirmed by another SQLite client" % (what, len(rows), len(rows)))


def table_qa():
    run = lib.Run("table_qa", "tables=examples/tables")
    equal(run.code, 0, "exit code of table_qa")
    lib.adds_up(run.summary)
    rows, con, seen = run.rows(), sqlite3.connect(":memory:"), set()
    check(len(rows) > 100, "only", len(rows), "rows")

    def con_of(t):
        if t["name"] not in seen:
            seen.add(t["name"])
            load_csv(con, t)
        return con
    verify(rows, con_of, "examples")
    equal(lib.Run("table_qa", "tables=examples/tables", "--workers", "1").data(), run.data(), "bytes with one worker")
    check(lib.Run("table_qa", "tables=examples/tables", "--seed", "7").data() != run.data(), "another seed gives the same rows")
    noisy = lib.Run("table_qa", "tables=examples/tables", "noise=1").rows()
    check(all(r["question"] == r["question"].lower() for r in noisy if r["question"].isascii()), "noise: questions typed in a hurry are in lower case")


def wikitables():
    folder = os.path.join(lib.SHARED, "wikitablequestions", "csv")
    if not os.path.exists(folder):
        print("skipped: ../shared/data/wikitablequestions is not here")
        return
    run = lib.Run("table_qa", "tables=" + folder, timeout=300)
    equal(run.code, 0, "exit code of table_qa")
    con = sqlite3.connect("file:%s?mode=ro" % os.path.join(run.out, "tables.db"), uri=True)
    verify(run.rows(), lambda t: con, "150 tables of wikitablequestions")


def document_qa():
    run = lib.Run("document_qa", "docs=examples/docs/articles")
    equal(run.code, 0, "exit code of document_qa")
    lib.adds_up(run.summary)
    rows = run.rows()
    check(len(rows) > 80, "only", len(rows), "rows")
    for r in rows:
        p, a = r["passage"].encode(), r["answer"].encode()
        equal(p[r["start"]:r["start"] + len(a)], a, "the answer stands at `start`")
        equal(p.count(a), 1, "the answer stands there once: " + r["answer"])
        check(r["answer"] not in r["question"], "the question gives its answer away:", r["question"])
    print("document_qa: %d answers stand where they are said to" % len(rows))


def multi_hop_qa():
    run = lib.Run("multi_hop_qa", "docs=examples/docs/articles")
    equal(run.code, 0, "exit code of multi_hop_qa")
    lib.adds_up(run.summary)
    rows = run.rows()
    bridges = [r for r in rows if r["type"] == "bridge"]
    check(len(bridges) >= 10 and len(rows) > len(bridges), "bridges", len(bridges), "rows", len(rows))
    for r in rows:
        equal(len(r["passages"]), 2, "passages")
        equal(len(r["steps"]), 2, "steps")
        texts = [" ".join(p["text"].split()) for p in r["passages"]]
        for s, t in zip(r["steps"], texts):
            check(s["answer"] in t, "a step's answer does not stand in its passage:", s)
        if r["type"] == "bridge":
            check(r["seed"].lower() not in r["question"].lower(), "the question names its seed:", r["question"])
            check(r["steps"][0]["answer"].lower().removeprefix("the ") == r["seed"].lower(), "the first step does not lead to the seed", r["steps"])
            equal(r["answer"], r["steps"][1]["answer"], "the answer is the second step's")
            check(r["answer"] not in texts[0], "one passage is enough for", r["question"])
        else:
            check(r["answer"] in [p["title"] for p in r["passages"]], "the answer is one of the two", r)
    print("multi_hop_qa: %d bridges, %d comparisons hold" % (len(bridges), len(rows) - len(bridges)))


table_qa()
wikitables()
document_qa()
multi_hop_qa()
