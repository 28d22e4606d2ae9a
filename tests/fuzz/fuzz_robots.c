/* fuzz_robots: any bytes are a robots.txt; what follows the first NUL is the path. The rule named must stand in the text. */
#include "text/robots.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data, *nul = size ? memchr(p, 0, size) : NULL;
    qn_str text = { p, nul ? (size_t)(nul - p) : size }, path = nul ? (qn_str){ nul + 1, size - text.n - 1 } : QN_STR("/a%2Fb/c?d");
    qn_robots got = qn_robots_ask(text, QN_STR("quern"), path);
    if (got.rule.n && (got.rule.p < text.p || got.rule.p + got.rule.n > text.p + text.n)) abort();
    if (!got.allowed && got.rule.n == 0) abort();
    if (got.delay_s < 0) abort();
    return 0;
}
