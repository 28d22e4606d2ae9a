#!/usr/bin/env python3
"""Safety filters on public sets: toxicity on XSTest, personal data by type on the presidio-research sentences and, for
names and false alarms, on encyclopaedia articles, languages on XQuAD's. Reads ../shared/data,
prints the tables and writes them to docs/results_safety.md. Nothing here is timed."""
import collections, csv, gzip, hashlib, json, os, re, subprocess, sys, tempfile

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


ALL_KINDS = "kinds=[email, phone, card, iban, ip, ssn, key, name, place]"
KINDS = {"EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban", "IP_ADDRESS": "ip", "US_SSN": "ssn", "PERSON": "name", "GPE": "place"}


HELD_SINCE = "2026-11-21"


def held_out(row):
    """One template in three, by a hash of what it says: no rule or list is to be written after reading these."""
    return int(hashlib.sha256(row["masked"].encode()).hexdigest(), 16) % 3 == 0


def count_spans(rows):
    table = collections.defaultdict(lambda: [0, 0, 0, 0, 0])       # wanted, hit, exact, found, wrong
    for r in rows:
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
    return table


def pii():
    rows = [{"text": r["full_text"], "masked": r["masked"], "spans": r["spans"]} for r in map(json.loads, gzip.open(os.path.join(SHARED, "pii", "synth_dataset_v2.jsonl.gz"), "rt", encoding="utf-8"))]
    found = apply("pii", rows, "text=.text", "action=find", ALL_KINDS)[0]
    held = [r for r in found if held_out(r)]
    whole, part = count_spans(found), count_spans(held)
    say("## Personal data: presidio-research\n")
    say("%d sentences made from templates, with spans. A span counts when it overlaps one of its type; `exact`: from and to are the same. Names and places go by lists and by what stands" % len(rows))
    say("beside them (an address, \"lives in\", \"my sister\").\n\n**The filter was fitted to these sentences.** The forms of telephone numbers, the rules for names and places and additions to the lists were written while reading what was")
    say("missed and what was wrongly found in all of them, and some names and towns of the sentences stand in the lists. Since %s one template in three is held out, by a hash of its words (%d" % (HELD_SINCE, len(held)))
    say("sentences): nothing is changed any more after reading those. Until the rules change, both parts of the table say how the filter does on text it was fitted to; for other text see the next two tables.\n")
    say("| type | precision | recall | exact | spans | held out: precision | recall | spans |\n|---|---:|---:|---:|---:|---:|---:|---:|")
    for kind in list(KINDS.values()) + ["key"]:
        (wanted, hit, exact, n, wrong), (w2, h2, _, n2, wrong2) = whole[kind], part[kind]
        if wanted or n:
            say("| %s | %s | %s | %s | %d | %s | %s | %d |" % (kind, share(n - wrong, n), share(hit, wanted), share(exact, wanted), wanted, share(n2 - wrong2, n2), share(h2, w2), w2))
    say()


PERSON = re.compile(r"\(\s*(?:born|died|c\.|b\.|[0-9]|(?:January|February|March|April|May|June|July|August|September|October|November|December) )")
WORK = re.compile(r" (?:is|was) (?:an?|the) [^.]{0,80}?\b(?:film|album|song|novel|book|series|village|town|river|company|school|newspaper|magazine)\b")


MAKER = re.compile(r"\b(?:actor|actress|director|producer|screenwriter|cinematographer|editor|critic|composer|writer|novelist|historian|musician|singer|teacher|maker|personality|born)\b")


def heads():
    """First sentences of encyclopaedia articles: those that begin with the title and a time of life are of people, those that say film, album, village ... are not."""
    for r in map(json.loads, gzip.open(os.path.join(SHARED, "2wiki_corpus", "corpus_6119.jsonl.gz"), "rt", encoding="utf-8")):
        title = re.sub(r"\s*\(.*\)$", "", r["title"])
        if not r["text"].startswith(title): continue
        rest = r["text"][len(title):len(title) + 200]
        kind = "person" if PERSON.match(rest.lstrip()) and not WORK.search(rest) else "work" if WORK.match(re.sub(r"\([^)]*\)", "", rest)) and not MAKER.search(rest) else None
        if kind and (kind == "work" or len(title.split()) >= 2): yield {"text": r["text"][:len(title) + 160], "title": title, "what": kind}


def unread():
    rows = list(heads())
    found = apply("pii", rows, "text=.text", "action=find", "kinds=[name]")[0]
    people, works = ([r for r in found if r["what"] == what] for what in ("person", "work"))
    hit = lambda r: any(f["from"] < len(r["title"]) for f in r["pii"])
    n, wrong = sum(map(hit, people)), sum(map(hit, works))
    say("## Names: articles that nobody read for it\n")
    say("First sentences of encyclopaedia articles (2WikiMultihopQA's passages), no rule was written with them: %d that begin with the full name of a person and a time of life, %d with the name" % (len(people), len(works)))
    say("of a film, an album, a village and so on. Persons of all times and countries, and nothing beside the name tells that it is one: harder than a letter or a form.\n")
    say("| names | found | of | share |\n|---|---:|---:|---:|")
    say("| of people | %d | %d | %s |" % (n, len(people), share(n, len(people))))
    say("| of works and places, wrongly | %d | %d | %s |" % (wrong, len(works), share(wrong, len(works))))
    say("\nOf what was taken for a name in these places %s was a person's (there are %.1f people for one work); a title often holds a person's name, as The Picture of Dorian Gray does.\n" % (share(n, n + wrong), len(people) / len(works)))
    texts = [{"text": p["context"]} for a in json.load(gzip.open(os.path.join(SHARED, "squad", "dev-v2.0.json.gz")))["data"] for p in a["paragraphs"]]
    texts += [{"text": r["title"] + ". " + r["text"]} for r in map(json.loads, gzip.open(os.path.join(SHARED, "2wiki_corpus", "corpus_6119.jsonl.gz"), "rt", encoding="utf-8"))]
    kinds = [k for k in ("email", "phone", "card", "iban", "ip", "ssn", "key")]
    counted = collections.Counter(f["kind"] for r in apply("pii", texts, "text=.text", "action=find", "kinds=[%s]" % ", ".join(kinds))[0] for f in r["pii"])
    say("## Numbers and addresses: false alarms\n")
    say("%d paragraphs of encyclopaedia articles (SQuAD 2.0 dev and 2WikiMultihopQA), which hold hardly any such data; years, scores, populations and coordinates are many. Found: %s.\n"
        % (len(texts), ", ".join("%s %d" % (k, counted[k]) for k in kinds)))


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
unread()
languages()
with open(os.path.join(ROOT, "docs", "results_safety.md"), "w") as f:
    f.write("\n".join(out).rstrip() + "\n")
