/* fuzz_schema: any JSON as a schema (up to a zero byte) and any JSON as the value; also as the short form of a reply. */
#include "recipe/schema.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    qn_arena a = {0};
    qn_err e;
    qn_value schema, v = qn_v_null(), made;
    qn_schema *s;
    qn_buf b = {0};
    qn_str all = { (const char *)data, n };
    const char *zero = n ? memchr(data, 0, n) : NULL;
    qn_str first = zero ? qn_str_sub(all, 0, (size_t)(zero - all.p)) : all;
    if (qn_json_parse(first, &a, &schema, &e) == QN_OK) {
        if (zero) qn_json_parse(qn_str_sub(all, first.n + 1, n), &a, &v, &e);
        if (qn_schema_of_json(schema, &a, &s, &e) == QN_OK) {
            qn_schema_problems(s, v, 5, &b);
            qn_schema_words(s, &b);
            qn_schema_strict(schema, &a);
            qn_schema_write_short(&b, schema);
        }
        qn_schema_compile(schema, schema, QN_SCHEMA_LENIENT | QN_SCHEMA_OPENAPI, &a, &s, &e);
        if (qn_schema_of_short(schema, &a, &made, &e) == QN_OK && !qn_schema_is_full(schema)) qn_schema_say(&b, made);
    }
    qn_buf_free(&b);
    qn_arena_free(&a);
    return 0;
}
