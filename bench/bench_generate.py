#!/usr/bin/env python3
"""Generation beside llama.cpp: the same 11 M-parameter decoder (random weights, written by bench_train, turned into GGUF), the same 64 prompts of
32 tokens at once, 128 tokens each, the most probable token every time, in turns; f32 and bf16. Of llama.cpp only the calls that decode are timed.
usage: bench_generate.py BENCH_TRAIN [THREADS] [TURNS]   (tools/setup.sh parity and llama make its Python and its library)"""
import json, os, subprocess, sys, tempfile, time
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/peers")
import llama_cpp

binary, threads, turns = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1, int(sys.argv[3]) if len(sys.argv) > 3 else 2
clock = time.process_time if threads == 1 else time.perf_counter     # a busy machine does not change the first
PROMPT, NEW, N = 32, 128, 64


def ours(kind, folder):
    out = subprocess.run([binary, "generate", str(threads), str(N), kind] + ([folder] if folder else []), capture_output=True, text=True)
    return json.loads(out.stdout)["tokens_per_s"] if out.returncode == 0 else 0


def theirs(m, prompts, vocab):
    m.clear()
    t = 0.0
    x, at, new = prompts, 0, []
    for _ in range(NEW):
        t0 = clock()
        logits = m.step(x, at, vocab)
        t += clock() - t0
        at += x.shape[1]
        x = logits.argmax(1).astype(np.int32)[:, None]
        new.append(x)
    return N * NEW / t, np.hstack(new)


with tempfile.TemporaryDirectory() as d:
    best = {"quern": ours("f32", d), "quern_bf16": ours("bf16", None), "llama.cpp": 0, "llama.cpp_bf16": 0}
    config = json.load(open(d + "/config.json"))
    rows = np.fromfile(d + "/ids", np.int32).reshape(N, PROMPT + NEW)
    models = {}
    for name, half in (("llama.cpp", False), ("llama.cpp_bf16", True)):
        llama_cpp.llama_gguf(d, d + "/%s.gguf" % name, half)
        models[name] = llama_cpp.Llama(d + "/%s.gguf" % name, N, PROMPT + NEW, threads, False)
    same = {}
    for turn in range(turns):
        for name, m in models.items():
            speed, new = theirs(m, rows[:, :PROMPT], config["vocab_size"])
            best[name] = max(best[name], speed)
            same[name] = float((new == rows[:, PROMPT:]).mean())
        for name, kind in (("quern", "f32"), ("quern_bf16", "bf16")):
            if best[name]: best[name] = max(best[name], ours(kind, None))
    release, build = llama_cpp.version()
    print(json.dumps({"batch": N, "threads": threads, "tokens_per_s": best, "equal_tokens": same, "versions": {"llama.cpp": release + ", " + build}}))
