/* fuzz_type: what is read as a type is written so that it reads as the same type. */
#include "data/type.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    qn_arena a = {0};
    qn_err e;
    const qn_type *t, *u;
    qn_buf once = {0}, twice = {0};
    if (qn_type_parse((qn_str){ (const char *)data, n }, &a, &t, &e) == QN_OK) {
        qn_type_write(&once, t);
        if (qn_type_parse(qn_buf_view(&once), &a, &u, &e) != QN_OK) abort();
        qn_type_write(&twice, u);
        if (!qn_str_eq(qn_buf_view(&once), qn_buf_view(&twice)) || !qn_type_fits(t, u)) abort();
        qn_type_join(t, u, &a);
    }
    qn_type_parse_fields((qn_str){ (const char *)data, n }, &a, &t, &e);
    qn_buf_free(&once);
    qn_buf_free(&twice);
    qn_arena_free(&a);
    return 0;
}
