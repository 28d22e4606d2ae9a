/* fuzz_expr: an expression (up to a zero byte) is compiled, checked against a type and run on the JSON behind it. */
#include "recipe/expr.h"
#include <stdlib.h>

static qn_code drop(void *arg, qn_value v, qn_err *e)
{
    (void)arg; (void)e;
    qn_buf b = {0};
    qn_json_write(&b, v);
    qn_buf_free(&b);
    return QN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    qn_arena a = {0};
    qn_err e;
    qn_expr *x;
    qn_value in = qn_v_null();
    const qn_type *t;
    bool many;
    qn_str all = { (const char *)data, n };
    const char *zero = n ? memchr(data, 0, n) : NULL;
    qn_str expr = zero ? qn_str_sub(all, 0, (size_t)(zero - all.p)) : all, json = zero ? qn_str_sub(all, expr.n + 1, n) : QN_STR("{\"a\":[1,{\"b\":\"x\"}]}");
    if (!qn_utf8_valid(expr)) return 0;
    if (qn_expr_compile(expr, (qn_pos){0}, &a, &x, &e) == QN_OK) {
        if (qn_json_parse(json, &a, &in, &e) != QN_OK) in = qn_v_null();
        qn_expr_check(x, qn_type_of_value(in, &a), &a, &t, &many, &e);
        qn_expr_run_value(x, in, &a, drop, NULL, &e);
    }
    qn_arena_free(&a);
    return 0;
}
