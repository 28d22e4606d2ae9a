"""Sets of documents with planted near-duplicates for bench_curation.py: deterministic, of any size, made row by row.

A document is a few real sentences in a new order (of the files below ../shared/data, else of quern's own docs), about 1.2 KB. One in eight is a copy of
an earlier document with single words put in, left out or exchanged, from none to so many that hardly a shingle survives; a copy is never copied again, so
each planted pair stands alone. `of` is the number of the row it was copied from, `j` the exact Jaccard similarity of the two sets of word 5-grams.

usage: python3 bench/curation_sets.py MB OUT.jsonl"""
import functools, glob, gzip, json, os, random, re, sys, unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = next((d for d in (os.path.join(ROOT, "../shared/data"), os.path.join(ROOT, "../../shared/data")) if os.path.isdir(d)), None)
BYTES = 1200        # of a document's text
COPIES = 8          # one document in so many is a copy


# Letters of scripts that write no spaces: each is a word to quern (src/text/unicode.h), as are the marks behind it with it.
SOLO = ("CJK UNIFIED", "CJK COMPAT", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "IDEOGRAPHIC", "THAI CHAR", "LAO LETTER", "KHMER LETTER", "MYANMAR LETTER")


@functools.lru_cache(maxsize=None)
def kind(c): return "solo" if unicodedata.category(c)[0] in "LN" and unicodedata.name(c, "").startswith(SOLO) else unicodedata.category(c)[0]


def words_of(text, solo=False):
    """The words between white space in lower case; `solo`: letters of scripts without spaces one by one."""
    if text.isascii() or not solo: return text.lower().split()
    words, word, alone = [], "", False
    for c in "".join(c.lower()[0] for c in text):
        if c.isspace(): words, word, alone = words + [word], "", False
        elif kind(c) == "solo": words, word, alone = words + [word], c, True
        elif alone and kind(c) != "M": words, word, alone = words + [word], c, False
        else: word += c
    return [w for w in words + [word] if w]


def shingles(text, k=5, solo=False):
    words = words_of(text, solo)
    return set(zip(*(words[i:] for i in range(k)))) if len(words) >= k else {tuple(words)} if words else set()


def jaccard(a, b, solo=False):
    a, b = shingles(a, solo=solo), shingles(b, solo=solo)
    return len(a & b) / len(a | b) if a and b else 0.0


def paragraphs():
    if not DATA:
        for path in sorted(glob.glob(ROOT + "/docs/**/*.md", recursive=True)) + [ROOT + "/README.md"]:
            yield from open(path, encoding="utf-8").read().split("\n\n")
        return
    for path in sorted(glob.glob(DATA + "/squad/*.json*")):
        try:
            with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
                text = f.read()
        except OSError:
            continue
        for m in re.finditer(r'"context":\s*("(?:[^"\\]|\\.)*")', text):
            yield json.loads(m.group(1))
    for path in sorted(glob.glob(DATA + "/docs/**/*.md", recursive=True)):
        yield from open(path, encoding="utf-8", errors="replace").read().split("\n\n")


def sentences():
    seen = {}
    for p in paragraphs():
        for s in re.split(r"(?<=[.!?])\s+", " ".join(p.split())):
            if 40 <= len(s) <= 400:
                seen.setdefault(s)
    return list(seen)


def edited(rng, text, words):
    out = text.split()
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12, 20, 40))):
        i, kind = rng.randrange(len(out)), rng.randrange(3)
        if kind == 0: out[i] = rng.choice(words)
        elif kind == 1: out.insert(i, rng.choice(words))
        elif len(out) > 20: del out[i]
    return " ".join(out)


def make(path, mb, seed=1):
    """Writes the set; returns {rows, bytes, planted: {copy: (original, j, both are ASCII)}}."""
    rng = random.Random(seed)
    pool = sentences()
    words = sorted({w for s in pool[:2000] for w in s.split()})
    pick, size, n, planted, recent = rng.random, 0, 0, {}, []
    mean, n_pool = sum(map(len, pool)) / len(pool) + 1, len(pool)
    per = range(max(2, round(BYTES / mean)))
    encoded = [json.dumps(s, ensure_ascii=False)[1:-1].encode() for s in pool]      # a text's JSON is that of its sentences, joined
    with open(path, "wb", 1 << 20) as out:
        while size < mb * 1e6:
            if recent and n % COPIES == COPIES - 1:
                original, chosen = recent.pop(int(pick() * len(recent)))
                text = " ".join([pool[i] for i in chosen])
                copy = edited(rng, text, words)
                planted[n] = (original, jaccard(text, copy), text.isascii() and copy.isascii())
                body = json.dumps(copy, ensure_ascii=False)[1:-1].encode()
            else:
                chosen = [int(pick() * n_pool) for _ in per]
                body = b" ".join([encoded[i] for i in chosen])
                if len(recent) < 20000: recent.append((n, chosen))
                else: recent[int(pick() * 20000)] = (n, chosen)
            line = b'{"id": %d, "text": "%b"}\n' % (n, body)
            out.write(line)
            size += len(line)
            n += 1
    return {"rows": n, "bytes": size, "planted": planted}


if __name__ == "__main__":
    made = make(sys.argv[2], float(sys.argv[1]))
    json.dump({**made, "planted": [[k, *v] for k, v in made["planted"].items()]}, open(sys.argv[2] + ".planted", "w"))
    print(made["rows"], made["bytes"], len(made["planted"]), sum(j >= 0.8 for _, j, _ in made["planted"].values()))
