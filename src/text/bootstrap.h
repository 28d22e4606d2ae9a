/* bootstrap: how sure a mean is, and whether two systems differ on the same rows.
 *
 * Numbers come in units that are drawn together: a unit is a row, or all rows of one table or document. A unit is a sum and a count; the
 * mean is the sum of sums over the sum of counts.
 * Source: percentile intervals: Efron and Tibshirani 1993, chapter 13; approximate randomisation: Noreen 1989. */
#ifndef QN_TEXT_BOOTSTRAP_H
#define QN_TEXT_BOOTSTRAP_H
#include <stddef.h>
#include <stdint.h>

typedef struct { double sum, count; } qn_unit;
typedef struct { double value, low, high; } qn_interval;
/* level: 0.95. NAN in all when there are no units. The same seed draws the same.   Cost: rounds * n. */
qn_interval qn_bootstrap_mean(const qn_unit *x, size_t n, int rounds, double level, uint64_t seed);
/* Mean of x minus mean of y, whose units i belong together. */
qn_interval qn_bootstrap_diff(const qn_unit *x, const qn_unit *y, size_t n, int rounds, double level, uint64_t seed);
/* Two-sided p of that difference when each unit's two numbers might as well have been swapped: (1 + as far or farther) / (1 + rounds). */
double qn_swap_test(const qn_unit *x, const qn_unit *y, size_t n, int rounds, uint64_t seed);
#endif
