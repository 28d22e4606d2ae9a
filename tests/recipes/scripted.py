"""Running a shipped recipe against scripted servers, and looking at what was asked."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import lib
from lib import check, equal


def run(recipe, *args, code=0, **roles):
    """One run; a role's value is the URL of its model. The exit code and the sum of the rows are checked."""
    if "QUERN_RECIPES" in os.environ:           # a folder of recipes to test in place of those inside the program
        recipe = os.path.join(os.path.abspath(os.environ["QUERN_RECIPES"]), recipe + ".yaml")
    r = lib.Run(recipe, *args, *[x for k, url in roles.items() for x in ("--model", "%s=%s" % (k, url))])
    equal(r.code, code, "exit code of %s: %s" % (recipe, r.stderr[-800:]))
    lib.adds_up(r.summary)
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


def main(tests, namespace):
    """Runs the named tests, or all."""
    for f in [namespace[n] for n in sys.argv[1:]] or tests:
        f()
