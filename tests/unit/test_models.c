/* test_models: quern.yaml, --model's forms, prices and terms, secrets, a local server as a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/clock.h"
#include "core/file.h"
#include "core/thread.h"
#include "model/local.h"
#include "model/loop.h"
#include "model/terms.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/quern-models-XXXXXX", yaml[64];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir)) return -1;
    snprintf(yaml, sizeof yaml, "%s/quern.yaml", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char cmd[96];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd);
}

static qn_code open_with(const char *text, qn_models **ms, qn_err *e)
{
    qn_err we = {0};
    assert_int_equal(qn_file_write(yaml, qn_str_of(text), &we), QN_OK);
    *e = (qn_err){0};
    *ms = NULL;
    return qn_models_open(ms, yaml, e);
}

/* ---- quern.yaml ---- */
static void an_entry_is_read_whole(void **state)
{
    (void)state;
    qn_models *ms;
    qn_err e;
    const qn_model *m;
    setenv("QT_KEY", " sk-secret\n", 1);
    setenv("QT_HEADER", "hv", 1);
    assert_int_equal(open_with("models:\n  teacher:\n    url: https://llm.example/v1/\n    name: big\n    key: env:QT_KEY\n    headers: {X-Team: mill, X-Token: env:QT_HEADER}\n"
                               "    query: {api-version: \"2024-10-01\"}\n    price: {prompt: 0.5, completion: 2}\n    context: 8192\n    in_flight: 12\n    rpm: 60\n    tpm: 90000\n"
                               "    silence: 90s\n    deadline: 5m\n    retry: 200ms\n    stream: no\n    structured: yes\n    proxy: http://p:3128\n    extra: {top_k: 5, flag: true}\n    licence: apache-2.0\n", &ms, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "writer", "teacher", &m, &e), QN_OK);
    assert_string_equal(m->role, "writer");
    assert_string_equal(m->name, "big");
    assert_string_equal(m->url, "https://llm.example/v1?api-version=2024-10-01");
    assert_string_equal(m->key, "sk-secret");
    assert_string_equal(m->headers[0], "X-Team: mill");
    assert_string_equal(m->headers[1], "X-Token: hv");
    assert_null(m->headers[2]);
    assert_true(m->priced && m->usd_per_m_prompt == 0.5 && m->usd_per_m_completion == 2);
    assert_int_equal(m->context_tokens, 8192);
    assert_int_equal(m->max_in_flight, 12);
    assert_true(m->max_rpm == 60 && m->max_tpm == 90000);
    assert_int_equal(m->silence_ms, 90000);
    assert_int_equal(m->deadline_ms, 300000);
    assert_int_equal(m->retry_ms, 200);
    assert_int_equal(m->stream, 0);
    assert_int_equal(m->structured, 1);
    assert_string_equal(m->proxy, "http://p:3128");
    assert_string_equal(m->licence, "apache-2.0");
    qn_value v;
    assert_true(qn_v_get(m->extra, QN_STR("top_k"), &v) && v.kind == QN_V_INT && v.i == 5);
    assert_null(strstr(m->identity, "secret"));
    const qn_model *other;
    assert_int_equal(qn_models_resolve(ms, "judge", "teacher#small", &other, &e), QN_OK);
    assert_string_equal(other->name, "small");
    assert_string_equal(other->key, "sk-secret");
    assert_string_not_equal(other->identity, m->identity);
    qn_models_close(ms);
}

static void mistakes_are_shown_with_their_line_and_a_hint(void **state)
{
    (void)state;
    static const struct { const char *yaml; int line; const char *msg, *hint; } cases[] = {
        { "models:\n  a:\n    url: http://h/v1\n    nmae: x\n", 4, "unknown setting `nmae`", "did you mean `name`?" },
        { "model:\n  a: {}\n", 1, "unknown setting `model`", "did you mean `models`?" },
        { "models:\n  a:\n    name: x\n", 3, "needs `url` or `file`", "" },
        { "models:\n  a:\n    url: http://h/v1\n", 3, "has no `name`", "quern doctor" },
        { "models:\n  a:\n    url: h/v1\n    name: x\n", 3, "http://", "" },
        { "models:\n  a:\n    url: http://u:p@h/v1\n    name: x\n", 3, "holds a user or password", "key" },
        { "models:\n  a:\n    url: http://h/v1\n    name: x\n    key: sk-12345\n", 5, "the key must not stand in the file itself", "env:" },
        { "models:\n  a:\n    url: http://h/v1\n    name: x\n    rpm: many\n", 5, "`rpm` must be a number", "" },
        { "models:\n  a:\n    url: http://h/v1\n    name: x\n    in_flight: 0\n", 5, "must be 1 or more", "" },
        { "models:\n  a:\n    url: http://h/v1\n    name: x\n    silence: soon\n", 5, "a duration", "" },
        { "models:\n  a:\n    url: http://h/v1\n    name: x\n    stream: perhaps\n", 5, "yes, no or try", "" },
        { "models:\n  a:\n    url: http://h/v1\n    name: x\n    price: {promt: 1}\n", 5, "knows no `promt`", "did you mean `prompt`?" },
        { "models:\n  a:\n    url: http://h/v1\n    name: x\n    licence: apache\n", 5, "no terms are called", "docs/terms.md" },
        { "models:\n  a:\n    url: http://h/v1\n    name: x\n    headers: {\"A B\": c}\n", 5, "no space or colon", "" },
        { "models:\n  a:\n    url: http://h/v1\n    name: x\n    args: [a]\n", 5, "goes with `file`", "" },
        { "models: [a]\n", 1, "must be a map", "" },
        { "models:\n  a: text\n", 2, "must be a map", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        qn_models *ms;
        qn_err e;
        assert_int_equal(open_with(cases[i].yaml, &ms, &e), QN_ERECIPE);
        if (e.pos.line != cases[i].line || !strstr(e.msg, cases[i].msg) || !strstr(e.hint, cases[i].hint))
            fail_msg("case %zu: line %d, `%s`, hint `%s`", i, e.pos.line, e.msg, e.hint);
        assert_null(strstr(e.msg, "12345"));
    }
}

static void a_key_that_is_not_there_is_said_when_the_model_is_used(void **state)
{
    (void)state;
    qn_models *ms;
    qn_err e;
    const qn_model *m;
    unsetenv("QT_NONE");
    assert_int_equal(open_with("models:\n  a: {url: http://h/v1, name: x, key: env:QT_NONE}\n  b: {url: http://h/v1, name: y}\n", &ms, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "r", "b", &m, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "r", "a", &m, &e), QN_ERECIPE);
    assert_non_null(strstr(e.msg, "QT_NONE"));
    qn_models_close(ms);
}

static void a_key_in_a_file_is_read(void **state)
{
    (void)state;
    qn_models *ms;
    qn_err e, we = {0};
    const qn_model *m;
    char path[96], text[200];
    snprintf(path, sizeof path, "%s/key", dir);
    assert_int_equal(qn_file_write(path, QN_STR("sk-file\n"), &we), QN_OK);
    snprintf(text, sizeof text, "models:\n  a: {url: http://h/v1, name: x, key: \"file:%s\"}\n", path);
    assert_int_equal(open_with(text, &ms, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "r", "a", &m, &e), QN_OK);
    assert_string_equal(m->key, "sk-file");
    qn_models_close(ms);
}

/* ---- --model's forms ---- */
static void addresses_builtin_and_mistakes(void **state)
{
    (void)state;
    qn_models *ms;
    qn_err e;
    const qn_model *m;
    assert_int_equal(open_with("models:\n  teacher: {url: http://h/v1, name: x}\n", &ms, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "w", "http://127.0.0.1:8000/v1/#qwen", &m, &e), QN_OK);
    assert_string_equal(m->url, "http://127.0.0.1:8000/v1");
    assert_string_equal(m->name, "qwen");
    assert_true(m->priced && m->usd_per_m_prompt == 0);         /* a server of one's own */
    assert_int_equal(m->stream, -1);
    assert_int_equal(m->silence_ms, 120000);
    assert_int_equal(qn_models_resolve(ms, "w", "http://gpu-box:8000/v1#qwen", &m, &e), QN_OK);
    assert_false(m->priced);
    assert_int_equal(qn_models_resolve(ms, "w", "builtin", &m, &e), QN_OK);
    assert_true(m->builtin);
    assert_null(m->url);
    static const struct { const char *where, *msg, *hint; } bad[] = {
        { "http://h/v1", "which model", "doctor" }, { "http://h/v1#", "which model", "doctor" }, { "http://u:secret@h/v1#x", "user or password", "quern.yaml" },
        { "teecher", "no model is called `teecher`", "did you mean `teacher`?" }, { "zzzzzzzz", "no model is called", "quern.yaml" },
        { "bultin", "no model is called", "builtin" }, { "/no/such.gguf", "cannot read /no/such.gguf", "no folder" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        e = (qn_err){0};
        assert_int_not_equal(qn_models_resolve(ms, "w", bad[i].where, &m, &e), QN_OK);
        if (!strstr(e.msg, bad[i].msg) || !strstr(e.hint, bad[i].hint)) fail_msg("%s: `%s` `%s`", bad[i].where, e.msg, e.hint);
        assert_null(strstr(e.msg, "secret"));
    }
    assert_int_equal(qn_models_resolve(ms, "w", dir, &m, &e), QN_EUSAGE);
    assert_non_null(strstr(e.msg, "holds no model"));
    qn_models_close(ms);
}

static void the_identity_is_url_name_and_extra_or_the_user_s_id(void **state)
{
    (void)state;
    qn_models *ms;
    qn_err e;
    const qn_model *a, *b, *c, *d, *x;
    assert_int_equal(open_with("models:\n  a: {url: http://h/v1, name: x}\n  b: {url: http://h/v1, name: x, rpm: 5, silence: 3s}\n"
                               "  c: {url: http://h/v1, name: x, extra: {top_k: 1}}\n  d: {url: http://other/v1, name: y, id: mine}\n  x: {url: http://third/v1, name: z, id: mine}\n", &ms, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "w", "a", &a, &e) | qn_models_resolve(ms, "w", "b", &b, &e) | qn_models_resolve(ms, "w", "c", &c, &e)
                     | qn_models_resolve(ms, "w", "d", &d, &e) | qn_models_resolve(ms, "w", "x", &x, &e), QN_OK);
    assert_string_equal(a->identity, b->identity);
    assert_string_not_equal(a->identity, c->identity);
    assert_string_equal(d->identity, x->identity);
    qn_models_close(ms);
}

/* ---- prices and terms ---- */
static void known_prices_and_terms_fill_in_and_the_user_s_win(void **state)
{
    (void)state;
    qn_models *ms;
    qn_err e;
    const qn_model *m;
    setenv("OPENAI_API_KEY", "sk-env", 1);
    assert_int_equal(open_with("models:\n  own: {url: https://api.openai.com/v1, name: gpt-4o-mini, price: {prompt: 9, completion: 9}, terms: your-own}\n", &ms, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "w", "https://api.openai.com/v1#gpt-4o-mini", &m, &e), QN_OK);
    assert_true(m->priced && m->usd_per_m_prompt == 0.15 && m->usd_per_m_completion == 0.60);
    assert_string_equal(m->terms, "openai-api");
    assert_string_equal(m->key, "sk-env");
    assert_int_equal(m->context_tokens, 128000);
    assert_int_equal(qn_models_resolve(ms, "w", "own", &m, &e), QN_OK);
    assert_true(m->usd_per_m_prompt == 9);
    assert_string_equal(m->terms, "your-own");
    assert_int_equal(qn_models_resolve(ms, "w", "http://api.openai.com.evil.example/v1#gpt-4o-mini", &m, &e), QN_OK);
    assert_null(m->key);                                        /* a provider's key goes to its own host, over TLS, only */
    assert_false(m->priced);
    assert_int_equal(qn_models_resolve(ms, "w", "http://gpu:1/v1#Qwen/Qwen2.5-7B-Instruct", &m, &e), QN_OK);
    assert_string_equal(m->licence, "apache-2.0");
    assert_int_equal(qn_terms_of_model(QN_STR("meta-llama/Llama-3.1-8B"))->may_train, QN_TRAIN_CONDITIONS);
    assert_int_equal(qn_terms_of_model(QN_STR("meta-llama/Llama-2-7b-hf"))->may_train, QN_TRAIN_FORBIDDEN);
    assert_null(qn_terms_of_model(QN_STR("nobody/knows")));
    unsetenv("OPENAI_API_KEY");
    qn_models_close(ms);
}

/* ---- a local server ---- */
static void point_at_stand_in(void)
{
    char program[4096];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 8);
    program[n] = 0;
    strcpy(strrchr(program, '/'), "/mock");
    setenv("QUERN_MOCK", program, 1);
    setenv("QUERN_LLAMA_SERVER", "tests/mock/llama_stand_in.sh", 1);
    unsetenv("QUERN_STAND_IN");
}

static const char *gguf_file(const char *name, const char *bytes)
{
    static char path[128];
    qn_err e = {0};
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(qn_file_write(path, qn_str_of(bytes), &e), QN_OK);
    return path;
}

static struct { pthread_mutex_t lock; pthread_cond_t ready; qn_call *got; } box = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL };

static void on_done(void *arg, qn_call *calls)
{
    (void)arg;
    pthread_mutex_lock(&box.lock);
    box.got = calls;
    pthread_cond_signal(&box.ready);
    pthread_mutex_unlock(&box.lock);
}

static bool is_alive(int pid)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    qn_buf b = {0};
    qn_err e = {0};
    bool alive = qn_file_read(path, 0, &b, &e) == QN_OK && b.p && !strstr(b.p, ") Z ");
    qn_buf_free(&b);
    return alive;
}

static void a_gguf_file_is_served_by_a_child_that_ends_with_us(void **state)
{
    (void)state;
    qn_models *ms;
    qn_err e;
    const qn_model *m, *again;
    point_at_stand_in();
    assert_int_equal(open_with("", &ms, &e), QN_OK);
    const char *file = gguf_file("tiny.gguf", "GGUF and some bytes");
    assert_int_equal(qn_models_resolve(ms, "w", file, &m, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "judge", file, &again, &e), QN_OK);
    assert_ptr_equal(m->local, again->local);                   /* two roles, one server */
    assert_string_equal(m->name, "tiny.gguf");
    assert_true(strncmp(m->identity, "gguf ", 5) == 0);
    assert_int_equal(qn_local_pid(m->local), 0);                /* `plan` starts nothing */
    assert_int_equal(qn_model_ready(m, &e), QN_OK);
    assert_int_equal(qn_model_ready(again, &e), QN_OK);
    int pid = qn_local_pid(m->local);
    assert_true(pid > 0 && is_alive(pid));
    qn_loop *l;
    assert_int_equal(qn_loop_open(&l, on_done, NULL, &e), QN_OK);
    qn_call *c = qn_call_new();
    c->ask = (qn_ask){ .kind = QN_ASK_CHAT, .model = m, .body = QN_STR("{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}") };
    qn_loop_submit(l, c);
    pthread_mutex_lock(&box.lock);
    while (!box.got) pthread_cond_wait(&box.ready, &box.lock);
    pthread_mutex_unlock(&box.lock);
    assert_true(qn_str_is(c->reply.text, "local says hello"));
    qn_call_free(c);
    qn_loop_close(l);
    qn_models_close(ms);
    assert_false(is_alive(pid));
}

static void the_same_bytes_have_the_same_identity_wherever_they_lie(void **state)
{
    (void)state;
    qn_models *ms;
    qn_err e;
    const qn_model *a, *b, *c;
    assert_int_equal(open_with("", &ms, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "w", gguf_file("a.gguf", "GGUF 1"), &a, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "w", gguf_file("b.gguf", "GGUF 1"), &b, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "w", gguf_file("c.gguf", "GGUF 2"), &c, &e), QN_OK);
    assert_string_equal(a->identity, b->identity);
    assert_string_not_equal(a->identity, c->identity);
    assert_int_equal(qn_models_resolve(ms, "w", gguf_file("d.gguf", "PK zip"), &c, &e), QN_EUSAGE);
    assert_non_null(strstr(e.msg, "no GGUF file"));
    qn_models_close(ms);
}

static void a_server_that_cannot_start_is_quoted(void **state)
{
    (void)state;
    qn_models *ms;
    qn_err e;
    const qn_model *m;
    point_at_stand_in();
    setenv("QUERN_STAND_IN", "fail", 1);
    assert_int_equal(open_with("", &ms, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "w", gguf_file("t.gguf", "GGUF x"), &m, &e), QN_OK);
    assert_int_equal(qn_model_ready(m, &e), QN_EMODEL);
    assert_non_null(strstr(e.msg, "failed to load model"));
    qn_models_close(ms);
    unsetenv("QUERN_STAND_IN");
}

static void no_server_program_is_said_with_what_to_install(void **state)
{
    (void)state;
    qn_models *ms;
    qn_err e;
    const qn_model *m;
    char *path = qn_strz(qn_str_of(getenv("PATH")));
    unsetenv("QUERN_LLAMA_SERVER");
    setenv("PATH", dir, 1);
    assert_int_equal(open_with("", &ms, &e), QN_OK);
    assert_int_equal(qn_models_resolve(ms, "w", gguf_file("t.gguf", "GGUF x"), &m, &e), QN_OK);
    assert_int_equal(qn_model_ready(m, &e), QN_EMISSING);
    assert_non_null(strstr(e.hint, "llama-server"));
    setenv("PATH", path, 1);
    qn_free(path);
    qn_models_close(ms);
}

static void the_child_dies_when_we_are_killed(void **state)
{
    (void)state;
    int tell[2];
    point_at_stand_in();
    const char *file = gguf_file("k.gguf", "GGUF k");
    assert_int_equal(pipe(tell), 0);
    pid_t us = fork();
    if (us == 0) {
        qn_models *ms;
        qn_err e = {0};
        const qn_model *m;
        int pid = 0;
        if (qn_models_open(&ms, "/dev/null", &e) == QN_OK && qn_models_resolve(ms, "w", file, &m, &e) == QN_OK && qn_model_ready(m, &e) == QN_OK)
            pid = qn_local_pid(m->local);
        if (write(tell[1], &pid, sizeof pid) < 0) _exit(1);
        pause();
        _exit(0);
    }
    int pid = 0;
    assert_int_equal(read(tell[0], &pid, sizeof pid), sizeof pid);
    assert_true(pid > 0);
    kill(us, SIGKILL);
    waitpid(us, NULL, 0);
    for (int i = 0; i < 100 && is_alive(pid); i++) qn_sleep_us(20000);
    assert_false(is_alive(pid));
    close(tell[0]);
    close(tell[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_read_whole),
        cmocka_unit_test(mistakes_are_shown_with_their_line_and_a_hint),
        cmocka_unit_test(a_key_that_is_not_there_is_said_when_the_model_is_used),
        cmocka_unit_test(a_key_in_a_file_is_read),
        cmocka_unit_test(addresses_builtin_and_mistakes),
        cmocka_unit_test(the_identity_is_url_name_and_extra_or_the_user_s_id),
        cmocka_unit_test(known_prices_and_terms_fill_in_and_the_user_s_win),
        cmocka_unit_test(a_gguf_file_is_served_by_a_child_that_ends_with_us),
        cmocka_unit_test(the_same_bytes_have_the_same_identity_wherever_they_lie),
        cmocka_unit_test(a_server_that_cannot_start_is_quoted),
        cmocka_unit_test(no_server_program_is_said_with_what_to_install),
        cmocka_unit_test(the_child_dies_when_we_are_killed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
