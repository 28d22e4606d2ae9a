/* test_openai: request bodies, replies, streams, recorded replies, keys and worst prices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "model/openai.h"
#include "model/sse.h"
#include <stdio.h>

static qn_model model_of_test(void)
{
    return (qn_model){ .role = "r", .name = "m\"1", .url = "http://127.0.0.1:1/v1", .identity = "url http://127.0.0.1:1/v1 name m", .stream = 0, .structured = -1 };
}

static void assert_body(const qn_ask *ask, unsigned quirks, const char *want)
{
    qn_buf b = {0};
    qn_openai_body(ask, quirks, &b);
    assert_string_equal(b.p, want);
    qn_buf_free(&b);
}

/* ---- bodies ---- */
static void a_body_is_the_ask_with_model_and_stream_before_it(void **state)
{
    (void)state;
    qn_model m = model_of_test();
    qn_ask ask = { .kind = QN_ASK_CHAT, .model = &m, .body = QN_STR("{\"messages\":[]}"), .max_tokens = 1024 };
    assert_body(&ask, 0, "{\"model\":\"m\\\"1\",\"messages\":[]}");
    m.stream = 1;
    assert_body(&ask, 0, "{\"model\":\"m\\\"1\",\"stream\":true,\"stream_options\":{\"include_usage\":true},\"messages\":[]}");
    assert_body(&ask, QN_NO_STREAM_OPTIONS, "{\"model\":\"m\\\"1\",\"stream\":true,\"messages\":[]}");
    assert_body(&ask, QN_NO_STREAM, "{\"model\":\"m\\\"1\",\"messages\":[]}");
    ask.body = QN_STR("{}");
    assert_body(&ask, QN_NO_STREAM, "{\"model\":\"m\\\"1\"}");
}

static void short_replies_are_not_streamed_unless_asked_for(void **state)
{
    (void)state;
    qn_model m = model_of_test();
    m.stream = -1;
    qn_ask ask = { .kind = QN_ASK_CHAT, .model = &m, .body = QN_STR("{\"messages\":[]}"), .max_tokens = 16 };
    assert_false(qn_openai_streams(&ask, 0));
    ask.max_tokens = 0;
    assert_true(qn_openai_streams(&ask, 0));
    ask.body = QN_STR("{\"logprobs\":true,\"messages\":[]}");
    assert_false(qn_openai_streams(&ask, 0));
    ask.kind = QN_ASK_EMBED;
    assert_false(qn_openai_streams(&ask, 0));
}

static void extra_keys_of_the_model_yield_to_the_ask_s_own(void **state)
{
    (void)state;
    qn_model m = model_of_test();
    qn_arena a = {0};
    qn_err e = {0};
    assert_int_equal(qn_json_parse(QN_STR("{\"top_k\":5,\"temperature\":0.5}"), &a, &m.extra, &e), QN_OK);
    qn_ask ask = { .kind = QN_ASK_CHAT, .model = &m, .body = QN_STR("{\"messages\":[],\"temperature\":1.0}") };
    assert_body(&ask, 0, "{\"model\":\"m\\\"1\",\"top_k\":5,\"messages\":[],\"temperature\":1.0}");
    qn_arena_free(&a);
}

static void an_endpoint_s_complaints_are_learned_one_by_one(void **state)
{
    (void)state;
    qn_model m = model_of_test();
    m.stream = -1;
    qn_ask ask = { .kind = QN_ASK_CHAT, .model = &m, .body = QN_STR("{\"max_tokens\":9,\"messages\":[],\"response_format\":{\"type\":\"json_object\"},\"temperature\":0.5}") };
    assert_int_equal(qn_openai_learn(400, QN_STR("{\"error\":{\"message\":\"Use 'max_completion_tokens' instead.\"}}"), &ask, 0), QN_MAX_COMPLETION_NAME);
    assert_int_equal(qn_openai_learn(400, QN_STR("response_format is not supported"), &ask, 0), QN_NO_RESPONSE_FORMAT);
    assert_int_equal(qn_openai_learn(400, QN_STR("response_format is not supported"), &ask, QN_NO_RESPONSE_FORMAT), QN_NO_RESPONSE_FORMAT);
    assert_int_equal(qn_openai_learn(400, QN_STR("Unsupported value: 'temperature'"), &ask, 0), QN_NO_TEMPERATURE);
    assert_int_equal(qn_openai_learn(500, QN_STR("response_format"), &ask, 0), 0);
    assert_int_equal(qn_openai_learn(400, QN_STR("context too long"), &ask, 0), 0);
    assert_body(&ask, QN_NO_STREAM | QN_MAX_COMPLETION_NAME | QN_NO_RESPONSE_FORMAT | QN_NO_TEMPERATURE,
                "{\"model\":\"m\\\"1\",\"max_completion_tokens\":9,\"messages\":[]}");
    m.structured = 1;                       /* the user says it has it: nothing is left out in silence */
    assert_int_equal(qn_openai_learn(400, QN_STR("response_format is not supported"), &ask, 0), 0);
}

/* ---- replies ---- */
static bool parse(qn_ask_kind kind, const char *body, qn_arena *a, qn_reply *r, const char **why)
{
    static qn_buf scratch;
    qn_model m = model_of_test();
    qn_ask ask = { .kind = kind, .model = &m, .body = QN_STR("{\"messages\":[]}") };
    *r = (qn_reply){0};
    return qn_openai_parse(&ask, qn_str_of(body), &scratch, a, r, why);
}

static void what_is_no_reply_is_told_why(void **state)
{
    (void)state;
    static const struct { qn_ask_kind kind; const char *body, *why; } cases[] = {
        { QN_ASK_CHAT, "", "empty" }, { QN_ASK_CHAT, " \n", "empty" }, { QN_ASK_CHAT, "{\"choices\":[", "valid JSON" }, { QN_ASK_CHAT, "<html>", "valid JSON" },
        { QN_ASK_CHAT, "{}", "no choices" }, { QN_ASK_CHAT, "{\"choices\":[]}", "no choices" }, { QN_ASK_CHAT, "[]", "no choices" },
        { QN_ASK_CHAT, "{\"error\":{\"message\":\"x\"}}", "error came with status 200" },
        { QN_ASK_CHAT, "{\"choices\":[{}]}", "no message" }, { QN_ASK_CHAT, "{\"choices\":[{\"message\":{\"content\":\"\"}}]}", "no content" },
        { QN_ASK_CHAT, "{\"choices\":[{\"message\":{\"content\":null}}]}", "no content" },
        { QN_ASK_CHAT, "{\"choices\":[{\"message\":{\"content\":\"\xFF\"}}]}", "valid JSON" },
        { QN_ASK_CHAT, "{\"choices\":[{\"message\":{\"content\":\"a\"}}]} x", "valid JSON" },
        { QN_ASK_EMBED, "{\"data\":[]}", "no embeddings" }, { QN_ASK_EMBED, "{\"data\":[{\"embedding\":[]}]}", "do not fit" },
        { QN_ASK_EMBED, "{\"data\":[{\"embedding\":[1,2]},{\"embedding\":[1]}]}", "do not fit" },
        { QN_ASK_EMBED, "{\"data\":[{\"embedding\":[1],\"index\":0},{\"embedding\":[1],\"index\":0}]}", "do not fit" },
        { QN_ASK_EMBED, "{\"data\":[{\"embedding\":[1,\"x\"]}]}", "do not fit" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qn_arena a = {0};
        qn_reply r;
        const char *why = NULL;
        assert_false(parse(cases[i].kind, cases[i].body, &a, &r, &why));
        if (!strstr(why, cases[i].why)) fail_msg("%s: `%s` does not say `%s`", cases[i].body, why, cases[i].why);
        qn_arena_free(&a);
    }
}

static void embeddings_come_back_in_the_order_of_their_texts(void **state)
{
    (void)state;
    qn_arena a = {0};
    qn_reply r;
    const char *why;
    assert_true(parse(QN_ASK_EMBED, "{\"data\":[{\"embedding\":[2,0.5],\"index\":1},{\"embedding\":[1,0.25],\"index\":0}],\"usage\":{\"prompt_tokens\":7}}", &a, &r, &why));
    assert_true(qn_v_number(qn_v_at(qn_v_at(r.embeddings, 0), 0)) == 1);
    assert_true(qn_v_number(qn_v_at(qn_v_at(r.embeddings, 1), 1)) == 0.5);
    assert_int_equal(r.prompt_tokens, 7);
    assert_int_equal(r.completion_tokens, 0);
    assert_false(r.tokens_estimated);
    qn_arena_free(&a);
}

static void tokens_are_estimated_when_none_are_given(void **state)
{
    (void)state;
    qn_arena a = {0};
    qn_reply r;
    const char *why;
    assert_true(parse(QN_ASK_CHAT, "{\"choices\":[{\"message\":{\"content\":\"eight by\"}}]}", &a, &r, &why));
    assert_true(r.tokens_estimated);
    assert_int_equal(r.completion_tokens, 2);
    assert_true(r.prompt_tokens > 0);
    qn_arena_free(&a);
}

static void thinking_is_split_off_wherever_it_stands(void **state)
{
    (void)state;
    static const struct { const char *content, *thinking, *text; } cases[] = {
        { "<think>a b</think>\n\nc", "a b", "c" }, { "  <think>\na\n</think>c", "a", "c" }, { "a</think>c", "a", "c" }, { "plain", "", "plain" },
        { "<think>never ended", "never ended", "" }, { "say <think>x</think>", "", "say <think>x</think>" }, { "<think></think>c", "", "c" },
        { " kept as is ", "", " kept as is " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qn_str t, rest;
        qn_think_split(qn_str_of(cases[i].content), &t, &rest);
        if (!qn_str_is(t, cases[i].thinking) || !qn_str_is(rest, cases[i].text)) fail_msg("%s -> [%.*s] [%.*s]", cases[i].content, QN_FMT(t), QN_FMT(rest));
    }
}

static void error_bodies_become_one_line_for_people(void **state)
{
    (void)state;
    static const struct { const char *body, *text; } cases[] = {
        { "{\"error\":{\"message\":\"too\\nlong\"}}", "too long" }, { "{\"error\":\"plain\"}", "plain" }, { "{\"detail\":\"fast\"}", "fast" },
        { "[{\"error\":{\"message\":\"wrapped\"}}]", "wrapped" }, { "<html>no</html>", "" }, { "", "" }, { "oops  then", "oops then" }, { "{}", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64];
        qn_openai_error_text(qn_str_of(cases[i].body), out, sizeof out);
        assert_string_equal(out, cases[i].text);
    }
    char small[8];
    qn_openai_error_text(QN_STR("{\"error\":{\"message\":\"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\"}}"), small, sizeof small);
    assert_true(qn_utf8_valid(qn_str_of(small)));
}

/* ---- streams ---- */
static const char STREAM[] =
    ": a comment\r\n\r\n"
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n"
    "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm \\u00e4\"}}]}\n\n"
    "event: message\ndata: {\"choices\":[{\"delta\":{\"content\":\"Gr\xC3\xBC\"}}]}\n\n"
    "data:{\"choices\":\ndata: [{\"delta\":{\"content\":\"\xC3\x9F\x65 all\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{\\\"x\\\"\"}}]}}]}\r\r"
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\":1}\"}}]}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":6}}\n\n"
    "data: [DONE]\n\n";

static void a_stream_cut_anywhere_gives_the_same_reply(void **state)
{
    (void)state;
    qn_model m = model_of_test();
    qn_ask ask = { .kind = QN_ASK_CHAT, .model = &m, .body = QN_STR("{}") };
    qn_buf scratch = {0};
    size_t n = sizeof STREAM - 1;
    qn_sse s = {0};
    for (size_t cut = 0; cut <= n; cut++) {
        qn_arena a = {0};
        qn_reply r = {0};
        const char *why = "";
        qn_sse_init(&s);
        qn_sse_feed(&s, STREAM, cut, &scratch);
        qn_sse_feed(&s, STREAM + cut, n - cut, &scratch);
        assert_true(qn_sse_end(&s, &ask, &a, &r, &scratch, &why));
        assert_true(qn_str_is(r.text, "Grüße all"));
        assert_true(qn_str_is(r.thinking, "hm ä"));
        assert_int_equal(r.prompt_tokens, 5);
        assert_int_equal(r.completion_tokens, 6);
        assert_int_equal(r.tool_calls.n, 1);
        qn_value f, args;
        assert_true(qn_v_get(qn_v_at(r.tool_calls, 0), QN_STR("function"), &f));
        assert_true(qn_v_get(f, QN_STR("arguments"), &args));
        assert_true(qn_str_is(qn_v_str(args), "{\"x\":1}"));
        qn_arena_free(&a);
    }
    qn_sse_free(&s);
    qn_buf_free(&scratch);
}

static void a_stream_without_its_end_is_no_reply(void **state)
{
    (void)state;
    qn_model m = model_of_test();
    qn_ask ask = { .kind = QN_ASK_CHAT, .model = &m, .body = QN_STR("{}") };
    static const char *const streams[][2] = {
        { "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n", "before its last event" }, { "", "before its last event" },
        { "data: {\"choices\": oops\n\n", "not valid JSON" }, { "data: {\"error\":{\"message\":\"died\"}}\n\n", "reported an error" },
        { "data: [DONE]\n\n", "no content" },
    };
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        qn_sse s = {0};
        qn_buf scratch = {0};
        qn_arena a = {0};
        qn_reply r = {0};
        const char *why = "";
        qn_sse_init(&s);
        qn_sse_feed(&s, streams[i][0], strlen(streams[i][0]), &scratch);
        assert_false(qn_sse_end(&s, &ask, &a, &r, &scratch, &why));
        if (!strstr(why, streams[i][1])) fail_msg("%s: %s", streams[i][0], why);
        qn_sse_free(&s);
        qn_buf_free(&scratch);
        qn_arena_free(&a);
    }
}

/* ---- recorded replies ---- */
static void a_recorded_reply_reads_back_as_it_was(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"choices\":[{\"message\":{\"content\":\"a \\\"b\\\" \\u0001 \\ud83d\\ude00\",\"reasoning_content\":\"t\"},\"finish_reason\":\"length\"}]}",
        "{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"no\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
        "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{\"id\":\"x\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\","
        "\"logprobs\":{\"content\":[{\"token\":\"a\",\"logprob\":-0.1}]}}]}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        qn_arena a = {0};
        qn_buf rec = {0}, again = {0};
        qn_reply r, d;
        const char *why;
        qn_err e = {0};
        qn_ask ask = { .kind = QN_ASK_CHAT };
        assert_true(parse(QN_ASK_CHAT, bodies[i], &a, &r, &why));
        qn_reply_encode(&r, &rec);
        assert_int_equal(qn_reply_decode(qn_buf_view(&rec), &ask, &a, &d, &e), QN_OK);
        assert_int_equal(d.status, r.status);
        assert_true(qn_str_eq(d.text, r.text) && qn_str_eq(d.thinking, r.thinking) && qn_str_eq(d.finish, r.finish));
        assert_true(qn_v_eq(d.tool_calls, r.tool_calls) && qn_v_eq(d.logprobs, r.logprobs));
        assert_true(d.prompt_tokens == r.prompt_tokens && d.completion_tokens == r.completion_tokens && d.tokens_estimated == r.tokens_estimated);
        assert_true(d.replayed);
        qn_reply_encode(&d, &again);
        assert_string_equal(rec.p, again.p);
        qn_buf_free(&rec);
        qn_buf_free(&again);
        qn_arena_free(&a);
    }
}

static void recorded_embeddings_keep_every_bit(void **state)
{
    (void)state;
    qn_arena a = {0};
    qn_buf rec = {0};
    qn_reply r, d;
    const char *why;
    qn_err e = {0};
    qn_ask ask = { .kind = QN_ASK_EMBED };
    assert_true(parse(QN_ASK_EMBED, "{\"data\":[{\"embedding\":[0.1,-0.0123456789012345,1e-300,3]}]}", &a, &r, &why));
    qn_reply_encode(&r, &rec);
    assert_int_equal(qn_reply_decode(qn_buf_view(&rec), &ask, &a, &d, &e), QN_OK);
    for (size_t i = 0; i < 4; i++)
        assert_true(qn_v_number(qn_v_at(qn_v_at(r.embeddings, 0), i)) == qn_v_number(qn_v_at(qn_v_at(d.embeddings, 0), i)));
    qn_buf_free(&rec);
    qn_arena_free(&a);
}

/* ---- keys and prices ---- */
static void a_key_follows_model_kind_body_and_draw_and_nothing_else(void **state)
{
    (void)state;
    qn_model m = model_of_test(), other = model_of_test(), moved = model_of_test();
    other.identity = "another";
    moved.max_in_flight = 3; moved.key = "k"; moved.stream = 1;
    qn_ask ask = { .kind = QN_ASK_CHAT, .model = &m, .body = QN_STR("{\"a\":1}"), .draw = QN_STR("d") }, x;
    qn_hash128 key = qn_ask_key(&ask);
    x = ask; x.model = &moved; assert_true(qn_hash_eq(key, qn_ask_key(&x)));
    x = ask; x.model = &other; assert_false(qn_hash_eq(key, qn_ask_key(&x)));
    x = ask; x.kind = QN_ASK_COMPLETION; assert_false(qn_hash_eq(key, qn_ask_key(&x)));
    x = ask; x.body = QN_STR("{\"a\":2}"); assert_false(qn_hash_eq(key, qn_ask_key(&x)));
    x = ask; x.draw = QN_STR("e"); assert_false(qn_hash_eq(key, qn_ask_key(&x)));
    x = ask; x.body = QN_STR("{\"a\":1}d"); x.draw = QN_STR(""); assert_false(qn_hash_eq(key, qn_ask_key(&x)));
    qn_ask page = { .kind = QN_ASK_GET, .url = QN_STR("http://a/") }, page2 = { .kind = QN_ASK_GET, .url = QN_STR("http://b/") };
    assert_false(qn_hash_eq(qn_ask_key(&page), qn_ask_key(&page2)));
}

static void the_worst_price_is_never_below_the_real_one(void **state)
{
    (void)state;
    qn_model m = model_of_test();
    m.priced = true; m.usd_per_m_prompt = 2; m.usd_per_m_completion = 8; m.context_tokens = 1000;
    qn_ask ask = { .kind = QN_ASK_CHAT, .model = &m, .body = QN_STR("{\"messages\":[{\"content\":\"0123456789\"}]}"), .max_tokens = 100 };
    double worst = qn_ask_worst_usd(&ask);
    assert_true(worst >= (double)ask.body.n / 4 * 2e-6 + 100 * 8e-6);
    ask.max_tokens = 0;
    assert_true(qn_ask_worst_usd(&ask) >= 1000 * 8e-6);
    m.priced = false;
    assert_true(qn_ask_worst_usd(&ask) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_the_ask_with_model_and_stream_before_it),
        cmocka_unit_test(short_replies_are_not_streamed_unless_asked_for),
        cmocka_unit_test(extra_keys_of_the_model_yield_to_the_ask_s_own),
        cmocka_unit_test(an_endpoint_s_complaints_are_learned_one_by_one),
        cmocka_unit_test(what_is_no_reply_is_told_why),
        cmocka_unit_test(embeddings_come_back_in_the_order_of_their_texts),
        cmocka_unit_test(tokens_are_estimated_when_none_are_given),
        cmocka_unit_test(thinking_is_split_off_wherever_it_stands),
        cmocka_unit_test(error_bodies_become_one_line_for_people),
        cmocka_unit_test(a_stream_cut_anywhere_gives_the_same_reply),
        cmocka_unit_test(a_stream_without_its_end_is_no_reply),
        cmocka_unit_test(a_recorded_reply_reads_back_as_it_was),
        cmocka_unit_test(recorded_embeddings_keep_every_bit),
        cmocka_unit_test(a_key_follows_model_kind_body_and_draw_and_nothing_else),
        cmocka_unit_test(the_worst_price_is_never_below_the_real_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
