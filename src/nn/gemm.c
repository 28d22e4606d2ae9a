/* gemm: b is packed into panels of 16 columns, a into panels of 6 rows (12 with AVX-512); a kernel sums a panel's rows by 16
 * columns in registers. Parts for the threads are blocks of the result; nothing is summed across threads. The AVX-512 kernel
 * makes the same chain of fused multiply-adds for each number as the AVX2 one: their results are the same bits. */
#pragma GCC optimize("O3")
#include "nn/gemm_blocks.h"
#include "core/dl.h"
#include "core/mem.h"
#include "core/thread.h"
#include <stdlib.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,avx2,fma")))
#else
#define AVX2
#endif

enum { MR = 6, MR512 = 12, NR = 16, MC = 96, KC = 256, NC = 512 };

float *qn_nn_alloc(size_t n)
{
    void *p = aligned_alloc(64, (n * sizeof(float) + 127) / 64 * 64);
    if (!p) p = qn_alloc(SIZE_MAX / 2);     /* ends the process the way all allocations do */
    return p;
}

float *qn_nn_zalloc(size_t n) { return memset(qn_nn_alloc(n), 0, n * sizeof(float)); }
void qn_nn_free(void *p) { free(p); }

bool qn_has_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return false;
#endif
}

/* ---- the reference ---- */
void qn_gemm_ref(bool ta, bool tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb,
                 bool add, float *c, int ldc)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float s = add ? c[(size_t)i * ldc + j] : 0;
            for (int l = 0; l < k; l++)
                s += (ta ? a[(size_t)l * lda + i] : a[(size_t)i * lda + l]) * (tb ? b[(size_t)j * ldb + l] : b[(size_t)l * ldb + j]);
            c[(size_t)i * ldc + j] = s;
        }
}

/* ---- packing ---- */
size_t qn_pack_size(int n, int k) { return (size_t)((n + NR - 1) / NR) * NR * (size_t)k; }

#if defined(__x86_64__)
/* 8 rows of 8 floats, transposed: in[r * ld + c] -> out[c * out_ld + r]. */
static inline AVX2 void transpose8(const float *in, size_t ld, float *out, size_t out_ld)
{
    __m256 r[8], t[8];
    for (int i = 0; i < 8; i++) r[i] = _mm256_loadu_ps(in + (size_t)i * ld);
    for (int i = 0; i < 4; i++) {
        t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        r[4 * i + 0] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
        r[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
        r[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
        r[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
    }
    for (int i = 0; i < 4; i++) {
        _mm256_storeu_ps(out + (size_t)i * out_ld, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
        _mm256_storeu_ps(out + (size_t)(i + 4) * out_ld, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
}

static AVX2 void pack_cols_avx2(const float *b, size_t ldb, int k, float *out)
{
    int l = 0;
    for (; l + 8 <= k; l += 8) {
        transpose8(b + l, ldb, out + (size_t)l * NR, NR);
        transpose8(b + 8 * ldb + l, ldb, out + (size_t)l * NR + 8, NR);
    }
    for (; l < k; l++)
        for (int j = 0; j < NR; j++) out[(size_t)l * NR + j] = b[(size_t)j * ldb + l];
}
#endif

/* One panel: w <= 16 columns of op(b), zeros behind them. */
static void pack_panel(bool tb, int w, int k, const float *b, size_t ldb, float *out)
{
#if defined(__x86_64__)
    if (tb && w == NR && qn_has_avx2()) { pack_cols_avx2(b, ldb, k, out); return; }
#endif
    if (!tb && w == NR) {
        for (int l = 0; l < k; l++) memcpy(out + (size_t)l * NR, b + (size_t)l * ldb, NR * sizeof(float));
        return;
    }
    for (int l = 0; l < k; l++) {
        for (int j = 0; j < w; j++) out[(size_t)l * NR + j] = tb ? b[(size_t)j * ldb + l] : b[(size_t)l * ldb + j];
        for (int j = w; j < NR; j++) out[(size_t)l * NR + j] = 0;
    }
}

enum { PANELS = 8 };                        /* panels in one part of the packing */
typedef struct { bool tb; int n, k, ldb; const float *b; float *out; } pack_job;

static void pack_part(void *arg, size_t part)
{
    pack_job *q = arg;
    int last = (q->n + NR - 1) / NR, to = (int)part * PANELS + PANELS;
    for (int p = (int)part * PANELS; p < to && p < last; p++) {
        int j = p * NR, w = q->n - j < NR ? q->n - j : NR;
        pack_panel(q->tb, w, q->k, q->tb ? q->b + (size_t)j * q->ldb : q->b + j, (size_t)q->ldb, q->out + (size_t)j * q->k);
    }
}

void qn_pack(qn_pool *p, bool tb, int n, int k, const float *b, int ldb, float *out)
{
    pack_job q = { .tb = tb, .n = n, .k = k, .ldb = ldb, .b = b, .out = out };
    size_t parts = (size_t)((n + NR - 1) / NR + PANELS - 1) / PANELS;
    qn_pool_run((size_t)n * (size_t)k < 1 << 16 ? NULL : p, parts, pack_part, &q);
}

/* a's block (m <= MC rows, k <= KC) as panels of `mr` rows: out[(panel, k, mr)]. */
static inline __attribute__((always_inline)) void pack_rows(const int mr, bool ta, int m, int k, const float *a, size_t lda, float *out)
{
    for (int i = 0; i < m; i += mr, out += k * mr) {
        int w = m - i < mr ? m - i : mr;
        if (w < mr) memset(out, 0, (size_t)(k * mr) * sizeof(float));
        if (ta && w == mr) {
            for (int l = 0; l < k; l++) memcpy(out + l * mr, a + (size_t)l * lda + (size_t)i, (size_t)mr * sizeof(float));
        } else if (ta) {
            for (int l = 0; l < k; l++)
                for (int r = 0; r < w; r++) out[l * mr + r] = a[(size_t)l * lda + (size_t)(i + r)];
        } else if (w == mr) {
            const float *a0 = a + (size_t)i * lda;
            for (int l = 0; l < k; l++)
                for (int r = 0; r < mr; r++) out[l * mr + r] = a0[(size_t)r * lda + (size_t)l];
        } else {
            for (int r = 0; r < w; r++)
                for (int l = 0; l < k; l++) out[l * mr + r] = a[(size_t)(i + r) * lda + (size_t)l];
        }
    }
}

static int panel_rows = MR;                 /* of the kernel in use */
static void pack_a(bool ta, int m, int k, const float *a, size_t lda, float *out)
{
    if (panel_rows == MR512) pack_rows(MR512, ta, m, k, a, lda, out);
    else pack_rows(MR, ta, m, k, a, lda, out);
}

/* ---- the kernel: `mr` rows by 16 columns over k; w columns of it are written ---- */
static inline __attribute__((always_inline)) void store_edge(const float *t, int mr, int w, bool add, float *c, size_t ldc)
{
    for (int r = 0; r < mr; r++)
        for (int j = 0; j < w; j++) c[(size_t)r * ldc + (size_t)j] = (add ? c[(size_t)r * ldc + (size_t)j] : 0) + t[r * NR + j];
}

static void kernel_plain(int mr, int k, const float *a, const float *b, bool add, float *c, size_t ldc, int w)
{
    float t[MR * NR] = { 0 };
    for (int l = 0; l < k; l++)
        for (int r = 0; r < mr; r++)
            for (int j = 0; j < NR; j++) t[r * NR + j] += a[l * MR + r] * b[l * NR + j];
    store_edge(t, mr, w, add, c, ldc);
}

#if defined(__x86_64__)
static inline __attribute__((always_inline)) AVX2 void
kernel_rows(const int mr, int k, const float *a, const float *b, bool add, float *c, size_t ldc, int w)
{
    __m256 s[MR][2];
    for (int r = 0; r < mr; r++) s[r][0] = s[r][1] = _mm256_setzero_ps();
    for (int l = 0; l < k; l++, a += MR, b += NR) {
        __m256 b0 = _mm256_load_ps(b), b1 = _mm256_load_ps(b + 8);
#pragma GCC unroll 6
        for (int r = 0; r < mr; r++) {
            __m256 x = _mm256_broadcast_ss(a + r);
            s[r][0] = _mm256_fmadd_ps(x, b0, s[r][0]);
            s[r][1] = _mm256_fmadd_ps(x, b1, s[r][1]);
        }
    }
    if (w == NR) {
#pragma GCC unroll 6
        for (int r = 0; r < mr; r++) {
            float *o = c + (size_t)r * ldc;
            _mm256_storeu_ps(o, add ? _mm256_add_ps(_mm256_loadu_ps(o), s[r][0]) : s[r][0]);
            _mm256_storeu_ps(o + 8, add ? _mm256_add_ps(_mm256_loadu_ps(o + 8), s[r][1]) : s[r][1]);
        }
        return;
    }
    float t[MR * NR];
#pragma GCC unroll 6
    for (int r = 0; r < mr; r++) {
        _mm256_storeu_ps(t + r * NR, s[r][0]);
        _mm256_storeu_ps(t + r * NR + 8, s[r][1]);
    }
    store_edge(t, mr, w, add, c, ldc);
}

static AVX2 void kernel_avx2(int mr, int k, const float *a, const float *b, bool add, float *c, size_t ldc, int w)
{
#define ROWS(n) case n: kernel_rows(n, k, a, b, add, c, ldc, w); break;
    switch (mr) { QN_ROWS_TO_6(ROWS) }
#undef ROWS
}
#endif

#if defined(__x86_64__)
static inline __attribute__((always_inline)) AVX512 void
kernel_rows512(const int mr, int k, const float *a, const float *b, bool add, float *c, size_t ldc, int w)
{
    __m512 s[MR512];
    const __mmask16 edge = (__mmask16)((1u << w) - 1);
#pragma GCC unroll 12
    for (int r = 0; r < mr; r++) s[r] = _mm512_setzero_ps();
    for (int l = 0; l < k; l++, a += MR512, b += NR) {
        __m512 x = _mm512_load_ps(b);
#pragma GCC unroll 12
        for (int r = 0; r < mr; r++) s[r] = _mm512_fmadd_ps(_mm512_set1_ps(a[r]), x, s[r]);
    }
#pragma GCC unroll 12
    for (int r = 0; r < mr; r++) {
        float *o = c + (size_t)r * ldc;
        _mm512_mask_storeu_ps(o, edge, add ? _mm512_add_ps(_mm512_maskz_loadu_ps(edge, o), s[r]) : s[r]);
    }
}

/* 12 rows by two whole panels: a broadcast number of a serves twice, so the loads keep up with two multipliers. */
static AVX512 void kernel_wide(int k, const float *a, const float *b0, const float *b1, bool add, float *c, size_t ldc)
{
    __m512 s[MR512], t[MR512];
#pragma GCC unroll 12
    for (int r = 0; r < MR512; r++) s[r] = t[r] = _mm512_setzero_ps();
    for (int l = 0; l < k; l++, a += MR512, b0 += NR, b1 += NR) {
        __m512 x = _mm512_load_ps(b0), y = _mm512_load_ps(b1);
#pragma GCC unroll 12
        for (int r = 0; r < MR512; r++) {
            __m512 one = _mm512_set1_ps(a[r]);
            s[r] = _mm512_fmadd_ps(one, x, s[r]);
            t[r] = _mm512_fmadd_ps(one, y, t[r]);
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < MR512; r++) {
        float *o = c + (size_t)r * ldc;
        _mm512_storeu_ps(o, add ? _mm512_add_ps(_mm512_loadu_ps(o), s[r]) : s[r]);
        _mm512_storeu_ps(o + NR, add ? _mm512_add_ps(_mm512_loadu_ps(o + NR), t[r]) : t[r]);
    }
}

static AVX512 void kernel_avx512(int mr, int k, const float *a, const float *b, bool add, float *c, size_t ldc, int w)
{
#define ROWS(n) case n: kernel_rows512(n, k, a, b, add, c, ldc, w); break;
    switch (mr) { QN_ROWS_TO_12(ROWS) }
#undef ROWS
}
#endif

typedef void kernel_fn(int, int, const float *, const float *, bool, float *, size_t, int);
static kernel_fn *kernel;                   /* NULL until chosen */

/* One block of the result: m <= MC rows, n <= NC columns, all of k. */
static void block(bool ta, int m, int n, int k, const float *a, size_t lda, const float *packed, size_t packed_k,
                  bool add, float *c, size_t ldc)
{
    float pa[MC * KC] __attribute__((aligned(64)));
    const int mr = panel_rows;
    for (int l = 0; l < k || l == 0; l += KC) {
        int kc = k - l < KC ? k - l : KC;
        pack_a(ta, m, kc, ta ? a + (size_t)l * lda : a + l, lda, pa);
        for (int j = 0; j < n; j += NR) {
            const float *b = packed + (size_t)j * packed_k + (size_t)l * NR;
            int w = n - j < NR ? n - j : NR;
            int i = 0;
#if defined(__x86_64__)
            if (mr == MR512 && n - j >= 2 * NR) {
                for (; i + mr <= m; i += mr) kernel_wide(kc, pa + (size_t)i * kc, b, b + NR * packed_k, add || l > 0, c + (size_t)i * ldc + j, ldc);
                for (int r = i; r < m; r += mr) kernel(m - r, kc, pa + (size_t)r * kc, b, add || l > 0, c + (size_t)r * ldc + j, ldc, NR);
                j += NR, b += NR * packed_k, w = n - j < NR ? n - j : NR;
            }
#endif
            for (; i < m; i += mr)
                kernel(m - i < mr ? m - i : mr, kc, pa + (size_t)i * kc, b, add || l > 0, c + (size_t)i * ldc + j, ldc, w);
        }
    }
}

typedef struct { bool ta, add; int m, n, k, lda, ldc, n_rows; const float *a, *packed; size_t packed_k; float *c; int mc; const qn_then *then; } mul_job;

static void mul_part(void *arg, size_t part)
{
    mul_job *q = arg;
    int i = (int)(part % (size_t)q->n_rows) * q->mc, j = (int)(part / (size_t)q->n_rows) * NC;
    int m = q->m - i < q->mc ? q->m - i : q->mc, n = q->n - j < NC ? q->n - j : NC;
    block(q->ta, m, n, q->k, q->ta ? q->a + i : q->a + (size_t)i * q->lda, (size_t)q->lda, q->packed + (size_t)j * q->packed_k,
          q->packed_k, q->add, q->c + (size_t)i * q->ldc + j, (size_t)q->ldc);
    if (q->then) q->then->fn(q->then->arg, i, i + m, j, j + n);
}

/* ---- oneDNN, single-threaded in each of our threads ---- */
typedef int (*sgemm_fn)(char, char, int64_t, int64_t, int64_t, float, const float *, int64_t, const float *, int64_t, float,
                        float *, int64_t);
static struct { sgemm_fn sgemm; void (*one_thread)(int); } dnnl;
static enum { UNCHOSEN, PLAIN, OWN, OWN512, ONEDNN } path;

static bool open_onednn(void)
{
    static const char *const names[] = { "libdnnl.so.2", "libdnnl.so.3", "libdnnl.so", NULL }, *const omp[] = { "libgomp.so.1", NULL };
    qn_err e = { 0 };
    if (dnnl.sgemm) return true;
    const qn_sym o[] = { { "omp_set_num_threads", (void **)&dnnl.one_thread }, { NULL, NULL } };
    if (qn_dl(omp, o, "oneDNN", "libgomp1", &e) != QN_OK) return false;
    const qn_sym s[] = { { "dnnl_sgemm", (void **)&dnnl.sgemm }, { NULL, NULL } };
    return qn_dl(names, s, "fast matrix products", "libdnnl2", &e) == QN_OK;
}

static void choose_own(void) { if (!qn_gemm_choose("avx512") && !qn_gemm_choose("avx2")) qn_gemm_choose("plain"); }

bool qn_gemm_choose(const char *name)
{
    if (!strcmp(name, "plain")) { path = PLAIN; kernel = kernel_plain; panel_rows = MR; return true; }
#if defined(__x86_64__)
    if (!strcmp(name, "avx512") && qn_has_avx2() && __builtin_cpu_supports("avx512f")) { path = OWN512; kernel = kernel_avx512; panel_rows = MR512; return true; }
    if (!strcmp(name, "avx2") && qn_has_avx2()) { path = OWN; kernel = kernel_avx2; panel_rows = MR; return true; }
#endif
    if (!strcmp(name, "onednn") && open_onednn()) { if (!kernel) choose_own(); path = ONEDNN; return true; }
    return false;
}

/* The first product, whichever thread makes it. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void choose(void)
{
    if (path != UNCHOSEN) return;       /* somebody has said which */
    const char *want = getenv("QUERN_GEMM");
    if (want && *want && qn_gemm_choose(want)) return;
    choose_own();
}

typedef struct { bool ta, tb, add; int m, n, k, lda, ldb, ldc, n_rows; const float *a, *b; float *c; } dnnl_job;
enum { DM = 192, DN = 512 };

static void dnnl_part(void *arg, size_t part)
{
    dnnl_job *q = arg;
    int i = (int)(part % (size_t)q->n_rows) * DM, j = (int)(part / (size_t)q->n_rows) * DN;
    int m = q->m - i < DM ? q->m - i : DM, n = q->n - j < DN ? q->n - j : DN;
    dnnl.one_thread(1);
    dnnl.sgemm(q->ta ? 'T' : 'N', q->tb ? 'T' : 'N', m, n, q->k, 1.f, q->ta ? q->a + i : q->a + (size_t)i * q->lda, q->lda,
               q->tb ? q->b + (size_t)j * q->ldb : q->b + j, q->ldb, q->add ? 1.f : 0.f, q->c + (size_t)i * q->ldc + j, q->ldc);
}

/* ---- products ---- */
/* Small products stay in the caller's thread; rows of a part shrink until every thread has some. */
void qn_gemm_packed_then(qn_pool *p, bool ta, int m, int n, int k, const float *a, int lda, const float *packed, int packed_k,
                         bool add, float *c, int ldc, const qn_then *then)
{
    if (m <= 0 || n <= 0) return;
    pthread_once(&once, choose);
    mul_job q = { .ta = ta, .add = add, .m = m, .n = n, .k = k, .lda = lda, .ldc = ldc, .a = a, .packed = packed,
                  .packed_k = (size_t)packed_k, .c = c, .mc = MC, .then = then };
    if ((int64_t)m * n * k < 1 << 18) p = NULL;
    int cols = (n + NC - 1) / NC, want = 4 * qn_pool_threads(p);
    if (qn_pool_threads(p) > 1)
        while (q.mc > panel_rows && (m + q.mc - 1) / q.mc * cols < want) q.mc = q.mc / 2 / panel_rows * panel_rows;
    q.n_rows = (m + q.mc - 1) / q.mc;
    qn_pool_run(p, (size_t)q.n_rows * (size_t)cols, mul_part, &q);
}

void qn_gemm_packed(qn_pool *p, bool ta, int m, int n, int k, const float *a, int lda, const float *packed, int packed_k,
                    bool add, float *c, int ldc)
{
    qn_gemm_packed_then(p, ta, m, n, k, a, lda, packed, packed_k, add, c, ldc, NULL);
}

void qn_gemm(qn_pool *p, bool ta, bool tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb,
             bool add, float *c, int ldc)
{
    if (m <= 0 || n <= 0) return;
    pthread_once(&once, choose);
    if (path == ONEDNN && k > 0) {
        dnnl_job q = { .ta = ta, .tb = tb, .add = add, .m = m, .n = n, .k = k, .lda = lda, .ldb = ldb, .ldc = ldc,
                       .a = a, .b = b, .c = c, .n_rows = (m + DM - 1) / DM };
        qn_pool_run((int64_t)m * n * k < 1 << 18 ? NULL : p, (size_t)q.n_rows * (size_t)((n + DN - 1) / DN), dnnl_part, &q);
        return;
    }
    float *packed = qn_nn_alloc(qn_pack_size(n, k));
    qn_pack(p, tb, n, k, b, ldb, packed);
    qn_gemm_packed(p, ta, m, n, k, a, lda, packed, k, add, c, ldc);
    qn_nn_free(packed);
}
