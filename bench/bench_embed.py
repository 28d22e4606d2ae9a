#!/usr/bin/env python3
"""ONNX Runtime and PyTorch on the token ids of bench_embed: all-MiniLM-L6-v2, 32 tokens, f32, same threads, in turns; cosines compared.
usage: bench_embed.py BENCH_BINARY MODEL_DIR [THREADS] [LENGTH]   (tools/setup.sh parity makes its Python)"""
import json, subprocess, sys, tempfile, time
import numpy as np
import onnxruntime as ort
import torch
from transformers import BertModel

binary, folder = sys.argv[1:3]
threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
length = int(sys.argv[4]) if len(sys.argv) > 4 else 32
N = 256
torch.set_num_threads(threads)
clock = time.process_time if threads == 1 else time.perf_counter     # a busy machine does not change the first
rng = np.random.default_rng(1)
ids = rng.integers(1000, 30000, (N, length)).astype(np.int32)
ids[:, 0], ids[:, -1] = 101, 102
m = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()

class Pooled(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.m = m
    def forward(self, input_ids):
        h = self.m(input_ids=input_ids, attention_mask=torch.ones_like(input_ids)).last_hidden_state
        return torch.nn.functional.normalize(h.mean(1), dim=-1)

with tempfile.TemporaryDirectory() as d:
    np.concatenate([np.array([N, length], np.int32), ids.ravel()]).tofile(d + "/ids")
    p = Pooled().eval()
    torch.onnx.export(p, (torch.tensor(ids[:8].astype(np.int64)),), d + "/m.onnx", input_names=["input_ids"], output_names=["e"],
                      dynamic_axes={"input_ids": {0: "n", 1: "t"}, "e": {0: "n"}}, opset_version=14)
    o = ort.SessionOptions()
    o.intra_op_num_threads = threads
    o.inter_op_num_threads = 1
    s = ort.InferenceSession(d + "/m.onnx", o, providers=["CPUExecutionProvider"])
    i64 = ids.astype(np.int64)
    def peer(run, batch):
        t = clock()
        e = np.concatenate([run(i64[k:k + batch]) for k in range(0, N, batch)])
        return N / (clock() - t), e
    def torch_run(x):
        with torch.no_grad():
            return p(torch.tensor(x)).numpy()
    best = {"ours": 0, "ours_bf16": 0, "onnxruntime": 0, "torch": 0}
    for turn in range(3):
        line = json.loads(subprocess.run([binary, folder, str(threads), d + "/ids", d + "/out"], check=True, capture_output=True, text=True).stdout)
        best["ours"] = max(best["ours"], line["sentences_per_s"])
        half = subprocess.run([binary, folder, str(threads), d + "/ids", d + "/half", "bf16"], capture_output=True, text=True)
        if half.returncode == 0:
            best["ours_bf16"] = max(best["ours_bf16"], json.loads(half.stdout)["sentences_per_s"])
        for batch in (16, 32, 64):
            v, e = peer(lambda x: s.run(None, {"input_ids": x})[0], batch)
            best["onnxruntime"] = max(best["onnxruntime"], v)
        v, te = peer(torch_run, 32)
        best["torch"] = max(best["torch"], v)
    ours = np.fromfile(d + "/out", np.float32).reshape(N, -1)
    halves = np.fromfile(d + "/half", np.float32).reshape(N, -1) if best["ours_bf16"] else None
    print(json.dumps({"tokens": length, "threads": threads, **{k: round(v, 1) for k, v in best.items()}, "onnxruntime_version": ort.__version__,
                      "ours_over_onnxruntime": round(best["ours"] / best["onnxruntime"], 2), "ours_over_torch": round(best["ours"] / best["torch"], 2),
                      "bf16_over_onnxruntime": round(best["ours_bf16"] / best["onnxruntime"], 2), "least_cosine_of_bf16": None if halves is None else float((halves * te).sum(1).min()),
                      "least_cosine_to_torch": float((ours * te).sum(1).min())}))
