#!/usr/bin/env python3
"""Writes a tiny GGUF file: a Llama with random weights (one layer, 64 wide, 259 byte tokens), large enough for a server to load and to babble.
Usage: tools/tiny_gguf.py OUT.gguf [SEED].  Format: GGUF version 3, little-endian, tensors in f32, aligned to 32 bytes."""
import random, struct, sys

EMBED, LAYERS, HEADS, FEED, CONTEXT = 64, 1, 4, 128, 512
U32, F32, STRING, ARRAY, I32 = 4, 6, 8, 9, 5

def text(s):
    b = s.encode()
    return struct.pack("<Q", len(b)) + b

def value(kind, v):
    if kind == U32: return struct.pack("<I", v)
    if kind == I32: return struct.pack("<i", v)
    if kind == F32: return struct.pack("<f", v)
    if kind == STRING: return text(v)
    inner, items = v
    return struct.pack("<IQ", inner, len(items)) + b"".join(value(inner, x) for x in items)

def main():
    out, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rnd = random.Random(seed)
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    kinds = [2, 3, 3] + [6] * 256                       # unknown, control, control, byte
    meta = [
        ("general.architecture", STRING, "llama"), ("general.name", STRING, "tiny"), ("general.file_type", U32, 0),
        ("llama.context_length", U32, CONTEXT), ("llama.embedding_length", U32, EMBED), ("llama.block_count", U32, LAYERS),
        ("llama.feed_forward_length", U32, FEED), ("llama.attention.head_count", U32, HEADS), ("llama.attention.head_count_kv", U32, HEADS),
        ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5), ("llama.rope.dimension_count", U32, EMBED // HEADS), ("llama.vocab_size", U32, len(tokens)),
        ("tokenizer.ggml.model", STRING, "llama"), ("tokenizer.ggml.tokens", ARRAY, (STRING, tokens)),
        ("tokenizer.ggml.scores", ARRAY, (F32, [0.0] * len(tokens))), ("tokenizer.ggml.token_type", ARRAY, (I32, kinds)),
        ("tokenizer.ggml.bos_token_id", U32, 1), ("tokenizer.ggml.eos_token_id", U32, 2), ("tokenizer.ggml.unknown_token_id", U32, 0),
        ("tokenizer.chat_template", STRING, "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"),
    ]
    vocab = len(tokens)
    tensors = [("token_embd.weight", (EMBED, vocab)), ("output_norm.weight", (EMBED,)), ("output.weight", (EMBED, vocab))]
    for i in range(LAYERS):
        b = f"blk.{i}."
        tensors += [(b + "attn_norm.weight", (EMBED,)), (b + "ffn_norm.weight", (EMBED,))]
        tensors += [(b + f"attn_{x}.weight", (EMBED, EMBED)) for x in ("q", "k", "v", "output")]
        tensors += [(b + "ffn_gate.weight", (EMBED, FEED)), (b + "ffn_up.weight", (EMBED, FEED)), (b + "ffn_down.weight", (FEED, EMBED))]
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(meta))
    for key, kind, v in meta: head += text(key) + struct.pack("<I", kind) + value(kind, v)
    data = b""
    for name, shape in tensors:
        n = 1
        for d in shape: n *= d
        norm = name.endswith("norm.weight")
        head += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", 0, len(data))
        data += struct.pack(f"<{n}f", *([1.0] * n if norm else [rnd.gauss(0, 0.05) for _ in range(n)]))
        data += b"\0" * (-len(data) % 32)
    with open(out, "wb") as f: f.write(head + b"\0" * (-len(head) % 32) + data)

main()
