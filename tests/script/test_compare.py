#!/usr/bin/env python3
"""quern compare: a set against itself and against another, planted duplicates, missing topics, little data, bad input, stable keys."""
import gzip, json, os, random, re, shutil, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import ROOT, SHARED, check, equal, path, quern, write_rows


def compare(a, b, *more):
    code, out, err = quern("compare", a, b, "--json", *more)
    check(code == 0, "compare ends well:", err)
    return json.loads(out)


def keys(v, at=""):
    """Every path of keys; of a list only its first element."""
    if isinstance(v, dict):
        return {p for k, x in v.items() for p in {at + k} | keys(x, at + k + ".")}
    return keys(v[0], at + "[].") if isinstance(v, list) and v else set()


rng = random.Random(3)
names = ["".join(rng.choice("bcdfglmnprst") + rng.choice("aeiou") for _ in range(3)) for _ in range(400)]


def texts(n, subjects, words):
    return ["%s %s of the %s %s %s in %s?" % (rng.choice(["What is the", "Which", "How large is the"]), rng.choice(subjects), rng.choice(words), rng.choice(words),
                                            rng.choice(words), rng.choice(words)) for _ in range(n)]


river = texts(600, ["river", "lake", "valley"], names[:200])
engine = texts(500, ["engine", "piston", "turbine"], names[200:])
a = write_rows("a.jsonl", [{"id": "a%d" % i, "question": t} for i, t in enumerate(river)])
b = write_rows("b.jsonl", [{"id": "b%d" % i, "question": t} for i, t in enumerate(engine)])

# a set against itself
s = compare(a, a, "--field", ".question")
check(s["classifier"]["low"] <= 0.5 <= s["classifier"]["high"] and abs(s["classifier"]["auc"] - 0.5) < 0.05, "AUC of a set against itself", s["classifier"])
check(s["mauve"]["distance"] == 0, "distance to itself", s["mauve"])
equal((s["across"]["exact"], s["across"]["near"], s["across"]["near_share"]), (600, 600, 1), "all rows are duplicates of themselves")
check(all(x["similarity"] == 1 and x["text_a"] == x["text_b"] for x in s["across"]["examples"]), "examples of equal rows are equal")
equal((s["topics"]["a_covered_by_b"], s["topics"]["missing_in_a"], s["topics"]["missing_in_b"]), (1, [], []), "topics of a set against itself")
equal(s["words"]["a"], s["words"]["b"], "lengths of a set against itself")
equal(sum(s["words"]["a"]["histogram"]), 600, "the histogram holds every text")
n_words = sorted(len(re.findall(r"\w+", t)) for t in river)
equal((s["words"]["a"]["p50"], s["words"]["a"]["max"]), (n_words[299], n_words[-1]), "quantiles of the lengths")
check(abs(s["words"]["a"]["mean"] - sum(n_words) / 600) < 1e-9, "mean length")

# two halves of one source: as near as chance has it
first, second = (write_rows("half%d.jsonl" % k, [{"question": t} for t in texts(600, ["river", "lake", "valley"], names[:200])]) for k in (0, 1))
h = compare(first, second, "--field", ".question")
check(abs(h["classifier"]["auc"] - 0.5) < 0.08, "two draws of one source are hardly told apart", h["classifier"])
check(h["mauve"]["distance"] < 3 * h["mauve"]["distance_by_chance"] + 0.05, "and as far apart as chance has it", h["mauve"])

# another set: told apart, nothing across, the words that tell
d = compare(a, b, "--field", ".question")
check(d["classifier"]["low"] > 0.95, "told apart", d["classifier"])
check(d["mauve"]["distance"] > 0.5, "far apart", d["mauve"])
equal((d["across"]["exact"], d["across"]["near"], d["across"]["examples"]), (0, 0, []), "nothing across")
check({"river", "lake", "valley"} <= {x["word"] for x in d["telling_words"]["a"]}, "words that tell A", d["telling_words"]["a"])
check({"engine", "piston", "turbine"} <= {x["word"] for x in d["telling_words"]["b"]}, "words that tell B", d["telling_words"]["b"])
check(all(100 < x["n_a"] <= sum(x["word"] in t for t in river) and x["n_b"] == 0 for x in d["telling_words"]["a"] if x["word"] == "river"), "each with its counts")
check(d["topics"]["missing_in_a"] and d["topics"]["missing_in_b"], "topics that one side lacks", d["topics"])
equal(sum(x["n_a"] for x in d["topics"]["list"]), d["topics"]["rows"], "every text is in one topic")

# planted: 40 rows of A stand in B as they are, 30 with one word more at the end
planted = [{"question": t} for t in engine[:300]] + [{"question": t} for t in river[:40]] + [{"id": i, "question": t + " today"} for i, t in enumerate(river[100:130])]
p = compare(a, write_rows("planted.jsonl", planted), "--field", ".question")
exact = sum(r["question"] in set(river) for r in planted)
check(exact >= 40 and p["across"]["exact"] == exact, "planted equal rows", p["across"]["exact"])


def grams(t):
    w = re.findall(r"\w+", t.lower())
    return {tuple(w[i:i + 3]) for i in range(len(w) - 2)}


of_a = [grams(t) for t in river]
near = sum(any(len(g & x) >= 0.7 * len(g | x) for x in of_a) for g in (grams(r["question"]) for r in planted))
check(near >= 70 and abs(p["across"]["near"] - near) <= 1, "near-duplicates by exact Jaccard:", near, "found:", p["across"]["near"])
for x in p["across"]["examples"]:
    x_a, x_b = grams(river[x["row_a"] - 1]), grams(planted[x["row_b"] - 1]["question"])
    equal((x["text_a"], x["text_b"], x["id_a"]), (river[x["row_a"] - 1], planted[x["row_b"] - 1]["question"], "a%d" % (x["row_a"] - 1)), "an example names its rows")
    check(abs(x["similarity"] - len(x_a & x_b) / len(x_a | x_b)) < 1e-6, "and says their similarity", x)
check(any(not x["exact"] for x in p["across"]["examples"]) and any(x["exact"] for x in p["across"]["examples"]), "both kinds are shown")

# deterministic, and the keys are there whatever could be measured
args = ("compare", a, b, "--field", ".question", "--json", "--sample", "200", "--seed", "9")
equal(quern(*args), quern(*args), "the same seed gives the same bytes")
tiny = write_rows("tiny.jsonl", [{"question": t} for t in river[:5]] + [{"question": None}, {"other": 1}])
t = compare(tiny, b, "--field", ".question")
top = keys(d)
equal(keys(t) - keys(p), set(), "little data adds no keys")
for m in ("classifier.auc", "classifier.why", "mauve.distance", "mauve.distance_by_chance", "self_bleu.a", "vendi.b", "distinct_3.a", "topics.a_covered_by_b", "across.near_share",
          "openings.entropy_bits.a", "words.a.p95", "a.texts", "b.unreadable"):
    check(m in keys(t) and m in top, m, "is always there")
for m in ("classifier", "mauve", "self_bleu", "vendi", "topics"):
    check(t[m]["why"] and "20" in t[m]["why"] and all(v is None for k, v in t[m].items() if k in ("auc", "low", "high", "mauve", "distance", "a", "b", "a_covered_by_b")), m, "has no made-up number", t[m])
equal((t["a"]["rows"], t["a"]["texts"], t["a"]["empty"]), (7, 5, 2), "rows without a text are counted")
equal(compare(a, b, "--field", ".question", "--limit", "50")["b"]["rows"], 50, "--limit")

# other formats, other names, unreadable lines, another language
csv = path("b.csv")
open(csv, "w").write("n,q\n" + "".join('%d,"%s"\n' % (i, x) for i, x in enumerate(engine)))
broken = path("broken.jsonl")
open(broken, "w").write(open(a).read() + "{broken\n")
f = compare(broken, csv, "--field", ".question", "--field-b", ".q")
equal((f["a"]["unreadable"], f["b"]["rows"], f["classifier"]["auc"]), (1, 500, d["classifier"]["auc"]), "CSV against JSONL with a broken line")
compare(write_rows("zh.jsonl", [{"question": "河流有多长%d？</script><b>" % i} for i in range(30)]), b, "--field", ".question")

# vectors of a model (a small random network: the numbers differ, the promises hold)
nn, bert = os.path.join(ROOT, "tests", "data", "nn"), path("bert", "tokenizer.json")
tokenizer = json.load(open(os.path.join(nn, "tokenizer_wordpiece.json")))
tokenizer["model"]["vocab"] = {k: v for k, v in tokenizer["model"]["vocab"].items() if v < 64}
json.dump(tokenizer, open(bert, "w"))
bert = os.path.dirname(bert)
for name in ("config.json", "model.safetensors"):
    shutil.copy(os.path.join(nn, "bert", name), bert)
e = compare(a, a, "--field", ".question", "--model", bert)
equal((e["vectors"], e["mauve"]["distance"], e["topics"]["a_covered_by_b"], s["vectors"]), ("model", 0, 1, "tfidf"), "embeddings by a model")
check(e["vendi"]["a"] != s["vendi"]["a"] and e["topics"]["list"][0]["name"] != "", "are those of the model", e["vendi"])

# the page: one file, nothing from outside, rows as text only
page = path("page.html")
code, out, err = quern("compare", path("zh.jsonl"), path("zh.jsonl"), "--field", ".question", "-o", page)
html = open(page, encoding="utf-8").read()
check(code == 0 and "near-duplicates" in out, "the table", err)
equal(html.count("</script>"), 2, "rows cannot end the script")
check("https:" not in html and "src=" not in html and "default-src 'none'" in html, "the page needs no network")
facts = re.search(r'id="facts">(.*?)</script>', html, re.S).group(1)
equal(json.loads(facts)["a"]["rows"], 30, "the page holds the same numbers")

# mistakes
for words, wants in (((a, b, "--field", ".qestion"), ".question"), ((a, b, "--field", ".nothing_like_it"), ".id, .question"), ((a,), "two files"), ((a, path("absent.jsonl"), "--field", ".question"), "absent.jsonl"),
                     ((a, b, "--field", ".question +"), "--field"), ((a, "-", "--field", ".question"), "standard input"), ((a, b, "--field", ".question", "--limit", "0"), "--limit"),
                     ((a, write_rows("none.jsonl", []), "--field", ".question"), "no rows"), ((a, write_rows("empty.jsonl", [{"question": ""}]), "--field", ".question"), "empty in all"),
                     ((a, b, "--field", ".question", "--model", path("absent-model")), "absent-model")):
    code, out, err = quern("compare", *words)
    check(code in (1, 2) and wants in err and not out, "a mistake is named:", words, err)

# real questions
squad, wtq = os.path.join(SHARED, "squad", "dev-v2.0.json.gz"), os.path.join(SHARED, "wikitablequestions", "training.tsv")
if os.path.exists(squad) and os.path.exists(wtq):
    q = [{"question": x["question"]} for art in json.load(gzip.open(squad))["data"] for par in art["paragraphs"] for x in par["qas"]]
    w = [{"question": line.split("\t")[1]} for line in open(wtq, encoding="utf-8").read().splitlines()[1:]]
    r = compare(write_rows("squad.jsonl", q), write_rows("wtq.jsonl", w), "--field", ".question")
    rng.shuffle(q)
    halves = compare(write_rows("squad0.jsonl", q[::2]), write_rows("squad1.jsonl", q[1::2]), "--field", ".question")
    print("SQuAD against WikiTableQuestions: AUC %.3f, distance %.3f; two halves of SQuAD: AUC %.3f (%.3f to %.3f), distance %.3f, by chance %.3f" % (
        r["classifier"]["auc"], r["mauve"]["distance"], halves["classifier"]["auc"], halves["classifier"]["low"], halves["classifier"]["high"],
        halves["mauve"]["distance"], halves["mauve"]["distance_by_chance"]))
    check(r["classifier"]["low"] > 0.97 and r["mauve"]["distance"] > 0.5, "SQuAD and WikiTableQuestions are told apart")
    check(abs(halves["classifier"]["auc"] - 0.5) < 0.03 and halves["mauve"]["distance"] < 0.05, "two halves of SQuAD are not")
else:
    print("skipped: ../shared/data is not here: real questions")
print("compare says what is there")
