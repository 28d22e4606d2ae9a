#!/usr/bin/env python3
"""Writes src/text/unicode_data.h: classes and lower-case forms of code points above ASCII, as ranges, from the Unicode
character database that comes with Python. Run by hand when the Unicode version should change:
tools/unicode.py >src/text/unicode_data.h"""
import unicodedata as u

SOLO = ("CJK UNIFIED", "CJK COMPAT", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "IDEOGRAPHIC", "THAI CHAR",
        "LAO LETTER", "KHMER LETTER", "MYANMAR LETTER")


def class_of(c):
    ch = chr(c)
    kind = u.category(ch)[0]
    if ch.isspace():
        return "SPACE"
    if kind in "LN" and u.name(ch, "").startswith(SOLO):
        return "SOLO"
    return {"L": "LETTER", "N": "DIGIT", "M": "MARK", "P": "PUNCT", "S": "SYMBOL"}.get(kind)


ranges = []
for c in range(0x80, 0x110000):
    k = class_of(c)
    if ranges and ranges[-1][2] == k and ranges[-1][1] == c - 1:
        ranges[-1][1] = c
    elif k:
        ranges.append([c, c, k])

lower = []
for c in range(0x80, 0x110000):
    low = {0x130: "i"}.get(c, chr(c).lower())
    if len(low) != 1 or ord(low) == c:
        continue
    d = ord(low) - c
    step = c - lower[-1][1] if lower else 0
    if lower and lower[-1][2] == d and step in (1, 2) and lower[-1][3] in (0, step):
        lower[-1][1], lower[-1][3] = c, step
    else:
        lower.append([c, c, d, 0])


def rows(items, per_line):
    for i in range(0, len(items), per_line):
        print("    " + " ".join(items[i:i + per_line]))


print(f"/* Written by tools/unicode.py from Unicode {u.unidata_version}; included by text/unicode.c alone. */")
print("#define L QN_CP_LETTER\n#define N QN_CP_DIGIT\n#define M QN_CP_MARK\n#define P QN_CP_PUNCT\n#define Y QN_CP_SYMBOL\n"
      "#define O QN_CP_SOLO\n#define S QN_CP_SPACE")
short = {"LETTER": "L", "DIGIT": "N", "MARK": "M", "PUNCT": "P", "SYMBOL": "Y", "SOLO": "O", "SPACE": "S"}
print("static const struct { uint32_t lo, hi; uint8_t cls; } CLASSES[] = {")
rows([f"{{0x{a:x},0x{b:x},{short[k]}}}," for a, b, k in ranges], 6)
print("};\n/* Every step-th code point of lo..hi becomes itself + delta. */")
print("static const struct { uint32_t lo, hi; int32_t delta; uint32_t step; } LOWER[] = {")
rows([f"{{0x{a:x},0x{b:x},{d},{s or 1}}}," for a, b, d, s in lower], 5)
print("};\n#undef L\n#undef N\n#undef M\n#undef P\n#undef Y\n#undef O\n#undef S")
