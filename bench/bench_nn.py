#!/usr/bin/env python3
"""The built-in networks beside their peers, one run: embeddings (ONNX Runtime, PyTorch, llama.cpp), generation (llama.cpp), training (PyTorch), BPE
(tiktoken, tokenizers). Writes docs/results_nn.md above its line `<!-- by hand -->`; what stands below stays.

usage: bench/bench_nn.py [--turns 2] [--only embed,generate,train,bpe] [--json FILE] [--no-write]     (tools/setup.sh parity, minilm, llama)
  --json FILE   keeps what was measured there; what is in it and not in --only is taken from it (--only '' writes the page alone)
Everything runs on one thread and is timed by that thread's processor time, in turns, the best counts. The text for BPE is all strings in the JSON files
below $QUERN_DATA, or ../shared/data: passages and questions in a dozen languages, composed (NFC): tiktoken does not do it; none with a special token."""
import argparse, datetime, glob, json, os, platform, subprocess, sys, tempfile, unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON, BIN, DOC, BELOW = ROOT + "/deps/parity-nn/bin/python", ROOT + "/build/bench/", ROOT + "/docs/results_nn.md", "<!-- by hand -->\n"
o = argparse.ArgumentParser()
o.add_argument("--turns", type=int, default=2)
o.add_argument("--only", default="embed,generate,train,bpe")
o.add_argument("--json")
o.add_argument("--no-write", action="store_true")
o = o.parse_args()


def run(script, *args):
    print(script, *args, file=sys.stderr, flush=True)
    out = subprocess.run([PYTHON, ROOT + "/bench/" + script, *map(str, args)], capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert out.returncode == 0, out.stderr[-2000:]
    return [json.loads(line) for line in out.stdout.splitlines() if line.startswith("{")]


def strings(x):
    if isinstance(x, str): yield x
    elif isinstance(x, dict): yield from (s for v in x.values() for s in strings(v))
    elif isinstance(x, list): yield from (s for v in x for s in strings(v))


def bpe():
    data = os.environ.get("QUERN_DATA", ROOT + "/../shared/data")
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/text", "w", encoding="utf-8", newline="\n") as f:
            for path in sorted(glob.glob(data + "/*/*.jsonl") + glob.glob(data + "/*/*.json")):
                with open(path, encoding="utf-8") as g: text = g.read()
                for row in (text.splitlines() if path.endswith("l") else [text]):
                    for s in strings(json.loads(row)) if row.strip() else ():
                        if "<|" not in s: f.write(unicodedata.normalize("NFC", s.replace("\r", " ")) + "\n")
        os.mkdir(d + "/tok")
        trained = json.loads(subprocess.run([BIN + "bench_bpe", "--train", "16000", d + "/text", d + "/tok"], check=True, capture_output=True, text=True).stdout)
        return {"trained": trained, "runs": run("bench_bpe.py", BIN + "bench_bpe", d + "/tok/tokenizer.json", d + "/text")}


MEASURE = {"embed": lambda: run("bench_embed.py", BIN + "bench_embed", o.turns)[-1], "generate": lambda: run("bench_generate.py", BIN + "bench_train", 1, o.turns)[-1],
           "train": lambda: run("bench_train.py", BIN + "bench_train", 1, o.turns)[-1], "bpe": bpe}
got = json.load(open(o.json)) if o.json and os.path.exists(o.json) else {}
for part in filter(None, o.only.split(",")):
    load = os.getloadavg()[0]
    got[part] = {**MEASURE[part](), "load": [load, os.getloadavg()[0]]}
    got["run"] = {"date": str(datetime.date.today()), "cpu": next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.machine()),
                  "commit": subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()}
    if o.json: json.dump(got, open(o.json, "w"), indent=1)


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)] + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def number(x): return format(x, ",.0f")
def against(x, peer): return "%.2f" % (x / peer) if x and peer else "-"


def embeddings(e):
    s, share, cos, peak = e["sentences_per_s"], e["share_of_f32_peak"], e["least_cosine_to_torch"], e["peak_gflop_s"]
    top, ort, tiles = max(peak["f32_avx2"], peak["f32_avx512"]), s["onnxruntime"], peak["bf16_tiles"] > 0
    names = [("quern", "**quern**, f32" + (" on tiles" if tiles else "")), ("quern_fma", "**quern**, f32 by multiply-adds"), ("onnxruntime", "ONNX Runtime, f32"), ("torch", "PyTorch, f32"),
             ("llama.cpp", "llama.cpp, f32"), ("quern_bf16", "**quern**, bf16"), ("llama.cpp_bf16", "llama.cpp, bf16")]
    return ["## Embeddings", "", "all-MiniLM-L6-v2, %d tokens a text, %.3f GFLOP each. The most f32 multiply-adds that this core makes in registers: %.0f GFLOP/s (AVX2 %.0f); bf16 on matrix "
            "tiles %s." % (e["tokens"], e["gflop_per_sentence"], top, peak["f32_avx2"], number(peak["bf16_tiles"]) if tiles else "are not there"), "",
            *table(["by", "sentences per CPU-second", "to ONNX Runtime", "to llama.cpp, same precision", "of the f32 peak", "least cosine to PyTorch"],
                   [[label, "%.0f" % s[k], against(s[k], ort), against(s[k], s["llama.cpp_bf16" if "bf16" in k else "llama.cpp"]), "%.0f%%" % (100 * share[k]), "%.7f" % cos[k]] for k, label in names if s.get(k)]),
            "1.4 times ONNX Runtime would be %.0f%% of that peak, with GELU, norms, softmax and memory still to come. By multiply-adds quern reaches %.0f%% and ONNX Runtime %.0f%%%s"
            % (100 * 1.4 * ort * e["gflop_per_sentence"] / top, 100 * share["quern_fma"], 100 * share["onnxruntime"],
               ". Tiles are another way to the same numbers: each f32 is the sum of three of bf16, and six products of such pieces make one (src/nn/gemm.h; its error is held "
               "against that of multiply-adds in tests/unit/test_nn_kernels.c)." if tiles else "."), ""]


def generation(g):
    p = g["tokens_per_s"]
    return ["## Generation", "", "A decoder of 11 M parameters (320 wide, 8 layers, 5 heads, vocabulary 4,096; random weights, the same for both), %d prompts of 32 tokens at once, 128 tokens each, the most "
            "probable one. Of llama.cpp only the calls that decode count; its cache is of f16, as it is unless told otherwise." % g["batch"], "",
            *table(["by", "tokens per CPU-second", "to llama.cpp", "same tokens as quern in f32"],
                   [[label, number(p[k]), against(p[k], p["llama.cpp_bf16" if "bf16" in k else "llama.cpp"]), "%.1f%%" % (100 * g["equal_tokens"][k]) if k in g["equal_tokens"] else ""]
                    for k, label in (("quern", "**quern**, f32"), ("llama.cpp", "llama.cpp, f32"), ("quern_bf16", "**quern**, bf16"), ("llama.cpp_bf16", "llama.cpp, bf16")) if p.get(k)])]


def training(t):
    p = t["tokens_per_s"]
    return ["## Training", "", "A decoder of %s parameters, 16 rows of 256 tokens a step, AdamW." % number(t["parameters"]), "",
            *table(["by", "tokens per CPU-second", "to PyTorch in f32"], [[label, number(p[k]), against(p[k], p["torch"])] for k, label in
                   (("quern", "**quern**, f32"), ("quern_bf16", "**quern**, bf16"), ("torch", "PyTorch, f32")) if p.get(k)])]


def pairs(b):
    q, r = b["trained"], b["runs"]
    assert all(x["ids_equal"] for x in r[1:]), r
    return ["## Byte-level BPE", "", "%.1f MB of passages and questions, a vocabulary of %s trained on them by quern in %.1f s (%.1f MB per second). All ids are equal." %
            (r[0]["bytes"] / 1e6, number(q["tokens"]), q["seconds"], q["mb_per_s"]), "",
            *table(["by", "MB per CPU-second", "quern to it"], [["**quern**", "%.1f" % r[0]["mb_per_s"], ""]] +
                   [[x["peer"], "%.1f" % x["mb_per_s"], against(r[0]["mb_per_s"], x["mb_per_s"])] for x in r[1:]])]


def page():
    parts = [k for k in MEASURE if k in got]
    names = {"onnxruntime": "ONNX Runtime", "torch": "PyTorch"}
    v = {names.get(k, k): x for part in parts for k, x in got[part].get("versions", {}).items()}
    v.update({x["peer"]: x["version"] for x in got.get("bpe", {}).get("runs", []) if "version" in x})
    load = [x for part in parts for x in got[part]["load"]]
    lines = ["# Figures of the built-in networks", "",
             "Written by `make bench-nn` (bench/bench_nn.py) on %s at commit %s: %s, %d cores, load average %.1f to %.1f. One thread each, by its processor time, in turns, "
             "the best of each. %s." % (got["run"]["date"], got["run"]["commit"], got["run"]["cpu"], os.cpu_count(), min(load), max(load), ", ".join("%s %s" % x for x in v.items())), ""]
    for part in parts: lines += {"embed": embeddings, "generate": generation, "train": training, "bpe": pairs}[part](got[part])
    return "\n".join(lines)


text = page()
print(text)
if not o.no_write:
    below = open(DOC, encoding="utf-8").read().split(BELOW, 1)[1:]
    with open(DOC, "w", encoding="utf-8") as f: f.write(text + "\n" + BELOW + (below[0] if below else ""))
