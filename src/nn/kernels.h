/* kernels: what networks do between matrix products, forward and backward, on f32 rows. A token is a row; a batch is n rows
 * of all its sequences one after the other, without padding. Every number is summed in an order that does not depend on
 * the number of threads. `_ref` beside a fast version is the textbook formula in double precision.
 * Names: d* is the gradient of the loss by *. Backward functions add to dw-like parameters and overwrite or add to dx as
 * each says. */
#ifndef QN_NN_KERNELS_H
#define QN_NN_KERNELS_H
#include "nn/gemm.h"

/* RMSNorm (Zhang & Sennrich 2019): y = w * x / sqrt(mean(x^2) + eps). x, y (n, d); w (d); rinv out (n), kept for backward. */
void qn_rmsnorm(qn_pool *p, int n, int d, float eps, const float *x, const float *w, float *y, float *rinv);
/* dx += (n, d); dw += (d), or NULL */
void qn_rmsnorm_back(qn_pool *p, int n, int d, const float *x, const float *w, const float *rinv, const float *dy,
                     float *dx, float *dw);

/* LayerNorm (Ba et al. 2016): y = w * (x - mean) / sqrt(var + eps) + b. stat out (n, 2): mean, 1 / sd. */
void qn_layernorm(qn_pool *p, int n, int d, float eps, const float *x, const float *w, const float *b, float *y, float *stat);
/* dx = (n, d) overwritten; dw, db += (d), or both NULL */
void qn_layernorm_back(qn_pool *p, int n, int d, const float *x, const float *w, const float *stat, const float *dy,
                       float *dx, float *dw, float *db);

/* Rotary positions (Su et al. 2021) in the layout of Hugging Face: halves of a head are the real and imaginary parts.
 * x (n, stride), the first `heads` heads of width hd of each row are turned in place; pos (n) the tokens' positions;
 * table (max_pos, hd): hd/2 cosines, then hd/2 sines; back turns the other way (its own gradient). */
void qn_rope(qn_pool *p, int n, int heads, int hd, int stride, const int32_t *pos, const float *table, bool back, float *x);

/* Grouped-query attention (Ainslie et al. 2023) of packed sequences; a token sees tokens of its own sequence only, with
 * `causal` only those up to itself.
 *   qkv (n, (heads + 2 kv_heads) * hd): queries, keys, values of each token     out (n, heads * hd)
 *   lse (heads, n) out: log of the softmax's denominator, kept for backward     starts (n_seqs + 1) first rows, then n
 * Softmax by blocks of queries, scores are recomputed in backward (Dao et al. 2022). */
typedef struct { int heads, kv_heads, hd; bool causal; int n_seqs; const int32_t *starts; } qn_att;
void qn_attention(qn_pool *p, const qn_att *t, const float *qkv, float *out, float *lse);
void qn_attention_back(qn_pool *p, const qn_att *t, const float *qkv, const float *out, const float *lse, const float *dout,
                       float *dqkv /* overwritten */);
void qn_attention_ref(const qn_att *t, const float *qkv, float *out);

/* SwiGLU (Shazeer 2020): h = silu(gate) * up. gu (n, 2 f): gate, then up; h (n, f). Back overwrites dgu; h may be dh. */
void qn_swiglu(qn_pool *p, int n, int f, const float *gu, float *h);
void qn_swiglu_back(qn_pool *p, int n, int f, const float *gu, const float *dh, float *dgu);
/* GELU with erf (Hendrycks & Gimpel 2016), n numbers. Back: dx = dy * gelu'(x); dx may be dy. */
void qn_gelu(qn_pool *p, size_t n, const float *x, float *y);
void qn_gelu_back(qn_pool *p, size_t n, const float *x, const float *dy, float *dx);

/* The end of a dense layer on a block of its product c (n, ld): c += bias (ld), then gelu(c), or c += plus (n, ld), or nothing.
 * qn_dense_end_block is a qn_then's fn (nn/gemm.h) with a qn_dense_end. */
typedef struct { int ld; bool gelu; const float *bias, *plus; float *c; } qn_dense_end;
void qn_dense_end_block(void *end, int i0, int i1, int j0, int j1);

/* Softmax cross-entropy of m rows of logits (m, v), in place: logp[i] = log softmax(logits[i])[target[i]], and, when coef
 * is given, logits[i] becomes coef[i] * (softmax - onehot), the gradient of -coef[i] * logp[i]. */
void qn_xent(qn_pool *p, int m, int v, float *logits, const int32_t *target, const float *coef, float *logp);
void qn_xent_ref(int m, int v, const float *logits, const int32_t *target, const float *coef, float *dlogits, float *logp);

void qn_add_bias(qn_pool *p, int n, int d, const float *b, float *x);               /* x (n, d) += b */
void qn_sum_rows(qn_pool *p, int n, int d, const float *x, int stride, float *out); /* out (d) += sum of rows */
void qn_axpy(qn_pool *p, size_t n, float a, const float *x, float *y);              /* y += a x */
/* Sum of squares in f64, in fixed blocks. */
double qn_sum_squares(qn_pool *p, size_t n, const float *x);

/* AdamW (Loshchilov & Hutter 2019), one step over n numbers: g is scaled by gscale first; c1 = 1 - b1^t, c2 = 1 - b2^t. */
typedef struct { float lr, b1, b2, eps, decay, c1, c2, gscale; } qn_adamw;
void qn_adamw_step(qn_pool *p, const qn_adamw *o, size_t n, float *w, const float *g, float *m, float *v);

/* e^x within 2 units in the last place for x in [-87, 88]; below: 0. */
void qn_expf_n(size_t n, float *x);
float qn_dot(size_t n, const float *a, const float *b);
/* out (d) = scale * sum of p[j] * x[j], rows of x `stride` apart. */
void qn_weighted_rows(int n, int d, const float *p, float scale, const float *x, size_t stride, float *out);
#endif
