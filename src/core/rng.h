/* rng: random numbers keyed by (seed, step, row id), so that the number of workers changes the speed and never the result.
 * Generator: xoshiro256** (Blackman & Vigna 2018) seeded by splitmix64. */
#ifndef QN_CORE_RNG_H
#define QN_CORE_RNG_H
#include "core/hash.h"
typedef struct { uint64_t s[4]; } qn_rng;
qn_rng   qn_rng_seed(uint64_t seed);
qn_rng   qn_rng_keyed(uint64_t seed, qn_str step, qn_hash128 row_id);
uint64_t qn_rng_next(qn_rng *r);
uint64_t qn_rng_below(qn_rng *r, uint64_t n);               /* 0 <= x < n, without bias; n >= 1 */
int64_t  qn_rng_range(qn_rng *r, int64_t lo, int64_t hi);   /* lo <= x <= hi */
double   qn_rng_real(qn_rng *r);                            /* 0 <= x < 1 */
double   qn_rng_normal(qn_rng *r);                          /* mean 0, variance 1 */
void     qn_rng_shuffle(qn_rng *r, void *base, size_t n, size_t elem_bytes);
/* k distinct numbers of 0..n-1 in random order (all of them when k >= n); out has room for min(k, n). Returns how many. */
size_t   qn_rng_pick(qn_rng *r, size_t n, size_t k, size_t *out);
#endif
