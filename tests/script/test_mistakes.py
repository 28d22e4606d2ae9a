#!/usr/bin/env python3
"""Every mistake that a recipe can hold is told before anything is done: exit 2, file:line:column, what is wrong, what to do about it; no request is sent, no
file is written. A case is an edit of a recipe that runs; the sign § in its new text marks where the finger must point."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

GOOD = """quern: 1
about: What is said about words
params:
  rows:   {type: path, about: "rows with n and t"}
  least:  {type: int, default: 2}
  writer: {type: model}
steps:
  - read_rows: {path: $rows}
  - name: long
    keep: {where: '.n >= $least', why: short}
  - name: asked
    ask:
      model: $writer
      prompt: |
        Say something about {{ .t }}.
      reply: {said: text, score: int 1..5}
      temperature: 0.7
  - name: round
    repeat:
      times: 2
      until: '.score > 3'
      steps:
        - set: {fields: {score: '.score + 1'}}
  - name: copy
    from: long
    set: {fields: {size: '.t | length'}}
  - name: both
    from: [round, copy]
    join: {}
  - dedup_minhash: {text: .t, over: 0.8}
  - write: {to: data.jsonl, as: alpaca, with: {prompt: t, answer: said}}
"""

# what is wrong, (old text, new text), part of the message, part of the hint
CASES = [
    # files that would be written twice
    ("two steps that write one file", ("  - dedup_minhash", "  - name: half\n    write: {to: data.jsonl}\n  - from: half\n    dedup_minhash"), "both write data.jsonl", "to: ..."),
    # the file as a whole
    ("no recipe at all", (GOOD, "§steps: []\n"), "`quern: 1` is missing", "quern new"),
    ("an empty file", (GOOD, "§"), "`quern: 1` is missing", "quern new"),
    ("another version", ("quern: 1", "quern: §2"), "version 2", "quern: 1"),
    ("a version that is no number", ("quern: 1", "quern: §one"), "version", "quern: 1"),
    ("no steps", (GOOD[GOOD.index("\nsteps:"):], ""), "no `steps`", "steps:"),
    ("steps without any", (GOOD[GOOD.index("\nsteps:"):], "\nsteps: §[]\n"), "`steps` is empty", "source"),
    ("steps that are a map", (GOOD[GOOD.index("\nsteps:"):], "\nsteps:\n  §read_rows: {path: x}\n"), "`steps` is a list", "- "),
    ("an unknown part", ("about: What", "§abuot: What"), "no part called `abuot`", "`about`"),
    ("a part twice", ("\nparams:", "\n§about: again\nparams:"), "`about` stands twice", "line 2"),
    ("two documents", ("\nsteps:", "\n§---\nsteps:"), "a second document", "---"),
    ("a list instead of a map", (GOOD, "§- quern: 1\n"), "a recipe is a map", "quern: 1"),
    # YAML
    ("wrong indentation", ("    keep: {where", "   §keep: {where"), "not valid YAML", "indent"),
    ("a tab", ("  - name: copy", "§\t- name: copy"), "not valid YAML", "tab"),
    ("an open brace", ("{path: $rows}", "{path: $rows"), "not valid YAML", "}"),
    ("an open quote", ("'.score > 3'", "'.score > 3"), "not valid YAML", "quote"),
    ("a colon in a plain text", ("about: What is said", "about: What is said§: all"), "not valid YAML", "quotes"),
    ("an alias", ("{path: $rows}", "{path: §*rows}"), "aliases", "write it out"),
    ("a duplicate key in a step", ("over: 0.8}", "over: 0.8, §over: 0.9}"), "`over` stands twice", "line"),
    # parameters of the recipe
    ("params that are a list", ("params:\n  rows:   {type: path, about: \"rows with n and t\"}\n  least:  {type: int, default: 2}\n  writer: {type: model}\n", "params:\n  §- rows\n"), "`params` is a map", "name: {type"),
    ("a parameter of an unknown type", ("{type: int, default: 2}", "{type: §itn, default: 2}"), "no type of parameter is called `itn`", "`int`"),
    ("a parameter without a type", ("{type: int, default: 2}", "§{default: 2}"), "has no `type`", "type:"),
    ("an unknown word in a declaration", ("{type: int, default: 2}", "{type: int, §defualt: 2}"), "`defualt`", "`default`"),
    ("a declaration that is a word", ("{type: int, default: 2}", "§int"), "is a map", "type: int"),
    ("a default that is no whole number", ("default: 2}", "default: §two}"), "a whole number is needed", "least"),
    ("a parameter that is not declared", ("$rows}", "$rwos}"), "no parameter `rwos`", "`rows`"),
    ("the same inside an expression", (".n >= $least", ".n >= §$laest"), "`$laest`", "params:"),
    # steps
    ("an unknown operator", ("- dedup_minhash:", "- §dedup_minhas:"), "no operator is called `dedup_minhas`", "`dedup_minhash`"),
    ("an operator without a near name", ("- dedup_minhash:", "- §xyzzy:"), "no operator is called `xyzzy`", "quern ops"),
    ("two operators in a step", ("    keep: {where", "    set: {fields: {a: 1}}\n    §keep: {where"), "two", "- "),
    ("a step that is a list", ("  - read_rows: {path: $rows}", "  - §[read_rows]"), "a step is a map", "- keep:"),
    ("a step that is only a name", ("    keep: {where: '.n >= $least', why: short}\n", ""), "without an operator", "quern ops"),
    ("a name twice", ("name: copy", "name: §long"), "two steps are called `long`", "line 10"),
    ("a name with spaces", ("name: copy", "name: §my copy"), "`my copy`", "letters"),
    ("from: unknown", ("from: long", "from: §lnog"), "no step before this one is called `lnog`", "`long`"),
    ("from: a later step (a circle)", ("from: long", "from: §both"), "`both`", "before"),
    ("from: itself", ("from: long", "from: §copy"), "`copy`", "before"),
    ("from: a map", ("from: long", "from: §{a: b}"), "`from` is a step's name", "from: [A, B]"),
    ("no source", ("  - read_rows: {path: $rows}\n", ""), "no rows to work on", "read_rows"),
    ("rows that go nowhere", ("  - name: both\n", "  - from: long\n    §set: {fields: {x: .n}}\n  - name: both\n"), "go nowhere", "from:"),
    ("a join of one", ("from: [round, copy]\n    §join".replace("§", ""), "from: [copy]\n    §join"), "two branches or more", "from: [A, B]"),
    ("a recipe that does not exist", ("- dedup_minhash: {text: .t, over: 0.8}", "- recipe: {use: §tabel_qa}"), "no recipe is called `tabel_qa`", "`table_qa`"),
    ("recipe without use", ("- dedup_minhash: {text: .t, over: 0.8}", "- §recipe: {with: {}}"), "needs `use`", "use:"),
    ("recipe with a wrong parameter", ("- dedup_minhash: {text: .t, over: 0.8}", "- recipe: {use: document_qa, with: {§dosc: x}}"), "no parameter `dosc`", "`docs`"),
    # parameters of operators
    ("an unknown parameter", ("over: 0.8}", "§ovre: 0.8}"), "no parameter `ovre`", "`over`"),
    ("a missing parameter", ("dedup_minhash: {text: .t, over", "§dedup_minhash: {over"), "needs `text`", "text:"),
    ("a word for a number", ("over: 0.8", "over: §much"), "a number is needed", "over:"),
    ("a list for a number", ("over: 0.8", "over: §[0.8]"), "is a list", "over:"),
    ("a number out of bounds", ("over: 0.8", "over: §1.8"), "must be in 0.05..1", "over:"),
    ("a fraction for a whole number", ("times: 2", "times: §2.5"), "a whole number is needed", "times:"),
    ("no turns at all", ("times: 2", "times: §0"), "must be in 1..10000", "times:"),
    ("a wrong choice", ("as: alpaca", "as: §alpacca"), "must be one of", "`alpaca`"),
    ("a choice that is a map", ("as: alpaca", "as: §{a: b}"), "is a map", "as:"),
    ("parameters for one that has none", ("join: {}", "join: {§how: outer}"), "`join` has no parameter `how`", "from:"),
    ("repeat without steps", (GOOD[GOOD.index("      steps:"):GOOD.index("  - name: copy")], ""), "`repeat` needs `steps`", "steps:"),
    ("a sink inside a repeat", ("- set: {fields: {score: '.score + 1'}}", "- write: {to: x.jsonl}"), "nothing can go round", "write"),
    ("a file that is not there", ("read_rows: {path: $rows}", "§read_rows: {path: examples/docs/articels}"), "there is no file or folder examples/docs/articels", "examples/docs/articles"),
    ("a glob that matches nothing", ("read_rows: {path: $rows}", "§read_rows: {path: 'nothing/*.jsonl'}"), "nothing matches nothing/*.jsonl", "where quern was called"),
    # expressions and fields
    ("an unknown field", (".n >= $least", "§.m >= $least"), "no field `m`", "`.n`"),
    ("a field of the other branch", ("'.t | length'", "'§.said | length'"), "no field `said`", "there are"),
    ("a bad expression", ("'.score + 1'", "'.score +§'"), "ends", "help expressions"),
    ("an open bracket", ("'.score + 1'", "'(.score + 1§'"), ")", "help expressions"),
    ("an unknown function", (".t | length", ".t | §lenght"), "`lenght`", "`length`"),
    ("a function of the wrong type", (".t | length", ".n | §split(\",\")"), "text", "help expressions"),
    ("text and number added", ("'.score + 1'", "'§.t + 1'"), "text", "tostring"),
    ("a filter that gives no truth value", ("'.n >= $least'", "'§.n + $least'"), "must give bool", "=="),
    ("an unclosed hole", ("{{ .t }}.", "§{{ .t ."), "{{", "}}"),
    ("an unknown field in a hole", ("{{ .t }}", "{{ §.tt }}"), "no field `tt`", "`.t`"),
    ("an empty hole", ("{{ .t }}", "{{§ }}"), "a hole {{ }} is empty", ".name"),
    ("until that gives no truth value", ("until: '.score > 3'", "until: §'.score'"), "must give bool", "=="),
    ("a when on a field that is not there", ("- dedup_minhash:", "- when: §.nothing\n    dedup_minhash:"), "no field `nothing`", "there are"),
    # replies, models, layouts
    ("a reply of an unknown type", ("{said: text,", "{said: §txet,"), "txet", "`text`"),
    ("a reply with a broken range", ("int 1..5", "int §5..1"), "5..1", "1..5"),
    ("a reply that is a list", ("{said: text, score: int 1..5}", "§[said]"), "reply", "{"),
    ("a reply without any field", ("{said: text, score: int 1..5}", "§{}"), "reply", "{"),
    ("no model given", ("model: $writer", "model: §wirter"), "wirter", "writer"),
    ("neither prompt nor messages", ("      prompt: |\n        Say something about {{ .t }}.\n", ""), "prompt", "prompt:"),
    ("a temperature out of bounds", ("temperature: 0.7", "temperature: §7"), "must be in 0..2", "temperature:"),
    ("a layout's field that is not there", ("answer: said", "answer: §siad"), "siad", "`said`"),
    ("a layout's column that it has not", ("answer: said", "§anwser: said"), "anwser", "`answer`"),
    ("without: an unknown operator", ("      temperature: 0.7\n", "      temperature: 0.7\n      without: §anser_span\n"), "no operator is called `anser_span`", "`answer_span`"),
    ("an operator that needs other fields", ("- dedup_minhash: {text: .t, over: 0.8}", "- §run_sql: {}"), "needs the field `sql`", "sample_sql"),
]

rows = write_rows("rows.jsonl", [{"n": i, "t": "word %d" % i} for i in range(6)])
mock = Mock()
model = "writer=" + mock.url
folder = path("mistakes", "x")[:-2]


def run(text, name):
    file = os.path.join(folder, name + ".yaml")
    open(file, "w", encoding="utf-8").write(text)
    out = os.path.join(folder, name + "-out")
    code, _, err = quern("run", file, "rows=" + rows, "--model", model, "-o", out)
    return code, err, file, out


os.chdir(ROOT)
code, err, _, out = run(GOOD, "good")
check(code == 0, "the recipe that is broken below is a good one:", code, err)
sent = len(mock.requests())
check(sent > 0, "and asks its model")
poor = []
for i, (what, (old, new), says, hint) in enumerate(CASES):
    check(GOOD.count(old) == 1, "%s: its place is there once: %r" % (what, old))
    text = GOOD.replace(old, new)
    at = text.find("§")
    text = text.replace("§", "")
    code, err, file, out = run(text, "m%02d" % i)
    place = ""
    if at >= 0:
        line = text.count("\n", 0, at) + 1
        place = "%s:%d:%d: " % (file, line, at - (text.rfind("\n", 0, at) + 1) + 1)
    first, _, told = err.partition("\n  hint: ")
    wrong = [w for w, ok in [("exit %d" % code, code == 2), ("the place is not " + place.rsplit("/", 1)[-1], place in first),
                             ("no line and column", ".yaml:" in first), ("does not say %r" % says, says in first),
                             ("no hint" if not told else "the hint lacks %r" % hint, told and hint in told), ("a folder was made", not os.path.exists(out))] if not ok]
    if wrong:
        poor.append("%s: %s\n    %s" % (what, "; ".join(wrong), err.strip().replace(folder + "/", "")))
check(not poor, "%d of %d mistakes are told poorly:\n%s" % (len(poor), len(CASES), "\n".join(poor)))
equal(len(mock.requests()), sent, "requests sent by recipes with mistakes")
print("%d mistakes are told with place and hint, before anything is sent or written" % len(CASES))
