#!/usr/bin/env python3
"""Compares nn/ with PyTorch and Hugging Face: writes the fixtures in tests/data/nn (own random weights; expected logits, losses of
100 steps, greedy tokens, embeddings, token ids) that tests/unit/test_nn_parity.c checks without either, then loads back
what quern wrote. Run by `make parity` (tools/setup.sh parity makes its Python). Deterministic: one thread, fixed seeds."""
import json, math, os, subprocess, sys, tempfile
import numpy as np
import torch
from safetensors.torch import save_file
from safetensors.numpy import save_file as save_np, load_file as load_np
from tokenizers import Tokenizer, models, pre_tokenizers, decoders, trainers, normalizers, processors, Regex
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, BertConfig, BertModel

torch.set_num_threads(1)
OUT = "tests/data/nn"
V, N_ROWS, LEN, BATCH, STEPS = 64, 16, 20, 4, 100

def rows_of_tokens(rng):
    """Rows with something to learn: a few first tokens, then a rule on them; weights mark the last two thirds."""
    ids = np.zeros((N_ROWS, LEN), np.int64)
    for r in range(N_ROWS):
        ids[r, :4] = rng.integers(2, V, 4)
        for i in range(4, LEN):
            ids[r, i] = (ids[r, i - 4] * 3 + ids[r, i - 1]) % V if i % 5 else rng.integers(2, V)
    weights = np.zeros((N_ROWS, LEN), np.float32)
    weights[:, 7:] = 1
    return ids, weights

def randomise(model, seed, sd):
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            p.copy_(torch.randn(p.shape, generator=g) * (0.1 if p.dim() == 1 else sd) + (1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0))

def groups(model, decay):
    ps = list(model.parameters())
    return [{"params": [p for p in ps if p.dim() > 1], "weight_decay": decay}, {"params": [p for p in ps if p.dim() == 1], "weight_decay": 0.0}]

def rate(step, lr, warmup, steps):
    return lr * step / warmup if step <= warmup else lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))

def optimise(model, loss_of, steps, lr):
    opt = torch.optim.AdamW(groups(model, 0.1), lr=lr, betas=(0.9, 0.95), eps=1e-8)
    losses = []
    for step in range(1, steps + 1):
        for g in opt.param_groups:
            g["lr"] = rate(step, lr, 10, steps)
        opt.zero_grad()
        loss = loss_of(step - 1)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        losses.append(float(loss))
    return losses

def logp(model, ids, w):
    lp = torch.log_softmax(model(ids).logits[:, :-1].float(), -1).gather(-1, ids[:, 1:, None])[..., 0]
    return (lp * w[:, 1:])

def decoder_fixture(name, model):
    d = f"{OUT}/{name}"
    os.makedirs(d, exist_ok=True)
    ids, weights = rows_of_tokens(np.random.default_rng(7))
    tid, tw = torch.tensor(ids), torch.tensor(weights)
    model.eval()
    save_file({k: v.contiguous() for k, v in model.state_dict().items() if not (model.config.tie_word_embeddings and k == "lm_head.weight")}, f"{d}/model.safetensors", {"format": "pt"})
    json.dump({k: v for k, v in model.config.to_dict().items() if k not in ("transformers_version", "_name_or_path")}, open(f"{d}/config.json", "w"), indent=1)
    start = {k: v.clone() for k, v in model.state_dict().items()}
    with torch.no_grad():
        logits = model(tid[:1]).logits[0].numpy()
        text = tid[:1, :5].clone()
        gaps = []
        for _ in range(50):
            top = model(text).logits[0, -1].topk(2)
            gaps.append(float(top.values[0] - top.values[1]))
            text = torch.cat([text, top.indices[:1][None]], 1)
    assert min(gaps) > 1e-3, ("greedy tokens too close to call", min(gaps))
    def lm(step):
        r = [(step * BATCH + i) % N_ROWS for i in range(BATCH)]
        return -(logp(model, tid[r], tw[r]).sum() / tw[r][:, 1:].sum())
    losses = optimise(model, lm, STEPS, 2e-3)
    model.load_state_dict(start)
    with torch.no_grad():
        ref = logp(model, tid, tw).sum(-1)
    p = torch.tensor([1.0, 0.8, 0.6, 1.0])
    def dpo(step):
        a = [(2 * i) for i in range(4)]; b = [2 * i + 1 for i in range(4)]
        la, lb = logp(model, tid[a], tw[a]).sum(-1), logp(model, tid[b], tw[b]).sum(-1)
        h = 0.2 * (la - ref[a] - lb + ref[b])
        ls = torch.nn.functional.logsigmoid
        return (-p * ls(h) - (1 - p) * ls(-h)).mean()
    dpo_losses = optimise(model, dpo, 40, 1e-3)
    model.load_state_dict(start)
    save_np({"ids": ids.astype(np.float32), "weights": weights, "logits": logits.astype(np.float32), "greedy": text[0].numpy().astype(np.float32),
             "losses": np.array(losses, np.float32), "dpo_losses": np.array(dpo_losses, np.float32)}, f"{d}/expected.safetensors")
    print(name, "parameters", sum(p.numel() for p in model.parameters()), "loss", round(losses[0], 4), "->", round(losses[-1], 4), "dpo", round(dpo_losses[-1], 4))

def embed(model, seqs):
    n = max(map(len, seqs))
    ids = torch.zeros(len(seqs), n, dtype=torch.long)
    mask = torch.zeros(len(seqs), n)
    for i, s in enumerate(seqs):
        ids[i, :len(s)] = torch.tensor(s)
        mask[i, :len(s)] = 1
    h = model(input_ids=ids, attention_mask=mask).last_hidden_state
    e = (h * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return torch.nn.functional.normalize(e, dim=-1)

def encoder_fixture():
    d = f"{OUT}/bert"
    os.makedirs(d, exist_ok=True)
    c = BertConfig(vocab_size=V, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24, max_position_embeddings=32,
                   hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    m = BertModel(c, add_pooling_layer=False)
    randomise(m, 3, 0.4)
    m.eval()
    save_file({k: v.contiguous() for k, v in m.state_dict().items() if "position_ids" not in k}, f"{d}/model.safetensors", {"format": "pt"})
    json.dump({k: v for k, v in c.to_dict().items() if k not in ("transformers_version", "_name_or_path")}, open(f"{d}/config.json", "w"), indent=1)
    rng = np.random.default_rng(5)
    seqs = [rng.integers(1, V, 3 + i % 9).tolist() for i in range(24)]     # 8 rows of query, positive, hard negative; 0 is padding, which PyTorch does not train
    with torch.no_grad():
        e = embed(m, seqs).numpy()
    opt = [seqs[0::3], seqs[1::3], seqs[2::3]]
    def loss(step):
        r = [(step * 4 + i) % 8 for i in range(4)]
        q, pos, neg = (embed(m, [x[i] for i in r]) for x in opt)
        cand = torch.stack([pos, neg], 1).reshape(8, -1)        # positive, negative, positive, negative ...
        return torch.nn.functional.cross_entropy(20 * q @ cand.T, torch.arange(0, 8, 2))
    losses = optimise(m, loss, 40, 1e-3)
    flat = np.full((24, 12), -1, np.float32)
    for i, s in enumerate(seqs):
        flat[i, :len(s)] = s
    save_np({"ids": flat, "embeddings": e, "losses": np.array(losses, np.float32)}, f"{d}/expected.safetensors")
    print("bert", "loss", round(losses[0], 4), "->", round(losses[-1], 4))

# Sentences of our own in twelve languages, and things tokenizers trip over.
TEXTS = [
    "The mill grinds what the farmer brings, no more and no less.", "Die Mühle mahlt, was der Bauer bringt; größer wird der Sack davon nicht.",
    "Le moulin tourne dès l'aube, même quand il pleut.", "El molino muele despacio, ¿pero quién tiene prisa?", "Il mulino è vecchio, però la farina è buona.",
    "O moinho não pára: a água vem da serra.", "Мельница стоит у реки, и мельник знает каждого.", "水车慢慢转，面粉就出来了。", "水車はゆっくり回り、粉ができる。",
    "물레방아는 천천히 돌고 밀가루가 나온다.", "الطاحونة تدور ببطء والدقيق جيد.", "चक्की धीरे चलती है, आटा अच्छा है।", "Değirmen İstanbul'a uzak, ama un ucuz; ılık ekmek güzel.",
    "I'll say we've 12345 sacks, they'd said 1,234.50 - it's NOT what I'm told; DON'T!", "tabs\tand  double  spaces   \n\n  new lines\r\n end ",
    "x = [i**2 for i in range(10)]  # squares\n\treturn x_1 != \"a\\n\"", "naïve café coöperate e\u0301 A\u030a \u00a0 nbsp \u3000 wide \u200b zero", "🙂👍🏽 👨‍👩‍👧 ½ ² Ⅷ ٣ ₿",
    "", " ", "a", "....", "'s 't 'LL ’s ſ 'ſ", "ĳ ﬁ Ǆ ß ẞ \u0001\u007f", "[MASK] <|endoftext|><|im_start|>user\nhi<|im_end|>", "z" * 90 + " " + "ab" * 60, "𝔘𝔫𝔦 𠀀𠀁 𞤀 \U000e0041 end",
]

def tokenizer_fixtures():
    g = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
    c = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|%s| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
    shapes = {"gpt2": None, "llama3": c % "\\p{N}{1,3}", "qwen2": c % "\\p{N}"}
    expected = {"texts": TEXTS, "ids": {}}
    toks = {}
    for name, pat in shapes.items():
        t = Tokenizer(models.BPE(ignore_merges=name == "llama3"))
        if name == "qwen2":
            t.normalizer = normalizers.NFC()
        t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False) if pat is None else pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(pat), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
        t.decoder = decoders.ByteLevel()
        t.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=440, special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
                                                         initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
        if name == "llama3":
            t.post_processor = processors.TemplateProcessing(single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)])
        toks[name] = t
    w = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    w.normalizer = normalizers.BertNormalizer()
    w.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    w.decoder = decoders.WordPiece()
    w.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=420, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    w.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    toks["wordpiece"] = w
    lang = "../shared/data/langid/langid.jsonl"
    rows = [json.loads(l)["text"] for l in open(lang, encoding="utf-8")] if os.path.exists(lang) else []
    for name, t in toks.items():
        t.save(f"{OUT}/tokenizer_{name}.json", pretty=False)
        expected["ids"][name] = [t.encode(s).ids for s in TEXTS]
        if rows:                        # a sum that any difference changes: no text of others is kept
            h = 0
            for r in rows:
                for i in t.encode(r).ids + [-1]:
                    h = (h * 1000003 + i + 2) % (1 << 64)
            expected.setdefault("langid", {})[name] = str(h)
    json.dump(expected, open(f"{OUT}/tokens.json", "w"), ensure_ascii=True, separators=(",", ":"))
    print("tokenizers", {k: v.get_vocab_size() for k, v in toks.items()})

def load_back():
    """What quern writes must load elsewhere and say the same."""
    with tempfile.TemporaryDirectory() as d:
        r = subprocess.run(["build/tests/test_nn_parity"], env={**os.environ, "QN_PARITY_OUT": d}, capture_output=True, text=True)
        assert r.returncode == 0, r.stderr + r.stdout
        for name, cls in (("llama", LlamaForCausalLM), ("qwen2", Qwen2ForCausalLM)):
            m, info = cls.from_pretrained(f"{d}/{name}", output_loading_info=True)
            assert not info["missing_keys"] and not info["unexpected_keys"], info
            want = load_np(f"{d}/{name}/logits.safetensors")["logits"]
            ids = load_np(f"{OUT}/{name}/expected.safetensors")["ids"][:1].astype(np.int64)
            with torch.no_grad():
                far = float(np.abs(m(torch.tensor(ids)).logits[0].numpy() - want).max())
            assert far < 1e-4, far
            print(name, "as quern trained and wrote it, in transformers: logits within", f"{far:.1e}")
            try:
                from peft import PeftModel
            except Exception as e:
                print("peft is not here:", e)
                continue
            p = PeftModel.from_pretrained(cls.from_pretrained(f"{d}/{name}"), f"{d}/{name}_lora")
            want = load_np(f"{d}/{name}_lora/logits.safetensors")["logits"]
            with torch.no_grad():
                far = float(np.abs(p(torch.tensor(ids)).logits[0].numpy() - want).max())
            assert far < 1e-4, far
            print(name, "with quern's adapter, in PEFT: logits within", f"{far:.1e}")
        m = BertModel.from_pretrained(f"{d}/bert", add_pooling_layer=False)
        print("bert as quern wrote it loads in transformers")
        t = Tokenizer.from_file(f"{d}/trained/tokenizer.json")
        want = json.load(open(f"{d}/trained/ids.json"))
        assert [t.encode(s).ids for s in TEXTS] == want
        for s in TEXTS:
            assert t.decode(t.encode(s).ids, skip_special_tokens=False) == s, s
        print("a BPE trained by quern in tokenizers: ids equal,", t.get_vocab_size(), "tokens")

if len(sys.argv) < 2 or sys.argv[1] != "load":
    m = LlamaForCausalLM(LlamaConfig(vocab_size=V, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=40,
                                     max_position_embeddings=96, rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=False))
    randomise(m, 1, 0.3)
    decoder_fixture("llama", m)
    m = Qwen2ForCausalLM(Qwen2Config(vocab_size=V, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=40,
                                     max_position_embeddings=96, rms_norm_eps=1e-6, rope_theta=1000000.0, tie_word_embeddings=True))
    randomise(m, 4, 0.3)
    decoder_fixture("qwen2", m)
    encoder_fixture()
    tokenizer_fixtures()
if os.path.exists("build/tests/test_nn_parity"):
    load_back()
else:
    print("build/tests/test_nn_parity is not built: nothing was loaded back")
