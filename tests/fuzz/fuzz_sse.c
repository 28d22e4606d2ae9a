/* fuzz_sse: a stream in one piece and in two must give the same, whatever its bytes. */
#include "model/sse.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_stream(const uint8_t *data, size_t size, size_t cut, qn_arena *a, qn_reply *r)
{
    static qn_buf scratch;
    static qn_sse s;
    qn_ask ask = { .kind = QN_ASK_CHAT, .body = QN_STR("{}") };
    const char *why = "";
    qn_sse_init(&s);
    qn_sse_feed(&s, (const char *)data, cut, &scratch);
    qn_sse_feed(&s, (const char *)data + cut, size - cut, &scratch);
    return qn_sse_end(&s, &ask, a, r, &scratch, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    qn_arena a = {0};
    qn_reply x = {0}, y = {0};
    bool one = read_stream(data, size, size, &a, &x), two = read_stream(data, size, size ? (size_t)data[0] % size : 0, &a, &y);
    if (one != two || (one && (!qn_str_eq(x.text, y.text) || !qn_v_eq(x.tool_calls, y.tool_calls)))) abort();
    qn_sse_looks((const char *)data, size);
    qn_arena_free(&a);
    return 0;
}
