#!/usr/bin/env python3
"""What is not trusted: code, commands and queries of rows. Both kinds of sandbox are said in run.log and give the same verdicts; queries that write, wait,
ask the clock or chance, or mean two things are rejected with why."""
import json, os, sqlite3, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import check, equal


def apply(op, rows, *words, env=None):
    out, rejected = lib.path("out.jsonl"), lib.path("rejected.jsonl")
    code, _, err = lib.quern("apply", op, *words, lib.write_rows("in.jsonl", rows), "-o", out, "--rejected", rejected, env=env)
    return code, lib.read_rows(out) if os.path.exists(out) else [], lib.read_rows(rejected) if os.path.exists(rejected) else [], err


# ---- queries
db = lib.path("mills.db")
c = sqlite3.connect(db)
c.execute("create table mill (name text, built int, turns int)")
c.executemany("insert into mill values (?, ?, ?)", [("Rye", 1644, 3), ("Oat", 1702, 3), ("Corn", 1702, 5)])
c.commit()
c.close()
QUERIES = [
    ("select name from mill where built = 1644", None),
    ("select count(*), max(turns) from mill", None),
    ("select name from mill order by built, name", None),
    ("select name from mill order by turns limit 1", "order of rows"),
    ("select name from mill where built > 1800", "no rows"),
    ("select nam from mill", "no such column"),
    ("select name from mill where built = random()", "not allowed"),
    ("select date('now')", "time"),
    ("with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n", "too "),
    ("select sql from sqlite_master", "not allowed"),
    ("select load_extension('/tmp/x.so')", "not allowed"),
    ("attach '%s' as x" % db, "writes"),
    ("select 1; delete from mill", "more than one statement"),
    ("with x as (select 1) delete from mill", "not allowed"),
    ("pragma table_info(mill)", "writes"),
]
before = lib.bytes_of(db)
code, kept, gone, err = apply("check_sql", [{"sql": q} for q, _ in QUERIES], "sql=.sql", 'db="%s"' % db, "max_steps=3000000")
equal([r["sql"] for r in kept], [q for q, why in QUERIES if not why], "queries that stay: %s" % err)
why = {r["sql"]: r["_reason"] for r in gone}
for q, want in QUERIES:
    check(not want or want in why[q], "why `%s` goes: %s" % (q, why.get(q)))
equal(lib.bytes_of(db), before, "the database is as it was")
check(apply("check_sql", [{"sql": QUERIES[3][0]}], "sql=.sql", 'db="%s"' % db, "order=no")[1], "order=no keeps a query that depends on the order of rows")
print("check_sql: %d queries, %d rejected" % (len(QUERIES), len(gone)))

# ---- both sandboxes: the same verdicts, and run.log says which
ROWS = [{"code": "print('x' * 3)"}, {"code": "import os\nos._exit(3)"}, {"code": "import time\ntime.sleep(60)"}, {"code": "open('/etc/shadow').read()"},
        {"code": "import socket\nsocket.create_connection(('127.0.0.1', 1), 1)"}, {"code": "x = bytearray(1 << 30)"}, {"code": "open('f', 'w').write('a'); assert open('f').read() == 'a'"}]
said = {}
for kind in ("bubblewrap", "landlock"):
    env = {"QUERN_SANDBOX": kind, "QUERN_TEST_KEY": "sk-secret"}
    code, kept, gone, err = apply("check_code", ROWS, "time_ms=1500", env=env)
    if "sandbox" in err and not kept:
        print("skipped: %s: %s" % (kind, err.splitlines()[-1]))
        continue
    equal([r["code"] for r in kept], [ROWS[0]["code"], ROWS[6]["code"]], "what runs under %s: %s" % (kind, [r["_reason"] for r in gone]))
    reasons = [r["_reason"].split(":")[1].strip().split(" ")[0] for r in gone]
    check(gone[1]["_reason"] == "tests: out of time" and "MemoryError" in gone[4]["_reason"], "reasons under %s: %s" % (kind, reasons))
    code, kept, gone, err = apply("check_command", [{"word": "rye"}, {"word": "oat"}], "run=grep -q rye; a=$?; env; cat /proc/*/environ 2>/dev/null; exit $a", "as=env", env=env)
    equal([r["word"] for r in kept], ["rye"], "a command under %s" % kind)
    check("sk-secret" not in kept[0]["env"] and "PATH=" in kept[0]["env"], "keys of the environment do not enter the sandbox")
    recipe = lib.write("code-%s.yaml" % kind, "quern: 1\nsteps:\n  - read_rows: {path: %s}\n  - check_code: {time_ms: 1000}\n  - write: {to: data.jsonl}\n" % lib.write_rows("rows.jsonl", ROWS[:1]))
    r = lib.Run(recipe, env=env)
    equal(r.code, 0, "a run under %s: %s" % (kind, r.stderr))
    log = lib.bytes_of(r.out, "run.log").decode()
    check(("bubblewrap" if kind == "bubblewrap" else "Landlock") in log, "run.log says the sandbox: %s" % log)
    said[kind] = reasons
if len(said) == 2:
    equal(said["bubblewrap"][0], said["landlock"][0], "the same verdicts")
code, kept, gone, err = apply("check_code", ROWS[:1], env={"QUERN_SANDBOX": "none"})
check(not kept and "QUERN_SANDBOX" in json.dumps(gone), "an unknown wish runs nothing: %s" % err)
print("check_code, check_command: under %s" % " and ".join(said))
