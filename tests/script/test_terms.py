#!/usr/bin/env python3
"""Terms: a teacher whose terms forbid it stops the run before a request is sent; its own family is excepted; unknown terms are a warning."""
import os, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

mock = Mock()
rows = write_rows("p.jsonl", [{"prompt": "Hello?"}])
config = path("quern.yaml")
with open(config, "w") as f:
    f.write("models:\n")
    for name, terms in [("llama2", "terms: llama2"), ("apache", "licence: apache-2.0"), ("mine", "about: nothing is known")]:
        f.write("  %s:\n    url: http://127.0.0.1:%d/v1\n    name: %s-model\n    %s\n" % (name, mock.port, name, terms))


def run(model, *args):
    return Run("ask", "rows=" + rows, "--model", "m=" + model, "--config", config, *args)


r = run("llama2", "--for", "my-own-7b")
equal(r.code, 2, "forbidden terms stop the run: " + r.stderr)
check("may not train my-own-7b" in r.stderr and "llama2" in r.stderr, r.stderr)
equal(len(mock.requests()), 0, "nothing was sent")
for model, student in [("llama2", "Llama-2-7b-chat"), ("llama2", "evaluation"), ("apache", "my-own-7b"), ("mine", "my-own-7b")]:
    r = run(model, "--for", student)
    equal(r.code, 0, "%s for %s: %s" % (model, student, r.stderr))
print("forbidden terms stop, a family's own, evaluation and free licences go on")
