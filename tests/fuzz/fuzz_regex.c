/* fuzz_regex: any pattern (up to a zero byte) on any text; a match lies within the text and its groups within the text. */
#include "text/regex.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    qn_arena a = {0};
    qn_err e;
    qn_regex *re;
    qn_regex_span span[64];
    bool found, again;
    uint64_t work = 5000000;
    qn_str all = { (const char *)data, n };
    const char *zero = n ? memchr(data, 0, n) : NULL;
    qn_str pattern = zero ? qn_str_sub(all, 0, (size_t)(zero - all.p)) : all, text = zero ? qn_str_sub(all, pattern.n + 1, n) : all;
    if (!qn_utf8_valid(pattern) || !qn_utf8_valid(text)) return 0;
    if (qn_regex_compile(pattern, (qn_str){0}, &a, &re, &e) == QN_OK && qn_regex_find(re, text, 0, span, &work, &found, &e) == QN_OK) {
        uint64_t more = 5000000;
        if (qn_regex_find(re, text, 0, NULL, &more, &again, &e) == QN_OK && again != found) abort();
        for (size_t i = 0; found && i < qn_regex_groups(re); i++)
            if (span[i].from <= span[i].to && span[i].to > text.n) abort();
        if (found && span[0].from > span[0].to) abort();
    }
    qn_arena_free(&a);
    return 0;
}
