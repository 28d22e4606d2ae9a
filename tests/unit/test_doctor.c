/* test_doctor: what an endpoint can do is found out by asking it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mock/start.h"
#include "model/doctor.h"

static qn_models *models;       /* findings borrow from the registry and the arena: both live until the next examination */
static qn_arena arena;

static int forget(void **state)
{
    (void)state;
    if (models) qn_models_close(models);
    models = NULL;
    qn_arena_free(&arena);
    return 0;
}

static qn_code examine(const char *url, const char *tail, qn_doctor *d, qn_buf *yaml, qn_err *e)
{
    char where[128];
    forget(NULL);
    *e = (qn_err){0};
    snprintf(where, sizeof where, "%s%s", url, tail);
    assert_int_equal(qn_models_open(&models, "/dev/null", e), QN_OK);
    qn_code rc = qn_doctor_run(models, where, NULL, &arena, d, e);
    if (rc == QN_OK) qn_doctor_yaml(d, NULL, yaml);
    return rc;
}

static void a_capable_endpoint_is_found_capable(void **state)
{
    (void)state;
    qn_doctor d;
    qn_err e;
    qn_buf yaml = {0}, json = {0};
    mock_server m = mock_start(NULL, "--context", "4096", "--latency", "5", NULL);
    assert_int_equal(examine(m.url, "", &d, &yaml, &e), QN_OK);
    assert_string_equal(d.name, "mock");
    assert_int_equal(d.context_tokens, 4096);
    assert_int_equal(d.structured, QN_YES);
    assert_int_equal(d.stream, QN_YES);
    assert_int_equal(d.stream_usage, QN_YES);
    assert_int_equal(d.usage, QN_YES);
    assert_int_equal(d.logprobs, QN_YES);
    assert_int_equal(d.completion_logprobs, QN_YES);
    assert_int_equal(d.embeddings, QN_YES);
    assert_int_equal(d.embedding_dims, 64);
    assert_string_equal(d.thinking, "no");
    assert_true(d.n_requests <= 160);
    assert_non_null(strstr(yaml.p, "    context: 4096\n    stream: yes\n    structured: yes\n"));
    qn_doctor_json(&d, &json);
    qn_arena a = {0};
    qn_value v;
    assert_int_equal(qn_json_parse(qn_buf_view(&json), &a, &v, &e), QN_OK);
    qn_arena_free(&a);
    qn_buf_free(&yaml);
    qn_buf_free(&json);
    mock_stop(&m);
}

static void a_poor_endpoint_is_found_poor(void **state)
{
    (void)state;
    qn_doctor d;
    qn_err e;
    qn_buf yaml = {0};
    mock_server m = mock_start("{\"path\": \"/embeddings\", \"status\": 404}\n{\"path\": \"/v1/completions\", \"status\": 501}\n{\"path\": \"/props\", \"status\": 404}\n"
                               "{\"path\": \"/models\", \"raw\": \"{\\\"data\\\":[{\\\"id\\\":\\\"mock\\\"}]}\"}\n"
                               "{\"match\": \"grain grain\", \"status\": 400, \"error\": \"This model's maximum context length is 2048 tokens\"}\n"
                               "{\"raw\": \"{\\\"choices\\\":[{\\\"message\\\":{\\\"content\\\":\\\"<think>hm</think>56\\\"}}]}\"}\n", "--slots", "2", "--latency", "40", NULL);
    assert_int_equal(examine(m.url, "#mock", &d, &yaml, &e), QN_OK);
    assert_int_equal(d.structured, QN_NO);
    assert_int_equal(d.stream, QN_NO);
    assert_int_equal(d.usage, QN_NO);
    assert_int_equal(d.logprobs, QN_NO);
    assert_int_equal(d.completions, QN_NO);
    assert_int_equal(d.embeddings, QN_NO);
    assert_string_equal(d.thinking, "<think>");
    assert_int_equal(d.context_tokens, 2048);
    assert_string_equal(d.context_from, "its refusal of a long prompt");
    assert_int_equal(d.parallel, 2);
    assert_non_null(strstr(yaml.p, "structured: no\n    in_flight: 4\n"));
    qn_buf_free(&yaml);
    mock_stop(&m);
}

static void several_models_are_listed_and_nobody_is_said(void **state)
{
    (void)state;
    qn_doctor d;
    qn_err e;
    qn_buf yaml = {0};
    mock_server m = mock_start("{\"path\": \"/models\", \"raw\": \"{\\\"data\\\":[{\\\"id\\\":\\\"small\\\"},{\\\"id\\\":\\\"big\\\"}]}\"}\n", NULL);
    assert_int_equal(examine(m.url, "", &d, &yaml, &e), QN_EUSAGE);
    assert_non_null(strstr(e.msg, "2 models"));
    assert_non_null(strstr(e.hint, "small, big"));
    mock_stop(&m);
    assert_int_equal(examine(m.url, "", &d, &yaml, &e), QN_EMODEL);
    assert_non_null(strstr(e.msg, "nothing answers at"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capable_endpoint_is_found_capable),
        cmocka_unit_test(a_poor_endpoint_is_found_poor),
        cmocka_unit_test(several_models_are_listed_and_nobody_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
