/* fuzz_reply_parse: bodies of endpoints as chat, completion, embedding and error; what parses must survive being recorded and read back. */
#include "model/openai.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static qn_buf scratch;
    qn_str body = { (const char *)data, size };
    char text[128];
    for (int kind = QN_ASK_CHAT; kind <= QN_ASK_EMBED; kind++) {
        qn_arena a = {0};
        qn_ask ask = { .kind = (qn_ask_kind)kind, .body = QN_STR("{}") };
        qn_reply r = {0}, again = {0};
        const char *why = "";
        qn_err e = {0};
        if (qn_openai_parse(&ask, body, &scratch, &a, &r, &why)) {
            qn_buf rec = {0};
            qn_reply_encode(&r, &rec);
            if (qn_reply_decode(qn_buf_view(&rec), &ask, &a, &again, &e) != QN_OK || !qn_str_eq(r.text, again.text)) abort();
            qn_buf_free(&rec);
        } else if (!*why) abort();
        qn_reply_decode(body, &ask, &a, &again, &e);
        qn_arena_free(&a);
    }
    qn_openai_error_text(body, text, sizeof text);
    if (!qn_utf8_valid(qn_str_of(text))) abort();
    qn_openai_is_filtered(body);
    qn_openai_is_quota(body);
    return 0;
}
