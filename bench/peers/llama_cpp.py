"""llama.cpp as a peer of src/nn: GGUF files written from safetensors folders, and its library (deps/llama, see tools/setup.sh llama) by ctypes.
The library is pinned, since what a struct holds changes from release to release; what is relied on is checked when it is opened."""
import ctypes as C, glob, json, os
import gguf
import numpy as np
from safetensors.numpy import load_file

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = ROOT + "/deps/llama"


# ---- GGUF ----
def halves_of_rope(w, heads):
    """Hugging Face keeps a head's real and imaginary parts in halves, ggml side by side."""
    out, rest = w.shape[0], w.shape[1:]
    return w.reshape(heads, 2, out // heads // 2, *rest).swapaxes(1, 2).reshape(out, *rest)


def write(path, arch, config, tensors, half):
    """tensors: name -> f32 array; matrices of layers in bf16 when `half`. Without a tokenizer: ids go in and come out."""
    g = gguf.GGUFWriter(path, arch)
    g.add_block_count(config["num_hidden_layers"])
    g.add_context_length(config["max_position_embeddings"])
    g.add_embedding_length(config["hidden_size"])
    g.add_feed_forward_length(config["intermediate_size"])
    g.add_head_count(config["num_attention_heads"])
    g.add_vocab_size(config["vocab_size"])
    g.add_tokenizer_model("no_vocab")
    if arch == "bert":
        g.add_layer_norm_eps(config["layer_norm_eps"])
        g.add_causal_attention(False)
        g.add_pooling_type(gguf.PoolingType.MEAN)
        g.add_token_type_count(config["type_vocab_size"])
    else:
        g.add_head_count_kv(config["num_key_value_heads"])
        g.add_layer_norm_rms_eps(config["rms_norm_eps"])
        g.add_rope_freq_base(config["rope_theta"])
        g.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    for name, x in tensors.items():
        x = np.ascontiguousarray(x, np.float32)
        if half and x.ndim == 2 and name.startswith(("blk.", "output.")) or half and name == "token_embd.weight" and arch == "llama":
            g.add_tensor(name, gguf.quants.quantize(x, gguf.GGMLQuantizationType.BF16), raw_dtype=gguf.GGMLQuantizationType.BF16)
        else:
            g.add_tensor(name, x)
    g.write_header_to_file(); g.write_kv_data_to_file(); g.write_tensors_to_file(); g.close()


def renamed(tensors, plain, layers, n_layers):
    """Names of Hugging Face -> names of GGUF; both tables without `.weight`, `.bias`."""
    names = dict(plain)
    for l in range(n_layers):
        names.update({a % l: "blk.%d.%s" % (l, b) for a, b in layers.items()})
    return {names[stem] + "." + end: x for (stem, end), x in ((k.rsplit(".", 1), v) for k, v in tensors.items()) if stem in names}


def bert_gguf(folder, path, half=False):
    config = json.load(open(folder + "/config.json"))
    s = "encoder.layer.%d."
    write(path, "bert", config, renamed(load_file(folder + "/model.safetensors"),
        {"embeddings.word_embeddings": "token_embd", "embeddings.position_embeddings": "position_embd", "embeddings.token_type_embeddings": "token_types",
         "embeddings.LayerNorm": "token_embd_norm"},
        {s + "attention.self.query": "attn_q", s + "attention.self.key": "attn_k", s + "attention.self.value": "attn_v", s + "attention.output.dense": "attn_output",
         s + "attention.output.LayerNorm": "attn_output_norm", s + "intermediate.dense": "ffn_up", s + "output.dense": "ffn_down", s + "output.LayerNorm": "layer_output_norm"},
        config["num_hidden_layers"]), half)


def llama_gguf(folder, path, half=False):
    config = json.load(open(folder + "/config.json"))
    s = "model.layers.%d."
    t = renamed(load_file(folder + "/model.safetensors"), {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"},
        {s + "self_attn.q_proj": "attn_q", s + "self_attn.k_proj": "attn_k", s + "self_attn.v_proj": "attn_v", s + "self_attn.o_proj": "attn_output",
         s + "input_layernorm": "attn_norm", s + "post_attention_layernorm": "ffn_norm", s + "mlp.gate_proj": "ffn_gate", s + "mlp.up_proj": "ffn_up", s + "mlp.down_proj": "ffn_down"},
        config["num_hidden_layers"])
    for name in t:
        for part, heads in (("attn_q.weight", "num_attention_heads"), ("attn_k.weight", "num_key_value_heads")):
            if name.endswith(part): t[name] = halves_of_rope(t[name], config[heads])
    write(path, "llama", config, t, half)


# ---- the library ----
class Params(C.Structure):
    _fields_ = [("word", C.c_uint32 * 128)]     # larger than any of its structs: more is passed than is read


class Batch(C.Structure):
    _fields_ = [("n", C.c_int32), ("token", C.POINTER(C.c_int32)), ("embd", C.c_void_p), ("pos", C.POINTER(C.c_int32)), ("n_seq", C.POINTER(C.c_int32)),
                ("seq", C.POINTER(C.POINTER(C.c_int32))), ("out", C.POINTER(C.c_int8))]


def library():
    find = lambda pattern: glob.glob(FOLDER + "/" + pattern)[0]
    C.CDLL(find("libggml-base*.so"), C.RTLD_GLOBAL)
    ggml = C.CDLL(find("libggml.v*.so"), C.RTLD_GLOBAL)
    lib = C.CDLL(find("libllama.v*.so"))
    quiet = C.CFUNCTYPE(None, C.c_int, C.c_char_p, C.c_void_p)(lambda level, text, data: None)
    lib.quiet = quiet
    lib.llama_log_set(quiet, None)
    ggml.ggml_backend_load_all_from_path(FOLDER.encode())
    for name in ("llama_context_default_params", "llama_model_default_params"): getattr(lib, name).restype = Params
    lib.llama_batch_init.restype = Batch
    lib.llama_model_load_from_file.argtypes = [C.c_char_p, Params]
    lib.llama_init_from_model.argtypes = [C.c_void_p, Params]
    lib.llama_decode.argtypes = lib.llama_encode.argtypes = [C.c_void_p, Batch]
    lib.llama_memory_clear.argtypes = [C.c_void_p, C.c_bool]
    lib.llama_set_n_threads.argtypes = [C.c_void_p, C.c_int32, C.c_int32]
    lib.llama_get_embeddings_seq.argtypes = [C.c_void_p, C.c_int32]
    for name in ("llama_model_load_from_file", "llama_init_from_model", "llama_get_memory", "llama_get_logits", "llama_get_embeddings_seq"): getattr(lib, name).restype = C.c_void_p
    lib.llama_get_memory.argtypes = lib.llama_get_logits.argtypes = [C.c_void_p]
    return lib


def version():
    meta = json.load(open(FOLDER + "/_nlcBuildMetadata.json"))["buildOptions"]["llamaCpp"]["release"]
    return meta, next(os.path.basename(line.split()[-1]) for line in open("/proc/self/maps") if "libggml-cpu-" in line)


class Llama:
    """One model and one context for `seqs` sequences of `length` tokens each. The cache is of f16 and attention is chosen by llama.cpp, as it does
    unless told otherwise: a cache of f32 took five times as long."""
    def __init__(self, path, seqs, length, threads, embeddings):
        self.lib = lib = library()
        lib.llama_backend_init()
        p = lib.llama_context_default_params()
        w = p.word
        assert list(w[:4]) == [512, 2048, 512, 1] and list(w[9:16]) == [0, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1, 0, 0], "llama.cpp's parameters lie elsewhere in this release"
        w[0] = w[1] = w[2] = seqs * length
        w[3] = seqs
        C.cast(p.word, C.POINTER(C.c_bool))[128] = embeddings
        self.model = lib.llama_model_load_from_file(path.encode(), lib.llama_model_default_params())
        assert self.model, "llama.cpp does not load " + path
        self.ctx = lib.llama_init_from_model(self.model, p)
        assert self.ctx
        lib.llama_set_n_threads(self.ctx, threads, threads)
        self.batch = lib.llama_batch_init(seqs * length, 0, 1)
        self.memory = lib.llama_get_memory(self.ctx)

    def fill(self, ids, first_pos, last_only):
        """ids (sequences, tokens): the batch; logits of each sequence's last token, or of all."""
        n, t = ids.shape
        b = self.batch
        b.n = n * t
        as_array = np.ctypeslib.as_array
        as_array(b.token, (n * t,))[:] = ids.ravel()
        as_array(b.pos, (n * t,))[:] = np.tile(np.arange(first_pos, first_pos + t), n)
        as_array(b.n_seq, (n * t,))[:] = 1
        out = np.zeros((n, t), np.int8)
        out[:, -1 if last_only else slice(None)] = 1
        as_array(b.out, (n * t,))[:] = out.ravel()
        if getattr(self, "shape", None) != (n, t):
            for i in range(n * t): b.seq[i][0] = i // t
            self.shape = (n, t)

    def embed(self, ids, d):
        self.fill(ids, 0, False)
        assert self.lib.llama_encode(self.ctx, self.batch) == 0
        rows = np.stack([np.ctypeslib.as_array(C.cast(self.lib.llama_get_embeddings_seq(self.ctx, i), C.POINTER(C.c_float)), (d,)) for i in range(len(ids))])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def step(self, ids, first_pos, vocab):
        """logits (sequences, vocab) after the last token of each; what came before stays in the cache."""
        self.fill(ids, first_pos, True)
        assert self.lib.llama_decode(self.ctx, self.batch) == 0
        return np.ctypeslib.as_array(C.cast(self.lib.llama_get_logits(self.ctx), C.POINTER(C.c_float)), (len(ids), vocab))

    def clear(self):
        if self.memory: self.lib.llama_memory_clear(self.memory, True)
