/* fuzz_survey: any bytes as a line of rows: what enters the page is valid JSON in valid UTF-8. */
#include "data/value.h"
#include "report/survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    qn_buf out = {0};
    qn_arena a = {0};
    qn_value v;
    qn_err e;
    if (qn_survey_put_row((qn_str){ (const char *)data, n }, true, &out)) {
        QN_ASSERT(qn_utf8_valid(qn_buf_view(&out)));
        QN_ASSERT(qn_json_parse(qn_buf_view(&out), &a, &v, &e) == QN_OK && v.kind == QN_V_LIST);
    } else {
        QN_ASSERT(out.n == 0);
    }
    qn_arena_free(&a);
    qn_buf_free(&out);
    return 0;
}
