#!/usr/bin/env python3
"""MinHash deduplication with datasketch, as its documentation shows it: word 5-grams, 128 permutations, MinHashLSH at the threshold, first row stays.
usage: minhash_datasketch.py IN.jsonl OUT.jsonl [OVER]   Prints one JSON line."""
import json, sys, time

from datasketch import MinHash, MinHashLSH


def peak_kb():      # since exec; getrusage would count the parent's memory, too
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])


src, dst = sys.argv[1], sys.argv[2]
over = float(sys.argv[3]) if len(sys.argv) > 3 else 0.7
began, cpu = time.time(), time.process_time()
lsh = MinHashLSH(threshold=over, num_perm=128, params=(32, 4))
kept, n, size = {}, 0, 0
with open(src, encoding="utf-8") as rows, open(dst, "w", encoding="utf-8") as out:
    for n, line in enumerate(rows, 1):
        size += len(line.encode())
        words = json.loads(line)["text"].lower().split()
        m = MinHash(num_perm=128)
        m.update_batch([" ".join(words[i:i + 5]).encode() for i in range(max(1, len(words) - 4))])
        if any(m.jaccard(kept[k]) >= over for k in lsh.query(m)):
            continue
        lsh.insert(n, m)
        kept[n] = m
        out.write(line)
print(json.dumps({"what": "dedup_minhash", "by": "datasketch", "rows": n, "kept": len(kept), "mb": round(size / 1e6, 1), "seconds": round(time.time() - began, 2),
                  "cpu_seconds": round(time.process_time() - cpu, 2), "peak_mb": round(peak_kb() / 1024, 1)}))
