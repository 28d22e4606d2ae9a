#!/usr/bin/env python3
"""Peers of bench_bpe on the same bytes: tiktoken (same ranks), tokenizers; ids must be equal.
usage: bench_bpe.py BENCH_BINARY TOKENIZER.json TEXT   (needs tiktoken and tokenizers: see tools/parity.py)"""
import json, subprocess, sys, tempfile, time, os
import numpy as np
import tiktoken
from tokenizers import Tokenizer

binary, tok, text = sys.argv[1:4]
with tempfile.TemporaryDirectory() as d:
    line = subprocess.run([binary, tok, text, d + "/ids"], check=True, capture_output=True, text=True).stdout
    ours = np.fromfile(d + "/ids", dtype=np.int32)
print(line.strip())
mine = json.loads(line)
lines = open(text, encoding="utf-8", newline="\n").read().split("\n")
if lines and lines[-1] == "":
    lines.pop()
nbytes = os.path.getsize(text)

def flat(rows):
    out = []
    for r in rows:
        out.extend(r)
        out.append(-1)
    return np.array(out, dtype=np.int32)

j = json.load(open(tok))
def pattern(p):
    if p["type"] == "Split":
        return p["pattern"]["Regex"]
    if p["type"] == "Sequence":
        return next(filter(None, map(pattern, p["pretokenizers"])), None)
    return r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+" if p.get("use_regex", True) else None
chars, k = {}, 256
for b in range(256):
    if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174:
        chars[chr(b)] = b
    else:
        chars[chr(k)] = b
        k += 1
special = {a["content"] for a in j["added_tokens"]}
ranks = {bytes(chars[c] for c in t): i for t, i in j["model"]["vocab"].items() if t not in special}
enc = tiktoken.Encoding("own", pat_str=pattern(j["pre_tokenizer"]), mergeable_ranks=ranks, special_tokens={})
best = 1e9
for _ in range(5):
    t = time.process_time()
    theirs = [enc.encode_ordinary(s) for s in lines]
    best = min(best, time.process_time() - t)
same = np.array_equal(flat(theirs), ours)
print(json.dumps({"peer": "tiktoken", "version": tiktoken.__version__, "mb_per_s": round(nbytes / 1e6 / best, 1), "ids_equal": bool(same),
                  "ours_over_peer": round(mine["mb_per_s"] / (nbytes / 1e6 / best), 2)}))
os.environ["TOKENIZERS_PARALLELISM"] = "false"
hf = Tokenizer.from_file(tok)
best = 1e9
for _ in range(2):
    t = time.process_time()
    theirs = hf.encode_batch(lines, add_special_tokens=False)
    best = min(best, time.process_time() - t)
rows = flat([x.ids for x in theirs])
print(json.dumps({"peer": "tokenizers", "mb_per_s": round(nbytes / 1e6 / best, 1), "ids_equal": bool(np.array_equal(rows, ours))}))
if not np.array_equal(rows, ours):
    n = min(len(rows), len(ours)); i = int(np.argmax(rows[:n] != ours[:n]))
    row = int((ours[:i] == -1).sum())
    print("first difference in line", row, repr(lines[row][:200]), "theirs", rows[max(0, i-3):i+8], "ours", ours[max(0, i-3):i+8])
