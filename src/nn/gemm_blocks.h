/* gemm_blocks: what the files that multiply share: one list of row counts for kernels that are compiled for each, and bf16 numbers in pairs.
 * Panels of b in bf16 are 16 columns wide: (pairs of k, 16) words, the number of pairs rounded up to 16 with zeros, so that 16 rows of a
 * panel are a tile of AMX as it wants them. */
#ifndef QN_NN_GEMM_BLOCKS_H
#define QN_NN_GEMM_BLOCKS_H
#include "nn/gemm.h"

/* CASE(n) for each number of rows: `switch (rows) { QN_ROWS_TO_12(CASE) }`. */
#define QN_ROWS_TO_6(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#define QN_ROWS_TO_12(CASE) QN_ROWS_TO_6(CASE) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)

static inline int qn_pairs_padded(int k) { return ((k + 1) / 2 + 15) / 16 * 16; }

typedef struct {                /* c = op(a) b or c += op(a) b, as in gemm.h; b in panels */
    bool ta, add;
    int m, n, k, lda, ldc, n_rows, mc, nc;          /* mc, nc: rows and columns of a part; n_rows: parts in a column of them */
    int pieces;                 /* 1: numbers rounded to bf16; 3: whole f32 numbers, on tiles only, ta false */
    const float *a;
    const uint32_t *packed;
    float *c;
    const qn_then *then;        /* or NULL */
} qn_bf16_job;

/* gemm.c: qn_gemm_packed with what comes next (NULL: nothing) */
void qn_gemm_packed_then(qn_pool *p, bool ta, int m, int n, int k, const float *a, int lda, const float *packed, int packed_k, bool add, float *c, int ldc, const qn_then *then);

#if defined(__x86_64__) && __GNUC__ >= 11
#include <immintrin.h>
#define QN_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")))

/* 32 numbers that lie side by side (n of them, zeros behind) as 16 pairs, rounded to nearest even. */
static inline QN_BF16 __m512i qn_pairs(const float *x, int n)
{
    if (n >= 32) return (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + 16), _mm512_loadu_ps(x));
    if (n <= 0) return _mm512_setzero_si512();
    __mmask16 lo = n >= 16 ? 0xffff : (__mmask16)((1u << n) - 1), hi = n > 16 ? (__mmask16)((1u << (n - 16)) - 1) : 0;
    return (__m512i)_mm512_cvtne2ps_pbh(hi ? _mm512_maskz_loadu_ps(hi, x + 16) : _mm512_setzero_ps(), _mm512_maskz_loadu_ps(lo, x));
}

/* A number of f32 has 24 bits of mantissa, so it is the sum of three of bf16, which have 8 each: the number rounded, what is left of it
 * rounded, and the rest. out[i] are the i-th pieces of 32 numbers (n of them, zeros behind) as pairs. Below 2^-108 the last pieces are 0. */
enum { QN_PIECES = 3 };
static inline QN_BF16 void qn_pairs_whole(const float *x, int n, __m512i out[QN_PIECES])
{
    __mmask16 lo = n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1), hi = n >= 32 ? 0xffff : n <= 16 ? 0 : (__mmask16)((1u << (n - 16)) - 1);
    __m512 a = lo ? _mm512_maskz_loadu_ps(lo, x) : _mm512_setzero_ps(), b = hi ? _mm512_maskz_loadu_ps(hi, x + 16) : _mm512_setzero_ps();
    for (int i = 0; i < QN_PIECES; i++) {
        out[i] = (__m512i)_mm512_cvtne2ps_pbh(b, a);
        a = _mm512_sub_ps(a, (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(out[i])), 16));
        b = _mm512_sub_ps(b, (__m512)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(out[i], 1)), 16));
    }
}

/* 16 numbers of each of two rows (those in the mask; y NULL: zeros) as pairs, lane by lane. */
static inline QN_BF16 __m512i qn_pairs_of_rows(const float *x, const float *y, __mmask16 m)
{
    __m512i lo = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, x)));
    if (!y) return lo;
    return _mm512_or_si512(lo, _mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(m, y))), 16));
}

static inline QN_BF16 void qn_transpose16(__m512i *r)
{
    __m512i t[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) {
        t[c] = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88);
        t[4 + c] = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xdd);
        t[8 + c] = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
        t[12 + c] = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xdd);
    }
#pragma GCC unroll 4
    for (int c = 0; c < 4; c++) {
        r[c] = _mm512_shuffle_i32x4(t[c], t[8 + c], 0x88);
        r[8 + c] = _mm512_shuffle_i32x4(t[c], t[8 + c], 0xdd);
        r[4 + c] = _mm512_shuffle_i32x4(t[4 + c], t[12 + c], 0x88);
        r[12 + c] = _mm512_shuffle_i32x4(t[4 + c], t[12 + c], 0xdd);
    }
}
#endif

/* gemm_amx.c: may this process use matrix tiles? The first call asks the kernel. And the part of a product that they make. */
bool qn_amx_here(void);
void qn_amx_part(void *job, size_t part);           /* a qn_bf16_job; its mc is at most QN_AMX_ROWS, of whole numbers QN_AMX_ROWS_WHOLE */
enum { QN_AMX_ROWS = 64, QN_AMX_ROWS_WHOLE = 128, QN_AMX_COLS = 1536 };
#endif
