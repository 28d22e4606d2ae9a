/* gemm_bf16: products of f32 matrices whose numbers are rounded to bf16 while they are packed, summed in f32 (AVX512_BF16's dot
 * product of pairs). Panels as in gemm.c, a pair of numbers in each 32-bit place. */
#pragma GCC optimize("O3")
#include "nn/gemm.h"
#include "core/mem.h"
#if defined(__x86_64__) && __GNUC__ >= 10
#include <immintrin.h>
#define BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")))

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

size_t qn_pack_bf16_size(int n, int k) { return (size_t)((n + NR - 1) / NR) * NR * (size_t)((k + 1) / 2); }

/* Rounded to nearest even; low 16 bits x, high 16 bits y, lane by lane. */
static inline BF16 __m512i pairs(__m512 x, __m512 y)
{
    __m512i lo = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x)), hi = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(y));
    return _mm512_or_si512(lo, _mm512_slli_epi32(hi, 16));
}

/* k numbers that lie side by side, as pairs. */
static inline BF16 void row_pairs(const float *x, int k, uint32_t *out)
{
    int l = 0;
    for (; l + 32 <= k; l += 32)
        _mm512_storeu_si512(out + l / 2, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + l + 16), _mm512_loadu_ps(x + l)));
    for (; l < k; l += 32) {
        int left = k - l;
        __mmask16 a = left >= 16 ? 0xffff : (__mmask16)((1u << left) - 1), b = left > 16 ? (__mmask16)((1u << (left - 16)) - 1) : 0;
        __m512 lo = _mm512_maskz_loadu_ps(a, x + l), hi = _mm512_maskz_loadu_ps(b, x + l + (left > 16 ? 16 : 0));
        _mm512_mask_storeu_epi32(out + l / 2, (__mmask16)((1u << ((left + 1) / 2)) - 1), (__m512i)_mm512_cvtne2ps_pbh(hi, lo));
    }
}

/* One panel of b: w <= 16 columns, zeros behind them: out[(k pairs, 16)]. */
static BF16 void pack_panel(bool tb, int w, int k, const float *b, size_t ldb, uint32_t *out)
{
    int kp = (k + 1) / 2;
    if (!tb) {
        __mmask16 m = (__mmask16)((1u << w) - 1);
        for (int l = 0; l < kp; l++) {
            __m512 x = _mm512_maskz_loadu_ps(m, b + (size_t)(2 * l) * ldb), y = 2 * l + 1 < k ? _mm512_maskz_loadu_ps(m, b + (size_t)(2 * l + 1) * ldb) : _mm512_setzero_ps();
            _mm512_store_si512(out + l * NR, pairs(x, y));
        }
        return;
    }
    uint32_t col[KP + 16];
    const __m512i step = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(NR));
    for (int j = 0; j < NR; j++) {
        if (j >= w) { for (int l = 0; l < kp; l++) out[l * NR + j] = 0; continue; }
        for (int l0 = 0; l0 < kp; l0 += KP) {
            int n = kp - l0 < KP ? kp - l0 : KP, l = 0;
            row_pairs(b + (size_t)j * ldb + 2 * l0, (k - 2 * l0 < 2 * KP ? k - 2 * l0 : 2 * KP), col);
            uint32_t *o = out + (size_t)l0 * NR + j;
            for (; l + 16 <= n; l += 16) _mm512_i32scatter_epi32(o + l * NR, step, _mm512_loadu_si512(col + l), 4);
            for (; l < n; l++) o[l * NR] = col[l];
        }
    }
}

/* a's block (m <= MC rows, kp <= KP pairs, k numbers) as panels of 12 rows: out[(panel, kp, 12)]. */
static BF16 void pack_a(bool ta, int m, int k, const float *a, size_t lda, uint32_t *out)
{
    int kp = (k + 1) / 2;
    uint32_t row[KP + 16];
    for (int i = 0; i < m; i += MR, out += kp * MR) {
        int w = m - i < MR ? m - i : MR;
        if (ta) {
            __mmask16 mask = (__mmask16)((1u << w) - 1);
            for (int l = 0; l < kp; l++) {
                __m512 x = _mm512_maskz_loadu_ps(mask, a + (size_t)(2 * l) * lda + (size_t)i);
                __m512 y = 2 * l + 1 < k ? _mm512_maskz_loadu_ps(mask, a + (size_t)(2 * l + 1) * lda + (size_t)i) : _mm512_setzero_ps();
                _mm512_mask_storeu_epi32(out + l * MR, 0xfff, pairs(x, y));
            }
            continue;
        }
        for (int r = 0; r < MR; r++) {
            if (r >= w) { for (int l = 0; l < kp; l++) out[l * MR + r] = 0; continue; }
            row_pairs(a + (size_t)(i + r) * lda, k, row);
            for (int l = 0; l < kp; l++) out[l * MR + r] = row[l];
        }
    }
}

static inline __attribute__((always_inline)) BF16 void
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

static BF16 void kernel(int mr, int kp, const uint32_t *a, const uint32_t *b, bool add, float *c, size_t ldc, int w)
{
    switch (mr) {
    case 12: kernel_rows(12, kp, a, b, add, c, ldc, w); break;
    case 11: kernel_rows(11, kp, a, b, add, c, ldc, w); break;
    case 10: kernel_rows(10, kp, a, b, add, c, ldc, w); break;
    case 9: kernel_rows(9, kp, a, b, add, c, ldc, w); break;
    case 8: kernel_rows(8, kp, a, b, add, c, ldc, w); break;
    case 7: kernel_rows(7, kp, a, b, add, c, ldc, w); break;
    case 6: kernel_rows(6, kp, a, b, add, c, ldc, w); break;
    case 5: kernel_rows(5, kp, a, b, add, c, ldc, w); break;
    case 4: kernel_rows(4, kp, a, b, add, c, ldc, w); break;
    case 3: kernel_rows(3, kp, a, b, add, c, ldc, w); break;
    case 2: kernel_rows(2, kp, a, b, add, c, ldc, w); break;
    default: kernel_rows(1, kp, a, b, add, c, ldc, w); break;
    }
}

/* ---- parts for threads ---- */
enum { PANELS = 8 };
typedef struct { bool tb; int n, k, ldb; const float *b; uint32_t *out; } pack_job;

static void pack_part(void *arg, size_t part)
{
    pack_job *q = arg;
    int last = (q->n + NR - 1) / NR, to = (int)part * PANELS + PANELS;
    for (int p = (int)part * PANELS; p < to && p < last; p++) {
        int j = p * NR, w = q->n - j < NR ? q->n - j : NR;
        pack_panel(q->tb, w, q->k, q->tb ? q->b + (size_t)j * (size_t)q->ldb : q->b + j, (size_t)q->ldb, q->out + (size_t)j * (size_t)((q->k + 1) / 2));
    }
}

void qn_pack_bf16(qn_pool *p, bool tb, int n, int k, const float *b, int ldb, uint32_t *out)
{
    pack_job q = { .tb = tb, .n = n, .k = k, .ldb = ldb, .b = b, .out = out };
    size_t parts = (size_t)((n + NR - 1) / NR + PANELS - 1) / PANELS;
    qn_pool_run((size_t)n * (size_t)k < 1 << 16 ? NULL : p, parts, pack_part, &q);
}

typedef struct { bool ta, add; int m, n, k, lda, ldc, n_rows, mc; const float *a; const uint32_t *packed; float *c; } mul_job;

static void mul_part(void *arg, size_t part)
{
    mul_job *q = arg;
    int i0 = (int)(part % (size_t)q->n_rows) * q->mc, j0 = (int)(part / (size_t)q->n_rows) * NC, kp = (q->k + 1) / 2;
    int m = q->m - i0 < q->mc ? q->m - i0 : q->mc, n = q->n - j0 < NC ? q->n - j0 : NC;
    uint32_t pa[MC * KP] __attribute__((aligned(64)));
    for (int l = 0; l < kp || l == 0; l += KP) {
        int kb = kp - l < KP ? kp - l : KP, k = q->k - 2 * l < 2 * KP ? q->k - 2 * l : 2 * KP;
        pack_a(q->ta, m, k, q->ta ? q->a + (size_t)(2 * l) * (size_t)q->lda + (size_t)i0 : q->a + (size_t)i0 * (size_t)q->lda + 2 * l, (size_t)q->lda, pa);
        for (int j = 0; j < n; j += NR) {
            const uint32_t *b = q->packed + (size_t)(j0 + j) * (size_t)kp + (size_t)l * NR;
            for (int i = 0; i < m; i += MR)
                kernel(m - i < MR ? m - i : MR, kb, pa + (size_t)i * (size_t)kb, b, q->add || l > 0, q->c + (size_t)(i0 + i) * (size_t)q->ldc + j0 + j, (size_t)q->ldc, n - j < NR ? n - j : NR);
        }
    }
}

void qn_gemm_packed_bf16(qn_pool *p, bool ta, int m, int n, int k, const float *a, int lda, const uint32_t *packed, bool add, float *c, int ldc)
{
    if (m <= 0 || n <= 0) return;
    mul_job q = { .ta = ta, .add = add, .m = m, .n = n, .k = k, .lda = lda, .ldc = ldc, .a = a, .packed = packed, .c = c, .mc = MC };
    if ((int64_t)m * n * k < 1 << 18) p = NULL;
    int cols = (n + NC - 1) / NC, want = 4 * qn_pool_threads(p);
    if (qn_pool_threads(p) > 1)
        while (q.mc > MR && (m + q.mc - 1) / q.mc * cols < want) q.mc = q.mc / 2 / MR * MR;
    q.n_rows = (m + q.mc - 1) / q.mc;
    qn_pool_run(p, (size_t)q.n_rows * (size_t)cols, mul_part, &q);
}

#else
bool qn_gemm_has_bf16(void) { return false; }
size_t qn_pack_bf16_size(int n, int k) { (void)n; (void)k; return 0; }
void qn_pack_bf16(qn_pool *p, bool tb, int n, int k, const float *b, int ldb, uint32_t *out) { (void)p; (void)tb; (void)n; (void)k; (void)b; (void)ldb; (void)out; }
void qn_gemm_packed_bf16(qn_pool *p, bool ta, int m, int n, int k, const float *a, int lda, const uint32_t *packed, bool add, float *c, int ldc)
{
    (void)p; (void)ta; (void)m; (void)n; (void)k; (void)a; (void)lda; (void)packed; (void)add; (void)c; (void)ldc;
}
#endif

/* ---- either precision ---- */
qn_factor qn_factor_make(bool bf16, qn_pool *p, bool tb, int n, int k, const float *b, int ldb)
{
    qn_factor f = { bf16 && qn_gemm_has_bf16(), n, k, NULL };
    f.p = qn_nn_alloc(f.bf16 ? qn_pack_bf16_size(n, k) : qn_pack_size(n, k));
    if (f.bf16) qn_pack_bf16(p, tb, n, k, b, ldb, (uint32_t *)(void *)f.p);
    else qn_pack(p, tb, n, k, b, ldb, f.p);
    return f;
}

void qn_factor_mul(const qn_factor *f, qn_pool *p, int m, const float *a, int lda, bool add, float *c, int ldc)
{
    if (f->bf16) qn_gemm_packed_bf16(p, false, m, f->n, f->k, a, lda, (const uint32_t *)(const void *)f->p, add, c, ldc);
    else qn_gemm_packed(p, false, m, f->n, f->k, a, lda, f->p, f->k, add, c, ldc);
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
