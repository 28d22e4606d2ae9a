"""What operators are given where each of them is tried: a row with a field of every kind, and the parameters that they must be told.

What an operator must be told is guessed from its parameters' types; where a guess would be refused, SETTINGS says what to give. NEEDS_MORE names those whose needs
(an encoder, a table, steps) no row of ours meets. FILE and MODEL stand for a file of rows and the address of a model."""
import json

import lib

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


def words(op, file, model):
    given = SETTINGS.get(op["name"])
    if given is None:
        given = ["%s=%s" % (p["name"], guess(p)) for p in op["params"] if p["default"] is None]
    return [w.replace("FILE", file).replace("MODEL", model) for w in given]


def of_all():
    """What `quern ops --json` says of every operator between sources and sinks."""
    return [o for o in json.loads(lib.quern("ops", "--json")[1]) if o["stage"] not in ("source", "sink")]
