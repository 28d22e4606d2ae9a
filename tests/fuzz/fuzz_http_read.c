/* fuzz_http_read: an answer fed whole and byte by byte must end in the same state with the same body. */
#include "model/http_read.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(void *arg, const char *p, size_t n) { return qn_buf_put(arg, p, n); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static qn_http_read a, b;
    static qn_buf whole, pieces;
    const char *p = (const char *)data;
    size_t used = 0;
    qn_http_read_init(&a);
    qn_http_read_init(&b);
    qn_buf_clear(&whole);
    qn_buf_clear(&pieces);
    used = qn_http_read_feed(&a, p, size, take, &whole);
    if (used > size) abort();
    for (size_t i = 0; i < size && b.state != QN_HTTP_DONE && b.state != QN_HTTP_BROKEN; i++) qn_http_read_feed(&b, p + i, 1, take, &pieces);
    qn_http_read_eof(&a);
    qn_http_read_eof(&b);
    if (a.state != b.state || a.status != b.status) abort();
    if (a.state != QN_HTTP_BROKEN && !qn_str_eq(qn_buf_view(&whole), qn_buf_view(&pieces))) abort();
    qn_http_read_header(&a, "Retry-After");
    return 0;
}
