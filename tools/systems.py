#!/usr/bin/env python3
"""`make systems`: runs every shipped recipe end to end against scripted servers on real sources, prints a line for each, and writes the table of systems.

A recipe's script and check stand in its test (tests/recipes/, the function of the recipe's name); what it gives back is the figure of its check. The numbers are those of
the first run in it, which is on real sources. Names as arguments run these alone and write nothing. With --rows the recipes run on the files of
examples/ instead, and docs/systems.json gets a row of each and what it took, for the recipes' pages (tools/docs.sh). The tables go between markers into README.md and to docs/systems.md."""
import glob, importlib, json, os, re, sys, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "recipes"))
os.chdir(ROOT)
import scripted
import lib

GROUPS = ["Grounded in sources", "Pre-training text", "Instructions", "Tools and agents", "Preference, safety, process", "Embeddings, RAG, evaluation", "Basics"]
LONGER = "Experiments"                  # they train networks for longer than this command may take; each has figures of its own
PARTS = "Parts"                         # steps that other recipes include; they run with those


def one(function):
    """Runs a recipe's test; gives its row of the table."""
    del scripted.RUNS[:], scripted.OUTS[:]
    mocks, start = lib.Mock, time.monotonic()
    started = []

    class Kept(mocks):
        def __init__(self, *args):
            super().__init__(*args)
            started.append(self)
    lib.Mock = Kept
    name = function.__name__
    try:
        figure, ok = function(), True
    except scripted.Skip as why:
        figure, ok = "skipped: %s" % why, True
    except (SystemExit, Exception) as why:
        figure, ok = "FAILED: %s" % why, False
    finally:
        lib.Mock = mocks
        for m in started:
            m.stop()
    s = next((s for n, s in scripted.RUNS if n == name), None)
    calls = s["calls"]["sent"] if s else 0
    rows = s["rows"] if s else dict.fromkeys(("in", "accepted", "rejected", "failed"), 0)
    print("%-20s %5d in %5d accepted %5d rejected %3d failed %5d calls  %s  (%.1f s)" % (name, rows["in"], rows["accepted"], rows["rejected"], rows["failed"], calls, figure, time.monotonic() - start), flush=True)
    out = next((o for n, o in scripted.OUTS if n == name), None)
    return {"rows": rows, "calls": calls, "figure": figure, "ok": ok, "tokens": s["tokens"]["prompt"] if s else 0, "example": example(out) if out else None}


# ---- example rows for the pages of the recipes ----
def plain(text):
    """Folders and ports of this run are nobody's business."""
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://a.example", text)
    return text.replace(lib.TMP + "/", "").replace(ROOT + "/", "").replace(lib.SHARED + "/", "")


def short(v, most=240):
    """The value with its long texts and lists cut."""
    if isinstance(v, str):
        v = plain(v)
        return v if len(v) <= most else v[:most].rsplit(" ", 1)[0] + " [...]"
    if isinstance(v, list):
        return [short(x, most) for x in v[:4]] + (["[... %d more]" % (len(v) - 4)] if len(v) > 4 else [])
    if isinstance(v, dict):
        return {k: short(x, most) for k, x in v.items() if not k.startswith("_")}
    return v


def readable(row):
    """How much of a row reads like words: scripted replies are numbered, and some are only that."""
    words = json.dumps(row, ensure_ascii=False).split()
    return sum(bool(re.fullmatch(r"[\"'(\[{]*[A-Za-z][a-z]*(['-][a-z]+)?[\"'.,:;?!)\]}]*", w)) for w in words) / (len(words) or 1)


def example(out):
    """The row of a run that reads best, shortened; None where it wrote none."""
    path = os.path.join(out, "data.jsonl")
    rows = lib.read_rows(path)[:200] if os.path.exists(path) else []
    return short(max(rows, key=lambda r: (round(readable(r), 3), json.dumps(r)))) if rows else None


def cell(text):
    return text.replace("|", "\\|")


def system_of(recipe):
    """The system with the paper's year: what stands before the first closed bracket with a year."""
    paper = recipe["paper"]
    m = re.match(r"(.*?\([^()]*\d{4}[^()]*\))", paper)
    return m.group(1) if m else paper or recipe["about"]


def readme_table(groups, done):
    out = ["<details><summary>%d systems, each a recipe with a check of its own (<code>make systems</code> runs them all)</summary>\n" % sum(len(g) for _, g in groups)]
    for title, recipes in groups:
        out.append("| %s | recipe | needs | the check, on scripted models |\n|---|---|---|---|" % title)
        out += ["| %s | [%s](docs/recipes/%s.md) | %s | %s |" % (cell(system_of(r)), r["name"], r["name"], needs(r), cell(done[r["name"]]["figure"])) for r in recipes]
        out.append("")
    return "\n".join(out) + "\n</details>\n"


def needs(r):
    return (", ".join(r["needs"]) or "nothing") + ("; or none" if r["builtin"] and r["needs"] else "")


def whole_page(groups, done, longer):
    out = ["# The systems\n", "Every published system here is a recipe that runs. `make systems` runs each end to end against scripted model servers, on real sources with planted faults among",
           "them, checks what the paper's loop or filter promises, and writes this page. The replies are scripted: the figures say that the machinery does what the paper describes,",
           "not how good a model is. \"or none\": a built-in writer can stand in for the model.\n"]
    for title, recipes in groups:
        out.append("## %s\n\n| recipe | system | needs | rows in | accepted | rejected | failed | calls | the check | its figure |\n|---|---|---|---|---|---|---|---|---|---|" % title)
        for r in recipes:
            d = done[r["name"]]
            out.append("| [%s](recipes/%s.md) | %s | %s | %s | %s | %s |" % (r["name"], r["name"], cell(r["paper"] or r["about"]), needs(r),
                       " | ".join(str(d["rows"][k]) for k in ("in", "accepted", "rejected", "failed")) + " | %d" % d["calls"], cell(r["check"] or ""), cell(d["figure"])))
        out.append("")
    if longer:
        out += ["## %s\n\nThese train networks, which takes longer; their figures are in pages of their own. %s\n" % (LONGER, "; ".join("[%s](recipes/%s.md): %s" % (r["name"], r["name"], r["about"]) for r in longer))]
    return "\n".join(out)


def between(path, text):
    page = open(path, encoding="utf-8").read()
    new, n = re.subn(r"(<!-- systems: written by `make systems` -->\n).*?(<!-- end of systems -->)", lambda m: m.group(1) + text + m.group(2), page, flags=re.S)
    if n != 1:
        sys.exit("%s has no markers for the table of systems" % path)
    open(path, "w", encoding="utf-8").write(new)


def write_rows(done):
    """What tools/docs.sh puts into the recipes' pages."""
    kept = {n: {"rows": d["rows"], "calls": d["calls"], "prompt_tokens": d["tokens"], "example": d["example"]} for n, d in sorted(done.items())}
    with open("docs/systems.json", "w", encoding="utf-8") as f:
        f.write("{\n" + ",\n".join("%s: %s" % (json.dumps(n), json.dumps(d, ensure_ascii=False)) for n, d in kept.items()) + "\n}\n")


def main():
    start = time.monotonic()
    recipes = {r["name"]: r for r in json.loads(lib.quern("recipes", "--json")[1])}
    tests = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "tests", "recipes", "test_*.py"))):
        for f in importlib.import_module(os.path.basename(path)[:-3]).TESTS:
            tests[f.__name__] = f
    rows_only = "--rows" in sys.argv
    names = [a for a in sys.argv[1:] if not a.startswith("--")]
    if rows_only:
        lib.SHARED = os.path.join(lib.TMP, "none")          # what stands in the pages is made from examples/ alone
    wanted = names or [r for r in recipes if r in tests or recipes[r]["group"] not in (LONGER, PARTS)]
    missing = [r for r in wanted if r not in tests]
    if missing:
        sys.exit("no test in tests/recipes/ is called %s" % ", ".join(missing))
    done = {name: one(tests[name]) for name in wanted}
    bad = [n for n, d in done.items() if not d["ok"]]
    print("%d systems, %d failed, %.0f s" % (len(done), len(bad), time.monotonic() - start))
    if bad or names:
        sys.exit(bool(bad))
    if rows_only:
        return write_rows(done)
    groups = [(g, [recipes[n] for n in sorted(done) if recipes[n]["group"] == g]) for g in GROUPS + sorted({r["group"] for r in recipes.values()} - set(GROUPS))]
    groups = [(g, rs) for g, rs in groups if rs]
    between("README.md", readme_table(groups, done))
    with open("docs/systems.md", "w", encoding="utf-8") as f:
        f.write(whole_page(groups, done, [r for n, r in sorted(recipes.items()) if n not in done and r["group"] == LONGER]))


main()
