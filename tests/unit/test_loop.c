/* test_loop: the gateway against a scripted server: storms, hangs, drips, cuts, lies, dead hosts, many in flight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "mock/start.h"
#include "model/loop.h"
#include <netinet/in.h>
#include <sys/socket.h>

/* ---- a loop, a model, and a list of ended calls ---- */
typedef struct fixture {
    qn_loop *loop;
    qn_model model;
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    qn_call *ended;             /* newest first */
    int n_ended;
} fixture;

static void on_done(void *arg, qn_call *calls)
{
    fixture *f = arg;
    pthread_mutex_lock(&f->lock);
    for (qn_call *c = calls, *next; c; c = next) {
        next = c->next;
        c->next = f->ended;
        f->ended = c;
        f->n_ended++;
    }
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static fixture *fixture_new(const char *url)
{
    fixture *f = QN_NEW(fixture);
    qn_err e = {0};
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    f->model = (qn_model){ .role = "test", .name = "mock", .url = url, .identity = "mock", .silence_ms = 5000, .deadline_ms = 20000, .retry_ms = 10,
                           .stream = 0, .structured = -1 };
    assert_int_equal(qn_loop_open(&f->loop, on_done, f, &e), QN_OK);
    return f;
}

static void fixture_free(fixture *f)
{
    qn_loop_close(f->loop);
    for (qn_call *c = f->ended, *next; c; c = next) { next = c->next; qn_call_free(c); }
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    qn_free(f);
}

static qn_call *chat(fixture *f, const char *text)
{
    qn_call *c = qn_call_new();
    qn_buf b = {0};
    qn_buf_puts(&b, "{\"max_tokens\":1024,\"messages\":[{\"content\":");
    qn_json_write_text(&b, qn_str_of(text));
    qn_buf_puts(&b, ",\"role\":\"user\"}]}");
    c->ask = (qn_ask){ .kind = QN_ASK_CHAT, .model = &f->model, .body = qn_arena_str(&c->arena, qn_buf_view(&b)), .max_tokens = 1024 };
    qn_buf_free(&b);
    return c;
}

static void wait_for(fixture *f, int n)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&f->lock);
    while (f->n_ended < n) if (pthread_cond_timedwait(&f->changed, &f->lock, &until) != 0) break;
    int got = f->n_ended;
    pthread_mutex_unlock(&f->lock);
    assert_int_equal(got, n);
}

static const qn_reply *ask_one(fixture *f, qn_call *c)
{
    int before = f->n_ended;
    qn_loop_submit(f->loop, c);
    wait_for(f, before + 1);
    return &c->reply;
}

static void assert_says(qn_str text, const char *part)
{
    if (qn_str_find(text, qn_str_of(part)) < 0) { print_error("`%.*s` does not say `%s`\n", QN_FMT(text), part); fail(); }
}

/* ---- replies ---- */
static void a_plain_reply_arrives_with_its_usage(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"reply\": \"ground flour\", \"prompt_tokens\": 12, \"completion_tokens\": 3}\n", NULL);
    fixture *f = fixture_new(m.url);
    f->model.priced = true; f->model.usd_per_m_prompt = 1; f->model.usd_per_m_completion = 10;
    const qn_reply *r = ask_one(f, chat(f, "what?"));
    assert_int_equal(r->status, QN_REPLY_OK);
    assert_int_equal(r->http, 200);
    assert_true(qn_str_is(r->text, "ground flour"));
    assert_true(qn_str_is(r->finish, "stop"));
    assert_int_equal(r->prompt_tokens, 12);
    assert_int_equal(r->completion_tokens, 3);
    assert_false(r->tokens_estimated);
    assert_true(r->cost_usd > 41.9e-6 && r->cost_usd < 42.1e-6);
    assert_int_equal(r->attempts, 1);
    assert_int_equal(mock_count(&m, "\"model\":\"mock\""), 1);
    fixture_free(f);
    mock_stop(&m);
}

static void a_streamed_reply_equals_the_plain_one(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"reply\": \"Grüße, 世界: a longer reply that comes in many pieces\", \"thinking\": \"let me see, ähem, so be it\"}\n", "--piece", "5", NULL);
    fixture *f = fixture_new(m.url);
    const qn_reply *plain = ask_one(f, chat(f, "a"));
    f->model.stream = 1;
    const qn_reply *streamed = ask_one(f, chat(f, "a"));
    assert_int_equal(mock_count(&m, "\"stream\":true"), 1);
    assert_true(qn_str_eq(plain->text, streamed->text));
    assert_true(qn_str_eq(plain->thinking, streamed->thinking));
    assert_true(qn_str_is(streamed->thinking, "let me see, ähem, so be it"));
    assert_int_equal(plain->prompt_tokens, streamed->prompt_tokens);
    assert_int_equal(plain->completion_tokens, streamed->completion_tokens);
    assert_false(streamed->tokens_estimated);
    fixture_free(f);
    mock_stop(&m);
}

static void an_endpoint_without_streams_is_asked_again_without(void **state)
{
    (void)state;
    mock_server m = mock_start(NULL, "--strict-stream", NULL);
    fixture *f = fixture_new(m.url);
    f->model.stream = -1;
    assert_int_equal(ask_one(f, chat(f, "a"))->status, QN_REPLY_OK);
    assert_int_equal(ask_one(f, chat(f, "b"))->status, QN_REPLY_OK);
    assert_int_equal(mock_count(&m, "\"stream\":true"), 1);     /* learned once */
    assert_int_equal(mock_count(&m, "\"n\":"), 3);
    fixture_free(f);
    mock_stop(&m);
}

static void an_endpoint_without_response_format_is_asked_without(void **state)
{
    (void)state;
    const char *const ways[] = { "--strict-format", "--strict-format-500" };     /* llama_cpp.server says 500 to a shape that it does not take */
    for (int i = 0; i < 2; i++) {
        mock_server m = mock_start(NULL, ways[i], NULL);
        fixture *f = fixture_new(m.url);
        qn_call *c = chat(f, "a");
        c->ask.body = qn_arena_str(&c->arena, QN_STR("{\"messages\":[{\"content\":\"a\",\"role\":\"user\"}],\"response_format\":{\"type\":\"json_object\"}}"));
        assert_int_equal(ask_one(f, c)->status, QN_REPLY_OK);
        assert_int_equal(mock_count(&m, "response_format"), 1);
        fixture_free(f);
        mock_stop(&m);
    }
}

static void verdicts_of_the_endpoint_are_told_apart(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"match\": \"long\", \"reply\": \"and then\", \"finish\": \"length\"}\n"
                               "{\"match\": \"bad\", \"refusal\": \"I will not\"}\n"
                               "{\"match\": \"filter\", \"reply\": \"\", \"finish\": \"content_filter\"}\n"
                               "{\"match\": \"azure\", \"status\": 400, \"raw\": \"x\", \"error\": \"policy \\\"content_filter\\\"\"}\n"
                               "{\"match\": \"tags\", \"reply\": \"42\", \"thinking\": \"six by seven\", \"think_tags\": true}\n"
                               "{\"match\": \"tool\", \"tool_calls\": [{\"index\": 0, \"id\": \"c1\", \"type\": \"function\", \"function\": {\"name\": \"add\", \"arguments\": \"{}\"}}]}\n", NULL);
    fixture *f = fixture_new(m.url);
    for (f->model.stream = 0; f->model.stream < 2; f->model.stream++) {
        const qn_reply *r = ask_one(f, chat(f, "long"));
        assert_int_equal(r->status, QN_REPLY_CUT);
        assert_true(qn_str_is(r->text, "and then"));
        r = ask_one(f, chat(f, "bad"));
        assert_int_equal(r->status, QN_REPLY_REFUSED);
        assert_true(qn_str_is(r->text, "I will not"));
        assert_int_equal(ask_one(f, chat(f, "filter"))->status, QN_REPLY_REFUSED);
        r = ask_one(f, chat(f, "tags"));
        assert_true(qn_str_is(r->text, "42"));
        assert_true(qn_str_is(r->thinking, "six by seven"));
        r = ask_one(f, chat(f, "tool"));
        assert_int_equal(r->status, QN_REPLY_OK);
        assert_int_equal(r->tool_calls.n, 1);
        assert_true(qn_str_is(r->finish, "tool_calls"));
    }
    fixture_free(f);
    mock_stop(&m);
}

static void embeddings_and_completions_arrive(void **state)
{
    (void)state;
    mock_server m = mock_start(NULL, NULL);
    fixture *f = fixture_new(m.url);
    qn_call *c = qn_call_new();
    c->ask = (qn_ask){ .kind = QN_ASK_EMBED, .model = &f->model, .body = QN_STR("{\"input\":[\"hand mill\",\"hand mill\",\"quern stone\"]}") };
    const qn_reply *r = ask_one(f, c);
    assert_int_equal(r->status, QN_REPLY_OK);
    assert_int_equal(r->embeddings.n, 3);
    assert_int_equal(qn_v_at(r->embeddings, 0).n, 64);
    assert_true(qn_v_eq(qn_v_at(r->embeddings, 0), qn_v_at(r->embeddings, 1)));
    assert_false(qn_v_eq(qn_v_at(r->embeddings, 0), qn_v_at(r->embeddings, 2)));
    c = qn_call_new();
    c->ask = (qn_ask){ .kind = QN_ASK_COMPLETION, .model = &f->model, .body = QN_STR("{\"echo\":true,\"logprobs\":1,\"max_tokens\":0,\"prompt\":\"the mill grinds\"}") };
    r = ask_one(f, c);
    assert_int_equal(r->status, QN_REPLY_OK);
    assert_true(qn_str_is(r->text, "the mill grinds"));
    qn_value probs;
    assert_true(qn_v_get(r->logprobs, QN_STR("token_logprobs"), &probs));
    assert_int_equal(probs.n, 3);
    fixture_free(f);
    mock_stop(&m);
}

/* ---- trouble that passes ---- */
static void one_bad_answer_is_retried(void **state)
{
    (void)state;
    static const char *const faults[] = { "cut", "reset", "truncated", "invalid_utf8", "empty", "lie_long", "lie_short", "not_json", "silent_close" };
    for (int way = 0; way < 4; way++)       /* plain and streamed, over a plain socket and (by name) through libcurl */
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
            char script[128], by_name[64];
            bool stream = way & 1;
            if (stream && (strncmp(faults[i], "lie", 3) == 0)) continue;    /* streams have no length to lie about */
            snprintf(script, sizeof script, "{\"fault\": \"%s\", \"times\": 1}\n", faults[i]);
            mock_server m = mock_start(script, NULL);
            snprintf(by_name, sizeof by_name, "http://localhost:%d/v1", m.port);
            fixture *f = fixture_new(way & 2 ? by_name : m.url);
            f->model.stream = stream;
            const qn_reply *r = ask_one(f, chat(f, "what is ground here?"));
            if (r->status != QN_REPLY_OK || r->attempts != 2)
                print_error("%s, way %d: status %d, attempts %d: %.*s\n", faults[i], way, (int)r->status, r->attempts, QN_FMT(r->error));
            assert_int_equal(r->status, QN_REPLY_OK);
            assert_int_equal(r->attempts, strcmp(faults[i], "silent_close") == 0 && r->attempts == 1 ? 1 : 2);
            assert_says(r->text, "what is ground here?");
            fixture_free(f);
            mock_stop(&m);
        }
}

/* A body that is longer than what a socket takes at once, begun again on a fresh connection when the kept one fails. */
static void long_bodies_arrive_whole_and_again(void **state)
{
    (void)state;
    static const char *const faults[] = { NULL, "silent_close", "cut", "reset" };
    for (int way = 0; way < 2; way++)       /* over a plain socket and (by name) through libcurl */
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
            for (size_t size = 1 << 12; size <= 3 << 20; size *= 16) {
                char script[192], by_name[64], end[32];
                qn_buf long_text = {0};
                while (long_text.n < size) qn_buf_printf(&long_text, "grain %zu of the sack, ", long_text.n);
                snprintf(end, sizeof end, "the end of %zu", long_text.n);
                qn_buf_puts(&long_text, end);
                snprintf(script, sizeof script, "{\"match\": \"%s\", \"times\": 1, \"fault\": \"%s\"}\n{\"match\": \"%s\", \"reply\": \"whole\"}\n", end, faults[i] ? faults[i] : "", end);
                mock_server m = mock_start(faults[i] ? script : strchr(script, '\n') + 1, NULL);
                snprintf(by_name, sizeof by_name, "http://localhost:%d/v1", m.port);
                fixture *f = fixture_new(way ? by_name : m.url);
                ask_one(f, chat(f, "a connection to keep"));
                const qn_reply *r = ask_one(f, chat(f, long_text.p));
                assert_int_equal(r->status, QN_REPLY_OK);
                assert_true(qn_str_is(r->text, "whole"));
                assert_int_equal(r->prompt_tokens, (long_text.n + 3) / 4);
                assert_int_equal(mock_count(&m, end), faults[i] ? 2 : 1);
                fixture_free(f);
                mock_stop(&m);
                qn_buf_free(&long_text);
            }
}

static void an_error_inside_a_stream_is_retried(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"stream_error\": true, \"reply\": \"half\", \"times\": 1}\n", NULL);
    fixture *f = fixture_new(m.url);
    f->model.stream = 1;
    const qn_reply *r = ask_one(f, chat(f, "a"));
    assert_int_equal(r->status, QN_REPLY_OK);
    assert_int_equal(r->attempts, 2);
    fixture_free(f);
    mock_stop(&m);
}

static void statuses_that_pass_are_retried_and_others_are_not(void **state)
{
    (void)state;
    static const struct { int status; bool retried; } cases[] = { { 408, true }, { 409, true }, { 429, true }, { 500, true }, { 502, true }, { 503, true },
                                                                  { 504, true }, { 529, true }, { 400, false }, { 401, false }, { 403, false }, { 404, false },
                                                                  { 413, false }, { 422, false }, { 501, false }, { 301, false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char script[96], status[16];
        snprintf(script, sizeof script, "{\"status\": %d, \"times\": 1, \"error\": \"as scripted\"}\n", cases[i].status);
        snprintf(status, sizeof status, "HTTP %d", cases[i].status);
        mock_server m = mock_start(script, NULL);
        fixture *f = fixture_new(m.url);
        const qn_reply *r = ask_one(f, chat(f, "a"));
        assert_int_equal(r->status, cases[i].retried ? QN_REPLY_OK : QN_REPLY_FAILED);
        assert_int_equal(r->attempts, cases[i].retried ? 2 : 1);
        if (!cases[i].retried) { assert_says(r->error, status); assert_says(r->error, "as scripted"); assert_int_equal(r->http, cases[i].status); assert_false(r->unreachable); }
        fixture_free(f);
        mock_stop(&m);
    }
}

static void retry_after_is_kept(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"status\": 429, \"retry_after_ms\": 400, \"times\": 1}\n", NULL);
    fixture *f = fixture_new(m.url);
    const qn_reply *r = ask_one(f, chat(f, "a"));
    assert_int_equal(r->status, QN_REPLY_OK);
    assert_true(r->seconds >= 0.4);
    assert_true(r->seconds < 5);
    fixture_free(f);
    mock_stop(&m);
}

static void storm(const char *host)
{
    mock_server m = mock_start("{\"status\": 429, \"every\": 3, \"together\": true, \"retry_after_ms\": 20}\n{\"status\": 500, \"every\": 7, \"together\": true}\n", NULL);
    snprintf(m.url, sizeof m.url, "http://%s:%d/v1", host, m.port);
    fixture *f = fixture_new(m.url);
    qn_call *list = NULL;
    for (int i = 0; i < 300; i++) { char t[32]; snprintf(t, sizeof t, "question %d", i); qn_call *c = chat(f, t); c->next = list; list = c; }
    qn_loop_submit(f->loop, list);
    wait_for(f, 300);
    for (qn_call *c = f->ended; c; c = c->next) assert_int_equal(c->reply.status, QN_REPLY_OK);
    qn_loop_stats st;
    qn_loop_stats_get(f->loop, &st);
    assert_int_equal(st.done, 300);
    assert_int_equal(st.failed, 0);
    assert_int_equal(st.in_flight, 0);
    assert_int_equal(st.waiting, 0);
    assert_true(st.n_429 >= 100);
    assert_true(st.n_5xx >= 20);
    assert_int_equal(st.sent, 300 + st.retried);
    assert_int_equal(mock_count(&m, "\"n\":"), st.sent);
    fixture_free(f);
    mock_stop(&m);
}

static void a_storm_of_429_loses_nothing(void **state)
{
    (void)state;
    storm("127.0.0.1");
    storm("localhost");     /* through libcurl */
}

static void an_endpoint_that_never_recovers_fails_the_call_with_its_words(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"status\": 500, \"error\": \"out of\\nflour\"}\n", NULL);
    fixture *f = fixture_new(m.url);
    f->model.retry_ms = 1;
    const qn_reply *r = ask_one(f, chat(f, "a"));
    assert_int_equal(r->status, QN_REPLY_FAILED);
    assert_int_equal(r->attempts, 8);
    assert_says(r->error, "HTTP 500 from 127.0.0.1:");
    assert_says(r->error, "out of flour");
    assert_says(r->error, "8 attempts");
    fixture_free(f);
    mock_stop(&m);
}

/* ---- time ---- */
static void a_hang_is_cut_after_silence_and_retried(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"fault\": \"hang\", \"times\": 1}\n", NULL);
    fixture *f = fixture_new(m.url);
    f->model.silence_ms = 300;
    const qn_reply *r = ask_one(f, chat(f, "a"));
    assert_int_equal(r->status, QN_REPLY_OK);
    assert_int_equal(r->attempts, 2);
    assert_true(r->seconds >= 0.3 && r->seconds < 5);
    fixture_free(f);
    mock_stop(&m);
}

static void a_slow_stream_is_not_cut_because_it_is_not_silent(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"fault\": \"drip\", \"drip_ms\": 50, \"drip_bytes\": 60, \"reply\": \"a reply that takes much longer than the silence that is allowed\"}\n", "--piece", "4", NULL);
    fixture *f = fixture_new(m.url);
    f->model.stream = 1;
    f->model.silence_ms = 400;
    f->model.deadline_ms = 800;
    const qn_reply *r = ask_one(f, chat(f, "a"));
    assert_int_equal(r->status, QN_REPLY_OK);
    assert_int_equal(r->attempts, 1);
    assert_true(r->seconds > 0.8);
    fixture_free(f);
    mock_stop(&m);
}

static void a_plain_body_that_drips_past_the_deadline_fails(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"fault\": \"drip\", \"drip_ms\": 50, \"drip_bytes\": 1}\n", NULL);
    fixture *f = fixture_new(m.url);
    f->model.deadline_ms = 700;
    const qn_reply *r = ask_one(f, chat(f, "a"));
    assert_int_equal(r->status, QN_REPLY_FAILED);
    assert_says(r->error, "deadline");
    assert_true(r->seconds < 5);
    fixture_free(f);
    mock_stop(&m);
}

/* One at a time, 40 ms each, 40 in line: the last waits 1.6 s at the server, five times the allowed silence. */
static void a_slow_server_with_a_long_queue_loses_no_call(void **state)
{
    (void)state;
    mock_server m = mock_start(NULL, "--slots", "1", "--latency", "40", NULL);
    fixture *f = fixture_new(m.url);
    f->model.silence_ms = 300;
    f->model.deadline_ms = 600;
    qn_call *list = NULL;
    for (int i = 0; i < 40; i++) { qn_call *c = chat(f, "a"); c->next = list; list = c; }
    qn_loop_submit(f->loop, list);
    wait_for(f, 40);
    for (qn_call *c = f->ended; c; c = c->next) { assert_int_equal(c->reply.status, QN_REPLY_OK); assert_int_equal(c->reply.attempts, 1); }
    fixture_free(f);
    mock_stop(&m);
}

static void a_thousand_are_in_flight_at_once(void **state)
{
    (void)state;
    mock_server m = mock_start(NULL, "--latency", "1500", NULL);
    fixture *f = fixture_new(m.url);
    qn_call *list = NULL;
    for (int i = 0; i < 1000; i++) { char t[32]; snprintf(t, sizeof t, "question %d.", i); qn_call *c = chat(f, t); c->intent = (uint64_t)i; c->next = list; list = c; }
    int64_t begin = qn_now_us();
    qn_loop_submit(f->loop, list);
    wait_for(f, 1000);
    assert_true(qn_now_us() - begin < 30000000);
    for (qn_call *c = f->ended; c; c = c->next) {
        char t[32];
        snprintf(t, sizeof t, "question %d.", (int)c->intent);
        assert_int_equal(c->reply.status, QN_REPLY_OK);
        assert_says(c->reply.text, t);
    }
    qn_call *stats = qn_call_new();
    char url[96];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/mock/stats", m.port);
    stats->ask = (qn_ask){ .kind = QN_ASK_GET, .url = qn_str_of(url), .allow_private = true };
    const qn_reply *r = ask_one(f, stats);
    qn_arena a = {0};
    qn_value v, most;
    qn_err e = {0};
    assert_int_equal(qn_json_parse(r->text, &a, &v, &e), QN_OK);
    assert_true(qn_v_get(v, QN_STR("max_in_flight"), &most));
    assert_int_equal(most.i, 1000);
    qn_arena_free(&a);
    fixture_free(f);
    mock_stop(&m);
}

static void in_flight_never_passes_the_limit(void **state)
{
    (void)state;
    mock_server m = mock_start(NULL, "--latency", "20", NULL);
    fixture *f = fixture_new(m.url);
    f->model.max_in_flight = 7;
    qn_call *list = NULL;
    for (int i = 0; i < 70; i++) { qn_call *c = chat(f, "a"); c->next = list; list = c; }
    qn_loop_submit(f->loop, list);
    wait_for(f, 70);
    qn_call *stats = qn_call_new();
    char url[96];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/mock/stats", m.port);
    stats->ask = (qn_ask){ .kind = QN_ASK_GET, .url = qn_str_of(url), .allow_private = true };
    assert_says(ask_one(f, stats)->text, "\"max_in_flight\":7,");
    fixture_free(f);
    mock_stop(&m);
}

static void requests_a_minute_are_kept(void **state)
{
    (void)state;
    mock_server m = mock_start(NULL, NULL);
    fixture *f = fixture_new(m.url);
    f->model.max_rpm = 600;         /* ten a second, ten at once */
    qn_call *list = NULL;
    for (int i = 0; i < 20; i++) { qn_call *c = chat(f, "a"); c->next = list; list = c; }
    int64_t begin = qn_now_us();
    qn_loop_submit(f->loop, list);
    wait_for(f, 20);
    assert_true(qn_now_us() - begin >= 950000);
    fixture_free(f);
    mock_stop(&m);
}

/* ---- trouble that stays ---- */
static int closed_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    getsockname(fd, (struct sockaddr *)&at, &n);
    close(fd);
    return ntohs(at.sin_port);
}

static void nobody_at_the_address_fails_all_that_wait(void **state)
{
    (void)state;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", closed_port());
    fixture *f = fixture_new(url);
    qn_call *list = NULL;
    for (int i = 0; i < 50; i++) { qn_call *c = chat(f, "a"); c->next = list; list = c; }
    int64_t begin = qn_now_us();
    qn_loop_submit(f->loop, list);
    wait_for(f, 50);
    assert_true(qn_now_us() - begin < 20000000);
    for (qn_call *c = f->ended; c; c = c->next) {
        assert_int_equal(c->reply.status, QN_REPLY_FAILED);
        assert_true(c->reply.unreachable);
        assert_says(c->reply.error, "nothing answers at 127.0.0.1:");
        assert_says(c->reply.error, "connection refused");
        assert_says(c->reply.error, "is the server started?");
    }
    qn_loop_stats st;
    qn_loop_stats_get(f->loop, &st);
    assert_true(st.paused);
    fixture_free(f);
}

static void a_name_that_does_not_exist_is_said(void **state)
{
    (void)state;
    fixture *f = fixture_new("http://mill.invalid/v1");
    const qn_reply *r = ask_one(f, chat(f, "a"));
    assert_int_equal(r->status, QN_REPLY_FAILED);
    assert_true(r->unreachable);
    assert_says(r->error, "no host is called mill.invalid");
    fixture_free(f);
}

static void a_server_that_speaks_no_tls_is_said_at_once(void **state)
{
    (void)state;
    mock_server m = mock_start(NULL, NULL);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/v1", m.port);
    fixture *f = fixture_new(url);
    const qn_reply *r = ask_one(f, chat(f, "a"));
    assert_int_equal(r->status, QN_REPLY_FAILED);
    assert_true(r->unreachable);
    assert_int_equal(r->attempts, 1);
    assert_says(r->error, "does not speak TLS");
    fixture_free(f);
    mock_stop(&m);
}

/* A certificate that its own file makes trusted, and nothing else does. Skips without the openssl program or python3. */
static void a_certificate_is_checked(void **state)
{
    (void)state;
    char cmd[512], dir[] = "/tmp/quern-tls-XXXXXX", cert[64], url[64];
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(cmd, sizeof cmd, "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 "
             "-keyout %s/key.pem -out %s >/dev/null 2>&1", dir, cert);
    if (system(cmd) != 0) { print_message("skipped: no openssl program\n"); skip(); }
    mock_server m = mock_start(NULL, NULL);
    int in[2], out[2], port = 0;
    assert_int_equal(pipe(in) | pipe(out), 0);
    pid_t front = fork();
    if (front == 0) {
        char mock_port[16], key[64];
        snprintf(mock_port, sizeof mock_port, "%d", m.port);
        snprintf(key, sizeof key, "%s/key.pem", dir);
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        execlp("python3", "python3", "tests/mock/tls_front.py", mock_port, cert, key, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    close(in[0]);
    FILE *f = fdopen(out[0], "r");
    bool started = f && fscanf(f, "%d", &port) == 1;
    if (started) {
        char was[256] = "";
        if (getenv("SSL_CERT_FILE")) snprintf(was, sizeof was, "%s", getenv("SSL_CERT_FILE"));
        unsetenv("SSL_CERT_FILE");
        snprintf(url, sizeof url, "https://127.0.0.1:%d/v1", port);
        fixture *x = fixture_new(url);
        const qn_reply *r = ask_one(x, chat(x, "a"));
        assert_int_equal(r->status, QN_REPLY_FAILED);
        assert_true(r->unreachable);
        assert_says(r->error, "is not trusted");
        assert_int_equal(mock_count(&m, "\"n\":"), 0);
        fixture_free(x);
        setenv("SSL_CERT_FILE", cert, 1);
        x = fixture_new(url);
        qn_call *list = NULL;
        for (int i = 0; i < 100; i++) { qn_call *c = chat(x, "over TLS"); c->next = list; list = c; }
        qn_loop_submit(x->loop, list);
        wait_for(x, 100);
        for (qn_call *c = x->ended; c; c = c->next) { assert_int_equal(c->reply.status, QN_REPLY_OK); assert_says(c->reply.text, "over TLS"); }
        fixture_free(x);
        if (was[0]) setenv("SSL_CERT_FILE", was, 1); else unsetenv("SSL_CERT_FILE");
    }
    close(in[1]);
    if (f) fclose(f);
    kill(front, SIGKILL);
    waitpid(front, NULL, 0);
    mock_stop(&m);
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    assert_int_equal(system(cmd), 0);
    if (!started) { print_message("skipped: no python3 with ssl\n"); skip(); }
}

static void a_server_that_comes_back_goes_on(void **state)
{
    (void)state;
    mock_server m = mock_start(NULL, NULL);
    char port[16];
    snprintf(port, sizeof port, "%d", m.port);
    fixture *f = fixture_new(m.url);
    assert_int_equal(ask_one(f, chat(f, "a"))->status, QN_REPLY_OK);
    mock_stop(&m);
    qn_call *list = NULL;
    for (int i = 0; i < 10; i++) { qn_call *c = chat(f, "b"); c->next = list; list = c; }
    qn_loop_submit(f->loop, list);
    qn_sleep_us(300000);
    assert_int_equal(f->n_ended, 1);
    mock_server again = mock_start(NULL, "--port", port, NULL);
    wait_for(f, 11);
    for (qn_call *c = f->ended; c; c = c->next) assert_int_equal(c->reply.status, QN_REPLY_OK);
    fixture_free(f);
    mock_stop(&again);
}

static void a_refused_key_stops_what_waits_and_is_never_shown(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"status\": 401, \"error\": \"Incorrect API key provided\"}\n", NULL);
    fixture *f = fixture_new(m.url);
    f->model.key = "sk-verysecret";
    const char *headers[] = { "X-Own: alsosecret", NULL };
    f->model.headers = headers;
    f->model.max_in_flight = 1;
    qn_call *list = NULL;
    for (int i = 0; i < 100; i++) { qn_call *c = chat(f, "a"); c->next = list; list = c; }
    qn_loop_submit(f->loop, list);
    wait_for(f, 100);
    for (qn_call *c = f->ended; c; c = c->next) {
        assert_int_equal(c->reply.status, QN_REPLY_FAILED);
        assert_says(c->reply.error, "key was refused");
        assert_true(qn_str_find(c->reply.error, QN_STR("verysecret")) < 0);
        assert_true(qn_str_find(c->reply.error, QN_STR("alsosecret")) < 0);
    }
    assert_int_equal(mock_count(&m, "\"authorization\":\"Bearer sk-verysecret\""), 1);     /* one was sent, the others were spared */
    fixture_free(f);
    mock_stop(&m);
}

static void quota_that_is_used_up_is_not_retried(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"status\": 429, \"error\": \"insufficient_quota: see your plan\"}\n", NULL);
    fixture *f = fixture_new(m.url);
    const qn_reply *r = ask_one(f, chat(f, "a"));
    assert_int_equal(r->status, QN_REPLY_FAILED);
    assert_int_equal(r->attempts, 1);
    assert_says(r->error, "used up");
    fixture_free(f);
    mock_stop(&m);
}

/* ---- pages ---- */
static void pages_may_not_ask_private_addresses(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"path\": \"/away\", \"status\": 302, \"headers\": {\"Location\": \"/page\"}}\n", NULL);
    fixture *f = fixture_new(m.url);
    char url[96];
    assert_int_equal(ask_one(f, chat(f, "a"))->status, QN_REPLY_OK);    /* a connection to it is now in the model's pool */
    for (int i = 0; i < 3; i++) {
        snprintf(url, sizeof url, i == 0 ? "http://127.0.0.1:%d/page" : i == 1 ? "http://localhost:%d/page" : "http://[::ffff:127.0.0.1]:%d/page", m.port);
        qn_call *c = qn_call_new();
        c->ask = (qn_ask){ .kind = QN_ASK_GET, .url = qn_arena_str(&c->arena, qn_str_of(url)) };
        const qn_reply *r = ask_one(f, c);
        assert_int_equal(r->status, QN_REPLY_FAILED);
        assert_says(r->error, "private or local address");
    }
    assert_int_equal(mock_count(&m, "/page"), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/away", m.port);
    qn_call *c = qn_call_new();
    c->ask = (qn_ask){ .kind = QN_ASK_GET, .url = qn_arena_str(&c->arena, qn_str_of(url)), .allow_private = true };
    const qn_reply *r = ask_one(f, c);
    assert_int_equal(r->status, QN_REPLY_OK);                           /* a redirect is an answer: whoever asked decides */
    assert_int_equal(r->http, 302);
    assert_says(r->location, "/page");
    assert_int_equal(mock_count(&m, "/page"), 0);
    c = qn_call_new();
    c->ask = (qn_ask){ .kind = QN_ASK_GET, .url = qn_arena_str(&c->arena, qn_str_of(url)) };
    assert_int_equal(ask_one(f, c)->status, QN_REPLY_FAILED);           /* also after an allowed connection was made */
    fixture_free(f);
    mock_stop(&m);
}

static void a_page_that_is_too_long_fails(void **state)
{
    (void)state;
    mock_server m = mock_start(NULL, NULL);
    fixture *f = fixture_new(m.url);
    char url[96];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/page", m.port);
    qn_call *c = qn_call_new();
    c->ask = (qn_ask){ .kind = QN_ASK_GET, .url = qn_str_of(url), .allow_private = true, .max_bytes = 10 };
    const qn_reply *r = ask_one(f, c);
    assert_int_equal(r->status, QN_REPLY_FAILED);
    assert_says(r->error, "larger than allowed");
    fixture_free(f);
    mock_stop(&m);
}

static void a_large_body_goes_out_whole(void **state)
{
    (void)state;
    mock_server m = mock_start(NULL, NULL);
    for (int by_name = 0; by_name < 2; by_name++) {
        char url[64];
        snprintf(url, sizeof url, "http://%s:%d/v1", by_name ? "localhost" : "127.0.0.1", m.port);
        fixture *f = fixture_new(url);
        char *text = qn_alloc(3000001);
        memset(text, 'g', 3000000);
        text[3000000] = 0;
        const qn_reply *r = ask_one(f, chat(f, text));
        assert_int_equal(r->status, QN_REPLY_OK);
        assert_int_equal(r->prompt_tokens, 750000);
        qn_free(text);
        fixture_free(f);
    }
    mock_stop(&m);
}

/* ---- stopping ---- */
static void stop_gives_back_every_call(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"match\": \"slow\", \"latency_ms\": 30000}\n", "--latency", "300", NULL);
    fixture *f = fixture_new(m.url);
    f->model.max_in_flight = 2;
    qn_call *slow = chat(f, "slow"), *quick = chat(f, "quick"), *waiting = chat(f, "waiting");
    slow->next = quick;
    quick->next = waiting;
    qn_loop_submit(f->loop, slow);
    qn_sleep_us(100000);
    qn_loop_stop(f->loop, 1000);
    wait_for(f, 3);
    assert_int_equal(quick->reply.status, QN_REPLY_OK);                 /* in flight, and done within the grace */
    assert_int_equal(slow->reply.status, QN_REPLY_FAILED);
    assert_true(qn_str_is(slow->reply.error, "stopped"));
    assert_int_equal(slow->reply.attempts, 1);                          /* it was sent: its end is unknown */
    assert_true(qn_str_is(waiting->reply.error, "stopped"));
    assert_int_equal(waiting->reply.attempts, 0);
    qn_call *late = chat(f, "late");
    assert_true(qn_str_is(ask_one(f, late)->error, "stopped"));
    fixture_free(f);
    mock_stop(&m);
}

static void closing_with_calls_in_flight_ends_in_time(void **state)
{
    (void)state;
    mock_server m = mock_start("{\"fault\": \"hang\"}\n", NULL);
    fixture *f = fixture_new(m.url);
    qn_call *list = NULL;
    for (int i = 0; i < 20; i++) { qn_call *c = chat(f, "a"); c->next = list; list = c; }
    qn_loop_submit(f->loop, list);
    qn_sleep_us(100000);
    int64_t begin = qn_now_us();
    qn_loop_close(f->loop);
    assert_true(qn_now_us() - begin < 2000000);
    assert_int_equal(f->n_ended, 20);
    qn_err e = {0};
    assert_int_equal(qn_loop_open(&f->loop, on_done, f, &e), QN_OK);    /* for fixture_free */
    fixture_free(f);
    mock_stop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_reply_arrives_with_its_usage),
        cmocka_unit_test(a_streamed_reply_equals_the_plain_one),
        cmocka_unit_test(an_endpoint_without_streams_is_asked_again_without),
        cmocka_unit_test(an_endpoint_without_response_format_is_asked_without),
        cmocka_unit_test(verdicts_of_the_endpoint_are_told_apart),
        cmocka_unit_test(embeddings_and_completions_arrive),
        cmocka_unit_test(one_bad_answer_is_retried),
        cmocka_unit_test(long_bodies_arrive_whole_and_again),
        cmocka_unit_test(an_error_inside_a_stream_is_retried),
        cmocka_unit_test(statuses_that_pass_are_retried_and_others_are_not),
        cmocka_unit_test(retry_after_is_kept),
        cmocka_unit_test(a_storm_of_429_loses_nothing),
        cmocka_unit_test(an_endpoint_that_never_recovers_fails_the_call_with_its_words),
        cmocka_unit_test(a_hang_is_cut_after_silence_and_retried),
        cmocka_unit_test(a_slow_stream_is_not_cut_because_it_is_not_silent),
        cmocka_unit_test(a_plain_body_that_drips_past_the_deadline_fails),
        cmocka_unit_test(a_slow_server_with_a_long_queue_loses_no_call),
        cmocka_unit_test(a_thousand_are_in_flight_at_once),
        cmocka_unit_test(in_flight_never_passes_the_limit),
        cmocka_unit_test(requests_a_minute_are_kept),
        cmocka_unit_test(nobody_at_the_address_fails_all_that_wait),
        cmocka_unit_test(a_name_that_does_not_exist_is_said),
        cmocka_unit_test(a_server_that_speaks_no_tls_is_said_at_once),
        cmocka_unit_test(a_certificate_is_checked),
        cmocka_unit_test(a_server_that_comes_back_goes_on),
        cmocka_unit_test(a_refused_key_stops_what_waits_and_is_never_shown),
        cmocka_unit_test(quota_that_is_used_up_is_not_retried),
        cmocka_unit_test(pages_may_not_ask_private_addresses),
        cmocka_unit_test(a_page_that_is_too_long_fails),
        cmocka_unit_test(a_large_body_goes_out_whole),
        cmocka_unit_test(stop_gives_back_every_call),
        cmocka_unit_test(closing_with_calls_in_flight_ends_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
