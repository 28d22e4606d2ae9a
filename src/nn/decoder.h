/* decoder: a language model of the Llama family: RMSNorm, rotary positions, grouped-query attention, SwiGLU; with bias on q, k, v
 * and tied embeddings where the model has them (Llama, Qwen2). A model is a folder as Hugging Face transformers writes and
 * reads it: config.json, *.safetensors, tokenizer.json. Weights and sums are f32.
 * Sources: Touvron et al. 2023 (Llama 2); Yang et al. 2024 (Qwen2). One decoder is used by one thread at a time; it splits
 * its work over a pool of its own. */
#ifndef QN_NN_DECODER_H
#define QN_NN_DECODER_H
#include "core/err.h"

typedef struct qn_decoder_config {
    int vocab, d, layers, heads, kv_heads, hd, ff, max_pos;
    float eps, rope_theta;
    float rope_factor, rope_low, rope_high;     /* rope_scaling of type llama3; factor 0: none */
    int rope_original;
    bool tied, qkv_bias;                        /* qkv_bias: a Qwen2 model */
    int32_t bos;                                /* -1: none */
    int32_t eos[8];
    int n_eos;
} qn_decoder_config;

typedef struct qn_decoder qn_decoder;

/* A new model with random weights (normal, sd 0.02). hd 0: d / heads; kv_heads 0: heads; QN_ERECIPE when sizes do not fit. */
qn_code qn_decoder_new(qn_decoder **m, const qn_decoder_config *c, uint64_t seed, qn_err *e);
/* Reads a folder; a LoRA adapter in it (adapter_config.json) is not looked at: qn_decoder_lora_open. A reward or step head
 * (score.weight) is read when there. Owned: qn_decoder_close. */
qn_code qn_decoder_open(qn_decoder **m, const char *dir, qn_err *e);
void    qn_decoder_close(qn_decoder *m);                            /* NULL is fine */
/* Writes config.json and model.safetensors, each whole or not at all; the tokenizer is copied by qn_tokenizer_save. An
 * unmerged adapter is not written: merge it first, or write it with qn_decoder_lora_save. */
qn_code qn_decoder_save(const qn_decoder *m, const char *dir, qn_err *e);
const qn_decoder_config *qn_decoder_cfg(const qn_decoder *m);       /* borrowed */
void    qn_decoder_threads(qn_decoder *m, int n);                   /* <= 0: one for each core, the default */
/* Products in bf16 with f32 sums from now on: about twice the speed; weights, moments and all else stay f32. False, and nothing changes, where the
 * processor has no AVX512_BF16. */
bool    qn_decoder_bf16(qn_decoder *m, bool on);
size_t  qn_decoder_n_params(const qn_decoder *m);
/* Reads config.json alone. */
qn_code qn_decoder_config_read(qn_decoder_config *c, const char *dir, qn_err *e);

/* A text as token ids. weight (n), or NULL: how much the prediction of token i (from those before it) counts; the first
 * token's is never counted. label (n), or NULL: for step rewards, the target (0..1) of the score at token i; negative:
 * none. All borrowed. */
typedef struct { const int32_t *ids; int n; const float *weight, *label; } qn_seq;

/* Logits after each token: out (n, vocab). */
qn_code qn_decoder_logits(qn_decoder *m, const int32_t *ids, int n, float *out, qn_err *e);
/* out[i] = sum of weight * log p(token | those before) of sequence i; NULL weights count every token but the first. */
qn_code qn_decoder_logp(qn_decoder *m, const qn_seq *s, size_t n, double *out, qn_err *e);
/* As above, each token alone: out has the length of all sequences together; 0 for a sequence's first token. */
qn_code qn_decoder_token_logp(qn_decoder *m, const qn_seq *s, size_t n, float *out, qn_err *e);
/* The reward head's score at the last token of each sequence; QN_EUSAGE when the model has no head. */
qn_code qn_decoder_score(qn_decoder *m, const qn_seq *s, size_t n, float *out, qn_err *e);
/* The head's score at every token (step rewards: apply the logistic function): out as for qn_decoder_token_logp. */
qn_code qn_decoder_token_score(qn_decoder *m, const qn_seq *s, size_t n, float *out, qn_err *e);
bool    qn_decoder_has_head(const qn_decoder *m);
void    qn_decoder_add_head(qn_decoder *m);                         /* zeros; nothing when there */

/* Low-rank adapters (Hu et al. 2021): y = W x + alpha / rank * B (A x) for the named modules. `modules`: words of q_proj k_proj
 * v_proj o_proj gate_proj up_proj down_proj between spaces; NULL: all seven. A is random, B zero: the model does not change. */
qn_code qn_decoder_lora_add(qn_decoder *m, int rank, float alpha, const char *modules, uint64_t seed, qn_err *e);
qn_code qn_decoder_lora_open(qn_decoder *m, const char *dir, qn_err *e);        /* a PEFT adapter's folder */
qn_code qn_decoder_lora_save(const qn_decoder *m, const char *dir, const char *base, qn_err *e); /* base: the name of the base model for PEFT */
void    qn_decoder_lora_merge(qn_decoder *m);                                   /* into the weights; the adapter is gone */

/* ---- generation ---- */
/* Called before a token is chosen: set allow[t] = false for tokens sequence `seq` may not take next; `out` are its tokens so
 * far. At least one must stay. allow (vocab), all true at entry. */
typedef void qn_allow_fn(void *arg, size_t seq, const int32_t *out, int n_out, bool *allow);
typedef struct {
    int max_tokens;             /* most tokens to write for each prompt */
    float temperature;          /* 0: the most probable token (greedy) */
    float top_p;                /* 0 or 1: all; else the smallest set of tokens with this much probability */
    uint64_t seed;              /* token number t of prompt i draws from (seed, key of i, t): the batch does not matter */
    const uint64_t *keys;       /* (n) keys of the prompts, or NULL: their numbers */
    const int32_t *stop;        /* ids that end a text, beside the model's eos; they are not in the output */
    int n_stop;
    bool ignore_eos;
    int batch;                  /* prompts decoded at once; 0: 64 */
    qn_allow_fn *allow;         /* or NULL */
    void *allow_arg;
} qn_generate_options;
typedef struct { int32_t *ids; int n; double logp; bool stopped; } qn_generated;   /* ids owned: qn_free; logp of the tokens (and of
    the stop token when stopped) under the model at temperature 1, before masks and top-p */
qn_code qn_decoder_generate(qn_decoder *m, const qn_seq *prompts, size_t n, const qn_generate_options *o, qn_generated *out, qn_err *e);
#endif
