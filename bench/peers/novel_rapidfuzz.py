#!/usr/bin/env python3
"""The highest ROUGE-L of each query against a pool, by rapidfuzz and (for a few queries) by the rouge-score package.

ROUGE-L's F-measure is 2 LCS / (m + n): rapidfuzz's Indel.normalized_similarity over words. Words become single characters first, its fastest input; that
is not counted. Two ways are timed, every pair (cdist) and the best one with its own cut-off (extractOne); the faster one is the peer's figure.
usage: novel_rapidfuzz.py POOL.txt QUERIES.txt N_ROUGE   (one text a line)   Prints one JSON line with the values."""
import json, re, sys, time

from rapidfuzz import process
from rapidfuzz.distance import Indel
import numpy


def peak_kb():      # since exec; getrusage would count the parent's memory, too
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])


pool, queries = ([line.rstrip("\n") for line in open(p, encoding="utf-8")] for p in sys.argv[1:3])
numbers = {}


def letters(text):
    return "".join(chr(0x100 + numbers.setdefault(w, len(numbers)) + (0x800 if len(numbers) > 0xD000 else 0)) for w in re.findall("[a-z0-9]+", text.lower()))


a, b = [letters(t) for t in pool], [letters(t) for t in queries]
start = time.process_time()
every = process.cdist(b, a, scorer=Indel.normalized_similarity, dtype=numpy.float64, workers=1).max(axis=1)
all_pairs = time.process_time() - start
start = time.process_time()
best = [process.extractOne(q, a, scorer=Indel.normalized_similarity)[1] for q in b]
one = time.process_time() - start
assert max(abs(x - y) for x, y in zip(every, best)) < 1e-9
fast = min(all_pairs, one)
peak = peak_kb() / 1024

from rouge_score import rouge_scorer
scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
few = queries[:int(sys.argv[3])]
start = time.process_time()
exact = [max(scorer.score(p, q)["rougeL"].fmeasure for p in pool) for q in few]
slow = time.process_time() - start
print(json.dumps({"by": "rapidfuzz", "way": "cdist" if fast == all_pairs else "extractOne", "pairs": len(a) * len(b), "cpu_seconds": fast, "peak_mb": peak,
                  "best": [float(x) for x in every], "rouge_score": {"pairs": len(few) * len(pool), "cpu_seconds": slow, "best": exact}}))
