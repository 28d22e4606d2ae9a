/* rng: xoshiro256** seeded by splitmix64. */
#include "core/rng.h"
#include "core/mem.h"
#include <math.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

qn_rng qn_rng_seed(uint64_t seed)
{
    qn_rng r;
    for (int i = 0; i < 4; i++) r.s[i] = splitmix(&seed);
    return r;
}

qn_rng qn_rng_keyed(uint64_t seed, qn_str step, qn_hash128 id)
{
    uint64_t key[3] = { qn_hash64(step.n ? step.p : "", step.n, seed), id.hi, id.lo };
    return qn_rng_seed(qn_hash64(key, sizeof key, seed));
}

static uint64_t rol(uint64_t x, int k) { return x << k | x >> (64 - k); }

uint64_t qn_rng_next(qn_rng *r)
{
    uint64_t *s = r->s, out = rol(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rol(s[3], 45);
    return out;
}

__extension__ typedef unsigned __int128 u128;

/* Lemire 2019, "Fast random integer generation in an interval". */
uint64_t qn_rng_below(qn_rng *r, uint64_t n)
{
    u128 m = (u128)qn_rng_next(r) * n;
    if ((uint64_t)m < n) {
        uint64_t low = -n % n;
        while ((uint64_t)m < low) m = (u128)qn_rng_next(r) * n;
    }
    return (uint64_t)(m >> 64);
}

int64_t qn_rng_range(qn_rng *r, int64_t lo, int64_t hi)
{
    return (int64_t)((uint64_t)lo + qn_rng_below(r, (uint64_t)hi - (uint64_t)lo + 1));
}

double qn_rng_real(qn_rng *r) { return (double)(qn_rng_next(r) >> 11) * 0x1p-53; }

double qn_rng_normal(qn_rng *r)
{
    double u = 1.0 - qn_rng_real(r), v = qn_rng_real(r);
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void qn_rng_shuffle(qn_rng *r, void *base, size_t n, size_t size)
{
    char *b = base, *tmp = qn_alloc(size);
    for (size_t i = n; i > 1; i--) {
        size_t j = qn_rng_below(r, i);
        memcpy(tmp, b + (i - 1) * size, size);
        memmove(b + (i - 1) * size, b + j * size, size);
        memcpy(b + j * size, tmp, size);
    }
    qn_free(tmp);
}

/* Sparse Fisher-Yates would save memory for k << n; n is the size of a table or a pool, so plain is fine. */
size_t qn_rng_pick(qn_rng *r, size_t n, size_t k, size_t *out)
{
    size_t *all = qn_alloc(n * sizeof *all);
    if (k > n) k = n;
    for (size_t i = 0; i < n; i++) all[i] = i;
    for (size_t i = 0; i < k; i++) {
        size_t j = i + qn_rng_below(r, n - i), t = all[i];
        all[i] = all[j];
        all[j] = t;
        out[i] = all[i];
    }
    qn_free(all);
    return k;
}
