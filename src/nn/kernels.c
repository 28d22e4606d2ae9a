/* kernels: loops a compiler can turn into vectors, each built twice (AVX2 and plain) and chosen at run time; the end of a dense layer, which is
 * next to the products what takes the time, for AVX-512 too. */
#pragma GCC optimize("O3", "no-math-errno", "no-trapping-math")
#include "nn/kernels.h"
#include "core/mem.h"
#include <math.h>

#define INL static inline __attribute__((always_inline))
#if defined(__x86_64__)
#define TWICE(name, decl, args) \
    static __attribute__((target("avx2,fma"))) void name##_fast decl { name##_body args; } \
    static void name##_plain decl { name##_body args; } \
    static void name decl { if (qn_has_avx2()) name##_fast args; else name##_plain args; }
#else
#define TWICE(name, decl, args) static void name decl { name##_body args; }
#endif

enum { LANES = 8, ROWS = 16, CHUNK = 8192, COLS = 64, QROWS = 64 };

/* Eight numbers at once, and sixteen where a result does not depend on how many; the compiler makes of it what the processor has. */
#define QN_LANES 8
#define QN_W(name) name##8
#include "nn/vector_math.h"
#define QN_LANES 16
#define QN_W(name) name##16
#include "nn/vector_math.h"

INL void exp_all_body(size_t n, float *x)
{
    for (size_t i = 0; i < n; i += LANES) {
        v8 y;
        get8(&y, x + i, n - i, 0);
        exp8(&y);
        put8(x + i, &y, n - i);
    }
}
TWICE(exp_all, (size_t n, float *x), (n, x))
void qn_expf_n(size_t n, float *x) { exp_all(n, x); }

INL float lanes_sum(const float *s) { return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7])); }

INL float dot1(size_t n, const float *a, const float *b)
{
    float s[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) s[l] += a[i + (size_t)l] * b[i + (size_t)l];
    for (; i < n; i++) s[0] += a[i] * b[i];
    return lanes_sum(s);
}
INL void dot_body(size_t n, const float *a, const float *b, float *out) { *out = dot1(n, a, b); }
TWICE(dot, (size_t n, const float *a, const float *b, float *out), (n, a, b, out))
float qn_dot(size_t n, const float *a, const float *b) { float s; dot(n, a, b, &s); return s; }

INL void weighted_rows_body(int n, int d, const float *p, float scale, const float *x, size_t stride, float *out)
{
    for (int c = 0; c < d; c += 32) {
        float s[32] = { 0 };
        int w = d - c < 32 ? d - c : 32;
        if (w == 32) {
            for (int j = 0; j < n; j++) for (int l = 0; l < 32; l++) s[l] += p[j] * x[(size_t)j * stride + (size_t)(c + l)];
        } else {
            for (int j = 0; j < n; j++) for (int l = 0; l < w; l++) s[l] += p[j] * x[(size_t)j * stride + (size_t)(c + l)];
        }
        for (int l = 0; l < w; l++) out[c + l] = s[l] * scale;
    }
}
TWICE(weighted_rows, (int n, int d, const float *p, float scale, const float *x, size_t stride, float *out), (n, d, p, scale, x, stride, out))
void qn_weighted_rows(int n, int d, const float *p, float scale, const float *x, size_t stride, float *out) { weighted_rows(n, d, p, scale, x, stride, out); }

INL float sum1(size_t n, const float *a)
{
    float s[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) s[l] += a[i + (size_t)l];
    for (; i < n; i++) s[0] += a[i];
    return lanes_sum(s);
}

INL float max1(size_t n, const float *a)
{
    float s[LANES], best = -INFINITY;
    size_t i = 0;
    for (int l = 0; l < LANES; l++) s[l] = -INFINITY;
    for (; i + LANES <= n; i += LANES)
        for (int l = 0; l < LANES; l++) s[l] = a[i + (size_t)l] > s[l] ? a[i + (size_t)l] : s[l];
    for (; i < n; i++) best = a[i] > best ? a[i] : best;
    for (int l = 0; l < LANES; l++) best = s[l] > best ? s[l] : best;
    return best;
}

/* ---- jobs over blocks of rows, of numbers, of columns ---- */
typedef struct {
    int n, d, aux;
    size_t count;
    float eps, a;
    const float *x, *w, *b, *dy, *stat;
    const int32_t *ids;
    bool back;
    float *y, *dx, *dw, *db, *out;
} job;

INL int row_end(const job *q, size_t part) { int to = ((int)part + 1) * ROWS; return to < q->n ? to : q->n; }
static size_t row_parts(int n) { return (size_t)(n + ROWS - 1) / ROWS; }
static qn_pool *worth(qn_pool *p, size_t numbers) { return numbers < 1 << 15 ? NULL : p; }

/* ---- RMSNorm ---- */
INL void rms_body(job *q, size_t part)
{
    size_t d = (size_t)q->d;
    for (int i = (int)part * ROWS; i < row_end(q, part); i++) {
        const float *x = q->x + (size_t)i * d;
        float *y = q->y + (size_t)i * d, r = 1.f / sqrtf(dot1(d, x, x) / (float)d + q->eps);
        q->out[i] = r;
        for (size_t j = 0; j < d; j++) y[j] = x[j] * r * q->w[j];
    }
}
TWICE(rms, (job *q, size_t part), (q, part))
static void rms_part(void *a, size_t i) { rms(a, i); }

void qn_rmsnorm(qn_pool *p, int n, int d, float eps, const float *x, const float *w, float *y, float *rinv)
{
    job q = { .n = n, .d = d, .eps = eps, .x = x, .w = w, .y = y, .out = rinv };
    qn_pool_run(worth(p, (size_t)n * (size_t)d), row_parts(n), rms_part, &q);
}

/* dx = r * (w dy - x * r^2 * mean(w dy x)) */
INL void rms_dx_body(job *q, size_t part)
{
    size_t d = (size_t)q->d;
    for (int i = (int)part * ROWS; i < row_end(q, part); i++) {
        const float *x = q->x + (size_t)i * d, *dy = q->dy + (size_t)i * d, *w = q->w;
        float *dx = q->dx + (size_t)i * d, r = q->stat[i], s[LANES] = { 0 };
        size_t j = 0;
        for (; j + LANES <= d; j += LANES)
            for (size_t l = 0; l < LANES; l++) s[l] += w[j + l] * dy[j + l] * x[j + l];
        for (; j < d; j++) s[0] += w[j] * dy[j] * x[j];
        float c = lanes_sum(s) * r * r / (float)d;
        for (j = 0; j < d; j++) dx[j] += r * (w[j] * dy[j] - x[j] * c);
    }
}
TWICE(rms_dx, (job *q, size_t part), (q, part))
static void rms_dx_part(void *a, size_t i) { rms_dx(a, i); }

/* Columns [c0, c1) of dw, all rows in order: stat_stride 1 (rms) or 2 (layer norm, with mean and db). */
INL void norm_dw_body(job *q, size_t part)
{
    size_t d = (size_t)q->d, c0 = part * COLS, c1 = c0 + COLS < d ? c0 + COLS : d;
    for (int i = 0; i < q->n; i++) {
        const float *x = q->x + (size_t)i * d, *dy = q->dy + (size_t)i * d;
        float mean = q->db ? q->stat[2 * i] : 0, r = q->db ? q->stat[2 * i + 1] : q->stat[i];
        for (size_t j = c0; j < c1; j++) q->dw[j] += dy[j] * (x[j] - mean) * r;
        if (q->db) for (size_t j = c0; j < c1; j++) q->db[j] += dy[j];
    }
}
TWICE(norm_dw, (job *q, size_t part), (q, part))
static void norm_dw_part(void *a, size_t i) { norm_dw(a, i); }

void qn_rmsnorm_back(qn_pool *p, int n, int d, const float *x, const float *w, const float *rinv, const float *dy,
                     float *dx, float *dw)
{
    job q = { .n = n, .d = d, .x = x, .w = w, .stat = rinv, .dy = dy, .dx = dx, .dw = dw };
    p = worth(p, (size_t)n * (size_t)d);
    if (dw) qn_pool_run(p, (size_t)(d + COLS - 1) / COLS, norm_dw_part, &q);
    qn_pool_run(p, row_parts(n), rms_dx_part, &q);
}

/* ---- LayerNorm ---- */
INL void ln_body(job *q, size_t part)
{
    size_t d = (size_t)q->d;
    for (int i = (int)part * ROWS; i < row_end(q, part); i++) {
        const float *x = q->x + (size_t)i * d;
        float *y = q->y + (size_t)i * d, mean = sum1(d, x) / (float)d, s[LANES] = { 0 };
        size_t j = 0;
        for (; j + LANES <= d; j += LANES)
            for (size_t l = 0; l < LANES; l++) s[l] += (x[j + l] - mean) * (x[j + l] - mean);
        for (; j < d; j++) s[0] += (x[j] - mean) * (x[j] - mean);
        float r = 1.f / sqrtf(lanes_sum(s) / (float)d + q->eps);
        q->out[2 * i] = mean;
        q->out[2 * i + 1] = r;
        for (j = 0; j < d; j++) y[j] = (x[j] - mean) * r * q->w[j] + q->b[j];
    }
}
TWICE(ln, (job *q, size_t part), (q, part))
static void ln_part(void *a, size_t i) { ln(a, i); }

void qn_layernorm(qn_pool *p, int n, int d, float eps, const float *x, const float *w, const float *b, float *y, float *stat)
{
    job q = { .n = n, .d = d, .eps = eps, .x = x, .w = w, .b = b, .y = y, .out = stat };
    qn_pool_run(worth(p, (size_t)n * (size_t)d), row_parts(n), ln_part, &q);
}

INL void ln_dx_body(job *q, size_t part)
{
    size_t d = (size_t)q->d;
    for (int i = (int)part * ROWS; i < row_end(q, part); i++) {
        const float *x = q->x + (size_t)i * d, *dy = q->dy + (size_t)i * d, *w = q->w;
        float *dx = q->dx + (size_t)i * d, mean = q->stat[2 * i], r = q->stat[2 * i + 1], s[LANES] = { 0 }, t[LANES] = { 0 };
        size_t j = 0;
        for (; j + LANES <= d; j += LANES)
            for (size_t l = 0; l < LANES; l++) {
                s[l] += w[j + l] * dy[j + l];
                t[l] += w[j + l] * dy[j + l] * (x[j + l] - mean);
            }
        for (; j < d; j++) { s[0] += w[j] * dy[j]; t[0] += w[j] * dy[j] * (x[j] - mean); }
        float g = lanes_sum(s) / (float)d, h = lanes_sum(t) * r * r / (float)d;
        for (j = 0; j < d; j++) dx[j] = r * (w[j] * dy[j] - g - (x[j] - mean) * h);
    }
}
TWICE(ln_dx, (job *q, size_t part), (q, part))
static void ln_dx_part(void *a, size_t i) { ln_dx(a, i); }

void qn_layernorm_back(qn_pool *p, int n, int d, const float *x, const float *w, const float *stat, const float *dy,
                       float *dx, float *dw, float *db)
{
    job q = { .n = n, .d = d, .x = x, .w = w, .stat = stat, .dy = dy, .dx = dx, .dw = dw, .db = db };
    p = worth(p, (size_t)n * (size_t)d);
    if (dw) qn_pool_run(p, (size_t)(d + COLS - 1) / COLS, norm_dw_part, &q);
    qn_pool_run(p, row_parts(n), ln_dx_part, &q);
}

/* ---- rotary positions ---- */
INL void rope_body(job *q, size_t part)
{
    int half = q->d / 2;
    for (int i = (int)part * ROWS; i < row_end(q, part); i++) {
        const float *c = q->w + (size_t)q->ids[i] * (size_t)q->d, *s = c + half;
        float sign = q->back ? -1.f : 1.f;
        for (int h = 0; h < q->aux; h++) {
            float *x = q->y + (size_t)i * q->count + (size_t)h * (size_t)q->d, *z = x + half;
            for (int j = 0; j < half; j++) {
                float u = x[j], v = z[j], si = sign * s[j];
                x[j] = u * c[j] - v * si;
                z[j] = v * c[j] + u * si;
            }
        }
    }
}
TWICE(rope, (job *q, size_t part), (q, part))
static void rope_part(void *a, size_t i) { rope(a, i); }

void qn_rope(qn_pool *p, int n, int heads, int hd, int stride, const int32_t *pos, const float *table, bool back, float *x)
{
    job q = { .n = n, .d = hd, .aux = heads, .count = (size_t)stride, .ids = pos, .w = table, .back = back, .y = x };
    qn_pool_run(worth(p, (size_t)n * (size_t)stride), row_parts(n), rope_part, &q);
}

/* ---- attention: a part is one sequence and one group of heads that share keys and values ---- */
typedef struct { const qn_att *t; const float *qkv, *out, *dout; float *o, *lse, *dqkv; const float *lse_in; int n; } att_job;

/* Scores of rows i0.. against keys 0..nk-1 become exp(score - max); returns through lse and inv. */
INL void softmax_rows_body(float *s, int rows, int nk, int ld, float scale, bool causal, int i0, float *lse, float *inv)
{
    for (int r = 0; r < rows; r++) {
        float *x = s + (size_t)r * (size_t)ld;
        size_t k = causal ? (size_t)(i0 + r + 1) : (size_t)nk;
        float top = max1(k, x) * scale;
        v8 all = { 0 };
        for (size_t j = 0; j < k; j += LANES) {
            v8 u;
            get8(&u, x + j, k - j, -INFINITY);
            u = u * scale - top;
            exp8(&u);
            all += u;
            put8(x + j, &u, k - j);
        }
        for (size_t j = k; j < (size_t)nk; j++) x[j] = 0;
        float sum = lanes_sum((const float *)&all);
        lse[r] = top + logf(sum);
        inv[r] = 1.f / sum;
    }
}
TWICE(softmax_rows, (float *s, int rows, int nk, int ld, float scale, bool causal, int i0, float *lse, float *inv),
      (s, rows, nk, ld, scale, causal, i0, lse, inv))

INL void scale_rows_body(float *o, int rows, int d, size_t ld, const float *inv)
{
    for (int r = 0; r < rows; r++) for (int j = 0; j < d; j++) o[(size_t)r * ld + (size_t)j] *= inv[r];
}
TWICE(scale_rows, (float *o, int rows, int d, size_t ld, const float *inv), (o, rows, d, ld, inv))

static void att_part(void *arg, size_t part)
{
    att_job *q = arg;
    const qn_att *t = q->t;
    int g = (int)(part % (size_t)t->kv_heads), s = (int)(part / (size_t)t->kv_heads), per = t->heads / t->kv_heads, hd = t->hd;
    int r0 = t->starts[s], len = t->starts[s + 1] - r0, ld = (t->heads + 2 * t->kv_heads) * hd, old = t->heads * hd;
    const float *base = q->qkv + (size_t)r0 * ld, *k = base + (t->heads + g) * hd, *v = k + t->kv_heads * hd;
    size_t pk = qn_pack_size(len, hd), pv = qn_pack_size(hd, len);
    float *mem = qn_nn_alloc(pk + pv + (size_t)QROWS * (size_t)len), *kp = mem, *vp = mem + pk, *sc = vp + pv, inv[QROWS];
    qn_pack(NULL, true, len, hd, k, ld, kp);
    qn_pack(NULL, false, hd, len, v, ld, vp);
    for (int h = g * per; h < (g + 1) * per; h++)
        for (int i = 0; i < len; i += QROWS) {
            int m = len - i < QROWS ? len - i : QROWS, nk = t->causal ? i + m : len;
            float *o = q->o + (size_t)(r0 + i) * old + h * hd;
            qn_gemm_packed(NULL, false, m, nk, hd, base + (size_t)i * ld + h * hd, ld, kp, hd, false, sc, len);
            softmax_rows(sc, m, nk, len, 1.f / sqrtf((float)hd), t->causal, i, q->lse + (size_t)h * q->n + r0 + i, inv);
            qn_gemm_packed(NULL, false, m, hd, nk, sc, len, vp, len, false, o, old);
            scale_rows(o, m, hd, (size_t)old, inv);
        }
    qn_nn_free(mem);
}

void qn_attention(qn_pool *p, const qn_att *t, const float *qkv, float *out, float *lse)
{
    att_job q = { .t = t, .qkv = qkv, .o = out, .lse = lse, .n = t->starts[t->n_seqs] };
    qn_pool_run(p, (size_t)t->n_seqs * (size_t)t->kv_heads, att_part, &q);
}

/* s: scores -> probabilities p; dp -> ds = p * (dp - delta) * scale, delta = dout . out of the row. */
INL void att_back_rows_body(float *s, float *dp, int rows, int nk, int ld, float scale, bool causal, int i0, const float *lse,
                            const float *delta)
{
    for (int r = 0; r < rows; r++) {
        float *x = s + (size_t)r * (size_t)ld, *y = dp + (size_t)r * (size_t)ld, l = lse[r], de = delta[r];
        size_t k = causal ? (size_t)(i0 + r + 1) : (size_t)nk;
        for (size_t j = 0; j < k; j += LANES) {
            v8 u, g;
            get8(&u, x + j, k - j, 0);
            get8(&g, y + j, k - j, 0);
            u = u * scale - l;
            exp8(&u);
            g = u * (g - de) * scale;
            put8(x + j, &u, k - j);
            put8(y + j, &g, k - j);
        }
        for (size_t j = k; j < (size_t)nk; j++) x[j] = y[j] = 0;
    }
}
TWICE(att_back_rows, (float *s, float *dp, int rows, int nk, int ld, float scale, bool causal, int i0, const float *lse,
                      const float *delta), (s, dp, rows, nk, ld, scale, causal, i0, lse, delta))

static void att_back_part(void *arg, size_t part)
{
    att_job *q = arg;
    const qn_att *t = q->t;
    int g = (int)(part % (size_t)t->kv_heads), s = (int)(part / (size_t)t->kv_heads), per = t->heads / t->kv_heads, hd = t->hd;
    int r0 = t->starts[s], len = t->starts[s + 1] - r0, ld = (t->heads + 2 * t->kv_heads) * hd, old = t->heads * hd;
    size_t koff = (size_t)(t->heads + g) * (size_t)hd, voff = koff + (size_t)t->kv_heads * (size_t)hd;
    const float *base = q->qkv + (size_t)r0 * ld;
    float *dbase = q->dqkv + (size_t)r0 * ld;
    size_t pt = qn_pack_size(len, hd), pk = qn_pack_size(hd, len), pb = qn_pack_size(hd, QROWS), ns = (size_t)QROWS * (size_t)len;
    float *mem = qn_nn_alloc(2 * pt + pk + pb + 2 * ns), *ktp = mem, *vtp = ktp + pt, *kp = vtp + pt, *bp = kp + pk, *sc = bp + pb,
          *dp = sc + ns, delta[QROWS];
    qn_pack(NULL, true, len, hd, base + koff, ld, ktp);
    qn_pack(NULL, true, len, hd, base + voff, ld, vtp);
    qn_pack(NULL, false, hd, len, base + koff, ld, kp);
    for (int i = 0; i < len; i++) {
        memset(dbase + (size_t)i * ld + koff, 0, (size_t)hd * sizeof(float));
        memset(dbase + (size_t)i * ld + voff, 0, (size_t)hd * sizeof(float));
    }
    for (int h = g * per; h < (g + 1) * per; h++)
        for (int i = 0; i < len; i += QROWS) {
            int m = len - i < QROWS ? len - i : QROWS, nk = t->causal ? i + m : len;
            const float *qr = base + (size_t)i * ld + h * hd, *o = q->out + (size_t)(r0 + i) * old + h * hd,
                        *dout = q->dout + (size_t)(r0 + i) * old + h * hd;
            for (int r = 0; r < m; r++) delta[r] = qn_dot((size_t)hd, dout + (size_t)r * old, o + (size_t)r * old);
            qn_gemm_packed(NULL, false, m, nk, hd, qr, ld, ktp, hd, false, sc, len);
            qn_gemm_packed(NULL, false, m, nk, hd, dout, old, vtp, hd, false, dp, len);
            att_back_rows(sc, dp, m, nk, len, 1.f / sqrtf((float)hd), t->causal, i, q->lse_in + (size_t)h * q->n + r0 + i, delta);
            qn_gemm_packed(NULL, false, m, hd, nk, dp, len, kp, len, false, dbase + (size_t)i * ld + h * hd, ld);
            qn_pack(NULL, false, hd, m, qr, ld, bp);
            qn_gemm_packed(NULL, true, nk, hd, m, dp, len, bp, m, true, dbase + koff, ld);
            qn_pack(NULL, false, hd, m, dout, old, bp);
            qn_gemm_packed(NULL, true, nk, hd, m, sc, len, bp, m, true, dbase + voff, ld);
        }
    qn_nn_free(mem);
}

void qn_attention_back(qn_pool *p, const qn_att *t, const float *qkv, const float *out, const float *lse, const float *dout, float *dqkv)
{
    att_job q = { .t = t, .qkv = qkv, .out = out, .lse_in = lse, .dout = dout, .dqkv = dqkv, .n = t->starts[t->n_seqs] };
    qn_pool_run(p, (size_t)t->n_seqs * (size_t)t->kv_heads, att_back_part, &q);
}

void qn_attention_ref(const qn_att *t, const float *qkv, float *out)
{
    int hd = t->hd, ld = (t->heads + 2 * t->kv_heads) * hd;
    for (int s = 0; s < t->n_seqs; s++)
        for (int h = 0; h < t->heads; h++)
            for (int i = t->starts[s]; i < t->starts[s + 1]; i++) {
                int g = h / (t->heads / t->kv_heads), end = t->causal ? i + 1 : t->starts[s + 1];
                double sum = 0, o[512] = { 0 };
                for (int j = t->starts[s]; j < end; j++) {
                    double x = 0;
                    for (int c = 0; c < hd; c++) x += (double)qkv[(size_t)i * ld + h * hd + c] * (double)qkv[(size_t)j * ld + (t->heads + g) * hd + c];
                    double e = exp(x / sqrt(hd));
                    sum += e;
                    for (int c = 0; c < hd; c++) o[c] += e * (double)qkv[(size_t)j * ld + (t->heads + t->kv_heads + g) * hd + c];
                }
                for (int c = 0; c < hd; c++) out[((size_t)i * t->heads + h) * hd + c] = (float)(o[c] / sum);
            }
}

/* ---- gates ---- */
INL void swiglu_body(job *q, size_t part)
{
    size_t f = (size_t)q->d;
    for (int i = (int)part * ROWS; i < row_end(q, part); i++) {
        const float *g = q->x + (size_t)i * 2 * f, *u = g + f;
        float *h = q->y + (size_t)i * f;
        for (size_t j = 0; j < f; j += LANES) {
            v8 a, b, t;
            get8(&a, g + j, f - j, 0);
            get8(&b, u + j, f - j, 0);
            t = -a;
            exp8(&t);
            a = a / (1.f + t) * b;
            put8(h + j, &a, f - j);
        }
    }
}
TWICE(swiglu, (job *q, size_t part), (q, part))
static void swiglu_part(void *a, size_t i) { swiglu(a, i); }

void qn_swiglu(qn_pool *p, int n, int f, const float *gu, float *h)
{
    job q = { .n = n, .d = f, .x = gu, .y = h };
    qn_pool_run(worth(p, (size_t)n * (size_t)f), row_parts(n), swiglu_part, &q);
}

INL void swiglu_back_body(job *q, size_t part)
{
    size_t f = (size_t)q->d;
    for (int i = (int)part * ROWS; i < row_end(q, part); i++) {
        const float *g = q->x + (size_t)i * 2 * f, *u = g + f, *dh = q->dy + (size_t)i * f;
        float *dg = q->dx + (size_t)i * 2 * f, *du = dg + f;
        for (size_t j = 0; j < f; j += LANES) {
            v8 a, b, d, t;
            get8(&a, g + j, f - j, 0);
            get8(&b, u + j, f - j, 0);
            get8(&d, dh + j, f - j, 0);
            t = -a;
            exp8(&t);
            v8 s = 1.f / (1.f + t), silu = a * s, ga = d * b * (s + silu * (1.f - s)), gb = d * silu;
            put8(dg + j, &ga, f - j);
            put8(du + j, &gb, f - j);
        }
    }
}
TWICE(swiglu_back, (job *q, size_t part), (q, part))
static void swiglu_back_part(void *a, size_t i) { swiglu_back(a, i); }

void qn_swiglu_back(qn_pool *p, int n, int f, const float *gu, const float *dh, float *dgu)
{
    job q = { .n = n, .d = f, .x = gu, .dy = dh, .dx = dgu };
    qn_pool_run(worth(p, (size_t)n * (size_t)f), row_parts(n), swiglu_back_part, &q);
}

INL void dense_end_body(const qn_dense_end *e, int i0, int i1, int j0, int j1)
{
    for (int i = i0; i < i1; i++) {
        float *c = e->c + (size_t)i * (size_t)e->ld;
        const float *plus = e->plus ? e->plus + (size_t)i * (size_t)e->ld : NULL;
        for (int j = j0; j < j1; j += 16) {
            v16 x, b;
            size_t k = (size_t)(j1 - j);
            get16(&x, c + j, k, 0);
            get16(&b, e->bias + j, k, 0);
            x += b;
            if (plus) {
                get16(&b, plus + j, k, 0);
                x += b;
            }
            if (e->gelu) gelu16(&x);
            put16(c + j, &x, k);
        }
    }
}
TWICE(dense_end, (const qn_dense_end *e, int i0, int i1, int j0, int j1), (e, i0, i1, j0, j1))
#if defined(__x86_64__)
static __attribute__((target("avx512f,avx2,fma"))) void dense_end_wide(const qn_dense_end *e, int i0, int i1, int j0, int j1) { dense_end_body(e, i0, i1, j0, j1); }
#endif

void qn_dense_end_block(void *end, int i0, int i1, int j0, int j1)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && qn_has_avx2()) { dense_end_wide(end, i0, i1, j0, j1); return; }
#endif
    dense_end(end, i0, i1, j0, j1);
}

INL void gelu_body(job *q, size_t part)
{
    size_t to = (part + 1) * CHUNK < q->count ? (part + 1) * CHUNK : q->count;
    for (size_t i = part * CHUNK; i < to; i += LANES) {
        v8 x;
        get8(&x, q->x + i, to - i, 0);
        gelu8(&x);
        put8(q->y + i, &x, to - i);
    }
}
TWICE(gelu, (job *q, size_t part), (q, part))
static void gelu_part(void *a, size_t i) { gelu(a, i); }

void qn_gelu(qn_pool *p, size_t n, const float *x, float *y)
{
    job q = { .count = n, .x = x, .y = y };
    qn_pool_run(worth(p, n), (n + CHUNK - 1) / CHUNK, gelu_part, &q);
}

INL void gelu_back_body(job *q, size_t part)
{
    size_t to = (part + 1) * CHUNK < q->count ? (part + 1) * CHUNK : q->count;
    for (size_t i = part * CHUNK; i < to; i += LANES) {
        v8 x, d, c, e;
        get8(&x, q->x + i, to - i, 0);
        get8(&d, q->dy + i, to - i, 0);
        c = x * 0.70710678f;
        erf8(&c);
        e = -0.5f * x * x;
        exp8(&e);
        d = d * (0.5f * (1.f + c) + x * 0.39894228f * e);
        put8(q->dx + i, &d, to - i);
    }
}
TWICE(gelu_back, (job *q, size_t part), (q, part))
static void gelu_back_part(void *a, size_t i) { gelu_back(a, i); }

void qn_gelu_back(qn_pool *p, size_t n, const float *x, const float *dy, float *dx)
{
    job q = { .count = n, .x = x, .dy = dy, .dx = dx };
    qn_pool_run(worth(p, n), (n + CHUNK - 1) / CHUNK, gelu_back_part, &q);
}

/* ---- softmax cross-entropy ---- */
INL void xent_body(job *q, size_t part)
{
    size_t v = (size_t)q->d;
    for (int i = (int)part * ROWS; i < row_end(q, part); i++) {
        float *x = q->y + (size_t)i * v, top = max1(v, x), hit = x[q->ids[i]];
        v8 all = { 0 };
        for (size_t j = 0; j < v; j += LANES) {
            v8 u;
            get8(&u, x + j, v - j, -INFINITY);
            u = u - top;
            exp8(&u);
            all += u;
            put8(x + j, &u, v - j);
        }
        float sum = lanes_sum((const float *)&all);
        q->out[i] = hit - top - logf(sum);
        if (!q->w) continue;
        float c = q->w[i] / sum;
        for (size_t j = 0; j < v; j++) x[j] *= c;
        x[q->ids[i]] -= q->w[i];
    }
}
TWICE(xent, (job *q, size_t part), (q, part))
static void xent_part(void *a, size_t i) { xent(a, i); }

void qn_xent(qn_pool *p, int m, int v, float *logits, const int32_t *target, const float *coef, float *logp)
{
    job q = { .n = m, .d = v, .y = logits, .ids = target, .w = coef, .out = logp };
    qn_pool_run(worth(p, (size_t)m * (size_t)v), row_parts(m), xent_part, &q);
}

void qn_xent_ref(int m, int v, const float *logits, const int32_t *target, const float *coef, float *dlogits, float *logp)
{
    for (int i = 0; i < m; i++) {
        const float *x = logits + (size_t)i * v;
        double sum = 0;
        for (int j = 0; j < v; j++) sum += exp((double)x[j]);
        logp[i] = (float)((double)x[target[i]] - log(sum));
        for (int j = 0; j < v; j++)
            dlogits[(size_t)i * v + j] = (float)((double)coef[i] * (exp((double)x[j]) / sum - (j == target[i])));
    }
}

/* ---- small things ---- */
INL void add_bias_body(job *q, size_t part)
{
    for (int i = (int)part * ROWS; i < row_end(q, part); i++)
        for (int j = 0; j < q->d; j++) q->y[(size_t)i * q->d + j] += q->b[j];
}
TWICE(add_bias, (job *q, size_t part), (q, part))
static void add_bias_part(void *a, size_t i) { add_bias(a, i); }

void qn_add_bias(qn_pool *p, int n, int d, const float *b, float *x)
{
    job q = { .n = n, .d = d, .b = b, .y = x };
    qn_pool_run(worth(p, (size_t)n * (size_t)d), row_parts(n), add_bias_part, &q);
}

INL void sum_rows_body(job *q, size_t part)
{
    size_t c0 = part * COLS, c1 = c0 + COLS < (size_t)q->d ? c0 + COLS : (size_t)q->d;
    for (int i = 0; i < q->n; i++)
        for (size_t j = c0; j < c1; j++) q->out[j] += q->x[(size_t)i * q->count + j];
}
TWICE(sum_rows, (job *q, size_t part), (q, part))
static void sum_rows_part(void *a, size_t i) { sum_rows(a, i); }

void qn_sum_rows(qn_pool *p, int n, int d, const float *x, int stride, float *out)
{
    job q = { .n = n, .d = d, .x = x, .count = (size_t)stride, .out = out };
    qn_pool_run(worth(p, (size_t)n * (size_t)d), (size_t)(d + COLS - 1) / COLS, sum_rows_part, &q);
}

INL void axpy_body(job *q, size_t part)
{
    size_t to = (part + 1) * CHUNK < q->count ? (part + 1) * CHUNK : q->count;
    for (size_t i = part * CHUNK; i < to; i++) q->y[i] += q->a * q->x[i];
}
TWICE(axpy, (job *q, size_t part), (q, part))
static void axpy_part(void *a, size_t i) { axpy(a, i); }

void qn_axpy(qn_pool *p, size_t n, float a, const float *x, float *y)
{
    job q = { .count = n, .a = a, .x = x, .y = y };
    qn_pool_run(worth(p, n), (n + CHUNK - 1) / CHUNK, axpy_part, &q);
}

typedef struct { size_t n; const float *x; double *sums; } sq_job;

static void sq_part(void *arg, size_t part)
{
    sq_job *q = arg;
    size_t from = part * CHUNK, to = from + CHUNK < q->n ? from + CHUNK : q->n;
    double s[LANES] = { 0 };
    for (size_t i = from; i < to; i++) s[i % LANES] += (double)q->x[i] * (double)q->x[i];
    q->sums[part] = ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

double qn_sum_squares(qn_pool *p, size_t n, const float *x)
{
    size_t parts = (n + CHUNK - 1) / CHUNK;
    sq_job q = { .n = n, .x = x, .sums = QN_NEW_N(double, parts + 1) };
    double sum = 0;
    qn_pool_run(worth(p, n), parts, sq_part, &q);
    for (size_t i = 0; i < parts; i++) sum += q.sums[i];
    qn_free(q.sums);
    return sum;
}

typedef struct { const qn_adamw *o; size_t n; float *w, *m, *v; const float *g; } adam_job;

INL void adam_body(adam_job *q, size_t part)
{
    const qn_adamw o = *q->o;
    size_t to = (part + 1) * CHUNK < q->n ? (part + 1) * CHUNK : q->n;
    const float keep = 1.f - o.lr * o.decay, i1 = o.lr / o.c1, i2 = 1.f / o.c2;
    for (size_t i = part * CHUNK; i < to; i += LANES) {
        v8 w, g, m, v;
        float root[LANES];
        get8(&w, q->w + i, to - i, 0);
        get8(&g, q->g + i, to - i, 0);
        get8(&m, q->m + i, to - i, 0);
        get8(&v, q->v + i, to - i, 0);
        g *= o.gscale;
        m = o.b1 * m + (1.f - o.b1) * g;
        v = o.b2 * v + (1.f - o.b2) * g * g;
        put8(q->m + i, &m, to - i);
        put8(q->v + i, &v, to - i);
        v *= i2;
        memcpy(root, &v, sizeof root);
        for (int l = 0; l < LANES; l++) root[l] = __builtin_sqrtf(root[l]);
        memcpy(&v, root, sizeof root);
        w = w * keep - i1 * m / (v + o.eps);
        put8(q->w + i, &w, to - i);
    }
}
TWICE(adam, (adam_job *q, size_t part), (q, part))
static void adam_part(void *a, size_t i) { adam(a, i); }

void qn_adamw_step(qn_pool *p, const qn_adamw *o, size_t n, float *w, const float *g, float *m, float *v)
{
    adam_job q = { .o = o, .n = n, .w = w, .g = g, .m = m, .v = v };
    qn_pool_run(worth(p, n), (n + CHUNK - 1) / CHUNK, adam_part, &q);
}
