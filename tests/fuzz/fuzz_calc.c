/* Sums as models write them. */
#include "text/calc.h"
#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const qn_calc_name names[] = { { QN_STR("y1"), 5 }, { QN_STR("y2"), -0.25 } };
    const char *why = NULL;
    double x = 0;
    bool ok = qn_calc((qn_str){ (const char *)data, n }, names, 2, &x, &why);
    if (ok ? !isfinite(x) : !why) abort();
    return 0;
}
