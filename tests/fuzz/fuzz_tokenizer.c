/* fuzz_tokenizer: a tokenizer.json (up to a zero byte), then a text: encoded ids are in range; byte-level text comes back. */
#include "core/mem.h"
#include "nn/tokenizer_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *zero = n ? memchr(data, 0, n) : NULL;
    size_t k = zero ? (size_t)(zero - data) : n;
    qn_str json = { (const char *)data, k }, text = { (const char *)data + k, n - k };
    qn_tokenizer *t;
    qn_err e = { 0 };
    if (qn_tokenizer_parse(&t, json, &e) != QN_OK) return 0;
    qn_ids ids = { 0 };
    qn_buf out = { 0 };
    if (qn_tokenizer_encode(t, text, QN_TOKENS_PLAIN, &ids, &e) == QN_OK) {
        for (size_t i = 0; i < ids.n; i++) QN_ASSERT(ids.p[i] >= 0 && (size_t)ids.p[i] < qn_tokenizer_size(t));
        qn_tokenizer_decode(t, ids.p, ids.n, true, &out);
    }
    qn_ids_free(&ids);
    qn_buf_free(&out);
    qn_tokenizer_close(t);
    return 0;
}
