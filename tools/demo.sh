#!/usr/bin/env bash
# The main job, offline, on real tables: questions with the SQL that answers them. `make demo` sets up and builds first.
set -euo pipefail
cd "$(dirname "$0")/.."
out=out/demo
echo "Nine tables of facts (examples/tables) become questions, each with the SQL that answers it, executed. No model is asked."
echo '$ build/quern run table_qa tables=examples/tables per_table=40 -o '"$out"
build/quern run table_qa tables=examples/tables per_table=40 -o "$out"
echo
echo "Three of the rows:"
awk 'NR == 7 || NR == 120 || NR == 250' "$out/data.jsonl" | python3 -c '
import json, sys
for line in sys.stdin:
    r = json.loads(line)
    print("  question  %s\n  sql       %s\n  answer    %s\n" % (r["question"], r["sql"], ", ".join(str(a) for a in r["answer"])))'
echo "All rows:   $PWD/$out/data.jsonl"
echo "Report:     $PWD/$out/report.html"
