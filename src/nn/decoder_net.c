/* decoder_net: forward and backward of a decoder, layer by layer, over sequences laid end to end. */
#include "nn/decoder_net.h"
#include "core/mem.h"
#include <math.h>

const char *const qn_module_names[QN_LORA_MODULES] = { "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj" };

qn_module qn_decoder_module(const qn_decoder *m, int layer, int k)
{
    const qn_decoder_config *c = &m->c;
    const qn_layer_at *a = &m->at[layer];
    int nq = c->heads * c->hd, nk = c->kv_heads * c->hd;
    size_t d = (size_t)c->d;
    switch (k) {
    case QN_LORA_Q: return (qn_module){ a->qkv, nq, c->d, 0 };
    case QN_LORA_K: return (qn_module){ a->qkv + (size_t)nq * d, nk, c->d, nq };
    case QN_LORA_V: return (qn_module){ a->qkv + (size_t)(nq + nk) * d, nk, c->d, nq + nk };
    case QN_LORA_O: return (qn_module){ a->o, c->d, nq, 0 };
    case QN_LORA_GATE: return (qn_module){ a->gu, c->ff, c->d, 0 };
    case QN_LORA_UP: return (qn_module){ a->gu + (size_t)c->ff * d, c->ff, c->d, c->ff };
    default: return (qn_module){ a->down, c->d, c->ff, 0 };
    }
}

qn_pool *qn_decoder_pool(qn_decoder *m)
{
    if (!m->pool) m->pool = qn_pool_new(m->n_threads);
    return m->pool;
}

/* Angles pos * theta^(-2j/hd), with Llama 3's stretching of long waves (rope_scaling "llama3"). */
void qn_decoder_rope(qn_decoder *m, int n_pos)
{
    const qn_decoder_config *c = &m->c;
    if (n_pos <= m->rope_n) return;
    int half = c->hd / 2, n = n_pos < 256 ? 256 : n_pos;
    if (n > c->max_pos) n = c->max_pos;
    qn_nn_free(m->rope);
    m->rope = qn_nn_alloc((size_t)n * (size_t)c->hd);
    m->rope_n = n;
    for (int j = 0; j < half; j++) {
        float f = (float)(1.0 / pow((double)c->rope_theta, 2.0 * j / c->hd));
        if (c->rope_factor > 0) {
            float wave = 6.2831853f / f, low = (float)c->rope_original / c->rope_low, high = (float)c->rope_original / c->rope_high;
            float mix = ((float)c->rope_original / wave - c->rope_low) / (c->rope_high - c->rope_low);
            f = wave < high ? f : wave > low ? f / c->rope_factor : (1 - mix) * f / c->rope_factor + mix * f;
        }
        for (int p = 0; p < n; p++) {
            float a = (float)p * f;                     /* f32, as the models were trained */
            m->rope[(size_t)p * (size_t)c->hd + (size_t)j] = cosf(a);
            m->rope[(size_t)p * (size_t)c->hd + (size_t)(half + j)] = sinf(a);
        }
    }
}

/* ---- memory of a pass ---- */
typedef struct { float *mem; size_t at; } space;            /* mem NULL: only counts */

static float *take(space *s, size_t n)
{
    float *p = s->mem ? s->mem + s->at : NULL;
    s->at += (n + 15) / 16 * 16;
    return p;
}

static size_t lay_out(const qn_decoder_config *c, qn_acts *a, int cap, float *mem)
{
    size_t n = (size_t)cap, d = (size_t)c->d, q = (size_t)((c->heads + 2 * c->kv_heads) * c->hd), o = (size_t)(c->heads * c->hd), f = (size_t)c->ff;
    size_t wide = 2 * f > q ? 2 * f : q, wide2 = f > o ? f : o;
    space p = { mem, 0 };
    for (int l = 0; l < c->layers; l++) {
        qn_layer_acts *y = &a->layer[l];
        y->x = take(&p, n * d); y->r1 = take(&p, n); y->xn1 = take(&p, n * d); y->qkv = take(&p, n * q); y->att = take(&p, n * o);
        y->lse = take(&p, n * (size_t)c->heads); y->x2 = take(&p, n * d); y->r2 = take(&p, n); y->xn2 = take(&p, n * d);
        y->gu = take(&p, n * 2 * f); y->h = take(&p, n * f);
    }
    a->last = take(&p, n * d); a->rf = take(&p, n); a->hidden = take(&p, n * d); a->dhidden = take(&p, n * d);
    a->dx = take(&p, n * d); a->dxn = take(&p, n * (d > o ? d : o)); a->dwide = take(&p, n * wide); a->dwide2 = take(&p, n * wide2);
    return p.at;
}

static qn_acts *acts_for(qn_decoder *m, int n)
{
    if (!m->acts) {
        m->acts = QN_NEW(qn_acts);
        m->acts->layer = QN_NEW_N(qn_layer_acts, m->c.layers);
    }
    if (m->acts->cap < n) {
        int cap = (n + 63) / 64 * 64;
        qn_nn_free(m->acts->mem);
        m->acts->mem = qn_nn_alloc(lay_out(&m->c, m->acts, cap, NULL));
        lay_out(&m->c, m->acts, cap, m->acts->mem);
        m->acts->cap = cap;
    }
    return m->acts;
}

/* ---- a linear module with its adapters ---- */
/* y (n, out) = or += x W^T, W at `at`, then the adapters of modules k0..k1 whose outputs lie in y. */
static void linear(qn_decoder *m, int layer, int k0, int k1, int n, const float *x, int in, int out, bool add, float *y)
{
    qn_pool *p = m->pool;
    qn_gemm_as(m->bf16, p, false, true, n, out, in, x, in, m->p.w + qn_decoder_module(m, layer, k0).at, in, add, y, out);
    if (!m->lora) return;
    int r = m->lora->rank;
    float *u = qn_nn_alloc((size_t)n * (size_t)r), s = m->lora->alpha / (float)r;
    for (int k = k0; k <= k1; k++) {
        if (!m->lora->on[k]) continue;
        qn_module q = qn_decoder_module(m, layer, k);
        const float *a = m->lora->p.w + m->lora->at[layer][k], *b = a + (size_t)r * (size_t)in;
        qn_gemm(p, false, true, n, r, in, x, in, a, in, false, u, r);
        for (size_t i = 0; i < (size_t)n * (size_t)r; i++) u[i] *= s;
        qn_gemm(p, false, true, n, q.out, r, u, r, b, r, true, y + q.first, out);
    }
    qn_nn_free(u);
}

/* dx (n, in) = dy W, plus the adapters' part; gradients of W (when `base`) and of the adapters are added. */
static void linear_back(qn_decoder *m, int layer, int k0, int k1, int n, const float *x, int in, int out, const float *dy, float *dx, bool base)
{
    qn_pool *p = m->pool;
    size_t at = qn_decoder_module(m, layer, k0).at;
    qn_gemm_as(m->bf16, p, false, false, n, in, out, dy, out, m->p.w + at, in, false, dx, in);
    if (base) qn_gemm_as(m->bf16, p, true, false, out, in, n, dy, out, x, in, true, m->p.g + at, in);
    if (!m->lora) return;
    int r = m->lora->rank;
    float *u = qn_nn_alloc(2 * (size_t)n * (size_t)r), *du = u + (size_t)n * (size_t)r, s = m->lora->alpha / (float)r;
    for (int k = k0; k <= k1; k++) {
        if (!m->lora->on[k]) continue;
        qn_module q = qn_decoder_module(m, layer, k);
        size_t la = m->lora->at[layer][k], lb = la + (size_t)r * (size_t)in;
        const float *a = m->lora->p.w + la, *b = m->lora->p.w + lb;
        qn_gemm(p, false, true, n, r, in, x, in, a, in, false, u, r);
        qn_gemm(p, false, false, n, r, q.out, dy + q.first, out, b, r, false, du, r);
        for (size_t i = 0; i < 2 * (size_t)n * (size_t)r; i++) u[i] *= s;
        if (m->lora->p.g) {
            qn_gemm(p, true, false, q.out, r, n, dy + q.first, out, u, r, true, m->lora->p.g + lb, r);
            qn_gemm(p, true, false, r, in, n, du, r, x, in, true, m->lora->p.g + la, in);
        }
        qn_gemm(p, false, false, n, in, r, du, r, a, in, true, dx, in);
    }
    qn_nn_free(u);
}

/* ---- the passes ---- */
void qn_decoder_forward(qn_decoder *m, const qn_tokens *t)
{
    const qn_decoder_config *c = &m->c;
    qn_pool *p = qn_decoder_pool(m);
    qn_acts *a = acts_for(m, t->n);
    int n = t->n, d = c->d, q = (c->heads + 2 * c->kv_heads) * c->hd, o = c->heads * c->hd, top = 0;
    size_t bytes = (size_t)n * (size_t)d * sizeof(float);
    for (int i = 0; i < n; i++) {
        memcpy(a->layer[0].x + (size_t)i * (size_t)d, m->p.w + m->embed + (size_t)t->ids[i] * (size_t)d, (size_t)d * sizeof(float));
        if (t->pos[i] > top) top = t->pos[i];
    }
    qn_decoder_rope(m, top + 1);
    qn_att att = { .heads = c->heads, .kv_heads = c->kv_heads, .hd = c->hd, .causal = true, .n_seqs = t->n_seqs, .starts = t->starts };
    for (int l = 0; l < c->layers; l++) {
        qn_layer_acts *y = &a->layer[l];
        const qn_layer_at *w = &m->at[l];
        float *next = l + 1 < c->layers ? a->layer[l + 1].x : a->last;
        qn_rmsnorm(p, n, d, c->eps, y->x, m->p.w + w->norm1, y->xn1, y->r1);
        linear(m, l, QN_LORA_Q, QN_LORA_V, n, y->xn1, d, q, false, y->qkv);
        if (c->qkv_bias) qn_add_bias(p, n, q, m->p.w + w->qkv_bias, y->qkv);
        qn_rope(p, n, c->heads + c->kv_heads, c->hd, q, t->pos, m->rope, false, y->qkv);
        qn_attention(p, &att, y->qkv, y->att, y->lse);
        memcpy(y->x2, y->x, bytes);
        linear(m, l, QN_LORA_O, QN_LORA_O, n, y->att, o, d, true, y->x2);
        qn_rmsnorm(p, n, d, c->eps, y->x2, m->p.w + w->norm2, y->xn2, y->r2);
        linear(m, l, QN_LORA_GATE, QN_LORA_UP, n, y->xn2, d, 2 * c->ff, false, y->gu);
        qn_swiglu(p, n, c->ff, y->gu, y->h);
        memcpy(next, y->x2, bytes);
        linear(m, l, QN_LORA_DOWN, QN_LORA_DOWN, n, y->h, c->ff, d, true, next);
    }
    qn_rmsnorm(p, n, d, c->eps, a->last, m->p.w + m->norm, a->hidden, a->rf);
}

typedef struct { const qn_tokens *t; int d; const float *dx; float *g; } embed_job;
enum { EMBED_COLS = 64 };

static void embed_part(void *arg, size_t part)
{
    embed_job *q = arg;
    int c0 = (int)part * EMBED_COLS, c1 = c0 + EMBED_COLS < q->d ? c0 + EMBED_COLS : q->d;
    for (int i = 0; i < q->t->n; i++) {
        float *g = q->g + (size_t)q->t->ids[i] * (size_t)q->d;
        const float *dx = q->dx + (size_t)i * (size_t)q->d;
        for (int j = c0; j < c1; j++) g[j] += dx[j];
    }
}

void qn_decoder_backward(qn_decoder *m, const qn_tokens *t, bool base)
{
    const qn_decoder_config *c = &m->c;
    qn_pool *p = m->pool;
    qn_acts *a = m->acts;
    float *w = m->p.w, *g = base ? m->p.g : NULL;
    int n = t->n, d = c->d, q = (c->heads + 2 * c->kv_heads) * c->hd, o = c->heads * c->hd;
    qn_att att = { .heads = c->heads, .kv_heads = c->kv_heads, .hd = c->hd, .causal = true, .n_seqs = t->n_seqs, .starts = t->starts };
    memset(a->dx, 0, (size_t)n * (size_t)d * sizeof(float));
    qn_rmsnorm_back(p, n, d, a->last, w + m->norm, a->rf, a->dhidden, a->dx, g ? g + m->norm : NULL);
    for (int l = c->layers - 1; l >= 0; l--) {
        qn_layer_acts *y = &a->layer[l];
        const qn_layer_at *k = &m->at[l];
        linear_back(m, l, QN_LORA_DOWN, QN_LORA_DOWN, n, y->h, c->ff, d, a->dx, a->dwide2, base);
        qn_swiglu_back(p, n, c->ff, y->gu, a->dwide2, a->dwide);
        linear_back(m, l, QN_LORA_GATE, QN_LORA_UP, n, y->xn2, d, 2 * c->ff, a->dwide, a->dxn, base);
        qn_rmsnorm_back(p, n, d, y->x2, w + k->norm2, y->r2, a->dxn, a->dx, g ? g + k->norm2 : NULL);
        linear_back(m, l, QN_LORA_O, QN_LORA_O, n, y->att, o, d, a->dx, a->dwide2, base);
        qn_attention_back(p, &att, y->qkv, y->att, y->lse, a->dwide2, a->dwide);
        qn_rope(p, n, c->heads + c->kv_heads, c->hd, q, t->pos, m->rope, true, a->dwide);
        if (g && c->qkv_bias) qn_sum_rows(p, n, q, a->dwide, q, g + k->qkv_bias);
        linear_back(m, l, QN_LORA_Q, QN_LORA_V, n, y->xn1, d, q, a->dwide, a->dxn, base);
        qn_rmsnorm_back(p, n, d, y->x, w + k->norm1, y->r1, a->dxn, a->dx, g ? g + k->norm1 : NULL);
    }
    if (!g) return;
    embed_job job = { .t = t, .d = d, .dx = a->dx, .g = g + m->embed };
    qn_pool_run(p, (size_t)(d + EMBED_COLS - 1) / EMBED_COLS, embed_part, &job);
}

/* The rows that count are gathered, so that masked tokens cost nothing; logits live for one block of rows only. */
void qn_decoder_head(qn_decoder *m, int n, const int32_t *target, const float *coef, float *logp, bool back, bool base)
{
    qn_pool *p = m->pool;
    int v = m->c.vocab, d = m->c.d, rows = (4 << 20) / v, k = 0;
    rows = rows < 48 ? 48 : rows > 1024 ? 1024 : rows;
    const float *w = m->p.w + m->head;
    float *hidden = m->acts->hidden, *dh = m->acts->dhidden;
    int *pick = QN_NEW_N(int, n + 1);
    for (int i = 0; i < n; i++) { logp[i] = 0; if (coef[i] != 0) pick[k++] = i; }
    if (back) memset(dh, 0, (size_t)n * (size_t)d * sizeof(float));
    qn_factor wt = qn_factor_make(m->bf16 ? QN_MUL_BF16 : QN_MUL_F32, p, true, v, d, w, d), wn = { 0 };
    float *x = qn_nn_alloc(2 * (size_t)rows * (size_t)d), *dx = x + (size_t)rows * (size_t)d, *logits = qn_nn_alloc((size_t)rows * (size_t)v);
    float *cf = qn_nn_alloc(2 * (size_t)rows), *lp = cf + rows;
    int32_t *to = QN_NEW_N(int32_t, rows);
    if (back) wn = qn_factor_make(m->bf16 ? QN_MUL_BF16 : QN_MUL_F32, p, false, d, v, w, d);
    for (int from = 0; from < k; from += rows) {
        int b = k - from < rows ? k - from : rows;
        for (int i = 0; i < b; i++) {
            memcpy(x + (size_t)i * (size_t)d, hidden + (size_t)pick[from + i] * (size_t)d, (size_t)d * sizeof(float));
            to[i] = target[pick[from + i]];
            cf[i] = coef[pick[from + i]];
        }
        qn_factor_mul(&wt, p, b, x, d, false, logits, v);
        qn_xent(p, b, v, logits, to, back ? cf : NULL, lp);
        for (int i = 0; i < b; i++) logp[pick[from + i]] = lp[i];
        if (!back) continue;
        qn_factor_mul(&wn, p, b, logits, v, false, dx, d);
        for (int i = 0; i < b; i++) memcpy(dh + (size_t)pick[from + i] * (size_t)d, dx + (size_t)i * (size_t)d, (size_t)d * sizeof(float));
        if (base) qn_gemm_as(m->bf16, p, true, false, v, d, b, logits, v, x, d, true, m->p.g + m->head, d);
    }
    qn_factor_free(&wt); qn_factor_free(&wn); qn_nn_free(x); qn_nn_free(logits); qn_nn_free(cf);
    qn_free(to);
    qn_free(pick);
}

/* ---- sequences laid end to end ---- */
void qn_tokens_pack(qn_packed *p, const qn_seq *s, size_t n, size_t *from, int most)
{
    size_t to = *from;
    int total = 0;
    while (to < n && (to == *from || total + s[to].n <= most)) total += s[to++].n;
    int k = (int)(to - *from), at = 0;
    *p = (qn_packed){ .ids = QN_NEW_N(int32_t, total + 1), .pos = QN_NEW_N(int32_t, total + 1), .starts = QN_NEW_N(int32_t, k + 1) };
    for (int i = 0; i < k; i++) {
        const qn_seq *q = &s[*from + (size_t)i];
        p->starts[i] = at;
        for (int j = 0; j < q->n; j++, at++) { p->ids[at] = q->ids[j]; p->pos[at] = j; }
    }
    p->starts[k] = at;
    p->t = (qn_tokens){ .n = total, .n_seqs = k, .ids = p->ids, .pos = p->pos, .starts = p->starts };
    *from = to;
}

void qn_packed_free(qn_packed *p)
{
    qn_free(p->ids);
    qn_free(p->pos);
    qn_free(p->starts);
}

qn_code qn_decoder_check(const qn_decoder *m, const qn_seq *s, size_t n, qn_err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i].n < 1) return qn_fail(e, QN_EDATA, "text %zu has no tokens", i);
        if (s[i].n > m->c.max_pos) return qn_fail(e, QN_ELIMIT, "text %zu has %d tokens, the model takes %d", i, s[i].n, m->c.max_pos);
        for (int j = 0; j < s[i].n; j++)
            if (s[i].ids[j] < 0 || s[i].ids[j] >= m->c.vocab)
                return qn_fail(e, QN_EDATA, "text %zu has the token id %d, the model knows 0 to %d", i, s[i].ids[j], m->c.vocab - 1);
    }
    return QN_OK;
}
