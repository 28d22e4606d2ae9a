/* encoder_net: the inside of an encoder, for the files that train it. */
#ifndef QN_NN_ENCODER_NET_H
#define QN_NN_ENCODER_NET_H
#include "nn/decoder_net.h"
#include "nn/encoder.h"

typedef struct { size_t qkv, qkv_bias, o, o_bias, norm1, inter, inter_bias, out, out_bias, norm2; } qn_block_at; /* a norm: weight (d), then bias (d) */
typedef struct { float *x, *qkv, *att, *lse, *sum1, *stat1, *y, *inter, *gelu, *sum2, *stat2; } qn_block_acts;
typedef struct {
    int cap;
    bool keep;                  /* each layer has memory of its own, for the backward pass */
    qn_block_acts *layer;
    float *sum0, *stat0, *last; /* before and after the norm of the embeddings is layer[0].x; last (n, d): the output */
    float *dlast, *d1, *d2, *dwide, *mem;
} qn_encoder_acts;

struct qn_encoder {
    qn_encoder_config c;
    qn_params p;
    size_t word, position, type, norm0;
    qn_block_at *at;
    qn_encoder_acts acts;
    qn_tokenizer *tok;
    int max_tokens, n_threads;
    qn_params *span;            /* head that reads answers (span.h): (2, d) and 2, or NULL */
    qn_str *choices;            /* its own answers, owned */
    size_t n_choices;
    bool pooler, bf16;          /* bf16: products in it */
    qn_factor *packed;          /* (layers, 4) weights packed for embedding, or NULL; dropped when weights or precision change */
    qn_pool *pool;
};

qn_pool *qn_encoder_pool(qn_encoder *m);
void qn_encoder_forward(qn_encoder *m, const qn_tokens *t, bool keep);  /* fills acts.last */
void qn_encoder_pack(qn_encoder *m);         /* forward passes use packed weights from now on */
void qn_encoder_unpack(qn_encoder *m);
void qn_encoder_backward(qn_encoder *m, const qn_tokens *t);            /* from acts.dlast, into p.g; needs forward with keep */
/* Mean over each sequence's tokens, then length 1: out (n_seqs, d); norm (n_seqs) the lengths before, or NULL. */
void qn_encoder_pool_rows(qn_encoder *m, const qn_tokens *t, float *out, float *norm);
/* acts.dlast from the gradient by the pooled rows. */
void qn_encoder_pool_back(qn_encoder *m, const qn_tokens *t, const float *out, const float *norm, const float *dout);
#endif
