#!/usr/bin/env python3
"""Writes src/nn/char_class_runs.h: the classes of code points that tokenizers ask for, from Python's unicodedata.
Run by hand when Unicode moves on: tools/char_class.py > src/nn/char_class_runs.h"""
import unicodedata

WHITE = set([*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000])

def klass(cp):
    if cp in WHITE:
        return 3
    cat = unicodedata.category(chr(cp))
    return {"L": 1, "N": 2, "P": 5}.get(cat[0], 4 if cat == "Mn" else 6 if cat in ("Cc", "Cf", "Co", "Cs") else 0)

runs, last = [], 0          # (gap since the end of the run before, length, class)
cp, end = 0, 0xE0200
while cp < end:
    k, start = klass(cp), cp
    while cp < end and klass(cp) == k:
        cp += 1
    if k == 0 or k == 6 and start >= 0xD800 and start < 0xF900:
        continue
    while start < cp:       # numbers of 16 bits
        gap = start - last
        while gap > 65535:
            runs.append((65535, 0, 0))
            gap -= 65535
        n = min(cp - start, 65535)
        runs.append((gap, n, k))
        start += n
        last = start
print(f"/* written by tools/char_class.py from Unicode {unicodedata.unidata_version}: do not edit.")
print(" * Runs of code points: gap since the run before, length, class (1 letter, 2 number, 3 white space, 4 nonspacing mark,")
print(" * 5 punctuation, 6 control). */")
print("static const unsigned short RUNS[][3] = {")
line = "   "
for r in runs:
    s = " {%d,%d,%d}," % r
    if len(line) + len(s) > 126:
        print(line)
        line = "   "
    line += s
print(line)
print("};")
