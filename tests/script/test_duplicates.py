#!/usr/bin/env python3
"""Near-duplicates with labels made by exact Jaccard: recall and precision, the same rows in memory, spilled, on more workers and inside `grow`; duplicates by
meaning, spilled or not; contamination by meaning, and marked instead of dropped. The text is real where ../shared/data is there, else quern's own docs."""
import json, os, random, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench"))
import curation_sets, lib
from lib import check, equal


def apply(*words):
    out, rejected = lib.path("out.jsonl"), lib.path("rejected.jsonl")
    code, _, err = lib.quern("apply", *words, "-o", out, "--rejected", rejected, "--json", timeout=400)
    equal(code, 0, "exit of apply %s: %s" % (words[0], err))
    return lib.bytes_of(out), lib.read_rows(rejected), json.loads(err.strip().splitlines()[-1])


# ---- planted copies of real text
rows = lib.path("planted.jsonl")
made = curation_sets.make(rows, 12)
settings = ["dedup_minhash", "text=.text", "over=0.7", "hashes=128", "shingle=5"]
kept, rejected, _ = apply(*settings, rows)
gone, planted = {r["id"] for r in rejected}, made["planted"]
close = [i for i, (_, j, _) in planted.items() if j >= 0.8]
recall = sum(i in gone for i in close) / len(close)
precision = sum(i in planted and planted[i][1] >= 0.7 for i in gone) / len(gone)
print("%d documents, %d copies, %d with an exact Jaccard of 0.8 or more: recall %.4f, precision %.4f over %d removed" %
      (made["rows"], len(planted), len(close), recall, precision, len(gone)))
check(len(close) > 450 and recall > 0.99 and precision > 0.99, "recall and precision above 0.99")
with open(rows, encoding="utf-8") as f: texts = [json.loads(line)["text"] for line in f]
exact = [curation_sets.jaccard(texts[r["_of_row"] - 1], r["text"], solo=True) for r in rejected]        # letters of scripts without spaces are words of their own
off = [(r["id"], r["_of_row"], r["_similarity"], j) for r, j in zip(rejected, exact) if abs(r["_similarity"] - j) > 1e-9]
check(len(rejected) > 250 and not off, "a similarity is the exact one of the row with the row that it names", off)
check(all(r["_of_row"] - 1 < r["id"] and r["_of_row"] - 1 not in gone for r in rejected), "the row that it names came before and stayed")
check(all(r["_measure"] == "similarity" and r["_limit"] == 0.7 and len(r["_of"]) == 32 for r in rejected), "measure, limit and the other row")

# ---- the same rows whatever the memory and the workers
for more in (["--memory", "16M"], ["--workers", "1"], ["--workers", "3", "--memory", "24M"]):
    again, also, said = apply(*settings, rows, *more)
    check(again == kept and also == rejected, "the same bytes with " + " ".join(more))
    # a sanitizer takes memory of its own
    if more[1] == "16M" and "-" not in os.path.basename(lib.BUILD): check(said["peak_memory_bytes"] < 40e6, "peak under --memory 16M", said["peak_memory_bytes"])

# ---- and inside grow: a pool fed in rounds of a hundred texts
texts = texts[:2000]
seeds = lib.write_rows("seeds.jsonl", [{"rounds": [texts[i:i + 100] for i in range(0, len(texts), 100)]}])
lib.write("grow.yaml", """quern: 1
params: {seeds: {type: path}}
steps:
  - read_rows: {path: $seeds}
  - grow:
      until_rows: 100000
      per_round: 1
      rounds: %d
      seeds_shown: 1
      grown_shown: 0
      steps:
        - set: {fields: {texts: '.examples[0].rounds[.round - %d]'}}
        - each: {of: .texts, as: text}
        - dedup_minhash: {text: .text, over: 0.7, hashes: 128, shingle: 5}
        - set: {fields: {texts: 'null', examples: 'null'}}
  - write: {to: data.jsonl}
""" % (len(texts) // 100, 1))
code, _, err = lib.quern("run", lib.path("grow.yaml"), "seeds=" + seeds, "-o", lib.path("grown"), timeout=300)
check(code in (0, 1), "exit of grow", code, err)        # 1: the bound of rounds came before the rows wanted
grown = [r["text"] for r in lib.read_rows(lib.path("grown", "data.jsonl"))]
want, _, _ = apply(*settings, lib.write_rows("first.jsonl", [{"text": t} for t in texts]))
equal(grown, [json.loads(line)["text"] for line in want.splitlines()], "rows that a growing pool takes")
print("in memory, spilled, on one to three workers, and in 20 rounds of a growing pool: the same rows")

# ---- by meaning: the vectors in a temporary file give the same rows
rng = random.Random(3)
vectors = []
for i in range(4000):
    near = vectors[rng.randrange(len(vectors))] if i > 10 and i % 4 == 0 else None
    vectors.append([round(x + rng.gauss(0, 0.02), 3) for x in near] if near else [round(rng.gauss(0, 1), 3) for _ in range(256)])
src = lib.write_rows("vectors.jsonl", [{"n": i, "v": v} for i, v in enumerate(vectors)])
results = [apply("dedup_embedding", "vector=.v", "over=0.95", "exact=500", src, "--memory", size) for size in ("2G", "8M")]
check(results[0][:2] == results[1][:2], "the same rows when vectors lie on disk")
lost = {i for i in range(11, 4000) if i % 4 == 0} - {r["n"] for r in results[0][1]}
check(len(lost) <= 5, "the graph finds nearly all planted neighbours", len(lost))
check(results[1][2]["peak_memory_bytes"] < results[0][2]["peak_memory_bytes"], "less memory", results[0][2], results[1][2])
print("dedup_embedding: %d of 4,000 vectors rejected, the same under --memory 8M (peak %.0f MB instead of %.0f)" %
      (len(results[0][1]), results[1][2]["peak_memory_bytes"] / 1e6, results[0][2]["peak_memory_bytes"] / 1e6))

# ---- decontaminate by meaning
evaluation = lib.write_rows("evaluation.jsonl", [{"q": "How many grains does a mill grind in a day?", "v": [1, 0, 0]}, {"q": "Who built the first windmill?", "v": [0, 1, 0]}])
rows = [{"t": "who built the first Windmill", "w": [0, 0, 1]}, {"t": "What number of kernels can be milled daily?", "w": [0.99, 0.1, 0]}, {"t": "Where is the river?", "w": [0, 0.1, 2]}]
src = lib.write_rows("train.jsonl", rows)
asked = ["decontaminate", "text=.t", "against=" + evaluation, "field=q", "by=embedding", "vector=.w", "vector_field=v", src]
kept, rejected, _ = apply(*asked)
equal([json.loads(x)["t"] for x in kept.splitlines()], ["Where is the river?"], "rows kept")
equal([(r["_measure"], r["_of"], r["_found"]["how"], r["_found"]["text"]) for r in rejected],
      [("normalised", "evaluation.jsonl:2", "normalised", "Who built the first windmill?"),
       ("embedding", "evaluation.jsonl:1", "embedding", "How many grains does a mill grind in a day?")], "what was found where")
marked, none, _ = apply(*asked, "mark=yes")
marked = [json.loads(x) for x in marked.splitlines()]
equal((none, [m["found"] and (m["found"]["where"], m["found"]["how"]) for m in marked]), ([], [("evaluation.jsonl:2", "normalised"), ("evaluation.jsonl:1", "embedding"), None]),
      "marked, not dropped")
code, _, err = lib.quern("apply", "decontaminate", "text=.t", "against=" + evaluation, "field=q", "by=embedding", src)
check(code == 2 and "needs `encoder`, `model` or `vector`" in err and "embed" in err, "by what?", err)

# An encoder of small random weights: equal texts are found by meaning where words are told not to look (another case is another text for `exact`).
folder = lib.small_encoder()
few = lib.write_rows("few.jsonl", [{"q": "Who built the first windmill?"}] + [{"q": "Question %d" % i} for i in range(150)])
kept, rejected, _ = apply("decontaminate", "text=.t", "against=" + few, "field=q", "match=exact", "by=embedding", "encoder=" + folder, "close=0.9999",
                          lib.write_rows("one.jsonl", [{"t": "WHO BUILT THE FIRST WINDMILL?"}, {"t": "Something else, and longer than that."}]))
equal([(r["t"], r["_measure"], r["_of"]) for r in rejected], [("WHO BUILT THE FIRST WINDMILL?", "embedding", "few.jsonl:1")], "found by the encoder")

# ---- many rows are embedded together: the vectors are those of each row alone, whatever the workers, and a row without a text fails alone
words = "mill grain flour stone river wind sack baker bread wheel".split()
texts = [{"t": " ".join(words[(i * k) % 10] for k in range(1, 3 + i % 7))} for i in range(150)]
texts[70] = {"t": None}
src = lib.write_rows("embed.jsonl", texts)
embedded, failed, _ = apply("embed", "text=.t", "encoder=" + folder, "digits=9", src, "-j", "1")
again, also, _ = apply("embed", "text=.t", "encoder=" + folder, "digits=9", src, "-j", "3")
check(embedded == again and failed == also and len(failed) == 1 and "null" in failed[0]["_reason"], "one row fails, the rest is the same on three workers", failed)
lines = embedded.decode().splitlines()
for i in (0, 33, 69, 149):
    alone, _, _ = apply("embed", "text=.t", "encoder=" + folder, "digits=9", lib.write_rows("one.jsonl", [texts[i]]))
    equal(alone.decode().strip(), lines[i if i < 70 else i - 1], "row %d alone" % i)
# a filter's note must not be taken for a vector; rows that `when` lets pass by are not embedded
recipe = lib.write("steps.yaml", "quern: 1\nsteps:\n  - read_rows: {path: %s, licence: mit}\n  - keep: {where: '.t != null'}\n  - copied: {text: .t, source: .t, max: 100}\n"
        "  - embed: {text: .t, encoder: %s}\n    when: '.copied_words > 4'\n  - write: {to: data.jsonl}\n" % (src, folder))
r = lib.Run(recipe)
equal(r.code, 0, r.stderr)
check(all(("vector" in x) == (x["copied_words"] > 4) for x in r.rows()) and len({len(x["vector"]) for x in r.rows() if "vector" in x}) == 1, "only those that the step is for")
r = lib.Run(recipe, "--limit", "5")
check(r.code == 0 and any("vector" in x for x in r.rows()), "a few rows", r.stderr)
# An endpoint: rows that words do not find ask for their own vectors and, together, for those of the file's texts; a second run asks for nothing.
mock = lib.Mock()
many = lib.write_rows("many.jsonl", [{"q": "Who built the first windmill?"}] + [{"q": "Question %d" % i} for i in range(300)])
src = lib.write_rows("some.jsonl", [{"t": "WHO BUILT THE FIRST WINDMILL?"}, {"t": "Question 299"}, {"t": "question 7"}] + [{"t": "Something else, number %d." % i} for i in range(40)])
ledger = lib.path("decontaminate.db")
asked = ["decontaminate", "text=.t", "against=" + many, "field=q", "match=exact", "by=embedding", "model=" + mock.url, "close=0.9999", src, "--ledger", ledger]
kept, rejected, _ = apply(*asked)
requests = [json.loads(r["body"]) if isinstance(r.get("body"), str) else r.get("body", r) for r in mock.requests()]
inputs = [t for r in requests for t in r["input"]]
by_endpoint = [(r["t"], r["_measure"], r["_of"]) for r in rejected]
check(("Question 299", "exact", "many.jsonl:301") in by_endpoint and "Question 299" not in [t for r in requests if len(r["input"]) == 1 for t in r["input"]], "what words find is not asked for", by_endpoint)
check(len(kept.splitlines()) + len(rejected) == 43, "every row ends once")
equal(sorted(inputs.count("Question %d" % i) for i in range(300)), [1] * 300, "each text of the file is asked for once")
n = len(requests)
again, also, _ = apply(*asked)
check((again, also) == (kept, rejected) and len(mock.requests()) == n, "a second run asks for nothing", len(mock.requests()), n)
code, _, err = lib.quern("apply", "decontaminate", "text=.t", "against=" + many, "field=q", "model=" + mock.url, src)
check(code == 2 and "are for `by: embedding`" in err, "a model without by", err)
print("decontaminate: by words, by vectors, by an encoder, by an endpoint; marked instead of dropped")
