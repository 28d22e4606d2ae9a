#!/usr/bin/env python3
"""The filters that learn, on real text: classify from three hundred judged rows, perplexity from the user's own good text; both measured on rows they did not see."""
import gzip, glob, json, os, random, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import check, equal

rng = random.Random(7)
paragraphs = [p["context"] for a in json.load(gzip.open(lib.shared("squad", "dev-v2.0.json.gz")))["data"] for p in a["paragraphs"]]
rng.shuffle(paragraphs)


def apply(op, rows, *words):
    out, gone = lib.path("out.jsonl"), lib.path("gone.jsonl")
    code, _, err = lib.quern("apply", op, *words, lib.write_rows("in.jsonl", rows), "-o", out, "--rejected", gone)
    equal(code, 0, err)
    return lib.read_rows(out), lib.read_rows(gone), err


def auc(good, bad):
    """Share of pairs where the good one scores higher."""
    both = sorted([(x, 1) for x in good] + [(x, 0) for x in bad])
    below = won = 0
    for x, is_good in both:
        if is_good:
            won += below
        else:
            below += 1
    return won / (len(good) * len(bad))


# ---- classify: encyclopaedia (good) against what people type to assistants and forums' requests (bad)
requests = [json.loads(line) for line in open(lib.shared("gsm8k", "train_1000.jsonl"), encoding="utf-8")]
bad = [r["question"] for r in requests]
rng.shuffle(bad)
good = [p[:400] for p in paragraphs]
judged = [{"text": t, "good": True} for t in good[:150]] + [{"text": t, "good": False} for t in bad[:150]]
unseen = [{"text": t, "is": True} for t in good[150:650]] + [{"text": t, "is": False} for t in bad[150:650]]
kept, gone, _ = apply("classify", unseen, "text=.text", "judged=" + lib.write_rows("judged.jsonl", judged))
right = sum(r["is"] for r in kept)
precision, recall = right / len(kept), right / 500
check(precision > 0.97 and recall > 0.97, "classify from 300 rows: precision %.3f, recall %.3f" % (precision, recall))
check(all(r["_measure"] == "good" and r["_value"] < 0.5 for r in gone), "a rejection says the probability")
print("classify: 300 judged rows, 1,000 unseen: precision %.3f, recall %.3f" % (precision, recall))
flipped = [dict(r, good=rng.random() < .5) for r in judged]             # judgements that mean nothing
recipe = lib.write("flipped.yaml", "quern: 1\nsteps:\n  - read_rows: {path: %s}\n  - classify: {judged: %s, min: 0}\n  - write: {to: data.jsonl}\n"
        % (lib.write_rows("u.jsonl", unseen), lib.write_rows("flipped.jsonl", flipped)))
r = lib.Run(recipe)
equal(r.code, 0, r.stderr[-400:])
check("can hardly be learned" in r.stderr + lib.bytes_of(r.out, "run.log").decode(), "judgements by the coin are said to be unlearnable")
# Is the probability one? Rows by tenths of it against the share that is good.
kept, _, _ = apply("classify", unseen, "text=.text", "judged=" + lib.path("judged.jsonl"), "min=0", "fields=yes")
sure = [r for r in kept if r["good"] > 0.9 or r["good"] < 0.1]
check(sum((r["good"] > 0.5) == r["is"] for r in sure) / len(sure) > 0.98, "what it is sure of is right")

# ---- perplexity: trained on half of the paragraphs
train = lib.write_rows("good.jsonl", [{"text": p} for p in paragraphs[:600]])


def shuffled(t):
    w = t.split()
    rng.shuffle(w)
    return " ".join(w)


def cut(t):                     # every third word lost
    return " ".join(w for i, w in enumerate(t.split()) if i % 3)


kinds = {"unseen": paragraphs[600:900], "shuffled": [shuffled(p) for p in paragraphs[600:900]], "words lost": [cut(p) for p in paragraphs[600:900]], "sums": bad[:300]}
score = {}
for kind, texts in kinds.items():
    rows, _, _ = apply("perplexity", [{"text": t} for t in texts], "text=.text", "good=" + train, "fields=yes")
    score[kind] = [-r["perplexity"] for r in rows]
    equal(len(rows), len(texts), "no limit, no rejection")
for kind, least in (("shuffled", 0.9), ("words lost", 0.75), ("sums", 0.8)):
    a = auc(score["unseen"], score[kind])
    print("perplexity: unseen good text against %s: AUC %.3f" % (kind, a))
    check(a > least, "%s is stranger than unseen good text: AUC %.3f" % (kind, a))
limit = sorted(-x for x in score["unseen"])[270]
kept, gone, _ = apply("perplexity", [{"text": t} for t in kinds["unseen"]], "text=.text", "good=" + train, "max=%.6f" % (limit + 1e-5))
equal(len(gone), 29, "a limit at the 270th of 300 leaves 271")
