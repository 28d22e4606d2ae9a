#!/usr/bin/env python3
"""Writes tests/unit/rouge_values.inc: ROUGE-L F-measures as the rouge-score package gives them.
Needs `pip install rouge-score`: tools/rouge_values.py >tests/unit/rouge_values.inc"""
import random
from rouge_score import rouge_scorer

VOCAB = ("write a short poem about the old mill by river that grinds grain into flour for bread list ten reasons why "
         "people café don't 3.14 well-known naïve İstanbul 5K ΑΒΓ step-by-step").split()
PAIRS = [("", ""), ("a", ""), ("Grind the grain.", "grind THE grain!"), ("5\u212a run", "5k run"), ("İzmir i", "i zmir i"),
         ("水车", "水车"), ("one two three", "three two one"), ("a a a b", "a b a a a a")]
rng = random.Random(7)
for _ in range(60):
    a = [rng.choice(VOCAB) for _ in range(rng.randrange(1, 40))]
    b = [w for w in a if rng.random() < 0.8] if rng.random() < 0.5 else [rng.choice(VOCAB) for _ in range(rng.randrange(1, 40))]
    if rng.random() < 0.3:
        rng.shuffle(b)
    PAIRS.append((" ".join(a), " ".join(b)))
for _ in range(6):      # longer than one machine word
    a = [rng.choice(VOCAB) for _ in range(rng.randrange(65, 200))]
    PAIRS.append((" ".join(a), " ".join(w for w in a if rng.random() < 0.7)))

scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)


def c(s):
    return '"' + "".join(chr(b) if 32 <= b < 127 and chr(b) not in '"\\' else f"\\{b:03o}" for b in s.encode()) + '"'


for a, b in PAIRS:
    print(f"{{ {c(a)}, {c(b)}, {scorer.score(a, b)['rougeL'].fmeasure!r} }},")
