#!/usr/bin/env python3
"""MinHash deduplication with rensa, as its README shows it: word 5-grams, 128 hashes, LSH at the threshold, first row stays.
Needs `pip install rensa`.  usage: minhash_rensa.py IN.jsonl OUT.jsonl [OVER]   Prints one JSON line."""
import json
import sys
import time

from rensa import RMinHash, RMinHashLSH


def peak_kb():      # since exec; getrusage would count the parent's memory, too
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])


src, dst = sys.argv[1], sys.argv[2]
over = float(sys.argv[3]) if len(sys.argv) > 3 else 0.7
began, cpu = time.time(), time.process_time()
lsh = RMinHashLSH(threshold=over, num_perm=128, num_bands=32)
kept, n, size = [], 0, 0
with open(src, encoding="utf-8") as rows, open(dst, "w", encoding="utf-8") as out:
    for n, line in enumerate(rows):
        size += len(line)
        words = json.loads(line)["text"].split()
        m = RMinHash(num_perm=128, seed=42)
        m.update([" ".join(words[i:i + 5]) for i in range(max(1, len(words) - 4))])
        if any(m.jaccard(kept[k]) >= over for k in lsh.query(m)):
            continue
        lsh.insert(len(kept), m)
        kept.append(m)
        out.write(line)
print(json.dumps({"what": "dedup_minhash", "by": "rensa", "rows": n + 1, "kept": len(kept), "mb": round(size / 1e6, 1), "seconds": round(time.time() - began, 2),
                  "cpu_seconds": round(time.process_time() - cpu, 2), "mb_per_cpu_second": round(size / 1e6 / (time.process_time() - cpu), 1),
                  "peak_mb": round(peak_kb() / 1024, 1)}))
