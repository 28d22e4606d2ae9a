"""Running a shipped recipe against scripted servers, and looking at what was asked.

A recipe's script and check stand in one place: the function of its name in one of the files beside, which gives back the figure of the check.
The tests run it, and so does `make systems`, for which the first run of the recipe counts: that on real sources."""
import collections, os, re, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
import sources
from lib import check, equal

RUNS = []       # (recipe, summary) of every run so far
OUTS = []       # their folders


def run(recipe, *args, code=0, timeout=120, out=None, **roles):
    """One run; a role's value is the URL of its model. The exit code and the sum of the rows are checked."""
    name = recipe
    if "QUERN_RECIPES" in os.environ:           # a folder of recipes to test in place of those inside the program
        recipe = os.path.join(os.path.abspath(os.environ["QUERN_RECIPES"]), recipe + ".yaml")
    r = lib.Run(recipe, *args, *[x for k, url in roles.items() for x in ("--model", "%s=%s" % (k, url))], timeout=timeout, out=out)
    equal(r.code, code, "exit code of %s: %s" % (recipe, r.stderr[-800:]))
    lib.adds_up(r.summary)
    RUNS.append((name, r.summary))
    OUTS.append((name, r.out))
    return r


def requests(mock):
    """Bodies of the requests that asked a model."""
    return [q["body"] for q in mock.requests() if isinstance(q.get("body"), dict)]


def user(request):
    return request["messages"][-1]["content"] if "messages" in request else request["prompt"]


def system(request):
    return request["messages"][0]["content"] if request["messages"][0]["role"] == "system" else ""


def asked(mock, text):
    return [r for r in requests(mock) if text in user(r)]


def rouge_l(a, b):
    """ROUGE-L F of two texts, by the table of the longest common subsequence."""
    a, b = (re.findall("[a-z0-9]+", t.lower()) for t in (a, b))
    row = [0] * (len(b) + 1)
    for x in a:
        prev = 0
        for j, y in enumerate(b, 1):
            row[j], prev = (prev + 1 if x == y else max(row[j], row[j - 1])), row[j]
    return 2 * row[-1] / (len(a) + len(b)) if a and b else 0


def rejects(recipe, *want):
    """Each of these took rows out in some run of the recipe: reasons of `keep`, names of other operators; a name given twice means two steps of it."""
    steps = {(s["step"], r["reason"].split(" ")[0].split(":")[0] if s["op"] == "keep" else s["op"]) for n, summary in RUNS if n == recipe for s in summary["per_step"] for r in s["reasons"]
             if r.get("verdict") == "rejected"}
    found = collections.Counter(what for _, what in steps)
    missing = collections.Counter(want) - found
    check(not missing, "%s: nothing was rejected by" % recipe, dict(missing), "but by", dict(found))


def told(counts):
    """{"a": 1, "b": 2} as words: a 1, b 2."""
    return ", ".join("%s %s" % (k, counts[k]) for k in sorted(counts))


def varies(rows, field, least=2):
    values = {str(x[field]) for x in rows}
    check(len(values) >= least, "`%s` has %d values, not %d" % (field, len(values), least), values)


class Skip(Exception):
    """What a test needs is not here."""


def needs_sandbox():
    if "a sandbox needs" in lib.quern("apply", "check_code", "language=sh", stdin=b'{"code": "true"}')[2]:
        raise Skip("no sandbox can be made here")


def main(tests):
    """Runs the named tests, or all."""
    for f in [t for t in tests if not sys.argv[1:] or t.__name__ in sys.argv[1:]]:
        try:
            print("%s: %s" % (f.__name__, f()))
        except Skip as why:
            print("skipped: %s: %s" % (f.__name__, why))
