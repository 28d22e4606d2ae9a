/* minhash: a short signature of a set, from which the similarity of two sets can be estimated.
 *
 * Value i of a signature is the smallest a[i] * x + b[i] (mod 2^32, a odd) over the set's hashes x. Two signatures agree in a
 * share of places that estimates the Jaccard similarity J with sd <= 0.5 / sqrt(n): 0.044 at n = 128.
 * The x must be well mixed over 32 bits, as those of shingles.h are.
 * Cost: about 16 values a clock cycle in eight-lane registers (AVX2), more in sixteen-lane ones (AVX-512, for each 128 values), chosen at run time; one a
 * cycle without.
 * Source: Broder 1997; the multiply-add family: Dietzfelbinger et al. 1997. */
#ifndef QN_TEXT_MINHASH_H
#define QN_TEXT_MINHASH_H
#include "core/rng.h"

typedef struct { int n; uint32_t *a, *b; } qn_minhash;      /* n: a multiple of 32 for the fast path, any for the plain */

qn_minhash qn_minhash_new(int n, uint64_t seed);            /* owned: qn_minhash_free */
void       qn_minhash_free(qn_minhash *m);
/* Signature of n_x hashes; order and repeats do not matter.
 *   sig   out, (n) values; all UINT32_MAX when n_x is 0 */
void qn_minhash_sign(const qn_minhash *m, const uint32_t *x, size_t n_x, uint32_t *sig);
void qn_minhash_sign_ref(const qn_minhash *m, const uint32_t *x, size_t n_x, uint32_t *sig);    /* the plain reference */
/* The same values by one path; the best that this machine has is what qn_minhash_sign takes. */
typedef enum { QN_MINHASH_PLAIN, QN_MINHASH_AVX2, QN_MINHASH_AVX512 } qn_minhash_path;
qn_minhash_path qn_minhash_best(void);
void qn_minhash_sign_by(qn_minhash_path path, const qn_minhash *m, const uint32_t *x, size_t n_x, uint32_t *sig);   /* path <= the best */
double qn_minhash_estimate(const uint32_t *a, const uint32_t *b, int n);    /* share of equal places */
#endif
