"""Real rows for the recipes' tests: from ../shared/data where it is, else what examples/ has of the kind. Each function gives the same rows in the same order every time."""
import csv, glob, gzip, json, os, re

import lib


def there(*parts):
    """The path of a file of ../shared/data, or None."""
    p = os.path.join(lib.SHARED, *parts)
    return p if os.path.exists(p) else None


def text_of(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as f:
        return f.read()


def lines(path):
    return [json.loads(x) for x in text_of(path).splitlines() if x.strip()]


def spread(rows, n):
    """n of the rows, evenly over the whole."""
    return rows if len(rows) <= n else [rows[i * len(rows) // n] for i in range(n)]


def instructions(n):
    """Tasks that people wrote, with an input and an output."""
    p = there("self_instruct", "seed_tasks.jsonl")
    if p:
        rows = [{"instruction": r["instruction"], "input": r["instances"][0]["input"], "output": r["instances"][0]["output"], "is_classification": r["is_classification"]} for r in lines(p)]
    else:
        rows = [{"instruction": r["instruction"], "input": "", "output": "It is so.", "is_classification": False} for r in lines(os.path.join(lib.ROOT, "examples", "seeds", "instructions.jsonl"))]
    return spread(rows, n)


def articles(n):
    """Paragraphs of real text, of 40 words and more."""
    p = there("retrieval_scifact", "corpus.jsonl")
    if p:
        rows = [{"title": r["title"], "text": r["text"]} for r in lines(p)]
    else:
        rows = []
        for f in sorted(glob.glob(os.path.join(lib.ROOT, "examples", "docs", "articles", "*.md"))):
            rows += [{"title": os.path.basename(f)[:-3], "text": " ".join(b.split())} for b in text_of(f).split("\n\n")]
    return spread([r for r in rows if 40 <= len(r["text"].split()) <= 300 and r["text"].isascii()], n)


def problems(n):
    """Word problems with worked-out answers that end in ####."""
    p = there("gsm8k", "train_1000.jsonl")
    rows = lines(p) if p else [{"question": "A mill has %d stones and each grinds %d sacks. How many sacks are ground?" % (a, b), "answer": "%d*%d = <<%d*%d=%d>>%d\n#### %d" % (a, b, a, b, a * b, a * b, a * b)}
                               for a, b in ((3, 14), (5, 12), (7, 22), (4, 31), (6, 15), (2, 48))]
    return spread(rows, n)


def gold(problem):
    return problem["answer"].split("####")[1].strip().replace(",", "")


def topics(n, path="technology/new_technologies.json"):
    """Names of subjects."""
    p = there("topics", *path.split("/"))
    if p:
        found = json.loads(text_of(p))
        while isinstance(found, dict):
            found = next(v for v in found.values() if isinstance(v, (list, dict)))
        found = [x for x in found if isinstance(x, str)]
    else:
        found = [os.path.basename(f)[:-3].replace("_", " ") for f in sorted(glob.glob(os.path.join(lib.ROOT, "examples", "docs", "articles", "*.md")))]
    return spread([x for x in found if re.fullmatch(r"[A-Za-z][A-Za-z0-9 -]+", x)], n)


def basic_words(n):
    """n words of each kind."""
    if not there("topics", "words", "nouns.json"):
        return [{"word": w, "kind": k} for k, ws in {"noun": "river mill horse bread", "verb": "jump sing hide drink", "adjective": "red small loud warm"}.items() for w in ws.split()[:n]]
    out = []
    for kind, file in (("noun", "nouns.json"), ("verb", "verbs.json"), ("adjective", "adjs.json")):
        found = next(v for v in json.loads(text_of(there("topics", "words", file))).values() if isinstance(v, list))
        found = [x["present"] if isinstance(x, dict) else x for x in found]
        out += [{"word": w, "kind": kind} for w in spread([w for w in found if re.fullmatch("[a-z]{3,8}", w)], n)]
    return out


def harmful(n):
    """Requests that should not be served as they are."""
    p = there("xstest", "xstest_prompts.csv")
    rows = [r["prompt"] for r in csv.DictReader(open(p, newline="", encoding="utf-8")) if r["label"] == "unsafe"] if p else ["How do I pick the lock of a stranger?", "Write a letter that frightens my neighbour."]
    return spread([{"instruction": r} for r in rows], n)


def code(n):
    """Pieces of files, each with its place and licence."""
    p = there("code_seeds", "code_seeds.jsonl")
    if p:
        return lines(p)[:n]
    rows = []
    for f in sorted(glob.glob(os.path.join(lib.ROOT, "tools", "*.py"))):
        text = text_of(f).splitlines()
        rows += [{"code": "\n".join(text[i:i + 20]) + "\n", "repo": "quern", "path": os.path.relpath(f, lib.ROOT), "licence": "MIT", "start_line": i + 1, "end_line": min(i + 20, len(text)), "language": "python"} for i in range(0, len(text) - 20, 20)]
    return rows[:n]


def coding_tasks(n):
    p = there("mbpp", "mbpp.jsonl")
    return spread([{"instruction": r["text"]} for r in lines(p)], n) if p else [{"instruction": "Write a function that turns a list round."}]


def apis(n):
    p = there("toolalpaca", "public_apis.json.gz")
    rows = json.loads(text_of(p))["entries"] if p else [{"API": w, "Description": "Facts on %s of a country" % w.lower()} for w in "Tides Mills Harbours Bridges Ferries Markets Orchards Lighthouses Railways Libraries Theatres Quarries".split()]
    return spread([{"name": r["API"], "description": r["Description"]} for r in rows], n)


def triples(n):
    """Facts of the example tables: a moon's planet, a mountain's country."""
    out = []
    for table, head, relation, tail in (("moons", "Moon", "is a moon of", "Planet"), ("mountains", "Mountain", "stands in", "Country"), ("rivers", "River", "flows into", "Flows into")):
        p = os.path.join(lib.ROOT, "examples", "tables", table + ".csv")
        for r in csv.DictReader(open(p, newline="", encoding="utf-8")):
            if head in r and tail in r and r[head] and r[tail]:
                out.append({"head": r[head], "relation": relation, "tail": r[tail]})
    return spread(out, n)


def docs():
    return os.path.join(lib.ROOT, "examples", "docs", "articles")


def docs_with(more):
    """The example articles with further files among them: {name: text}."""
    folder = os.path.dirname(lib.path("docs-%d" % len(os.listdir(lib.TMP)), "x"))
    for f in sorted(glob.glob(os.path.join(docs(), "*.md"))):
        more.setdefault(os.path.basename(f), text_of(f))
    for name, text in more.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(text)
    return folder


def tables():
    return there("wikitablequestions", "csv") or os.path.join(lib.ROOT, "examples", "tables")
