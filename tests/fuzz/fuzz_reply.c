/* fuzz_reply: the JSON in any reply, with and without a schema; what is found can be written and read again. */
#include "recipe/schema.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char SCHEMA[] = "{\"type\":\"object\",\"properties\":{\"q\":{\"type\":\"string\",\"pattern\":\"^[a-z]*$\"},\"n\":{\"type\":[\"integer\",\"null\"],\"maximum\":5}},"
                                 "\"required\":[\"q\"],\"additionalProperties\":false}";
    qn_arena a = {0};
    qn_err e;
    qn_value schema, v, again;
    qn_schema *s;
    qn_json_verdict verdict;
    qn_buf b = {0};
    qn_str text = { (const char *)data, n };
    if (!qn_utf8_valid(text)) return 0;
    if (qn_json_parse(qn_str_of(SCHEMA), &a, &schema, &e) != QN_OK || qn_schema_of_json(schema, &a, &s, &e) != QN_OK) abort();
    qn_reply_json(text, NULL, &a, &v, &verdict, &e);
    if (qn_reply_json(text, s, &a, &v, &verdict, &e) == QN_OK) {
        qn_json_write(&b, v);
        if (qn_json_parse(qn_buf_view(&b), &a, &again, &e) != QN_OK || qn_v_cmp(v, again) != 0) abort();
        qn_buf_clear(&b);
        qn_schema_problems(s, v, 5, &b);
    }
    qn_buf_free(&b);
    qn_arena_free(&a);
    return 0;
}
