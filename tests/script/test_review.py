#!/usr/bin/env python3
"""review: the run waits for people and says for whom; decisions decide what is written, survive the loss of the files and a restart, and can be taken
back; overlap, ties, control tasks, agreement; what people wrote is never lost."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

N = 40
rows = write_rows("rows.jsonl", [{"id": i, "prompt": "What is number %d good for?" % i, "score": i % 10, "spread": i % 3} for i in range(N)])
controls = write_rows("controls.jsonl", [{"id": 900 + i, "prompt": "Control %d" % i, "score": 1, "spread": 0, "expected": "accept" if i % 2 else "reject"} for i in range(8)])


def recipe(name, settings):
    p = write(name + ".yaml", """quern: 1
params: {rows: {type: path}}
steps:
  - read_rows: {path: $rows}
  - review: {%s}
  - write: {to: data.jsonl}
""" % settings)
    return p


def tasks(folder):
    d = os.path.join(folder, "review", "review")
    return {f[:-6]: read_rows(os.path.join(d, f)) for f in sorted(os.listdir(d))} if os.path.isdir(d) else {}


def decide(folder, person, how):
    """how(task) gives what to fill in, None to leave it"""
    p = os.path.join(folder, "review", "review", person + ".jsonl")
    lines = read_rows(p)
    with open(p, "w") as f:
        for t in lines:
            t.update(how(t) or {})
            f.write(json.dumps(t) + "\n")


def run(recipe, out=None, code=None, *args):
    r = Run(recipe, "rows=" + rows, *args, out=out)
    check(r.summary, r.stderr)
    adds_up(r.summary)
    if code is not None:
        equal(r.code, code, r.stderr[-300:])
    return r


# ---------------------------------------------------------------- rule, share, three decisions, restart
one = recipe("one", "show: '{prompt}', edit: prompt, rule: '.score < 3 or .spread == 2', share: 0.25, as: review, ask: Is this a request?")
r = run(one, code=1)
picked = {t["show"]["prompt"]: t for t in tasks(r.out)["queue"]}
by_rule = {x["prompt"] for x in read_rows(rows) if x["score"] < 3 or x["spread"] == 2}
check(by_rule <= set(picked) and all(picked[p]["why"] == "rule" for p in by_rule), "the rule's rows are all there")
extra = len(picked) - len(by_rule)
check(1 <= extra <= 10, "about a quarter of the %d others: %d" % (N - len(by_rule), extra))
equal(set(picked[next(iter(picked))]["show"]), {"prompt"}, "people see what `show` says")
equal((r.summary["rows"]["pending"], r.summary["rows"]["accepted"]), (len(picked), N - len(picked)), "what waits is pending, the rest is written")
check("%d rows wait for people (queue %d)" % (len(picked), len(picked)) in json.dumps(r.summary) + r.stderr, "and says for whom", r.stderr)
equal({x["review"]["state"] for x in r.rows()}, {"unreviewed"}, "others pass")
again = run(one, out=r.out, code=1)
equal(tasks(again.out)["queue"], list(picked[p] for p in picked), "asked again, nothing changes")

order = sorted(picked)
kinds = {p: ("accept", "reject", "modify")[i % 3] for i, p in enumerate(order)}
half = set(order[: len(order) // 2])
decide(r.out, "queue", lambda t: t["show"]["prompt"] in half and {"decision": kinds[t["show"]["prompt"]], "note": "n", "edit": {"prompt": t["show"]["prompt"] + " Say why."}})
r = run(one, out=r.out, code=1)
equal(r.summary["rows"]["pending"], len(order) - len(half), "half of them still wait")
decide(r.out, "queue", lambda t: t["decision"] == "" and {"decision": kinds[t["show"]["prompt"]], "edit": {"prompt": t["show"]["prompt"] + " Say why."}})
r = run(one, out=r.out, code=0)
got = {x["id"]: x for x in r.rows()}
for x in read_rows(rows):
    k = kinds.get(x["prompt"])
    if k == "reject":
        check(x["id"] not in got, "rejected rows are not written")
        continue
    state, text = {None: ("unreviewed", x["prompt"]), "accept": ("accepted", x["prompt"]), "modify": ("modified", x["prompt"] + " Say why.")}[k]
    equal((got[x["id"]]["review"]["state"], got[x["id"]]["prompt"]), (state, text), "row %d" % x["id"])
    if k == "modify":
        equal(got[x["id"]]["review"]["before"], {"prompt": x["prompt"]}, "what stood there before is kept")
check(any("rejected by queue" in x["_reason"] for x in r.rows("rejected.jsonl")), "the reason names who")
shutil.rmtree(os.path.join(r.out, "review"))
lost = run(one, out=r.out, code=0)
equal(lost.data(), r.data(), "the files are lost: the ledger still knows every decision")
later = os.path.join(r.out, "review", "review", "queue.jsonl")
os.makedirs(os.path.dirname(later), exist_ok=True)
turned = next(p for p in order if kinds[p] == "reject")
write(later, json.dumps({"task": picked[turned]["task"], "decision": "accept"}) + "\n")
equal(len(run(one, out=r.out, code=0).rows()), len(got) + 1, "a later decision of the same person replaces the earlier")
shutil.rmtree(os.path.dirname(later))
equal(len(run(one, out=r.out, code=0).rows()), len(got) + 1, "and stays")
card = open(os.path.join(r.out, "README.md")).read()
check("Level 4 of 6" in card and "People decided about" in card, "the card says how far people looked")
print("review: %d of %d rows went to people; decisions outlive the files" % (len(picked), N))

# ---------------------------------------------------------------- overlap, ties, agreement
two = recipe("two", "show: '{id, prompt}', edit: prompt, people: [anna, ben, cleo], overlap: 2, scales: {style: 1..5}")
r = run(two, code=1)
work = tasks(r.out)
equal(set(work), {"anna", "ben", "cleo"}, "a file for each")
equal(sum(len(w) for w in work.values()), 2 * N, "two people for each row")
ids = [t["show"]["id"] for w in work.values() for t in w]
check(all(ids.count(i) == 2 for i in range(N)) and all(len({t["task"] for t in w}) == len(w) for w in work.values()), "never the same person twice")
disputed = {0, 1, 2}
first = {}


def vote(t):
    i = t["show"]["id"]
    side = "reject" if i % 4 == 3 else "accept"
    if i in disputed:
        side = "reject" if i in first else "accept"
        first[i] = True
    return {"decision": side, "scores": {"style": 2 if side == "reject" else 4}}


for person in work:
    decide(r.out, person, vote)
r = run(two, out=r.out, code=1)
equal(r.summary["rows"]["pending"], 3, "ties wait")
third = [t["show"]["id"] for w in tasks(r.out).values() for t in w if t["decision"] == ""]
equal(sorted(third), [0, 1, 2], "for a third person each")
log = open(os.path.join(r.out, "run.log")).read()
check("37 of 40 pairs" in log and "alpha 0.8" in log, "agreement is told", [x for x in log.splitlines() if "alpha" in x])
for person in work:
    decide(r.out, person, lambda t: t["decision"] == "" and {"decision": "accept", "scores": {"style": 5}})
r = run(two, out=r.out, code=0)
check("Level 3 of 6" in open(os.path.join(r.out, "README.md")).read(), "all were verified by people")
got = {x["id"]: x["review"] for x in r.rows()}
equal(sorted(got), [i for i in range(N) if i % 4 != 3 or i in disputed], "the majority decides")
equal((len(got[0]["by"]), round(got[0]["scores"]["style"], 3)), (3, 3.667), "marks are means over all three")
print("review: overlap, ties and agreement")

# ---------------------------------------------------------------- control tasks
three = recipe("three", "show: '{prompt}', people: [anna, ben], control: %s, control_share: 0.25" % controls)
r = run(three, code=1)
work = tasks(r.out)
seen = [t for w in work.values() for t in w if t["show"]["prompt"].startswith("Control")]
check(len(seen) >= 8 and not any("expected" in json.dumps(t) for t in seen), "control tasks look like the others", len(seen))
right = {"Control %d" % i: "accept" if i % 2 else "reject" for i in range(8)}
decide(r.out, "anna", lambda t: {"decision": right.get(t["show"]["prompt"], "accept")})
decide(r.out, "ben", lambda t: {"decision": "accept"})
r = run(three, out=r.out, code=1)
left = r.summary["rows"]["pending"]
bens = [t for t in work["ben"] if not t["show"]["prompt"].startswith("Control")]
equal(left, len(bens), "whoever fails the control tasks is not counted")
check("ben: " in open(os.path.join(r.out, "run.log")).read(), "and it is said")
equal({t["task"] for t in tasks(r.out)["anna"] if t["decision"] == ""} >= {t["task"] for t in bens}, True, "the tasks fall to others")
equal({t["decision"] for t in tasks(r.out)["ben"]}, {"accept"}, "what ben wrote stays where it is")
print("review: control tasks")

# ---------------------------------------------------------------- mistakes of people
for line, says in [('{"task": "x", "decision": "maybe"}', "is no decision"), ("{broken", "no JSON"), ('{"decision": "accept"}', "object with `task`")]:
    write(os.path.join(r.out, "review", "review", "zoe.jsonl"), '{"task": "y", "decision": ""}\n' + line + "\n")
    bad = Run(three, "rows=" + rows, out=r.out)
    check(bad.code == 2 or bad.code == 1, bad.code)
    check(says in bad.stderr and "zoe.jsonl:2" in bad.stderr, "a line that is not understood is named", bad.stderr)
os.remove(os.path.join(r.out, "review", "review", "zoe.jsonl"))
few = Run(recipe("five", "people: [anna], overlap: 2"), "rows=" + rows)
check("2 people are to decide" in few.stderr, "too few people are named", few.stderr)
print("review: mistakes are named with their place")
