#!/usr/bin/env python3
"""roughen with habits of a sample: clean questions are made rough at known strengths, other clean questions like that sample; both must come out alike, and unlike
what another strength gives. What changed is counted by comparing each question with its clean form."""
import difflib, gzip, json, os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import check, equal

questions = [q["question"].strip() for a in json.load(gzip.open(lib.shared("squad", "dev-v2.0.json.gz")))["data"] for p in a["paragraphs"] for q in p["qas"]]
A, B = questions[0::4], questions[1::4]


def rough(texts, *words):
    out = lib.path("rough.jsonl")
    code, _, err = lib.quern("apply", "roughen", "field=q", "into=r", *words, lib.write_rows("clean.jsonl", [{"q": t} for t in texts]), "-o", out)
    equal(code, 0, err)
    return [(r["q"], r["r"]) for r in lib.read_rows(out)]


def habits(pairs):
    n = len(pairs)
    small = sum(r[:1].islower() for q, r in pairs) / n
    ends = sum(q[-1:] in ".?!" and r[-1:] not in ".?!" for q, r in pairs) / n
    words = lost = changed = 0
    for q, r in pairs:
        a, b = re.findall(r"[\w'/.]+", q.lower().rstrip("?.!")), re.findall(r"[\w'/.]+", r.lower().rstrip("?.!"))
        words += len(a)
        lost += max(0, len(a) - len(b))
        changed += sum(max(i2 - i1, j2 - j1) for op, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, False).get_opcodes() if op == "replace")
    return {"small": small, "ends": ends, "lost": lost / words, "changed": changed / words}


print("clean: %s" % habits([(q, q) for q in A]))
for strength in (0.2, 0.6):
    sample = rough(A, "strength=%s" % strength)
    real = lib.write_rows("real.jsonl", [{"said": r} for _, r in sample])
    want, got = habits(sample), habits(rough(B, "like=" + real, "like_field=said"))
    print("strength %.1f: sample %s\n          like it %s" % (strength, {k: round(v, 4) for k, v in want.items()}, {k: round(v, 4) for k, v in got.items()}))
    for k in ("small", "ends"):
        check(abs(got[k] - want[k]) < 0.04, "%s at strength %s: %.3f, in the sample %.3f" % (k, strength, got[k], want[k]))
    check(0.6 < got["changed"] / want["changed"] < 1.5, "words changed at strength %s: %.4f, in the sample %.4f" % (strength, got["changed"], want["changed"]))
    check(abs(got["lost"] - want["lost"]) < 0.015, "words lost at strength %s: %.4f, in the sample %.4f" % (strength, got["lost"], want["lost"]))
tidy = lib.write_rows("tidy.jsonl", [{"said": q} for q in A])
clean = habits(rough(B, "like=" + tidy, "like_field=said"))
print("like a clean sample: %s" % {k: round(v, 4) for k, v in clean.items()})
check(clean["changed"] < 0.006 and clean["lost"] < 0.004 and clean["small"] < 0.05, "like a clean sample hardly anything changes: %s" % clean)
