/* encoder_net: forward and backward of a BERT encoder over sequences laid end to end, and the pooling on top. */
#include "nn/encoder_net.h"
#include "core/mem.h"
#include <math.h>

qn_pool *qn_encoder_pool(qn_encoder *m)
{
    if (!m->pool) m->pool = qn_pool_new(m->n_threads);
    return m->pool;
}

typedef struct { float *mem; size_t at; } space;        /* mem NULL: only counts */

static float *take(space *s, size_t n)
{
    float *p = s->mem ? s->mem + s->at : NULL;
    s->at += (n + 15) / 16 * 16;
    return p;
}

static size_t lay_out(const qn_encoder_config *c, qn_encoder_acts *a, size_t n, bool keep, float *mem)
{
    space p = { mem, 0 };
    size_t d = (size_t)c->d, f = (size_t)c->ff;
    for (int l = 0; l < c->layers; l++) {
        qn_block_acts *y = &a->layer[l];
        if (l > 0 && !keep) { *y = a->layer[0]; continue; }
        y->x = take(&p, n * d); y->qkv = take(&p, n * 3 * d); y->att = take(&p, n * d); y->lse = take(&p, n * (size_t)c->heads);
        y->sum1 = take(&p, n * d); y->stat1 = take(&p, 2 * n); y->y = take(&p, n * d); y->inter = take(&p, n * f);
        y->gelu = keep ? take(&p, n * f) : y->inter;
        y->sum2 = keep ? take(&p, n * d) : y->sum1; y->stat2 = take(&p, 2 * n);
    }
    a->sum0 = take(&p, n * d); a->stat0 = take(&p, 2 * n); a->last = take(&p, n * d);
    if (keep) { a->dlast = take(&p, n * d); a->d1 = take(&p, n * d); a->d2 = take(&p, n * d); a->dwide = take(&p, n * (f > 3 * d ? f : 3 * d)); }
    return p.at;
}

static void room(qn_encoder *m, int n, bool keep)
{
    qn_encoder_acts *a = &m->acts;
    if (!a->layer) a->layer = QN_NEW_N(qn_block_acts, m->c.layers);
    if (a->mem && a->cap >= n && a->keep == keep) return;
    if (a->keep != keep || a->cap < n) a->cap = (n + 63) / 64 * 64;
    qn_nn_free(a->mem);
    a->keep = keep;
    a->mem = qn_nn_alloc(lay_out(&m->c, a, (size_t)a->cap, keep, NULL));
    lay_out(&m->c, a, (size_t)a->cap, keep, a->mem);
}

void qn_encoder_pack(qn_encoder *m)
{
    const qn_encoder_config *c = &m->c;
    if (m->packed) return;
    qn_pool *p = qn_encoder_pool(m);
    const float *w = m->p.w;
    const qn_precision how = m->bf16 ? QN_MUL_BF16 : QN_MUL_F32_TILES;
    m->packed = QN_NEW_N(qn_factor, 4 * c->layers);
    for (int l = 0; l < c->layers; l++) {
        const qn_block_at *k = &m->at[l];
        m->packed[4 * l] = qn_factor_make(how, p, true, 3 * c->d, c->d, w + k->qkv, c->d);
        m->packed[4 * l + 1] = qn_factor_make(how, p, true, c->d, c->d, w + k->o, c->d);
        m->packed[4 * l + 2] = qn_factor_make(how, p, true, c->ff, c->d, w + k->inter, c->d);
        m->packed[4 * l + 3] = qn_factor_make(how, p, true, c->d, c->ff, w + k->out, c->ff);
    }
}

void qn_encoder_unpack(qn_encoder *m)
{
    for (int i = 0; m->packed && i < 4 * m->c.layers; i++) qn_factor_free(&m->packed[i]);
    qn_free(m->packed);
    m->packed = NULL;
}

/* y (n, out) = x W^T + b, then gelu, or + plus (n, out; NULL: nothing); `which` of a layer's four, counted through all layers.
 * Packed, all of it is done block by block. */
static void dense(qn_encoder *m, int which, int n, int in, int out, const float *x, size_t w, size_t b, bool gelu, const float *plus, float *y)
{
    const float *bias = m->p.w + b;
    if (m->packed) {
        qn_dense_end end = { .ld = out, .gelu = gelu, .bias = bias, .plus = plus, .c = y };
        qn_factor_mul_then(&m->packed[which], m->pool, n, x, in, false, y, out, &(qn_then){ qn_dense_end_block, &end });
        return;
    }
    qn_gemm_as(m->bf16, m->pool, false, true, n, out, in, x, in, m->p.w + w, in, false, y, out);
    qn_add_bias(m->pool, n, out, bias, y);
    if (plus) qn_axpy(m->pool, (size_t)n * (size_t)out, 1, plus, y);
}

/* dx (n, in) = or += dy W; gradients of W and b are added. */
static void dense_back(qn_encoder *m, int n, int in, int out, const float *x, const float *dy, size_t w, size_t b, bool add, float *dx)
{
    qn_gemm_as(m->bf16, m->pool, false, false, n, in, out, dy, out, m->p.w + w, in, add, dx, in);
    qn_gemm_as(m->bf16, m->pool, true, false, out, in, n, dy, out, x, in, true, m->p.g + w, in);
    qn_sum_rows(m->pool, n, out, dy, out, m->p.g + b);
}

void qn_encoder_forward(qn_encoder *m, const qn_tokens *t, bool keep)
{
    const qn_encoder_config *c = &m->c;
    qn_pool *p = qn_encoder_pool(m);
    const float *w = m->p.w;
    int n = t->n, d = c->d;
    size_t ds = (size_t)d;
    room(m, n, keep);
    qn_encoder_acts *a = &m->acts;
    for (int i = 0; i < n; i++) {
        const float *e = w + m->word + (size_t)t->ids[i] * ds, *q = w + m->position + (size_t)t->pos[i] * ds, *k = w + m->type + (t->types ? (size_t)t->types[i] * ds : 0);
        for (size_t j = 0; j < ds; j++) a->sum0[(size_t)i * ds + j] = e[j] + k[j] + q[j];
    }
    qn_layernorm(p, n, d, c->eps, a->sum0, w + m->norm0, w + m->norm0 + ds, a->layer[0].x, a->stat0);
    qn_att att = { .heads = c->heads, .kv_heads = c->heads, .hd = d / c->heads, .n_seqs = t->n_seqs, .starts = t->starts };
    for (int l = 0; l < c->layers; l++) {
        qn_block_acts *y = &a->layer[l];
        const qn_block_at *k = &m->at[l];
        float *next = l + 1 < c->layers ? a->layer[l + 1].x : a->last;
        dense(m, 4 * l, n, d, 3 * d, y->x, k->qkv, k->qkv_bias, false, NULL, y->qkv);
        qn_attention(p, &att, y->qkv, y->att, y->lse);
        dense(m, 4 * l + 1, n, d, d, y->att, k->o, k->o_bias, false, y->x, y->sum1);
        qn_layernorm(p, n, d, c->eps, y->sum1, w + k->norm1, w + k->norm1 + ds, y->y, y->stat1);
        dense(m, 4 * l + 2, n, d, c->ff, y->y, k->inter, k->inter_bias, !keep, NULL, y->inter);
        if (keep || !m->packed) qn_gelu(p, (size_t)n * (size_t)c->ff, y->inter, y->gelu);  /* what training needs is the number before */
        dense(m, 4 * l + 3, n, c->ff, d, y->gelu, k->out, k->out_bias, false, y->y, y->sum2);
        qn_layernorm(p, n, d, c->eps, y->sum2, w + k->norm2, w + k->norm2 + ds, next, y->stat2);
    }
}

typedef struct { const qn_encoder *m; const qn_tokens *t; const float *dx; } embed_job;
enum { COLS = 64 };

static void embed_part(void *arg, size_t part)
{
    embed_job *q = arg;
    size_t d = (size_t)q->m->c.d, c0 = part * COLS, c1 = c0 + COLS < d ? c0 + COLS : d;
    float *g = q->m->p.g;
    for (int i = 0; i < q->t->n; i++) {
        const float *dx = q->dx + (size_t)i * d;
        float *e = g + q->m->word + (size_t)q->t->ids[i] * d, *k = g + q->m->position + (size_t)q->t->pos[i] * d, *y = g + q->m->type + (q->t->types ? (size_t)q->t->types[i] * d : 0);
        for (size_t j = c0; j < c1; j++) { e[j] += dx[j]; k[j] += dx[j]; y[j] += dx[j]; }
    }
}

void qn_encoder_backward(qn_encoder *m, const qn_tokens *t)
{
    const qn_encoder_config *c = &m->c;
    qn_pool *p = m->pool;
    qn_encoder_acts *a = &m->acts;
    float *w = m->p.w, *g = m->p.g;
    int n = t->n, d = c->d;
    size_t ds = (size_t)d;
    qn_att att = { .heads = c->heads, .kv_heads = c->heads, .hd = d / c->heads, .n_seqs = t->n_seqs, .starts = t->starts };
    for (int l = c->layers - 1; l >= 0; l--) {
        qn_block_acts *y = &a->layer[l];
        const qn_block_at *k = &m->at[l];
        /* x' = norm2(sum2), sum2 = y + out(gelu(inter(y))) */
        qn_layernorm_back(p, n, d, y->sum2, w + k->norm2, y->stat2, a->dlast, a->d1, g + k->norm2, g + k->norm2 + ds);
        dense_back(m, n, c->ff, d, y->gelu, a->d1, k->out, k->out_bias, false, a->dwide);
        qn_gelu_back(p, (size_t)n * (size_t)c->ff, y->inter, a->dwide, a->dwide);
        dense_back(m, n, d, c->ff, y->y, a->dwide, k->inter, k->inter_bias, true, a->d1);
        /* y = norm1(sum1), sum1 = x + o(attention(qkv(x))) */
        qn_layernorm_back(p, n, d, y->sum1, w + k->norm1, y->stat1, a->d1, a->d2, g + k->norm1, g + k->norm1 + ds);
        dense_back(m, n, d, d, y->att, a->d2, k->o, k->o_bias, false, a->d1);
        qn_attention_back(p, &att, y->qkv, y->att, y->lse, a->d1, a->dwide);
        memcpy(a->dlast, a->d2, (size_t)n * ds * sizeof(float));
        dense_back(m, n, d, 3 * d, y->x, a->dwide, k->qkv, k->qkv_bias, true, a->dlast);
    }
    qn_layernorm_back(p, n, d, a->sum0, w + m->norm0, a->stat0, a->dlast, a->d1, g + m->norm0, g + m->norm0 + ds);
    embed_job q = { m, t, a->d1 };
    qn_pool_run(p, (ds + COLS - 1) / COLS, embed_part, &q);
}

void qn_encoder_pool_rows(qn_encoder *m, const qn_tokens *t, float *out, float *norm)
{
    size_t d = (size_t)m->c.d;
    for (int k = 0; k < t->n_seqs; k++) {
        float *o = out + (size_t)k * d, inv = 1.f / (float)(t->starts[k + 1] - t->starts[k]);
        memset(o, 0, d * sizeof(float));
        for (int i = t->starts[k]; i < t->starts[k + 1]; i++)
            for (size_t j = 0; j < d; j++) o[j] += m->acts.last[(size_t)i * d + j];
        for (size_t j = 0; j < d; j++) o[j] *= inv;
        float len = sqrtf(qn_dot(d, o, o));
        len = len > 1e-12f ? len : 1e-12f;
        for (size_t j = 0; j < d; j++) o[j] /= len;
        if (norm) norm[k] = len;
    }
}

void qn_encoder_pool_back(qn_encoder *m, const qn_tokens *t, const float *out, const float *norm, const float *dout)
{
    size_t d = (size_t)m->c.d;
    for (int k = 0; k < t->n_seqs; k++) {
        const float *o = out + (size_t)k * d, *g = dout + (size_t)k * d;
        float along = qn_dot(d, o, g), s = 1.f / (norm[k] * (float)(t->starts[k + 1] - t->starts[k]));
        for (int i = t->starts[k]; i < t->starts[k + 1]; i++)
            for (size_t j = 0; j < d; j++) m->acts.dlast[(size_t)i * d + j] = (g[j] - o[j] * along) * s;
    }
}
