/* decoder_net: the inside of a decoder, for the files that train it and generate with it. */
#ifndef QN_NN_DECODER_NET_H
#define QN_NN_DECODER_NET_H
#include "nn/decoder.h"
#include "nn/params.h"

/* Offsets of one layer's parts in the weights. qkv is (q; k; v) rows by d, gu is (gate; up) rows by d. */
typedef struct { size_t norm1, qkv, qkv_bias, o, norm2, gu, down; } qn_layer_at;
enum { QN_LORA_Q, QN_LORA_K, QN_LORA_V, QN_LORA_O, QN_LORA_GATE, QN_LORA_UP, QN_LORA_DOWN, QN_LORA_MODULES };
typedef struct { int rank; float alpha; bool on[QN_LORA_MODULES]; qn_params p; size_t (*at)[QN_LORA_MODULES]; /* (layers): A (rank, in), then B (out, rank) */ } qn_lora;

struct qn_decoder {
    qn_decoder_config c;
    qn_params p;                /* the base */
    size_t embed, norm, head;   /* head: lm_head, equal to embed when tied */
    qn_layer_at *at;
    float *rope;                /* (max_pos used so far, hd) cosines and sines */
    int rope_n;
    qn_lora *lora;              /* or NULL */
    qn_params *score;           /* reward head (1, d), or NULL */
    qn_pool *pool;
    int n_threads;
    bool bf16;                  /* products in bf16 */
    struct qn_acts *acts;
};

/* Sequences one after the other: n tokens, their positions, first rows of the sequences and then n. */
typedef struct { int n, n_seqs; const int32_t *ids, *pos, *starts, *types; } qn_tokens;     /* types: of an encoder's tokens; NULL: all 0 */

/* What a forward pass leaves for its backward pass. */
typedef struct { float *x, *r1, *xn1, *qkv, *att, *lse, *x2, *r2, *xn2, *gu, *h; } qn_layer_acts;
typedef struct qn_acts {
    int cap;
    qn_layer_acts *layer;
    float *last, *rf, *hidden;              /* input of the last norm, its 1/rms, its output (n, d): what heads read */
    float *dhidden;                         /* (n, d) gradient by hidden, filled by the losses */
    float *dx, *dxn, *dwide, *dwide2;       /* of backward */
    float *mem;
} qn_acts;

qn_pool *qn_decoder_pool(qn_decoder *m);
void qn_decoder_rope(qn_decoder *m, int n_pos);                     /* makes the table long enough */
/* Fills m->acts, hidden included. */
void qn_decoder_forward(qn_decoder *m, const qn_tokens *t);
/* From acts->dhidden to gradients: into p.g (when `base`) and lora->p.g (when there), added. Leaves nothing in acts. */
void qn_decoder_backward(qn_decoder *m, const qn_tokens *t, bool base);
/* Over the rows of acts->hidden with coef != 0 (row i predicts target[i]): logp (n) out, others 0. With `back`, dhidden is
 * overwritten with the gradient of -sum coef * logp, and the embedding's (head's) gradient is added to when `base`. */
void qn_decoder_head(qn_decoder *m, int n, const int32_t *target, const float *coef, float *logp, bool back, bool base);

/* Module `k` of a layer in the fused weights: its rows and columns, offset, and first output row. */
typedef struct { size_t at; int out, in, first; } qn_module;
qn_module qn_decoder_module(const qn_decoder *m, int layer, int k);
extern const char *const qn_module_names[QN_LORA_MODULES];          /* "q_proj" ... */
qn_code qn_decoder_check(const qn_decoder *m, const qn_seq *s, size_t n, qn_err *e); /* ids in range, length within max_pos, n >= 1 */

/* Sequences [*from, ...) that together have at most `most` tokens (at least one sequence), laid end to end; moves *from.
 * Owned arrays: qn_packed_free. */
typedef struct { qn_tokens t; int32_t *ids, *pos, *starts; } qn_packed;
void qn_tokens_pack(qn_packed *p, const qn_seq *s, size_t n, size_t *from, int most);
void qn_packed_free(qn_packed *p);
#endif
