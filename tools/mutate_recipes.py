#!/usr/bin/env python3
"""Takes each filter, loop and draw out of each shipped recipe, one at a time, and runs that recipe's test: a test that does not notice is too weak.

Usage: tools/mutate_recipes.py [RECIPE ...] [-j N]. Needs a build. Needs PyYAML. Prints what was not noticed, and the counts; exit 1 when something was not.
A step that is taken out becomes one that lets everything pass, with its name and its branches; a loop goes round once; a draw always gives the first."""
import concurrent.futures, copy, glob, importlib, os, subprocess, sys, tempfile
import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILTERS = {"keep", "novel", "refusals", "copied", "repetition", "decontaminate", "in_source", "balance", "language", "licence", "code_parses", "dedup_exact", "dedup_minhash",
           "dedup_embedding", "dedup_substring", "check_calls", "check_code", "check_number", "check_schema", "check_command", "check_sql", "item_response", "answer_span",
           "mine_negatives", "roughen", "sample", "classify", "perplexity", "vote", "tries", "learned_filter", "diverse", "pii", "toxicity", "quality_gopher", "readability", "judge"}
# Where later steps need a field that the filter writes, it stays with settings that let everything pass.
OPEN = {"in_source": {"min": 0, "strict": False, "unanswerable": True}, "item_response": {"least": 0}, "novel": {"over": 1}, "classify": {"min": 0}, "learned_filter": {"min": 0}, "collect": {"least": 1}, "check_schema": None}


class Loader(yaml.SafeLoader):
    """As quern reads: yes, no, on and off are texts."""


Loader.yaml_implicit_resolvers = {k: [r for r in v if r[0] != "tag:yaml.org,2002:bool" or k in "tf"] for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def operator(step):
    return next((k for k in step if k not in ("name", "from", "when")), None)


def walk(steps, at=()):
    for i, step in enumerate(steps):
        yield at + (i,), step
        inner = step.get(operator(step))
        if isinstance(inner, dict) and isinstance(inner.get("steps"), list):
            yield from walk(inner["steps"], at + (i,))


def step_at(recipe, at):
    steps = recipe["steps"]
    for i in at[:-1]:
        step = steps[i]
        steps = step[operator(step)]["steps"]
    return steps[at[-1]]


def mutants(recipe):
    """(what, the recipes to try in order: the first that can be planned counts)."""
    for at, step in walk(recipe["steps"]):
        op = operator(step)
        given = step[op] if isinstance(step[op], dict) else {}
        label = "%s: %s%s" % (".".join(map(str, at)), op, " " + str(given.get("why") or given.get("text") or given.get("as") or "")[:50])

        def changed(edit):
            m = copy.deepcopy(recipe)
            edit(step_at(m, at))
            return m

        def let_pass(s):
            s.pop(op)
            s["keep"] = {"where": "true", "why": "taken_out"}
        if op in FILTERS:
            tries = [changed(let_pass)]
            if OPEN.get(op):
                tries.append(changed(lambda s: s[op].update(OPEN[op])))
            yield label, tries
        elif op == "repeat":
            yield label + " goes round once", [changed(lambda s: s[op].update(times=1))]
            if "until" in given:
                yield label + " without until", [changed(lambda s: s[op].pop("until"))]
            if given.get("again"):
                yield label + " without again", [changed(lambda s: s[op].pop("again"))]
        elif op == "grow":
            yield label + " one round", [changed(lambda s: s[op].update(rounds=1))]
        elif op == "draw" and isinstance(given.get("from"), list) and len(given["from"]) > given.get("n", 1):
            yield label + " always the first", [changed(lambda s: (s[op].update({"from": s[op]["from"][:max(1, s[op].get("n", 1))]}), s[op].pop("weights", None)))]


def run(test, name, text, folder):
    for f in glob.glob(os.path.join(ROOT, "recipes", "*.yaml")):
        os.symlink(f, os.path.join(folder, os.path.basename(f)))
    path = os.path.join(folder, name + ".yaml")
    os.unlink(path)
    with open(path, "w") as f:
        f.write(text)
    env = {**os.environ, "QUERN_RECIPES": folder, "QUERN_BUILD": os.environ.get("QUERN_BUILD", os.path.join(ROOT, "build"))}
    try:
        p = subprocess.run([sys.executable, test, name], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        return 124, "over 120 s"
    return p.returncode, (p.stdout + p.stderr).strip()


def try_one(job):
    name, test, what, recipes = job
    for recipe in recipes:
        with tempfile.TemporaryDirectory(prefix="quern-mutant-") as folder:
            code, said = run(test, name, yaml.safe_dump(recipe, sort_keys=False, width=100000, allow_unicode=True), folder)
        if "exit code" in said and ("which no step before it makes" in said or "there is no field" in said or "has no field" in said or "unknown field" in said) and recipe is not recipes[-1]:
            continue
        return name, what, code, said
    return name, what, code, said


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("-")]
    n_jobs = int(sys.argv[sys.argv.index("-j") + 1]) if "-j" in sys.argv else 1
    words = [w for w in words if not w.isdigit()]
    sys.path.insert(0, os.path.join(ROOT, "tests", "recipes"))
    tests = {f.__name__: path for path in sorted(glob.glob(os.path.join(ROOT, "tests", "recipes", "test_*.py"))) for f in importlib.import_module(os.path.basename(path)[:-3]).TESTS}
    jobs = []
    for name in words or sorted(tests):
        with open(os.path.join(ROOT, "recipes", name + ".yaml")) as f:
            recipe = yaml.load(f, Loader)
        jobs.append((name, tests[name], None, [recipe]))
        jobs += [(name, tests[name], what, recipes) for what, recipes in mutants(recipe)]
    missed = broken = total = 0
    with concurrent.futures.ThreadPoolExecutor(n_jobs) as pool:
        for name, what, code, said in pool.map(try_one, jobs):
            if what is None:
                if code != 0:
                    broken += 1
                    print("%s: its test fails as it is: %s" % (name, said[-300:]), flush=True)
                continue
            total += 1
            if code == 0:
                missed += 1
                print("not noticed: %s %s" % (name, what), flush=True)
            elif "-v" in sys.argv:
                print("noticed: %s %s: %s" % (name, what, said.splitlines()[-1][:150] if said else ""), flush=True)
    print("%d steps taken out, %d not noticed" % (total, missed))
    sys.exit(bool(missed or broken))


main()
