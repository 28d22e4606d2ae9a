#!/usr/bin/env python3
"""Every operator by `quern apply` on what it should not be given: no row at all, and a line that is no row. None may hang, crash, or end as if all were well.

The operators come from `quern ops --json`: a new one is tried as soon as it exists. What an operator must be told is guessed from its parameters' types;
where a guess would be refused, SETTINGS says what to give. NEEDS_MORE names those whose needs (an encoder, a table, steps) no row of ours meets: they may refuse, with code 2."""
import concurrent.futures, json, os, sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import lib
from lib import check, equal

MILL = "The old mill grinds corn in winter."
ROW = {"text": MILL, "question": "What grinds corn?", "answer": "mill", "passage": MILL, "messages": [], "n": 1, "v": [1, 0], "items": [MILL], "code": "x = 1", "expected": "1",
       "sql": "SELECT 1", "query": "mill", "reply": "mill", "variants": ["An old mill."], "solution": "Step 1.", "samples": ["a"], "judged": True}
SETTINGS = {
    "ask": ["model=MODEL", "prompt={{ .text }}"], "balance": ["by=.text"], "bias_shares": [], "check_calls": ["calls=.items", "functions=.items"], "check_command": ["run=true"],
    "check_schema": ["shape={text: text}", "value=."], "cluster": ["vector=.v", "k=1"], "coverage": ["of={a: [a, b]}"], "dedup_embedding": ["vector=.v"], "diverse": ["rows=1", "vector=.v"],
    "draw": ["as=x", "from=[a, b]"], "embed": ["text=.text", "model=MODEL"], "mix": ["with=FILE", "share=0.5"], "perplexity": ["texts=[a mill, a mill turns]"], "pipe": ["run=cat"], "sample": ["rows=1"],
    "set": ["fields={a: 1}"], "tries": ["prompt={{ .text }}", "model=MODEL"], "search": ["in=FILE"], "judge": ["of={{ .text }}", "model=MODEL"],
}
NEEDS_MORE = set("classify compare_calls fetch_pages grow item_response link_table multi_hop_question question_for_sql run_sql sample_sql seed_table spoil_sql sql_skeleton "
                 "text_loss train_dpo train_embed train_lm train_rm train_sft train_span".split())


def guess(p):
    kind, span = p["type"], p["range"] or ""
    if kind == "expression":
        return {"bool": "true", "number": ".n", "[number]": ".v"}.get(span, ".text")
    if kind == "choice":
        return span.split("|")[0]
    return {"field": "text", "path": "FILE", "texts": "FILE" if p["name"] == "against" else "text", "template": "{{ .text }}", "model": "MODEL", "value": "{a: 1}", "text": "x"}.get(kind, "1")


def words(op):
    given = SETTINGS.get(op["name"])
    if given is None:
        given = ["%s=%s" % (p["name"], guess(p)) for p in op["params"] if p["default"] is None]
    return [w.replace("FILE", FILE).replace("MODEL", MODEL) for w in given]


def ends(op, source):
    """Exit code, counts (None when it refused before the first row) and what was said."""
    code, _, err = lib.quern("apply", op["name"], *words(op), source, "-o", lib.path(op["name"], "out.jsonl"), "--rejected", lib.path(op["name"], "rejected.jsonl"), "--json", timeout=30)
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
ops = [o for o in json.loads(lib.quern("ops", "--json")[1]) if o["stage"] not in ("source", "sink")]
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    refused = {name for name in pool.map(hostile, ops) if name}
equal(sorted(refused - NEEDS_MORE), [], "operators that refuse what SETTINGS gives")
print("%d operators: no rows, a broken line; %d of them refuse for want of more" % (len(ops), len(refused)))

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
