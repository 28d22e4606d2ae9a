#!/usr/bin/env python3
"""The mock server's own promise: what it answers hangs on the text that is asked and on how often it was asked, not on the order of arrival."""
import http.client, os, random, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

RULES = [{"match": "late", "from": 2, "to": 2, "reply": "second {{seen}}"}, {"match": "late", "times": 1, "reply": "once"},
         {"every": 5, "reply": "fifth {{n}}"}, {"every": 3, "reply": "third {{n}} {{seen}}"}, {"reply": "plain {{n}} {{hash}}"}]


def answers(rules, texts):
    """What each of the texts got, in the order asked."""
    mock = Mock(rules)
    http_ = http.client.HTTPConnection("127.0.0.1", mock.port)
    got = []
    for t in texts:
        http_.request("POST", "/v1/chat/completions", json.dumps({"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": t}]}), {"Content-Type": "application/json"})
        got.append((t, json.loads(http_.getresponse().read())["choices"][0]["message"]["content"]))
    mock.stop()
    return got


texts = ["question %d" % i for i in range(60)] + ["late %d" % i for i in range(6)] * 3
first = answers(RULES, texts)
for seed in range(3):
    mixed = list(texts)
    random.Random(seed).shuffle(mixed)
    equal(sorted(answers(RULES, mixed)), sorted(first), "the answers in another order")
for word, share in (("fifth", 5), ("third", 3)):
    n = sum(a.startswith(word) for t, a in first if t.startswith("question"))
    check(60 / share / 3 < n < 60 / share * 2, "about one text in %d is answered by `every`:" % share, n)
for i in range(6):
    got = [a for t, a in first if t == "late %d" % i]
    equal(got[:2], ["once", "second 2"], "a text's first and second request")
    check(got[2].split()[0] in ("fifth", "third", "plain"), "and its third", got)

# the same text again and again: one in three, and a number that was not there before
got = [a.split() for _, a in answers([{"every": 3, "reply": "third {{n}}"}, {"reply": "plain {{n}}"}], ["the same"] * 12)]
equal(sum(a[0] == "third" for a in got), 4, "one in three of the same text")
equal([a[0] for a in got[:3]] * 4, [a[0] for a in got], "at equal distances")
equal([int(a[1]) for a in got], [int(got[0][1]) + k for k in range(12)], "numbers of a text")
check(int(got[0][1]) >= 100000, "of six digits", got[0])

# together: as they arrive, whatever their text
got = [a for _, a in answers([{"nth": 2, "together": True, "reply": "x"}, {"every": 4, "together": True, "reply": "y"}, {"reply": "-"}], texts[:9])]
equal("".join(got), "-x--y---y", "counted together; the second rule does not see what the first has answered")
print("66 texts in four orders: the same answers; `every`, `nth`, `times` and {{n}} go by the text, `together` by arrival")
