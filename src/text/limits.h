/* limits: measured values against their bounds, so that a rejection is (measure, value, limit) and can be counted. */
#ifndef QN_TEXT_LIMITS_H
#define QN_TEXT_LIMITS_H
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* One measure of a family (Gopher, FineWeb, ...). A side without a bound is -INFINITY or INFINITY; both bounds are inclusive. */
typedef struct qn_measure {
    const char *name;       /* field name in a row: "dup_line_share" */
    double      min, max;   /* the source's own limits */
    const char *about;
} qn_measure;

typedef struct qn_breach { const char *measure; double value, limit; bool below; } qn_breach;

/* The first of n measures whose value lies outside its bounds; false when all hold.
 *   values  (n)    lim  (n), may be the family's own table or a copy with the user's bounds
 * A NaN value (nothing to measure) breaks no bound. */
bool qn_limits_broken(const qn_measure *lim, const double *values, size_t n, qn_breach *out);
#endif
