#!/usr/bin/env python3
"""PyTorch at the shapes of bench_train (transformers' Llama, f32, AdamW), turn by turn with ours on the same machine.
usage: bench_train.py BENCH_BINARY [THREADS] [TURNS]   (tools/setup.sh parity makes its Python)"""
import json, subprocess, sys, time
import torch
from transformers import LlamaConfig, LlamaForCausalLM

binary, threads, turns = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1, int(sys.argv[3]) if len(sys.argv) > 3 else 2
torch.set_num_threads(threads)
clock = time.process_time if threads == 1 else time.perf_counter     # a busy machine does not change the first
V, LEN, BATCH = 4096, 256, 16
m = LlamaForCausalLM(LlamaConfig(vocab_size=V, hidden_size=320, num_hidden_layers=8, num_attention_heads=5, num_key_value_heads=5,
                                 intermediate_size=864, max_position_embeddings=512, tie_word_embeddings=True, use_cache=False))
m.train()
opt = torch.optim.AdamW(m.parameters(), lr=1e-3, weight_decay=0.1)
ids = torch.randint(0, 300, (BATCH, LEN))

def step():
    t = clock()
    opt.zero_grad(set_to_none=True)
    loss = m(ids, labels=ids).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
    opt.step()
    return clock() - t

def ours(*kind):
    out = subprocess.run([binary, "train", str(threads), "3", *kind], capture_output=True, text=True)
    return json.loads(out.stdout)["tokens_per_s"] if out.returncode == 0 else 0


step()
best = {}
for turn in range(turns):
    for name, speed in (("quern", lambda: ours()), ("quern_bf16", lambda: ours("bf16")), ("torch", lambda: BATCH * LEN / min(step() for _ in range(2)))):
        best[name] = max(best.get(name, 0), speed())
print(json.dumps({"threads": threads, "parameters": sum(p.numel() for p in m.parameters()), "tokens_per_s": best, "versions": {"torch": torch.__version__}}))
