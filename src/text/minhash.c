/* minhash: the plain loop, and the same in AVX2 registers. */
#include "text/minhash.h"
#include "core/mem.h"
#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_AVX2 1
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

#ifdef HAVE_AVX2
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

bool qn_minhash_is_fast(void) { return __builtin_cpu_supports("avx2"); }

void qn_minhash_sign(const qn_minhash *m, const uint32_t *x, size_t n_x, uint32_t *sig)
{
    if (!qn_minhash_is_fast() || m->n % 32) { qn_minhash_sign_ref(m, x, n_x, sig); return; }
    for (int i = 0; i < m->n; i += 32) sign32(m->a + i, m->b + i, x, n_x, sig + i);
}
#else
bool qn_minhash_is_fast(void) { return false; }
void qn_minhash_sign(const qn_minhash *m, const uint32_t *x, size_t n_x, uint32_t *sig) { qn_minhash_sign_ref(m, x, n_x, sig); }
#endif

double qn_minhash_estimate(const uint32_t *a, const uint32_t *b, int n)
{
    int same = 0;
    for (int i = 0; i < n; i++) same += a[i] == b[i];
    return (double)same / n;
}
