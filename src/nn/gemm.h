/* gemm: products of f32 matrices, row-major. Each number of the result is one chain of fused multiply-adds over k in a
 * fixed order, so it depends neither on the number of threads nor on how many rows are multiplied at once (what a prompt
 * yields does not change with the batch it is in); AVX2 and AVX-512 give the same bits. Without them the last bits may differ.
 * oneDNN (qn_gemm alone; qn_gemm_packed is always ours) chooses its blocking by the shape, so it keeps none of this: it is
 * there to compare with.
 * Source of the blocking: Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication". */
#ifndef QN_NN_GEMM_H
#define QN_NN_GEMM_H
#include "core/pool.h"

/* c = op(a) op(b), or c += op(a) op(b) with `add`.
 *   op(a) is (m, k): stored (m, k) with row length lda, or (k, m) when ta
 *   op(b) is (k, n): stored (k, n) with row length ldb, or (n, k) when tb      c is (m, n) with row length ldc
 *   p  threads to use; NULL: the caller's alone
 * Cost: 2 m n k operations and a packed copy of b. */
void qn_gemm(qn_pool *p, bool ta, bool tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb,
             bool add, float *c, int ldc);
/* The textbook triple loop. */
void qn_gemm_ref(bool ta, bool tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb,
                 bool add, float *c, int ldc);

/* b packed once for many products: panels of 16 columns, each (k, 16). `out` has room for qn_pack_size(n, k) floats and
 * is aligned to 64 bytes (qn_nn_alloc). A product may use only the first rows (k0 <= k) and columns (n0 <= n) of b. */
size_t qn_pack_size(int n, int k);
void   qn_pack(qn_pool *p, bool tb, int n, int k, const float *b, int ldb, float *out);
void   qn_gemm_packed(qn_pool *p, bool ta, int m, int n, int k, const float *a, int lda, const float *packed, int packed_k,
                      bool add, float *c, int ldc);

/* The same with numbers rounded to bf16 (8 bits of mantissa) and sums in f32, where the processor multiplies pairs of them
 * (AVX512_BF16): up to twice the speed, several times that on matrix tiles (AMX_BF16, used where the processor has them and
 * QUERN_GEMM names nothing). Rows and threads do not matter here either; with and without tiles the last bits differ. `packed`
 * holds qn_pack_bf16_size(n, k) words, aligned to 64 bytes, for a whole product of n columns. */
bool   qn_gemm_has_bf16(void);
bool   qn_gemm_tiles(bool on);              /* may tiles be used (they may)? True when they will be. Not while products run. */
bool   qn_gemm_tiles_used(void);            /* will they be? */
size_t qn_pack_bf16_size(int n, int k);
void   qn_pack_bf16(qn_pool *p, bool tb, int n, int k, const float *b, int ldb, uint32_t *out);
void   qn_gemm_packed_bf16(qn_pool *p, bool ta, int m, int n, int k, const float *a, int lda, const uint32_t *packed, bool add, float *c, int ldc);
/* qn_gemm, in bf16 when asked for and possible. */
void   qn_gemm_as(bool bf16, qn_pool *p, bool ta, bool tb, int m, int n, int k, const float *a, int lda, const float *b, int ldb, bool add, float *c, int ldc);

/* b packed for many products (k rows, n columns), in a precision that the processor may not have: then it is QN_MUL_F32. Owned: qn_factor_free.
 * QN_MUL_F32_TILES multiplies f32 numbers on matrix tiles, tb only: each is the sum of three of bf16, and the six products of such pieces that
 * a sum in f32 can hold are added up. As exact as QN_MUL_F32 (0.5 to 1.6 times its error against double precision, by shape; the tests hold it
 * below 2) and about twice as fast, but not the same bits, and an infinity becomes a NaN. Source: Henry, Tang & Heinecke 2019, "Leveraging the bfloat16 Artificial Intelligence Datatype For
 * Higher-Precision Computations". */
typedef enum { QN_MUL_F32, QN_MUL_BF16, QN_MUL_F32_TILES } qn_precision;
typedef struct { qn_precision how; int n, k; float *p; } qn_factor;
qn_factor qn_factor_make(qn_precision how, qn_pool *p, bool tb, int n, int k, const float *b, int ldb);
void      qn_factor_mul(const qn_factor *f, qn_pool *p, int m, const float *a, int lda, bool add, float *c, int ldc);
/* The same, and with each block of c that is whole, rows i0 to i1 and columns j0 to j1 (not included), what comes next, while it is
 * in the cache. Called by the threads that multiply, once for each number of c. */
typedef struct { void (*fn)(void *arg, int i0, int i1, int j0, int j1); void *arg; } qn_then;
void      qn_factor_mul_then(const qn_factor *f, qn_pool *p, int m, const float *a, int lda, bool add, float *c, int ldc, const qn_then *then);
void      qn_factor_free(qn_factor *f);

float *qn_nn_alloc(size_t n_floats);        /* aligned to 64 bytes, not zeroed; owned: qn_nn_free */
float *qn_nn_zalloc(size_t n_floats);
void   qn_nn_free(void *p);

/* Which code multiplies f32: "avx512", "avx2", "plain", or "onednn" (the oneDNN library, opened at run time). Left alone, the first of the
 * first three that the processor can run, chosen at the first product, or what the environment variable QUERN_GEMM names.
 * False when it cannot be used here. Not while products run. */
bool qn_gemm_choose(const char *name);
bool qn_has_avx2(void);
#endif
