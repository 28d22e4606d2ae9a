/* minhash: the plain loop, and the same in AVX2 and AVX-512 registers. */
#include "text/minhash.h"
#include "core/err.h"
#include "core/mem.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

qn_minhash qn_minhash_new(int n, uint64_t seed)
{
    qn_minhash m = { .n = n, .a = QN_NEW_N(uint32_t, n), .b = QN_NEW_N(uint32_t, n) };
    qn_rng r = qn_rng_seed(seed);
    for (int i = 0; i < n; i++) {
        m.a[i] = (uint32_t)qn_rng_next(&r) | 1;
        m.b[i] = (uint32_t)qn_rng_next(&r);
    }
    return m;
}

void qn_minhash_free(qn_minhash *m)
{
    qn_free(m->a);
    qn_free(m->b);
    *m = (qn_minhash){ 0 };
}

void qn_minhash_sign_ref(const qn_minhash *m, const uint32_t *x, size_t n_x, uint32_t *sig)
{
    for (int i = 0; i < m->n; i++) {
        uint32_t least = UINT32_MAX;
        for (size_t j = 0; j < n_x; j++) {
            uint32_t h = m->a[i] * x[j] + m->b[i];
            if (h < least) least = h;
        }
        sig[i] = least;
    }
}

#ifdef __x86_64__
/* 32 places at once: four registers of minima, four of a, four of b stay in registers over all of x. */
__attribute__((target("avx2")))
static void sign32(const uint32_t *a, const uint32_t *b, const uint32_t *x, size_t n_x, uint32_t *sig)
{
    __m256i va[4], vb[4], least[4];
    #pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        va[k] = _mm256_loadu_si256((const __m256i *)a + k);
        vb[k] = _mm256_loadu_si256((const __m256i *)b + k);
        least[k] = _mm256_set1_epi32(-1);
    }
    for (size_t j = 0; j < n_x; j++) {
        __m256i v = _mm256_set1_epi32((int)x[j]);
        #pragma GCC unroll 4
        for (int k = 0; k < 4; k++)
            least[k] = _mm256_min_epu32(least[k], _mm256_add_epi32(_mm256_mullo_epi32(va[k], v), vb[k]));
    }
    #pragma GCC unroll 4
    for (int k = 0; k < 4; k++) _mm256_storeu_si256((__m256i *)sig + k, least[k]);
}

/* 128 places at once: eight registers each of minima, a and b. */
__attribute__((target("avx512f")))
static void sign128(const uint32_t *a, const uint32_t *b, const uint32_t *x, size_t n_x, uint32_t *sig)
{
    __m512i va[8], vb[8], least[8];
    #pragma GCC unroll 8
    for (int k = 0; k < 8; k++) {
        va[k] = _mm512_loadu_si512(a + 16 * k);
        vb[k] = _mm512_loadu_si512(b + 16 * k);
        least[k] = _mm512_set1_epi32(-1);
    }
    for (size_t j = 0; j < n_x; j++) {
        __m512i v = _mm512_set1_epi32((int)x[j]);
        #pragma GCC unroll 8
        for (int k = 0; k < 8; k++)
            least[k] = _mm512_min_epu32(least[k], _mm512_add_epi32(_mm512_mullo_epi32(va[k], v), vb[k]));
    }
    #pragma GCC unroll 8
    for (int k = 0; k < 8; k++) _mm512_storeu_si512(sig + 16 * k, least[k]);
}

static qn_minhash_path path_here(void)
{
    return __builtin_cpu_supports("avx512f") ? QN_MINHASH_AVX512 : __builtin_cpu_supports("avx2") ? QN_MINHASH_AVX2 : QN_MINHASH_PLAIN;
}

void qn_minhash_sign_by(qn_minhash_path path, const qn_minhash *m, const uint32_t *x, size_t n_x, uint32_t *sig)
{
    int i = 0;
    QN_ASSERT(path <= path_here());
    if (path == QN_MINHASH_PLAIN || m->n % 32) { qn_minhash_sign_ref(m, x, n_x, sig); return; }
    if (path == QN_MINHASH_AVX512)
        for (; i + 128 <= m->n; i += 128) sign128(m->a + i, m->b + i, x, n_x, sig + i);
    for (; i < m->n; i += 32) sign32(m->a + i, m->b + i, x, n_x, sig + i);
}
#else
static qn_minhash_path path_here(void) { return QN_MINHASH_PLAIN; }
void qn_minhash_sign_by(qn_minhash_path path, const qn_minhash *m, const uint32_t *x, size_t n_x, uint32_t *sig)
{
    (void)path;
    qn_minhash_sign_ref(m, x, n_x, sig);
}
#endif

qn_minhash_path qn_minhash_best(void) { return path_here(); }

void qn_minhash_sign(const qn_minhash *m, const uint32_t *x, size_t n_x, uint32_t *sig) { qn_minhash_sign_by(path_here(), m, x, n_x, sig); }

double qn_minhash_estimate(const uint32_t *a, const uint32_t *b, int n)
{
    int same = 0;
    for (int i = 0; i < n; i++) same += a[i] == b[i];
    return (double)same / n;
}
