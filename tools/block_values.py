#!/usr/bin/env python3
"""Writes tests/unit/block_values.inc: summed length of the matching blocks longer than 5 that Python's difflib finds.
tools/block_values.py >tests/unit/block_values.inc"""
import difflib
import random

rng = random.Random(3)
for case in range(60):
    alphabet = "ab" if case % 3 == 0 else "abc de" if case % 3 == 1 else "abcdefghijklmnop qrstuvwxyz"
    b = "".join(rng.choice(alphabet) for _ in range(rng.randrange(0, 120)))
    a = ""
    while rng.random() < 0.85 and len(a) < 300:     # pieces of b between noise
        i, j = sorted((rng.randrange(len(b) + 1), rng.randrange(len(b) + 1)))
        a += b[i:j] + "".join(rng.choice(alphabet) for _ in range(rng.randrange(12)))
    blocks = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    print(f'{{ "{a}", "{b}", {sum(k.size for k in blocks if k.size > 5)}, {sum(k.size for k in blocks)} }},')
