#!/usr/bin/env python3
"""in_source on real paragraphs: by words, by embedding (the mock's vectors: words hashed), by a scripted judge. Sentences of the passage stay, sentences of
another passage of the same article and sentences with a changed number go; what is kept keeps its bytes."""
import gzip, json, os, re, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import check, equal


def apply(name, rows, *words):
    out, rejected = lib.path(name + ".jsonl"), lib.path(name + ".rejected.jsonl")
    source = lib.write_rows(name + ".in.jsonl", rows)
    code, _, err = lib.quern("apply", "in_source", *words, source, "-o", out, "--rejected", rejected, timeout=300)
    equal(code, 0, "exit of apply in_source %s: %s" % (" ".join(words), err[-600:]))
    kept, gone = lib.bytes_of(out).splitlines(), lib.read_rows(rejected)
    lines = iter(lib.bytes_of(source).splitlines())
    check(all(any(k == line for line in lines) for k in kept), "kept rows keep bytes and order")
    equal(len(kept) + len(gone), len(rows), "kept + rejected")
    return [json.loads(k) for k in kept], gone


def share(kept, rows, kind):
    return sum(r["kind"] == kind for r in kept) / max(1, sum(r["kind"] == kind for r in rows))


articles = json.load(gzip.open(lib.shared("squad", "dev-v2.0.json.gz")))["data"]
rows = []
for article in articles:
    passages = [p["context"] for p in article["paragraphs"]]
    for i in range(0, len(passages) - 1, 4):
        sentences = [s for s in re.split(r"(?<=[a-z0-9)][.!?]) (?=[A-Z])", passages[i]) if 60 < len(s) < 400]
        if not sentences:
            continue
        s = sentences[len(sentences) // 2]
        rows.append({"passage": passages[i], "answer": s, "kind": "own"})
        rows.append({"passage": passages[i + 1], "answer": s, "kind": "other"})
        year = re.search(r"\b1[0-9]{3}\b", s)
        if year and str(int(year.group()) + 7) not in passages[i]:
            rows.append({"passage": passages[i], "answer": s.replace(year.group(), str(int(year.group()) + 7)), "kind": "changed"})

# ---- by words
kept, gone = apply("overlap", rows)
own, other, changed = (share(kept, rows, k) for k in ("own", "other", "changed"))
check(own == 1, "every sentence of the passage itself stays: %.3f" % own)
check(other < 0.02 and changed == 0, "sentences of a neighbour and changed years go: %.3f, %.3f" % (other, changed))
check(all(r["_reason"].startswith("contradiction: 1") for r in gone if r["kind"] == "changed"), "a changed year is named")
print("in_source by overlap: %d rows; kept: own %.3f, neighbour's %.3f, changed year %.3f" % (len(rows), own, other, changed))

# ---- by embedding: two requests a row, the passage's only once for all rows about it
mock = lib.Mock()
few = rows[:400]
kept, gone = apply("embedding", few, "by=embedding", "min=0.7", "strict=no", "model=" + mock.url)
own, other, changed = (share(kept, few, k) for k in ("own", "other", "changed"))
check(own == 1 and other < 0.05 and changed > 0.9, "meaning alone: own %.3f, neighbour's %.3f, changed year %.3f" % (own, other, changed))
check(all(r["_measure"] == "support" and r["_value"] < 0.7 for r in gone), "a rejection says the cosine")
inputs = [q["body"]["input"] for q in mock.requests() if q["path"].endswith("/embeddings")]
whole = [r["passage"].strip() for r in few]
passages = [tuple(i) for i in inputs if any(p.startswith(i[0]) and p.endswith(i[-1]) for p in whole)]
print("in_source by embedding: kept: own %.3f, neighbour's %.3f, changed year %.3f" % (own, other, changed))
check(100 < len(passages) == len(set(passages)) <= len(set(whole)), "a passage is embedded once: %d requests, %d different" % (len(passages), len(set(passages))))
kept, gone = apply("strict", few, "by=embedding", "model=" + mock.url)
check(share(kept, few, "changed") == 0, "strict: vectors do not tell years apart, words do")

# ---- by judge
verdict = lambda claim, quote, what: {"claim": claim, "quote": quote, "verdict": what}
reply = lambda checks, declines=False, **more: json.dumps({"declines": declines, **more, "checks": checks})
passage = "The Rye mill was built in 1644 by Jan Smit. It ground corn until 1921, when it burnt down."
judged = [
    {"answer": "JUST-IT Jan Smit built it. It burnt down in 1921.", "want": None},
    {"answer": "HALF-IT Jan Smit built it. He was rich.", "want": "support 0.50 below 1.00"},
    {"answer": "DENY-IT It burnt down in 1922.", "want": "contradiction: DENY-IT It burnt down in 1922."},
    {"answer": "LOOSE-IT It was Jan's. It ground corn.", "want": "support 0.50 below 1.00"},
    {"answer": "AGAIN-IT Jan Smit built it. It ground corn.", "want": None},
]
for r in judged:
    r["passage"] = passage
mock = lib.Mock([
    {"match": "has no verdict", "reply": reply([verdict(1, "by Jan Smit", "supported"), verdict(2, "ground corn", "supported")])},
    {"match": "JUST-IT", "reply": reply([verdict(1, "by Jan Smit", "supported"), verdict(2, "until 1921 ... burnt down", "supported")])},
    {"match": "HALF-IT", "reply": reply([verdict(1, "by Jan Smit", "supported"), verdict(2, "", "not_stated")])},
    {"match": "DENY-IT", "reply": reply([verdict(1, "until 1921, when it burnt down", "contradicted")])},
    {"match": "LOOSE-IT", "reply": reply([verdict(1, "Jan Smit owned it", "supported"), verdict(2, "It ground corn", "supported")])},
    {"match": "AGAIN-IT", "reply": reply([verdict(1, "by Jan Smit", "supported")])},
])
kept, gone = apply("judge", judged, "by=judge", "model=" + mock.url)
equal([r["answer"] for r in kept], [r["answer"] for r in judged if not r["want"]], "what the judge leaves")
equal([r["_reason"] for r in gone], [r["want"] for r in judged if r["want"]], "why the others go")
loose = [r for r in gone if r["answer"].startswith("LOOSE")][0]
equal([c["verdict"] for c in loose["claims"]], ["not_stated", "supported"], "a quote that is not in the passage decides nothing")
equal(loose["unsupported"], ["LOOSE-IT It was Jan's."], "the claim is named")
asks = [q["body"]["messages"] for q in mock.requests() if isinstance(q.get("body"), dict)]
check(all(passage in a[1]["content"] and "not_stated" in a[1]["content"] for a in asks), "the passage and the verdicts are in the prompt")
equal(sum("claim 2 has no verdict" in a[-1]["content"] for a in asks), 1, "a forgotten claim is asked for again")
kept, gone = apply("unquoted", judged[3:4], "by=judge", "quoted=no", "model=" + mock.url)
equal(len(kept), 1, "without quotes the judge's word counts")

# unanswerable questions: SQuAD 2.0 says which ones are; the judge here knows too
asked = [{"passage": p["context"], "question": q["question"], "impossible": q["is_impossible"]} for a in articles[:3] for p in a["paragraphs"][:4] for q in p["qas"]]
mock = lib.Mock([{"match": "The question:\n" + r["question"] + "\n", "reply": reply([verdict(1, "", "not_stated")], declines=True, answerable=not r["impossible"])} for r in asked])
kept, gone = apply("declines", [{**r, "answer": "One cannot tell from this text."} for r in asked], "by=judge", "question=.question", "model=" + mock.url)
check(kept and all(r["impossible"] for r in kept), "answers that say there is none stay where there is none")
check(gone and all(not r["impossible"] and r["_reason"] == "unanswerable: the passage has an answer" for r in gone), "and go where there is one")
equal(len(kept), sum(r["impossible"] for r in asked), "unanswerable questions")
print("in_source by judge: %d rows with questions, %d of them unanswerable" % (len(asked), len(kept)))
