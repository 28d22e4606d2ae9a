#!/usr/bin/env python3
"""Embeddings by all-MiniLM-L6-v2 beside ONNX Runtime, PyTorch and llama.cpp: the same 256 texts of 32 token ids, one thread, in turns; cosines compared.
usage: bench_embed.py BENCH_EMBED [TURNS] [LENGTH]   (tools/setup.sh parity, minilm and llama make its Python, its model and llama.cpp)
Prints one JSON line: sentences per second of the processor's time, and the products' multiply-adds as a share of the most that this core makes
in registers (bench_peak)."""
import io, json, os, subprocess, sys, tempfile, time, warnings
import numpy as np
import onnxruntime as ort
import torch
from transformers import BertModel, logging

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/peers")
import llama_cpp

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
binary, folder = sys.argv[1], ROOT + "/deps/minilm"
turns, length = int(sys.argv[2]) if len(sys.argv) > 2 else 3, int(sys.argv[3]) if len(sys.argv) > 3 else 32
N = 256
logging.set_verbosity_error()
warnings.simplefilter("ignore")
torch.set_num_threads(1)
rng = np.random.default_rng(1)
ids = rng.integers(1000, 30000, (N, length)).astype(np.int32)
ids[:, 0], ids[:, -1] = 101, 102
i64 = ids.astype(np.int64)
m = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
c = m.config
flop = 2 * length * c.num_hidden_layers * (4 * c.hidden_size ** 2 + 2 * c.hidden_size * c.intermediate_size + 2 * length * c.hidden_size)


class Pooled(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.m = m
    def forward(self, input_ids):
        h = self.m(input_ids=input_ids, attention_mask=torch.ones_like(input_ids)).last_hidden_state
        return torch.nn.functional.normalize(h.mean(1), dim=-1)


def ours(d, out, bf16=False, fma=False):
    """fma: f32 by multiply-adds, without tiles."""
    env = {**os.environ, **({"QUERN_GEMM": "avx512" if peak["f32_avx512"] else "avx2"} if fma else {})}
    p = subprocess.run([binary, folder, "1", d + "/ids", d + out] + ["bf16"] * bf16, capture_output=True, text=True, env=env)
    return (json.loads(p.stdout)["sentences_per_s"], np.fromfile(d + out, np.float32).reshape(N, -1)) if p.returncode == 0 else (0, None)


def peer(run, batch):
    t = time.process_time()
    e = np.concatenate([run(k, k + batch) for k in range(0, N, batch)])
    return N / (time.process_time() - t), e


with tempfile.TemporaryDirectory() as d:
    np.concatenate([np.array([N, length], np.int32), ids.ravel()]).tofile(d + "/ids")
    net = Pooled().eval()
    torch.onnx.export(net, (torch.tensor(i64[:8]),), d + "/m.onnx", input_names=["input_ids"], output_names=["e"],
                      dynamic_axes={"input_ids": {0: "n", 1: "t"}, "e": {0: "n"}}, opset_version=14)
    o = ort.SessionOptions()
    o.intra_op_num_threads = o.inter_op_num_threads = 1
    s = ort.InferenceSession(d + "/m.onnx", o, providers=["CPUExecutionProvider"])
    def torch_run(a, b):
        with torch.no_grad(): return net(torch.tensor(i64[a:b])).numpy()
    runs = {"onnxruntime": [(lambda a, b: s.run(None, {"input_ids": i64[a:b]})[0], n) for n in (16, 32, 64)], "torch": [(torch_run, 32)]}
    for name, half in (("llama.cpp", False), ("llama.cpp_bf16", True)):
        llama_cpp.bert_gguf(folder, d + "/%s.gguf" % name, half)
        k = llama_cpp.Llama(d + "/%s.gguf" % name, 8, length, 1, True)      # of 1 to 64 texts at once 4 and 8 were the fastest
        runs[name] = [(lambda a, b, k=k: k.embed(ids[a:b], c.hidden_size), 8)]
    peak = json.loads(subprocess.run([os.path.dirname(binary) + "/bench_peak"], check=True, capture_output=True, text=True).stdout)
    best, got = {}, {}
    def note(name, speed, e):
        if e is None: return
        best[name], got[name] = max(best.get(name, 0), speed), e
    for turn in range(turns):
        note("quern", *ours(d, "/out"))
        note("quern_fma", *ours(d, "/fma", fma=True))
        note("quern_bf16", *ours(d, "/half", bf16=True))
        for name, ways in runs.items():
            for run, batch in ways: note(name, *peer(run, batch))
        again = json.loads(subprocess.run([os.path.dirname(binary) + "/bench_peak"], check=True, capture_output=True, text=True).stdout)
        peak = {k: max(v, again[k]) if k != "bench" else v for k, v in peak.items()}
release, build = llama_cpp.version()
f32 = max(peak["f32_avx2"], peak["f32_avx512"])
print(json.dumps({"tokens": length, "gflop_per_sentence": flop / 1e9, "peak_gflop_s": peak, "sentences_per_s": best,
                  "share_of_f32_peak": {k: v * flop / 1e9 / f32 for k, v in best.items()},
                  "least_cosine_to_torch": {k: float((e * got["torch"]).sum(1).min()) for k, e in got.items()},
                  "versions": {"onnxruntime": ort.__version__, "torch": torch.__version__, "llama.cpp": release + ", " + build}}))
