/* limits: the comparison. */
#include "text/limits.h"

bool qn_limits_broken(const qn_measure *lim, const double *values, size_t n, qn_breach *out)
{
    for (size_t i = 0; i < n; i++) {
        bool below = values[i] < lim[i].min, above = values[i] > lim[i].max;
        if (!below && !above) continue;
        *out = (qn_breach){ lim[i].name, values[i], below ? lim[i].min : lim[i].max, below };
        return true;
    }
    return false;
}
