#!/usr/bin/env python3
"""Duplicates and contamination on real text through `quern apply`: XQuAD against SQuAD, and planted edits with exact Jaccard labels.
Reads ../shared/data; says so and leaves when it is absent."""
import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile

DATA = "../shared/data"
QUERN = os.environ.get("QUERN", "build/quern")
if not os.path.exists(f"{DATA}/squad/dev-v2.0.json.gz"):
    print(f"skip: {DATA} is not here")
    sys.exit(77)
tmp = tempfile.mkdtemp()


def paragraphs(path):
    for article in json.load(gzip.open(f"{DATA}/{path}"))["data"]:
        yield from article["paragraphs"]


def write(name, rows):
    path = f"{tmp}/{name}"
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
    return path


def apply(*words):
    out, rejected = f"{tmp}/out", f"{tmp}/rejected"
    subprocess.run([QUERN, "apply", *words, "-o", out, "--rejected", rejected, "-q"], check=True)
    return [open(p, "rb").read().splitlines() for p in (out, rejected)]


def check(ok, what):
    if not ok:
        sys.exit(f"FAIL: {what}")


squad, xquad = list(paragraphs("squad/dev-v2.0.json.gz")), list(paragraphs("xquad/xquad.en.json.gz"))
for field, of, want in (("question", lambda p: [q["question"] for q in p["qas"]], 817), ("context", lambda p: [p["context"]], 173)):
    known = [t for p in squad for t in of(p)]
    asked = [t for p in xquad for t in of(p)]
    src = write("x.jsonl", ({field: t} for t in asked))
    kept, rejected = apply("decontaminate", f"text=.{field}", f"against={write('known.jsonl', ({field: t} for t in known))}", f"field={field}", src)
    true = {t.strip() for t in known}
    check(sum(t.strip() in true for t in asked) == want, f"{want} identical {field}s are in the data")
    rows = [json.loads(line) for line in rejected]
    check(len(rows) == want, f"{len(rows)} of {want} {field}s found")
    check(all(r[field].strip() in true and r["_measure"] == "exact" and r["_similarity"] == 1 and r["_reason"] and r["_of"] for r in rows), "each is true and says why")
    check(kept == [line for line in open(src, "rb").read().splitlines() if json.loads(line)[field].strip() not in true], "kept rows keep bytes and order")

# Near-duplicates: paragraphs, and copies with random word edits.
rng = random.Random(5)
texts = [p["context"].split() for p in squad if len(p["context"].split()) > 60]
vocabulary = [w for t in texts for w in t]
rows, groups = [], {}
for i, t in enumerate(texts):
    for _ in range(3):
        copy = list(t)
        for _ in range(rng.randrange(0, max(1, len(t) // 15))):
            copy[rng.randrange(len(copy))] = rng.choice(vocabulary)
        groups.setdefault(i, []).append(len(rows))
        rows.append({"n": len(rows), "text": " ".join(copy)})
sets = []
for r in rows:
    w = re.sub("([\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff])", r" \1 ", r["text"].lower()).split()      # solo letters are words (text/words.h)
    sets.append({tuple(w[k:k + 5]) for k in range(len(w) - 4)})


def jaccard(a, b):
    both = len(sets[a] & sets[b])
    return both / (len(sets[a]) + len(sets[b]) - both)


src = write("near.jsonl", rows)
args = ("dedup_minhash", "text=.text", "over=0.7", "hashes=128", "shingle=5", src)
kept, rejected = apply(*args)
gone = [json.loads(line) for line in rejected]
here = {json.loads(line)["n"] for line in kept}
pairs = [(a, b) for g in groups.values() for a in g for b in g if a < b and jaccard(a, b) >= 0.8]
found = sum(not (a in here and b in here) for a, b in pairs)
ids = {}
true = sum(any(a in here and a < r["n"] and abs(jaccard(a, r["n"]) - r["_similarity"]) < 1e-9 and jaccard(a, r["n"]) >= 0.7
               for a in groups[r["n"] // 3]) for r in gone)
print(f"pairs over 0.8: {found} of {len(pairs)} found; removed: {true} of {len(gone)} with exactly the similarity said")
check(len(pairs) > 400 and found > 0.99 * len(pairs), "recall over 0.99")
check(len(gone) > 500 and true > 0.99 * len(gone), "precision over 0.99")
again = apply(*args, "--memory", "16M", "-j", "1")
check(again[0] == kept, "the same rows kept with 16 MB and one worker")
check(again[1] == rejected, f"the same rows rejected: {[x for x in zip(again[1], rejected) if x[0] != x[1]][:1]}")
