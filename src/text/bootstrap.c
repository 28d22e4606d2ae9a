/* bootstrap: draws with replacement, sorts the means, reads the ends. */
#include "text/bootstrap.h"
#include "core/mem.h"
#include "core/rng.h"
#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double ratio(qn_unit u) { return u.count > 0 ? u.sum / u.count : 0; }
static void add(qn_unit *to, qn_unit u) { to->sum += u.sum; to->count += u.count; }

/* The p-quantile of n sorted numbers, between neighbours. */
static double quantile(const double *v, int n, double p)
{
    double at = p * (n - 1);
    int i = (int)at;
    return i + 1 < n ? v[i] + (at - i) * (v[i + 1] - v[i]) : v[n - 1];
}

static double statistic(qn_unit x, qn_unit y, bool two) { return two ? ratio(x) - ratio(y) : ratio(x); }

static qn_interval interval(const qn_unit *x, const qn_unit *y, size_t n, int rounds, double level, uint64_t seed)
{
    if (n == 0 || rounds < 1) return (qn_interval){ NAN, NAN, NAN };
    double *means = qn_alloc((size_t)rounds * sizeof *means);
    qn_rng r = qn_rng_seed(seed);
    qn_unit sx = { 0, 0 }, sy = { 0, 0 };
    for (size_t i = 0; i < n; i++) { add(&sx, x[i]); if (y) add(&sy, y[i]); }
    for (int k = 0; k < rounds; k++) {
        qn_unit tx = { 0, 0 }, ty = { 0, 0 };
        for (size_t i = 0; i < n; i++) {
            size_t j = (size_t)qn_rng_below(&r, n);
            add(&tx, x[j]);
            if (y) add(&ty, y[j]);
        }
        means[k] = statistic(tx, ty, y != NULL);
    }
    qsort(means, (size_t)rounds, sizeof *means, ascending);
    qn_interval out = { statistic(sx, sy, y != NULL), quantile(means, rounds, (1 - level) / 2), quantile(means, rounds, (1 + level) / 2) };
    qn_free(means);
    return out;
}

qn_interval qn_bootstrap_mean(const qn_unit *x, size_t n, int rounds, double level, uint64_t seed) { return interval(x, NULL, n, rounds, level, seed); }

qn_interval qn_bootstrap_diff(const qn_unit *x, const qn_unit *y, size_t n, int rounds, double level, uint64_t seed)
{
    return interval(x, y, n, rounds, level, seed);
}

double qn_swap_test(const qn_unit *x, const qn_unit *y, size_t n, int rounds, uint64_t seed)
{
    qn_unit sx = { 0, 0 }, sy = { 0, 0 };
    int far = 0;
    if (n == 0) return NAN;
    for (size_t i = 0; i < n; i++) { add(&sx, x[i]); add(&sy, y[i]); }
    double seen = fabs(ratio(sx) - ratio(sy));
    qn_rng r = qn_rng_seed(seed);
    for (int k = 0; k < rounds; k++) {
        qn_unit tx = { 0, 0 }, ty = { 0, 0 };
        for (size_t i = 0; i < n; i++) {
            bool swap = qn_rng_below(&r, 2) == 1;
            add(&tx, swap ? y[i] : x[i]);
            add(&ty, swap ? x[i] : y[i]);
        }
        far += fabs(ratio(tx) - ratio(ty)) >= seen - 1e-12;
    }
    return (1.0 + far) / (1.0 + rounds);
}
