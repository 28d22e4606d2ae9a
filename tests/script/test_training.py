#!/usr/bin/env python3
"""Training steps: the model is named by later steps, trained once, killed and resumed to the same weights, and asked like any model."""
import os, random, signal, subprocess, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib import *

rng = random.Random(1)
sums = [(rng.randrange(10), rng.randrange(10)) for _ in range(900)]
rows = write_rows("sums.jsonl", [{"q": "%d + %d" % s, "a": str(sum(s))} for s in sums])
FILES = ["data.jsonl", "model.synth.jsonl", "models/synth/model.safetensors", "models/synth/tokenizer.json"]


def recipe(name, epochs, tail):
    p = path(name)
    with open(p, "w") as f:
        f.write("""quern: 1
params:
  rows: {type: path}
steps:
  - read_rows: {path: $rows}
  - name: parts
    split: {shares: {one: 0.8, two: 0.2}, by: .q}
  - name: one
    keep: {where: '.split == "one"'}
  - name: synth
    train_sft: {prompt: '{{ .q }} =', reply: .a, size: {wide: 32, layers: 2, heads: 2, vocab: 270, max_tokens: 32}, epochs: %d, batch: 16, lr: 4e-3, checkpoint: 0.05}
  - from: parts
    keep: {where: '.split == "two"'}
%s""" % (epochs, tail))
    return p


ask = recipe("ask.yaml", 12, """  - ask: {model: $synth, prompt: '{{ .q }} =', as: said, temperature: 0, max_tokens: 6}
  - set: {fields: {right: '.said == .a'}}
""")
first = Run(ask, "rows=" + rows)
equal(first.code, 0, "training and asking: " + first.stderr)
adds_up(first.summary)
got = first.rows()
right = sum(r["right"] for r in got) / len(got)
about = first.rows("model.synth.jsonl")[0]
check(len(got) > 80 and right > 0.5, "the trained model adds: %.2f of %d" % (right, len(got)))
check(about["loss_last"] < 0.5 * about["loss_first"], "the loss falls", about)
equal(about["rows"] + len(got), 900, "each row is in one slice")

# again: nothing is trained, nothing asked anew
weights = os.path.join(first.out, FILES[2])
before = os.stat(weights).st_mtime_ns
again = Run(ask, "rows=" + rows, out=first.out)
equal(os.stat(weights).st_mtime_ns, before, "a second run does not train")
equal(again.summary["calls"]["sent"], 0, "a second run asks nothing")

# other workers, and killed in the middle
for name, workers, kill in [("one worker", "1", False), ("killed", "2", True)]:
    out = path("out-" + name.replace(" ", "-"))
    if kill:
        p = subprocess.Popen([QUERN, "run", ask, "rows=" + rows, "-o", out, "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        models = os.path.join(out, "models")
        end = time.time() + 60
        while time.time() < end and not (os.path.isdir(models) and any(f.endswith(".checkpoint") for f in os.listdir(models))):
            time.sleep(0.002)
        os.kill(p.pid, signal.SIGKILL)
        p.wait()
        check(any(f.endswith(".checkpoint") for f in os.listdir(models)) and not os.path.exists(os.path.join(models, "synth")), "it was killed in the middle of the training")
    r = Run(ask, "rows=" + rows, "-j", workers, out=out)
    equal(r.code, 0, name + ": " + r.stderr)
    for f in FILES:
        check(r.data(f) == first.data(f), "%s: %s differs" % (name, f))
    check(not any(f.endswith((".checkpoint", ".part")) for f in os.listdir(os.path.join(out, "models"))), "nothing is left over")

# the folder is a model like any other; tries with it, killed among the tries
tries = path("tries.yaml")
with open(tries, "w") as f:
    f.write("""quern: 1
params:
  rows: {type: path}
  m: {type: model}
steps:
  - read_rows: {path: $rows}
  - tries: {model: $m, prompt: '{{ .q }} =', expected: .a, k: 5, early: no, temperature: 1, max_tokens: 6}
""")
model = "m=" + os.path.join(first.out, "models", "synth")
whole = Run(tries, "rows=" + rows, "--model", model)
equal(whole.code, 0, "tries: " + whole.stderr)
s = whole.summary["rows"]
check(s["accepted"] > 0.5 * 900 and s["rejected"] > 0, "the filter keeps what the model can do", s)
out = path("out-tries")
p = subprocess.Popen([QUERN, "run", tries, "rows=" + rows, "--model", model, "-o", out, "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
ledger = os.path.join(out, "ledger.db-wal")
end = time.time() + 60
while time.time() < end and not (os.path.exists(ledger) and os.path.getsize(ledger) > 200000):
    time.sleep(0.002)
os.kill(p.pid, signal.SIGKILL)
p.wait()
check(not os.path.exists(os.path.join(out, "data.jsonl")), "it was killed in the middle of the tries")
r = Run(tries, "rows=" + rows, "--model", model, out=out)
for f in ["data.jsonl", "rejected.jsonl"]:
    check(r.data(f) == whole.data(f), "killed among the tries: %s differs" % f)

code, _, err = quern("run", tries, "rows=" + rows, "--model", "m=" + TMP, "-o", path("out-none"))
check(code == 2 and "holds no model" in err, "a folder without a model is a mistake that is named", err)
print("%.0f%% of unseen sums right; the same %d bytes of weights on 1 and 2 workers and after kill -9" % (100 * right, os.path.getsize(weights)))
