/* fuzz_template: any text as a template, checked and filled in from one row. */
#include "recipe/expr.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    qn_arena a = {0};
    qn_err e;
    qn_template *t;
    const qn_type *type;
    qn_row *r;
    qn_str text = { (const char *)data, n };
    if (!qn_utf8_valid(text)) return 0;
    if (qn_template_compile(text, (qn_pos){0}, &a, &t, &e) == QN_OK && qn_type_parse(QN_STR("{a: int, b: [text], c: text?}"), &a, &type, &e) == QN_OK) {
        qn_buf out = { .limit = 1 << 20 };
        qn_template_check(t, type, &a, &e);
        if (qn_row_parse(QN_STR("{\"a\":1,\"b\":[\"x\",\"y\"],\"c\":null}"), (qn_hash128){ 1, 1 }, &r, &e) == QN_OK) {
            qn_template_fill(t, r, &a, &out, &e);
            qn_row_drop(r);
        }
        qn_buf_free(&out);
    }
    qn_arena_free(&a);
    return 0;
}
