/* gemm_bf16: products of f32 matrices whose numbers are rounded to bf16, or parted into pieces of it, while they are packed, summed in f32
 * (AVX512_BF16's dot product of pairs here, matrix tiles in gemm_amx.c); and matrices packed in any precision. Panels as in gemm.c, a pair of numbers in each 32-bit place. */
#pragma GCC optimize("O3")
#include "nn/gemm_blocks.h"
#include "core/mem.h"
#if defined(__x86_64__) && __GNUC__ >= 11

enum { MR = 12, NR = 16, MC = 96, KP = 256, NC = 512 };    /* KP: pairs of a block */

bool qn_gemm_has_bf16(void)
{
    static int known;           /* 0 not looked, 1 no, 2 yes: whoever looks finds the same */
    if (!known) {
        unsigned a = 0, b, c, d;
        __asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(7), "c"(1));
        bool yes = (a & (1u << 5)) && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512f") && qn_has_avx2();
        known = yes ? 2 : 1;
    }
    return known == 2;
}

static bool without_tiles;
bool qn_gemm_tiles(bool on) { without_tiles = !on; return on && qn_amx_here(); }
bool qn_gemm_tiles_used(void) { return !without_tiles && qn_amx_here(); }

size_t qn_pack_bf16_size(int n, int k) { return (size_t)((n + NR - 1) / NR) * NR * (size_t)qn_pairs_padded(k); }

/* One panel of b: w <= 16 columns, zeros behind them: out[(padded pairs of k, 16)]. */
static QN_BF16 void pack_panel(bool tb, int w, int k, const float *b, size_t ldb, uint32_t *out)
{
    int n = qn_pairs_padded(k);
    if (!tb) {
        for (int l = 0; l < n; l++) {
            const float *x = b + (size_t)(2 * l) * ldb;
            _mm512_store_si512(out + l * NR, 2 * l < k ? qn_pairs_of_rows(x, 2 * l + 1 < k ? x + ldb : NULL, (__mmask16)((1u << w) - 1)) : _mm512_setzero_si512());
        }
        return;
    }
    for (int l = 0; l < n; l += NR) {
        __m512i col[NR];
        for (int j = 0; j < NR; j++) col[j] = qn_pairs(b + (size_t)(j < w ? j : 0) * ldb + 2 * l, j < w ? k - 2 * l : 0);
        qn_transpose16(col);
        for (int i = 0; i < NR; i++) _mm512_store_si512(out + (l + i) * NR, col[i]);
    }
}

/* The same of whole numbers, in pieces: out[(tiles of 16 padded pairs, piece, 16, 16)]. b is stored (n, k). */
static QN_BF16 void pack_panel_whole(int w, int k, const float *b, size_t ldb, uint32_t *out)
{
    int n = qn_pairs_padded(k);
    for (int l = 0; l < n; l += NR, out += QN_PIECES * NR * NR) {
        __m512i piece[QN_PIECES][NR], one[QN_PIECES];
        for (int j = 0; j < NR; j++) {
            qn_pairs_whole(b + (size_t)(j < w ? j : 0) * ldb + 2 * l, j < w ? k - 2 * l : 0, one);
            for (int p = 0; p < QN_PIECES; p++) piece[p][j] = one[p];
        }
        for (int p = 0; p < QN_PIECES; p++) {
            qn_transpose16(piece[p]);
            for (int i = 0; i < NR; i++) _mm512_store_si512(out + (p * NR + i) * NR, piece[p][i]);
        }
    }
}

/* a's block (m <= MC rows, kp <= KP pairs, k numbers) as panels of 12 rows: out[(panel, kp, 12)]. */
static QN_BF16 void pack_a(bool ta, int m, int k, const float *a, size_t lda, uint32_t *out)
{
    int kp = (k + 1) / 2;
    uint32_t row[16];
    for (int i = 0; i < m; i += MR, out += kp * MR) {
        int w = m - i < MR ? m - i : MR;
        if (ta) {
            for (int l = 0; l < kp; l++) {
                const float *x = a + (size_t)(2 * l) * lda + (size_t)i;
                _mm512_mask_storeu_epi32(out + l * MR, 0xfff, qn_pairs_of_rows(x, 2 * l + 1 < k ? x + lda : NULL, (__mmask16)((1u << w) - 1)));
            }
            continue;
        }
        for (int r = 0; r < MR; r++)
            for (int l0 = 0; l0 < kp; l0 += 16) {
                _mm512_storeu_si512(row, qn_pairs(a + (size_t)(i + (r < w ? r : 0)) * lda + 2 * l0, r < w ? k - 2 * l0 : 0));
                for (int l = l0; l < kp && l < l0 + 16; l++) out[l * MR + r] = row[l - l0];
            }
    }
}

static inline __attribute__((always_inline)) QN_BF16 void
kernel_rows(const int mr, int kp, const uint32_t *a, const uint32_t *b, bool add, float *c, size_t ldc, int w)
{
    __m512 s[MR];
    const __mmask16 edge = (__mmask16)((1u << w) - 1);
#pragma GCC unroll 12
    for (int r = 0; r < mr; r++) s[r] = _mm512_setzero_ps();
    for (int l = 0; l < kp; l++, a += MR, b += NR) {
        __m512bh x = (__m512bh)_mm512_load_si512(b);
#pragma GCC unroll 12
        for (int r = 0; r < mr; r++) s[r] = _mm512_dpbf16_ps(s[r], (__m512bh)_mm512_set1_epi32((int)a[r]), x);
    }
#pragma GCC unroll 12
    for (int r = 0; r < mr; r++) {
        float *o = c + (size_t)r * ldc;
        _mm512_mask_storeu_ps(o, edge, add ? _mm512_add_ps(_mm512_maskz_loadu_ps(edge, o), s[r]) : s[r]);
    }
}

static QN_BF16 void kernel(int mr, int kp, const uint32_t *a, const uint32_t *b, bool add, float *c, size_t ldc, int w)
{
#define ROWS(n) case n: kernel_rows(n, kp, a, b, add, c, ldc, w); break;
    switch (mr) { QN_ROWS_TO_12(ROWS) }
#undef ROWS
}

/* ---- parts for threads ---- */
enum { PANELS = 8 };
typedef struct { bool tb; int n, k, ldb, pieces; const float *b; uint32_t *out; } pack_job;

static void pack_part(void *arg, size_t part)
{
    pack_job *q = arg;
    int last = (q->n + NR - 1) / NR, to = (int)part * PANELS + PANELS;
    for (int p = (int)part * PANELS; p < to && p < last; p++) {
        int j = p * NR, w = q->n - j < NR ? q->n - j : NR;
        const float *b = q->tb ? q->b + (size_t)j * (size_t)q->ldb : q->b + j;
        uint32_t *out = q->out + (size_t)j * (size_t)(q->pieces * qn_pairs_padded(q->k));
        if (q->pieces == 1) pack_panel(q->tb, w, q->k, b, (size_t)q->ldb, out);
        else pack_panel_whole(w, q->k, b, (size_t)q->ldb, out);
    }
}

static void pack(qn_pool *p, int pieces, bool tb, int n, int k, const float *b, int ldb, uint32_t *out)
{
    pack_job q = { .tb = tb, .n = n, .k = k, .ldb = ldb, .pieces = pieces, .b = b, .out = out };
    size_t parts = (size_t)((n + NR - 1) / NR + PANELS - 1) / PANELS;
    qn_pool_run((size_t)n * (size_t)k < 1 << 16 ? NULL : p, parts, pack_part, &q);
}

void qn_pack_bf16(qn_pool *p, bool tb, int n, int k, const float *b, int ldb, uint32_t *out) { pack(p, 1, tb, n, k, b, ldb, out); }

static void mul_part(void *arg, size_t part)
{
    const qn_bf16_job *q = arg;
    int i0 = (int)(part % (size_t)q->n_rows) * q->mc, j0 = (int)(part / (size_t)q->n_rows) * q->nc, kp = (q->k + 1) / 2, all = qn_pairs_padded(q->k);
    int m = q->m - i0 < q->mc ? q->m - i0 : q->mc, n = q->n - j0 < q->nc ? q->n - j0 : q->nc;
    uint32_t pa[MC * KP] __attribute__((aligned(64)));
    for (int l = 0; l < kp || l == 0; l += KP) {
        int kb = kp - l < KP ? kp - l : KP, k = q->k - 2 * l < 2 * KP ? q->k - 2 * l : 2 * KP;
        pack_a(q->ta, m, k, q->ta ? q->a + (size_t)(2 * l) * (size_t)q->lda + (size_t)i0 : q->a + (size_t)i0 * (size_t)q->lda + 2 * l, (size_t)q->lda, pa);
        for (int j = 0; j < n; j += NR) {
            const uint32_t *b = q->packed + (size_t)(j0 + j) * (size_t)all + (size_t)l * NR;
            for (int i = 0; i < m; i += MR)
                kernel(m - i < MR ? m - i : MR, kb, pa + (size_t)i * (size_t)kb, b, q->add || l > 0, q->c + (size_t)(i0 + i) * (size_t)q->ldc + j0 + j, (size_t)q->ldc, n - j < NR ? n - j : NR);
        }
    }
    if (q->then) q->then->fn(q->then->arg, i0, i0 + m, j0, j0 + n);
}

/* pieces: as b was packed; more than one on tiles alone */
static void mul(qn_pool *p, int pieces, bool ta, int m, int n, int k, const float *a, int lda, const uint32_t *packed, bool add, float *c, int ldc, const qn_then *then)
{
    if (m <= 0 || n <= 0) return;
    bool tiles = pieces > 1 || qn_gemm_tiles_used();
    int step = tiles ? 32 : MR;
    qn_bf16_job q = { .ta = ta, .add = add, .m = m, .n = n, .k = k, .lda = lda, .ldc = ldc, .a = a, .packed = packed, .c = c, .then = then, .pieces = pieces,
                      .mc = !tiles ? MC : pieces == 1 ? QN_AMX_ROWS : QN_AMX_ROWS_WHOLE, .nc = tiles ? QN_AMX_COLS : NC };
    if ((int64_t)m * n * k < 1 << 18) p = NULL;
    int cols = (n + q.nc - 1) / q.nc, want = 4 * qn_pool_threads(p);
    if (qn_pool_threads(p) > 1)
        while (q.mc > step && (m + q.mc - 1) / q.mc * cols < want) q.mc = q.mc / 2 / step * step;
    q.n_rows = (m + q.mc - 1) / q.mc;
    qn_pool_run(p, (size_t)q.n_rows * (size_t)cols, tiles ? qn_amx_part : mul_part, &q);
}

void qn_gemm_packed_bf16(qn_pool *p, bool ta, int m, int n, int k, const float *a, int lda, const uint32_t *packed, bool add, float *c, int ldc)
{
    mul(p, 1, ta, m, n, k, a, lda, packed, add, c, ldc, NULL);
}

#else
bool qn_gemm_has_bf16(void) { return false; }
bool qn_gemm_tiles(bool on) { (void)on; return false; }
bool qn_gemm_tiles_used(void) { return false; }
size_t qn_pack_bf16_size(int n, int k) { (void)n; (void)k; return 0; }
void qn_pack_bf16(qn_pool *p, bool tb, int n, int k, const float *b, int ldb, uint32_t *out) { (void)p; (void)tb; (void)n; (void)k; (void)b; (void)ldb; (void)out; }
void qn_gemm_packed_bf16(qn_pool *p, bool ta, int m, int n, int k, const float *a, int lda, const uint32_t *packed, bool add, float *c, int ldc)
{
    (void)p; (void)ta; (void)m; (void)n; (void)k; (void)a; (void)lda; (void)packed; (void)add; (void)c; (void)ldc;
}
static void pack(qn_pool *p, int pieces, bool tb, int n, int k, const float *b, int ldb, uint32_t *out)
{
    (void)p; (void)pieces; (void)tb; (void)n; (void)k; (void)b; (void)ldb; (void)out;
}
static void mul(qn_pool *p, int pieces, bool ta, int m, int n, int k, const float *a, int lda, const uint32_t *packed, bool add, float *c, int ldc, const qn_then *then)
{
    (void)pieces; (void)then;
    qn_gemm_packed_bf16(p, ta, m, n, k, a, lda, packed, add, c, ldc);
}
#endif

/* ---- either precision ---- */
static int pieces_of(qn_precision how) { return how == QN_MUL_F32_TILES ? QN_PIECES : 1; }

qn_factor qn_factor_make(qn_precision how, qn_pool *p, bool tb, int n, int k, const float *b, int ldb)
{
    if (how == QN_MUL_F32_TILES && !(tb && qn_gemm_tiles_used())) how = QN_MUL_F32;
    if (how == QN_MUL_BF16 && !qn_gemm_has_bf16()) how = QN_MUL_F32;
    qn_factor f = { how, n, k, NULL };
    if (how == QN_MUL_F32) {
        f.p = qn_nn_alloc(qn_pack_size(n, k));
        qn_pack(p, tb, n, k, b, ldb, f.p);
    } else {
        f.p = qn_nn_alloc((size_t)pieces_of(how) * qn_pack_bf16_size(n, k));
        pack(p, pieces_of(how), tb, n, k, b, ldb, (uint32_t *)(void *)f.p);
    }
    return f;
}

void qn_factor_mul_then(const qn_factor *f, qn_pool *p, int m, const float *a, int lda, bool add, float *c, int ldc, const qn_then *then)
{
    if (f->how == QN_MUL_F32) qn_gemm_packed_then(p, false, m, f->n, f->k, a, lda, f->p, f->k, add, c, ldc, then);
    else mul(p, pieces_of(f->how), false, m, f->n, f->k, a, lda, (const uint32_t *)(const void *)f->p, add, c, ldc, then);
}

void qn_factor_mul(const qn_factor *f, qn_pool *p, int m, const float *a, int lda, bool add, float *c, int ldc)
{
    qn_factor_mul_then(f, p, m, a, lda, add, c, ldc, NULL);
}

void qn_factor_free(qn_factor *f) { qn_nn_free(f->p); f->p = NULL; }

void qn_gemm_as(bool bf16, qn_pool *p, bool ta, bool tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb, bool add, float *c, int ldc)
{
    if (!bf16 || !qn_gemm_has_bf16()) { qn_gemm(p, ta, tb, m, n, k, a, lda, b, ldb, add, c, ldc); return; }
    if (m <= 0 || n <= 0) return;
    uint32_t *packed = (uint32_t *)(void *)qn_nn_alloc(qn_pack_bf16_size(n, k));
    qn_pack_bf16(p, tb, n, k, b, ldb, packed);
    qn_gemm_packed_bf16(p, ta, m, n, k, a, lda, packed, add, c, ldc);
    qn_nn_free((float *)(void *)packed);
}
