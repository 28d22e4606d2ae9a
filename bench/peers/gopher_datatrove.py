#!/usr/bin/env python3
"""datatrove's own GopherQualityFilter and GopherRepetitionFilter over a JSONL file, one process, for bench_gopher.

usage: gopher_datatrove.py FILE.jsonl [FIELD] [VERDICTS_OUT] [MAX_TEXTS]     needs: pip install datatrove spacy
Every text goes through both filters, as quern measures both; loading and the first call (building the tokenizer) are not counted."""
import json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter


def peak_kb():      # since exec; getrusage would count the parent's memory, too
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])


path, field = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "text"
verdicts = open(sys.argv[3], "w") if len(sys.argv) > 3 and sys.argv[3] != "-" else None
most = int(sys.argv[4]) if len(sys.argv) > 4 else 10**9
docs = [Document(text=json.loads(line)[field], id=str(i)) for i, line in zip(range(most), open(path))]
quality, repetition = GopherQualityFilter(), GopherRepetitionFilter()
warm = Document(text="The mill grinds the corn. " * 20, id="warm")
quality.filter(warm), repetition.filter(warm)
start, kept = time.process_time(), 0
for d in docs:
    r = [f.filter(d) for f in (quality, repetition)]
    bad = next((x[1] for x in r if x is not True), None)
    kept += bad is None
    if verdicts: verdicts.write(f"{bad or 'keep'}\n")
seconds = time.process_time() - start
size = sum(len(d.text.encode()) for d in docs)
print(json.dumps({"what": "gopher", "by": "datatrove", "texts": len(docs), "bytes": size, "kept": kept, "cpu_seconds": round(seconds, 4),
                  "mb_per_cpu_s": round(size / 1e6 / seconds, 4), "texts_per_cpu_s": round(len(docs) / seconds, 1),
                  "peak_mb": round(peak_kb() / 1e3, 1)}))
