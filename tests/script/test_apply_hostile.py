#!/usr/bin/env python3
"""Every operator by `quern apply` on what it should not be given: no row at all, and a line that is no row. None may hang, crash, or end as if all were well.

The operators come from `quern ops --json`: a new one is tried as soon as it exists, with what tests/operators.py gives. Those that need more than that may refuse, with code 2.
Nor may a file that is not there be anything but a mistake of who named it, whichever operator is to read it."""
import concurrent.futures, json, os, sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import lib
from lib import check, equal
from operators import NEEDS_MORE, ROW, of_all, words

def ends(op, source):
    """Exit code, counts (None when it refused before the first row) and what was said."""
    code, _, err = lib.quern("apply", op["name"], *words(op, FILE, MODEL), source, "-o", lib.path(op["name"], "out.jsonl"), "--rejected", lib.path(op["name"], "rejected.jsonl"), "--json", timeout=30)
    counts = [json.loads(x) for x in err.splitlines() if x.startswith("{")]
    return code, counts[-1] if counts else None, err


def hostile(op):
    name, refused = op["name"], False
    for source in (EMPTY, BROKEN):
        code, n, err = ends(op, source)
        where = "%s on %s: exit %d: %s" % (name, os.path.basename(source), code, err)
        check(code in (0, 1, 2), where)
        if code == 2:
            check(n is None and err.startswith("quern: ") and "command line:" not in err, "a refusal is one error, without a place that nobody wrote:", where)
            refused = True
            continue
        check(n is not None and n["in"] == n["accepted"] + n["rejected"] + n["failed"], "the account adds up:", where)
        if source == EMPTY:
            # mix adds a row of its own file
            check(code == 0 and n["in"] == (name == "mix"), "no rows, no error:", where)
        elif n:
            check(code == 1 and n["failed"] >= 1, "a broken line is an error:", where)
            said = [r.get("_reason", "") for r in lib.read_rows(lib.path(name, "rejected.jsonl"))]
            check(any("broken.jsonl:2" in s for s in said), "the broken line is named:", where, said)
    return name if refused else None


mock = lib.Mock()
MODEL = mock.url
FILE = lib.write_rows("file.jsonl", [ROW])
EMPTY, BROKEN = lib.path("empty.jsonl"), lib.path("broken.jsonl")
open(EMPTY, "w").close()
lib.write(BROKEN, json.dumps(ROW) + "\n" + '{"text": "cut of\n' + json.dumps(ROW) + "\n")
ops = of_all()
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    refused = {name for name in pool.map(hostile, ops) if name}
equal(sorted(refused - NEEDS_MORE), [], "operators that refuse what SETTINGS gives")
print("%d operators: no rows, a broken line; %d of them refuse for want of more" % (len(ops), len(refused)))

# ---- a file that is not there: every parameter that names one to read; the rest of what the operator then needs
NOWHERE = "/nowhere/at/all.jsonl"
OUTPUTS = {"to", "dir"}
WITH = {("decontaminate", "encoder"): ["text=.text", "against=FILE", "by=embedding"], ("check_calls", "file"): ["calls=.items"], ("closest", "encoder"): ["query=.text", "of=.items"],
        ("dedup_embedding", "encoder"): ["text=.text"], ("embed", "encoder"): ["text=.text"], ("in_source", "encoder"): ["by=embedding"], ("same_meaning", "encoder"): [],
        ("search", "in"): [], ("search", "encoder"): ["in=FILE"], ("draw", "file"): ["as=x"], ("perplexity", "good"): [], ("check_schema", "file"): ["value=."], ("classify", "judged"): ["field=text"],
        ("mix", "with"): ["share=0.5"], ("roughen", "like"): ["field=text"]}
named = [(o, p["name"]) for o in ops for p in o["params"] if p["type"] == "path" and p["name"] not in OUTPUTS] + [(o, "against") for o in ops if o["name"] == "decontaminate"]


def nowhere(case):
    op, name = case
    given = WITH.get((op["name"], name))
    given = [w for w in words(op, FILE, MODEL) if not w.startswith(name + "=")] if given is None else [w.replace("FILE", FILE) for w in given]
    out = lib.path(op["name"] + "." + name + ".jsonl")
    code, _, err = lib.quern("apply", op["name"], *given, name + "=" + NOWHERE, FILE, "-o", out, timeout=30)
    check(code == 2 and "/nowhere/at/all.jsonl" in err, "%s %s: a file that is not there:" % (op["name"], name), given, code, err)
    check(not os.path.exists(out), "%s %s: nothing is written" % (op["name"], name))


with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(nowhere, named))
for argv in (["apply", "dedup_exact", NOWHERE], ["apply", "read_rows", "path=" + NOWHERE], ["apply", "read_docs", "path=" + NOWHERE], ["apply", "read_tables", "path=" + NOWHERE],
             ["compare", NOWHERE, FILE, "--field", ".text"], ["compare", FILE, NOWHERE, "--field", ".text"], ["trace", "--line", "1", "-o", NOWHERE], ["plan", NOWHERE], ["run", NOWHERE]):
    code, _, err = lib.quern(*argv)
    check(code == 2 and NOWHERE in err, argv, code, err)
print("%d parameters that name a file: one that is not there is a mistake, code 2, before anything is written" % len(named))

# ---- sizes that a table of all with all would not survive
long = lib.write_rows("long.jsonl", [{"text": " ".join("w%d" % (i % 30011) for i in range(200000))}] * 2 + [{"text": "a short one"}])
code, _, err = lib.quern("apply", "novel", "text=.text", long, "-o", lib.path("novel.jsonl"), timeout=60)
check(code == 1 and "1 accepted + 0 rejected + 2 failed" in err and "a text of 200000 words" in err, "novel on texts too long for it", code, err)
groups = lib.write_rows("groups.jsonl", [{"t": "row %d" % (i % 36000)} for i in range(40000)])
code, _, err = lib.quern("apply", "balance", "by=.t", groups, "-o", lib.path("balance.jsonl"), timeout=60)
check(code == 0 and "36000 accepted + 4000 rejected" in err, "balance over very many groups", code, err)

# ---- where rows go, and what is given twice
for argv, wanted in ((["dedup_exact", FILE, "-o", lib.path("same.jsonl"), "--rejected", os.path.join(os.path.dirname(lib.path("same.jsonl")), ".", "same.jsonl")], "cannot both go to"),
                     (["dedup_exact", FILE, "-o", lib.path("rows.csv")], "written as JSON lines, not as csv"), (["dedup_exact", FILE, "-o", lib.path("rows.jsonl.gz")], "not as gz"),
                     (["dedup_minhash", "text=.text", "text=.question", FILE], "`text` is given twice"), (["language", "text=.text", "want=[english]", FILE], "`english` is no language's code")):
    code, out, err = lib.quern("apply", *argv)
    check(code == 2 and wanted in err and not out, argv, code, err)

# ---- settings that can do nothing are refused before the first row, and what could not be done is no success
for setting, wanted in (("per_licence={a: ten}", "the limit of `a` in `per_licence` is `ten`"), ("per_licence={a: -1}", "is `-1`"), ("per_licence={a: [3]}", "is `[3]`"), ("per_licence=ten", "is a text"),
                        ("per_licence={a: 3}", "needs `licence`")):
    code, _, err = lib.quern("apply", "copied", setting, *(["licence=.text"] if "needs" not in wanted else []), FILE)
    check(code == 2 and wanted in err, "copied %s:" % setting, code, err)
for argv, wanted in ((["bias_shares", "to=/proc/none/bias.json"], "cannot write /proc/none/bias.json"), (["bias_shares", "against=" + FILE, "field=nothing"], "has a text in the field `nothing`"),
                     (["pair_entities", "text=nothing"], "no row has a text in the field `nothing`"), (["review"], "give `dir`")):
    code, _, err = lib.quern("apply", *argv, FILE, "-o", lib.path("mended.jsonl"))
    check(code == 1 and wanted in err, argv, code, err)
to = lib.path("bias.json")
code, _, err = lib.quern("apply", "bias_shares", "against=" + FILE, "to=" + to, FILE, "-o", lib.path("mended.jsonl"))
check(code == 0 and set(json.load(open(to))) == {"set", "source", "country_distance"}, "the shares are written", err)
print("settings that can do nothing, files that cannot be written: errors")
