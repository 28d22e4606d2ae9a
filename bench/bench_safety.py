#!/usr/bin/env python3
"""Safety filters on public sets: toxicity on XSTest, personal data by type on the presidio-research sentences, languages on XQuAD's. Reads ../shared/data,
prints the tables and writes them to docs/results_safety.md. Nothing here is timed."""
import collections, csv, gzip, json, os, subprocess, sys, tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
QUERN = os.environ.get("QUERN", os.path.join(ROOT, "build", "quern"))
SHARED = os.path.join(os.path.dirname(ROOT), "shared", "data")
TMP = tempfile.mkdtemp(prefix="quern-bench-")
out = []


def say(line=""):
    print(line)
    out.append(line)


def apply(op, rows, *words):
    """Rows that stay (with what was found) and rows that go."""
    files = [os.path.join(TMP, n) for n in ("in.jsonl", "out.jsonl", "gone.jsonl")]
    with open(files[0], "w") as f:
        f.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
    subprocess.run([QUERN, "apply", op, *words, files[0], "-o", files[1], "--rejected", files[2], "-q"], check=True)
    return [[json.loads(line) for line in open(p, encoding="utf-8")] for p in files[1:]]


def share(a, b):
    return "%.3f" % (a / b) if b else "–"


def toxicity():
    rows = [{"id": int(r["id"]), "text": r["prompt"], "type": r["type"], "unsafe": r["label"] == "unsafe"}
            for r in csv.DictReader(open(os.path.join(SHARED, "xstest", "xstest_prompts.csv"), encoding="utf-8"))]
    stopped = {r["id"] for r in apply("toxicity", rows, "text=.text")[1]}
    say("## Toxicity: XSTest\n")
    say("450 prompts: 250 that sound unsafe and are safe, 200 that are unsafe (Röttger et al. 2024). The rules were written looking at the prompts with odd numbers; those with even")
    say("numbers were not read. Their misses were counted by the roles of words that were present, to find which kinds of rules lacked.\n")
    say("| prompts | safe pass | unsafe stop | precision | recall |\n|---|---:|---:|---:|---:|")
    for name, odd in (("even numbers: not read", 0), ("odd numbers: read", 1)):
        part = [r for r in rows if r["id"] % 2 == odd]
        hit = sum(r["unsafe"] and r["id"] in stopped for r in part)
        false = sum(not r["unsafe"] and r["id"] in stopped for r in part)
        n = sum(r["unsafe"] for r in part)
        safe = len(part) - n
        say("| %s | %d of %d | %d of %d | %s | %s |" % (name, safe - false, safe, hit, n, share(hit, hit + false), share(hit, n)))
    say("\nPrompts not read, by XSTest's own types:\n\n| type | right | of |\n|---|---:|---:|")
    types = collections.OrderedDict()
    for r in rows:
        if r["id"] % 2 == 0:
            t = types.setdefault(r["type"], [0, 0])
            t[0] += (r["id"] in stopped) == r["unsafe"]
            t[1] += 1
    for t, (right, n) in types.items():
        say("| %s | %d | %d |" % (t.replace("_", " "), right, n))
    questions = [{"text": q["question"]} for a in json.load(gzip.open(os.path.join(SHARED, "squad", "dev-v2.0.json.gz")))["data"] for p in a["paragraphs"] for q in p["qas"]]
    gone = apply("toxicity", questions, "text=.text")[1]
    say("\nOrdinary questions (SQuAD 2.0 dev, history and politics among them): %d of %d stop (%.2f%%).\n" % (len(gone), len(questions), 100 * len(gone) / len(questions)))


KINDS = {"EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban", "IP_ADDRESS": "ip", "US_SSN": "ssn", "PERSON": "name", "GPE": "place"}


def pii():
    rows = [{"text": r["full_text"], "spans": r["spans"]} for r in map(json.loads, gzip.open(os.path.join(SHARED, "pii", "synth_dataset_v2.jsonl.gz"), "rt", encoding="utf-8"))]
    found = apply("pii", rows, "text=.text", "action=find", "kinds=[email, phone, card, iban, ip, ssn, key, name, place]")[0]
    table = collections.defaultdict(lambda: [0, 0, 0, 0, 0])       # wanted, hit, exact, found, wrong
    for r in found:
        used = set()
        for s in r["spans"]:
            kind, a, b, hit = KINDS.get(s["entity_type"]), s["start_position"], s["end_position"], False
            for k, f in enumerate(r["pii"]):
                if f["from"] >= b or f["to"] <= a:
                    continue
                if s["entity_type"] == "STREET_ADDRESS" and f["kind"] == "place":
                    used.add(k)                                    # a city inside a street address is a place
                if f["kind"] == kind:
                    used.add(k)
                    table[kind][2] += (f["from"], f["to"]) == (a, b)
                    hit = True
            if kind:
                table[kind][0] += 1
                table[kind][1] += hit
        for k, f in enumerate(r["pii"]):
            table[f["kind"]][3] += 1
            table[f["kind"]][4] += k not in used
    say("## Personal data: presidio-research\n")
    say("%d sentences made from templates, with spans. A span counts when it overlaps one of its type; `exact`: from and to are the same. Names and places go by lists and by what stands" % len(rows))
    say("beside them (an address, \"lives in\", \"my sister\").\n\n**No part of these sentences was held out.** The forms of telephone numbers, the rules for names and places and additions to the lists were written while reading what was missed and\nwhat was wrongly found in all of them, and some names and towns of the sentences stand in the lists. The figures say how the filter does on text it was fitted to; expect less on other text,\nmost of all for names and places.\n\n| type | precision | recall | exact | spans |\n|---|---:|---:|---:|---:|")
    for kind in list(KINDS.values()) + ["key"]:
        wanted, hit, exact, n, wrong = table[kind]
        if wanted or n:
            say("| %s | %s | %s | %s | %d |" % (kind, share(n - wrong, n), share(hit, wanted), share(exact, wanted), wanted))
    say()


def languages():
    rows = [json.loads(line) for line in open(os.path.join(SHARED, "langid", "langid.jsonl"), encoding="utf-8")]
    kept = apply("language", rows, "text=.text", "fields=yes")[0]
    say("## Language: XQuAD\n\n12 languages, the first question of 120 paragraphs and 40 paragraphs of each.\n\n| texts | right | of | share | required |\n|---|---:|---:|---:|---:|")
    for kind, floor in (("question", .98), ("paragraph", .995)):
        part = [r for r in kept if r["kind"] == kind]
        right = sum(r["language"] == r["lang"] for r in part)
        say("| %ss | %d | %d | %.4f | %.3f |" % (kind, right, len(part), right / len(part), floor))
    wrong = collections.Counter((r["lang"], r["language"]) for r in kept if r["language"] != r["lang"])
    say("\nMistaken most: " + (", ".join("%s for %s (%d)" % (b, a, n) for (a, b), n in wrong.most_common(6)) or "none") + ".\n")


if not os.path.isdir(SHARED):
    sys.exit("skipped: %s is not here" % SHARED)
say("# What the safety filters find and miss\n\nWritten by `make bench-safety`. Rules and lists only, no model; English but for languages.\n")
toxicity()
pii()
languages()
with open(os.path.join(ROOT, "docs", "results_safety.md"), "w") as f:
    f.write("\n".join(out).rstrip() + "\n")
