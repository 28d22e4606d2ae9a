#!/usr/bin/env python3
"""Hostile rows: each bad record is one failed row with its line number, the rest goes on, nothing crashes, and what is good comes out as it came in."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

BIG = 10 << 20
LINES = [               # (bytes, good?)
    (b'{"a": 1, "t": "plain"}', True),
    (b'{"a": 2, "t": "\xff\xfe"}', False),                              # invalid UTF-8
    (b'{"a": 3, "t": "x\x00y"}', False),                                # a NUL byte
    (b'{"a": 4, "t": "\xed\xa0\x80"}', False),                          # a surrogate in UTF-8
    (b'', None), (b'   ', None),                                        # empty lines are no rows
    (b'{"a": 5, "t": "%s"}' % (b"z" * BIG), True),                      # 10 MB in one line
    (b'{"a": 6, "d": %s1%s}' % (b"[" * 100000, b"]" * 100000), None),   # nesting: told apart below
    (b'{"a": 7, "a": 8}', True),                                        # the same key twice
    (b'{"a": 9', False),                                                # cut off
    (b'{"a": 10} trailing', False),
    (b'[1, 2]', False), (b'"text"', False), (b'12', False), (b'null', False),
    (b'{"a": 1e400}', False),                                           # no number that can be held
    (b'{"a": 11, "t": "\\ud800"}', False),                              # half a surrogate pair
    (b"{'a': 12}", False), (b'{"a": NaN}', False), (b'{a: 13}', False),
    (b'{"": 14, "a": 14}', True),                                       # an empty name
    (b'{"a": 15, "t": "\\u0000"}', True),                               # an escaped NUL is text
    (b'{"_id": "x", "_reason": "y", "a": 16}', True),                   # names that quern itself writes
    (b'{"a": 99999999999999999999999999}', True),
    (b'{"a": 17, "' + b"k" * 100000 + b'": 1}', True),
    (b'{' + b", ".join(b'"f%d": %d' % (i, i) for i in range(20000)) + b', "a": 18}', True),
    (b'\xef\xbb\xbf{"a": 19}', False),                                  # a byte order mark in the middle
    (b'{"a": 20, "t": "last, without a line feed"}', True),
]


def compose(lines, end=b"\n", head=b""):
    return head + end.join(line for line, _ in lines)


def put(name, data):
    p = path(name)
    with open(p, "wb") as f:
        f.write(data)
    return p


# `run` and `apply keep` see the same rows.
recipe = write("r.yaml", "quern: 1\nparams: {rows: {type: path}}\nsteps:\n  - read_rows: {path: $rows}\n  - keep: {where: 'true'}\n  - write: {to: data.jsonl}\n")
for name, end, head in [("lf", b"\n", b""), ("crlf", b"\r\n", b""), ("bom", b"\n", b"\xef\xbb\xbf")]:
    source = put(name + ".jsonl", compose(LINES, end, head))
    r = Run(recipe, "rows=" + source, "--max-failed", "1")
    equal(r.code, 0, "%s: %s" % (name, r.stderr[-500:]))
    adds_up(r.summary)
    failed = r.rows("failed.jsonl")
    bad = {i + 1 for i, (_, good) in enumerate(LINES) if good is False}
    deep = 1 + next(i for i, (line, _) in enumerate(LINES) if b'"d": [' in line)
    said = {int(f["_reason"].split(".jsonl:")[1].split(":")[0]) for f in failed}
    equal(said - {deep}, bad, "%s: the lines that failed" % name)
    equal(len(failed), len(said), "%s: one failed row for each" % name)
    check(r.summary["rows"]["in"] == len([1 for _, g in LINES if g is not None]) + 1, "%s: rows in" % name, r.summary["rows"])
    got = r.data().split(b"\n")
    for line, good in LINES:
        if good:
            check(line in got, "%s: a good row comes out byte for byte: %r" % (name, line[:60]))
    out, rejected = path(name + ".out.jsonl"), path(name + ".rejected.jsonl")
    code, _, err = quern("apply", "keep", "where=true", source, "-o", out, "--rejected", rejected)
    equal(code, 1, "%s: apply with a third of the rows failed: %s" % (name, err[-300:]))
    check(bytes_of(out) == r.data(), "%s: apply gives the rows of run" % name)
    equal(len([1 for x in read_rows(rejected) if ":" in x["_reason"]]), len(failed), "%s: apply leaves the failed rows beside the rejected ones" % name)

# Nothing but garbage: an end with exit 1, no crash, and memory that does not grow with the number of bad lines.
import random
rnd = random.Random(3)
garbage = put("garbage.jsonl", b"\n".join(bytes(rnd.randrange(256) for _ in range(rnd.randrange(80))).replace(b"\n", b"") for _ in range(20000)))
r = Run(recipe, "rows=" + garbage, "--memory", "32M")
equal(r.code, 1, "garbage: nothing is accepted")
equal(r.summary["rows"]["accepted"], 0, "garbage")
adds_up(r.summary)
check(r.summary["rows"]["failed"] > 19000, "every line is counted", r.summary["rows"])

# The same through fields and expressions: a row that cannot be what the step needs fails alone.
odd = write_rows("odd.jsonl", [{"t": "words"}] * 50 + [{"t": 5}, {"t": None}, {"t": ["x"]}, {"t": {"u": 1}}, {}, {"t": ""}] + [{"t": "more"}] * 50)
code, _, err = quern("apply", "keep", "where=.t | test(\"o\")", odd, "-o", path("odd.out"))
equal(len(read_rows(path("odd.out"))), 100, "rows of the wrong type take nobody with them: %s" % err)
# Empty files, a file of empty lines.
for name, data in [("empty", b""), ("blank", b"\n\n \r\n"), ("bom-only", b"\xef\xbb\xbf")]:
    code, out, err = quern("apply", "keep", "where=true", put(name + ".jsonl", data))
    equal((code, out), (0, ""), "%s: no rows in, no rows out: %s" % (name, err))
print("%d kinds of hostile lines, each failed alone with its line number" % len(bad))
