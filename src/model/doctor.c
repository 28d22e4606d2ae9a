/* doctor: the probes. See doctor.h. Each asks one thing and reads one answer; a failed probe means "no", not an error, except the first. */
#include "model/doctor.h"
#include "core/clock.h"
#include "core/thread.h"
#include "model/http.h"
#include "model/local.h"
#include "model/loop.h"
#include <stdio.h>

enum { MAX_PARALLEL = 32 };
static const size_t LONG_PROMPTS[] = { 24 << 10, 192 << 10, 2 << 20 };

typedef struct desk {               /* asks and waits: the loop's answers come to a desk */
    qn_loop *loop;
    pthread_mutex_t lock;
    pthread_cond_t  came;
    int      n_came;
    qn_arena *a;                    /* keeps what outlives a call */
    void   (*say)(const char *);
    qn_doctor *d;
    qn_model base;                  /* as given */
} desk;

static void on_done(void *arg, qn_call *calls)
{
    desk *k = arg;
    pthread_mutex_lock(&k->lock);
    for (; calls; calls = calls->next) k->n_came++;
    pthread_cond_signal(&k->came);
    pthread_mutex_unlock(&k->lock);
}

static void ask_all(desk *k, qn_call *list, int n)
{
    k->n_came = 0;
    k->d->n_requests += n;
    qn_loop_submit(k->loop, list);
    pthread_mutex_lock(&k->lock);
    while (k->n_came < n) pthread_cond_wait(&k->came, &k->lock);
    pthread_mutex_unlock(&k->lock);
}

static qn_call *call_new(const qn_model *m, qn_ask_kind kind, const char *body, int max_tokens)
{
    qn_call *c = qn_call_new();
    c->ask = (qn_ask){ .kind = kind, .model = m, .body = qn_arena_str(&c->arena, qn_str_of(body)), .max_tokens = max_tokens };
    return c;
}

/* A copy of the model with a list of headers of its own: to the loop another endpoint, so that nothing learned or paused by an earlier
 * probe colours this one. */
static qn_model *model_new(desk *k)
{
    qn_model *m = QN_ARENA_NEW(k->a, qn_model);
    size_t n = 0;
    *m = k->base;
    while (m->headers && m->headers[n]) n++;
    const char **headers = QN_ARENA_NEW_N(k->a, const char *, n + 1);
    if (n) memcpy(headers, m->headers, n * sizeof *headers);
    m->headers = headers;
    m->structured = 1;
    m->deadline_ms = 60000;
    m->retry_ms = 200;
    m->max_tries = 2;           /* some servers say 500 for what they cannot do */
    return m;
}

static qn_call *ask(desk *k, qn_ask_kind kind, const char *body, int max_tokens, int stream)
{
    qn_model *m = model_new(k);
    m->stream = stream;
    qn_call *c = call_new(m, kind, body, max_tokens);
    ask_all(k, c, 1);
    return c;
}

static qn_call *get(desk *k, const char *url)
{
    qn_call *c = qn_call_new();
    c->ask = (qn_ask){ .kind = QN_ASK_GET, .model = &k->base, .url = qn_arena_str(&c->arena, qn_str_of(url)), .allow_private = true };
    ask_all(k, c, 1);
    return c;
}

static void say(desk *k, const char *line) { if (k->say) k->say(line); }
static bool is_ok(const qn_call *c) { return c->reply.status != QN_REPLY_FAILED; }

/* ---- what the endpoint lists ---- */
static int64_t int_at(qn_value o, const char *key)
{
    qn_value v;
    return qn_v_get(o, qn_str_of(key), &v) && v.kind == QN_V_INT ? v.i : 0;
}

static int64_t context_of(qn_value entry)
{
    static const char *const keys[] = { "max_model_len", "context_length", "context_window", "max_context_length", "n_ctx" };
    qn_value meta;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) if (int_at(entry, keys[i]) > 0) return int_at(entry, keys[i]);
    if (qn_v_get(entry, QN_STR("meta"), &meta)) return int_at(meta, "n_ctx") > 0 ? int_at(meta, "n_ctx") : int_at(meta, "n_ctx_train");
    return 0;
}

static const char *base_path(qn_arena *a, const qn_model *m, const char *path, bool off_root)
{
    qn_str u = qn_str_of(m->url);
    const char *q = memchr(u.p, '?', u.n);
    qn_str query = q ? qn_str_sub(u, (size_t)(q - u.p), u.n) : (qn_str){ "", 0 };
    if (q) u.n = (size_t)(q - u.p);
    if (off_root && qn_str_ends(u, QN_STR("/v1"))) u.n -= 3;
    return qn_arena_printf(a, "%.*s%s%.*s", QN_FMT(u), path, QN_FMT(query)).p;
}

static qn_code list_models(desk *k, const char **only, qn_err *e)
{
    qn_doctor *d = k->d;
    qn_value doc, data, entry, id;
    qn_str none;
    qn_err ignored = {0};
    say(k, "asking for its models");
    qn_call *c = get(k, base_path(k->a, &k->base, "/models", false));
    if (!is_ok(c) && c->reply.http == 0) {
        qn_fail(e, QN_EMODEL, "%.*s", QN_FMT(c->reply.error));
        qn_call_free(c);
        return QN_EMODEL;
    }
    qn_str body = is_ok(c) ? qn_arena_str(k->a, c->reply.text) : QN_STR("{}");
    if (qn_json_parse(body, k->a, &doc, &ignored) == QN_OK && qn_v_get(doc, QN_STR("data"), &data) && data.kind == QN_V_LIST) {
        const char **names = QN_ARENA_NEW_N(k->a, const char *, data.n + 1);
        qn_v_iter it = qn_v_iter_of(data);
        while (qn_v_next(&it, &none, &entry))
            if (qn_v_get(entry, QN_STR("id"), &id) && id.kind == QN_V_TEXT) {
                names[d->n_names++] = qn_arena_str(k->a, qn_v_str(id)).p;
                if (k->base.name && qn_str_is(qn_v_str(id), k->base.name) && context_of(entry) > 0) { d->context_tokens = context_of(entry); d->context_from = "/models"; }
                if (!k->base.name && context_of(entry) > 0) { d->context_tokens = context_of(entry); d->context_from = "/models"; }
            }
        d->names = names;
    }
    if (d->n_names) *only = d->names[0];
    qn_call_free(c);
    return QN_OK;
}

/* ---- chat ---- */
static const char FIRST[] = "{\"max_tokens\":300,\"messages\":[{\"content\":\"What is 7 times 8? Answer with the number only.\",\"role\":\"user\"}],\"temperature\":0}";

static qn_code probe_chat(desk *k, qn_err *e)
{
    qn_doctor *d = k->d;
    say(k, "one short question");
    qn_call *c = ask(k, QN_ASK_CHAT, FIRST, 300, 0);
    const qn_reply *r = &c->reply;
    qn_code rc = QN_OK;
    if (!is_ok(c)) rc = qn_fail(e, QN_EMODEL, "%.*s", QN_FMT(r->error));
    else {
        d->seconds = r->seconds;
        d->usage = r->tokens_estimated ? QN_NO : QN_YES;
        d->thinking = r->thinking.n == 0 ? "no" : r->thinking_tagged ? "<think>" : "reasoning_content";
    }
    qn_call_free(c);
    return rc;
}

static void probe_stream(desk *k)
{
    say(k, "does it stream?");
    qn_call *c = ask(k, QN_ASK_CHAT, FIRST, 300, 1);
    k->d->stream = is_ok(c) && c->reply.streamed ? QN_YES : QN_NO;
    k->d->stream_usage = k->d->stream == QN_YES && !c->reply.tokens_estimated ? QN_YES : QN_NO;
    qn_call_free(c);
}

/* The prompt pulls away from JSON: only an endpoint that enforces the shape answers in it. */
static void probe_structured(desk *k)
{
    qn_value v, field;
    qn_err ignored = {0};
    say(k, "does it keep to a JSON schema?");
    qn_call *c = ask(k, QN_ASK_CHAT, "{\"max_tokens\":300,\"messages\":[{\"content\":\"Write one line of verse about rain, as plain text.\",\"role\":\"user\"}],"
        "\"response_format\":{\"json_schema\":{\"name\":\"probe\",\"schema\":{\"additionalProperties\":false,\"properties\":{\"drops\":{\"type\":\"integer\"},"
        "\"line\":{\"type\":\"string\"}},\"required\":[\"drops\",\"line\"],\"type\":\"object\"},\"strict\":true},\"type\":\"json_schema\"},\"temperature\":0}", 300, 0);
    k->d->structured = is_ok(c) && qn_json_parse(c->reply.text, k->a, &v, &ignored) == QN_OK && qn_v_get(v, QN_STR("drops"), &field) && field.kind == QN_V_INT
                    && qn_v_get(v, QN_STR("line"), &field) && field.kind == QN_V_TEXT ? QN_YES : QN_NO;
    if (k->d->structured == QN_NO && is_ok(c) && c->reply.status == QN_REPLY_CUT) k->d->structured = QN_UNSURE;    /* thinking ate the room */
    qn_call_free(c);
}

static void probe_logprobs(desk *k)
{
    qn_value list;
    say(k, "does it tell log-probabilities?");
    qn_call *c = ask(k, QN_ASK_CHAT, "{\"logprobs\":true,\"max_tokens\":8,\"messages\":[{\"content\":\"Say: mill\",\"role\":\"user\"}],\"temperature\":0,\"top_logprobs\":1}", 8, 0);
    k->d->logprobs = is_ok(c) && qn_v_get(c->reply.logprobs, QN_STR("content"), &list) && list.n > 0 ? QN_YES : QN_NO;
    qn_call_free(c);
    c = ask(k, QN_ASK_COMPLETION, "{\"logprobs\":1,\"max_tokens\":4,\"prompt\":\"The mill grinds\",\"temperature\":0}", 4, 0);
    k->d->completions = is_ok(c) ? QN_YES : QN_NO;
    k->d->completion_logprobs = is_ok(c) && c->reply.logprobs.kind == QN_V_OBJECT ? QN_YES : QN_NO;
    qn_call_free(c);
}

static void probe_embeddings(desk *k)
{
    say(k, "does it embed?");
    qn_call *c = ask(k, QN_ASK_EMBED, "{\"input\":[\"mill\"]}", 0, 0);
    k->d->embeddings = is_ok(c) ? QN_YES : QN_NO;
    if (is_ok(c)) k->d->embedding_dims = qn_v_at(c->reply.embeddings, 0).n;
    qn_call_free(c);
}

/* ---- context ---- */
/* The first number of 256 or more that follows the word "context" (or, failing that, "maximum" or "limit"). */
static int64_t number_in_refusal(qn_str text)
{
    static const char *const words[] = { "context", "maximum", "limit" };
    for (size_t w = 0; w < 3; w++) {
        ptrdiff_t at = qn_str_find(text, qn_str_of(words[w]));
        for (size_t i = at < 0 ? text.n : (size_t)at; i < text.n; i++) {
            int64_t v = 0;
            if (text.p[i] < '0' || text.p[i] > '9') continue;
            for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && v < 100000000; i++) v = v * 10 + (text.p[i] - '0');
            if (v >= 256) return v;
        }
    }
    return 0;
}

static qn_call *ask_long(desk *k, size_t n_bytes)
{
    qn_buf body = {0};
    qn_buf_puts(&body, "{\"max_tokens\":1,\"messages\":[{\"content\":\"");
    for (size_t i = 0; i < n_bytes / 6; i++) qn_buf_puts(&body, "grain ");
    qn_buf_puts(&body, "\",\"role\":\"user\"}]}");
    qn_call *c = ask(k, QN_ASK_CHAT, body.p, 1, 0);
    qn_buf_free(&body);
    return c;
}

static void probe_context(desk *k)
{
    qn_doctor *d = k->d;
    qn_value v, settings;
    qn_err ignored = {0};
    if (d->context_tokens == 0 && k->base.context_tokens > 0) { d->context_tokens = k->base.context_tokens; d->context_from = "the table of prices"; }
    if (d->context_tokens > 0 || !qn_host_is_loopback(qn_url_host(qn_str_of(k->base.url)))) return;
    say(k, "how long may a prompt be?");
    qn_call *c = get(k, base_path(k->a, &k->base, "/props", true));
    if (is_ok(c) && qn_json_parse(c->reply.text, k->a, &v, &ignored) == QN_OK && qn_v_get(v, QN_STR("default_generation_settings"), &settings)
        && int_at(settings, "n_ctx") > 0) { d->context_tokens = int_at(settings, "n_ctx"); d->context_from = "/props"; }
    qn_call_free(c);
    if (d->context_tokens > 0) return;
    /* Longer and longer, until it is refused: a server that needs long for what it refuses (llama_cpp.server: 3 s for 120 KB, minutes for 2 MB)
     * is not stopped by a first question that is far too long, and one that takes in a long one slowly is not given a longer one. */
    for (size_t i = 0; i < sizeof LONG_PROMPTS / sizeof *LONG_PROMPTS && d->context_tokens == 0; i++) {
        c = ask_long(k, LONG_PROMPTS[i]);
        bool slow = c->reply.seconds > 10;
        if (!is_ok(c)) d->context_tokens = number_in_refusal(c->reply.error);
        if (d->context_tokens > 0) d->context_from = "its refusal of a long prompt";
        bool refused = !is_ok(c);
        qn_call_free(c);
        if (slow || refused) break;
    }
}

/* ---- capacity ---- */
/* Replies a second of 2n short requests, n at once; 0 when any failed or was told to slow down. */
static double rate_at(desk *k, int n)
{
    qn_model *m = model_new(k);
    m->max_in_flight = n;
    m->stream = 0;
    m->deadline_ms = 30000;
    qn_call *list = NULL, *c;
    int n_calls = n * 2 < 4 ? 4 : n * 2;
    for (int i = 0; i < n_calls; i++) {
        char body[160];
        snprintf(body, sizeof body, "{\"max_tokens\":16,\"messages\":[{\"content\":\"Name any %d. word about mills.\",\"role\":\"user\"}],\"temperature\":0}", i);
        c = call_new(m, QN_ASK_CHAT, body, 16);
        c->next = list;
        list = c;
    }
    qn_call *all[2 * MAX_PARALLEL];
    int j = 0;
    for (c = list; c; c = c->next) all[j++] = c;
    int64_t begin = qn_now_us();
    ask_all(k, list, n_calls);
    double seconds = (double)(qn_now_us() - begin) / 1e6;
    bool clean = true;
    for (j = 0; j < n_calls; j++) { clean = clean && is_ok(all[j]) && all[j]->reply.attempts == 1; qn_call_free(all[j]); }
    return clean && seconds > 0 ? n_calls / seconds : 0;
}

static void probe_parallel(desk *k)
{
    qn_doctor *d = k->d;
    say(k, "how many at once?");
    d->parallel = 1;
    d->per_s_alone = d->per_s_parallel = rate_at(k, 1);
    for (int n = 2; n <= MAX_PARALLEL; n *= 2) {
        double rate = rate_at(k, n);
        if (rate < d->per_s_parallel * 1.15) break;
        d->parallel = n;
        d->per_s_parallel = rate;
        if (n * 2 / rate > 20) break;       /* the next round would take too long */
    }
}

/* ---- all of it ---- */
static qn_code examine(desk *k, qn_err *e)
{
    const char *only = NULL;
    QN_TRY(list_models(k, &only, e));
    if (!k->base.name) {
        if (!only) return qn_fail(e, QN_EUSAGE, "it lists no models: write the name behind the address, as in %s#NAME", k->base.url);
        if (k->d->n_names > 1) {
            qn_buf b = {0};
            for (size_t i = 0; i < k->d->n_names && i < 12; i++) qn_buf_printf(&b, "%s%s", i ? ", " : "", k->d->names[i]);
            qn_fail(e, QN_EUSAGE, "it has %zu models: write one behind the address, as in %s#%s", k->d->n_names, k->base.url, only);
            qn_hint(e, "%s%s", b.p, k->d->n_names > 12 ? ", ..." : "");
            qn_buf_free(&b);
            return QN_EUSAGE;
        }
        k->base.name = only;
    }
    k->d->name = k->base.name;
    QN_TRY(probe_chat(k, e));
    probe_stream(k);
    probe_structured(k);
    probe_logprobs(k);
    probe_embeddings(k);
    probe_context(k);
    probe_parallel(k);
    return QN_OK;
}

/* The model to ask: WHERE as it is, or an address without a name, whose model is found out. */
static qn_code model_of(qn_models *models, const char *where, qn_arena *a, qn_model *out, qn_err *e)
{
    const qn_model *m;
    bool nameless = (strncmp(where, "http://", 7) == 0 || strncmp(where, "https://", 8) == 0) && !strchr(where, '#');
    QN_TRY(qn_models_resolve(models, "doctor", nameless ? qn_arena_printf(a, "%s#?", where).p : where, &m, e));
    if (m->builtin) return qn_fail(e, QN_EUSAGE, "`builtin` is no endpoint");
    QN_TRY(qn_model_ready(m, e));
    *out = *m;
    if (nameless) out->name = NULL;
    return QN_OK;
}

qn_code qn_doctor_run(qn_models *models, const char *where, void (*say_line)(const char *), qn_arena *a, qn_doctor *out, qn_err *e)
{
    desk k = { .a = a, .say = say_line, .d = out };
    *out = (qn_doctor){ .stream = QN_UNSURE, .stream_usage = QN_UNSURE, .usage = QN_UNSURE, .structured = QN_UNSURE, .logprobs = QN_UNSURE,
                        .completions = QN_UNSURE, .completion_logprobs = QN_UNSURE, .embeddings = QN_UNSURE, .thinking = "no" };
    QN_TRY(model_of(models, where, a, &k.base, e));
    out->url = k.base.url;
    if (k.base.local) out->file = qn_arena_str(a, qn_str_of(qn_local_file(k.base.local))).p;
    pthread_mutex_init(&k.lock, NULL);
    pthread_cond_init(&k.came, NULL);
    qn_code rc = qn_loop_open(&k.loop, on_done, &k, e);
    if (rc == QN_OK) {
        rc = examine(&k, e);
        qn_loop_close(k.loop);
    }
    pthread_cond_destroy(&k.came);
    pthread_mutex_destroy(&k.lock);
    return rc;
}

/* ---- saying it ---- */
static const char *three(int v) { return v == QN_YES ? "yes" : v == QN_NO ? "no" : "try"; }

void qn_doctor_yaml(const qn_doctor *d, const qn_model *m, qn_buf *out)
{
    if (d->file) qn_buf_printf(out, "models:\n  NAME:\n    file: %s\n", d->file);      /* its server ends with us */
    else {
        qn_buf_printf(out, "models:\n  NAME:\n    url: %s\n    name: ", d->url);
        qn_json_write_text(out, qn_str_of(d->name));
        qn_buf_puts(out, "\n");
    }
    if (m && m->key) qn_buf_puts(out, "    key: env:NAME_OF_A_VARIABLE\n");
    if (d->context_tokens > 0) qn_buf_printf(out, "    context: %lld\n", (long long)d->context_tokens);
    qn_buf_printf(out, "    stream: %s\n    structured: %s\n", three(d->stream), three(d->structured));
    /* Where a reply takes a while, more than twice what still helped only queues there; quick ones pace themselves. */
    if (d->parallel < MAX_PARALLEL && d->per_s_parallel > 0 && d->per_s_parallel < 100) qn_buf_printf(out, "    in_flight: %d\n", d->parallel * 2);
}

static void put_flag(qn_buf *b, const char *key, int v) { qn_buf_printf(b, ",\"%s\":%s", key, v == QN_YES ? "true" : v == QN_NO ? "false" : "null"); }

void qn_doctor_json(const qn_doctor *d, qn_buf *b)
{
    qn_buf_puts(b, "{\"url\":"); qn_json_write_text(b, qn_str_of(d->url));
    qn_buf_puts(b, ",\"name\":"); qn_json_write_text(b, qn_str_of(d->name ? d->name : ""));
    qn_buf_puts(b, ",\"models\":[");
    for (size_t i = 0; i < d->n_names; i++) { if (i) qn_buf_putc(b, ','); qn_json_write_text(b, qn_str_of(d->names[i])); }
    qn_buf_putc(b, ']');
    if (d->context_tokens > 0) qn_buf_printf(b, ",\"context\":%lld,\"context_from\":\"%s\"", (long long)d->context_tokens, d->context_from);
    else qn_buf_puts(b, ",\"context\":null");
    put_flag(b, "stream", d->stream); put_flag(b, "stream_usage", d->stream_usage); put_flag(b, "usage", d->usage);
    put_flag(b, "structured", d->structured); put_flag(b, "logprobs", d->logprobs); put_flag(b, "completions", d->completions);
    put_flag(b, "completion_logprobs", d->completion_logprobs); put_flag(b, "embeddings", d->embeddings);
    if (d->embedding_dims) qn_buf_printf(b, ",\"embedding_dims\":%lld", (long long)d->embedding_dims);
    qn_buf_printf(b, ",\"thinking\":\"%s\",\"seconds\":%.3f,\"parallel\":%d,\"per_second_alone\":%.2f,\"per_second_parallel\":%.2f,\"requests\":%d}\n",
                  d->thinking, d->seconds, d->parallel, d->per_s_alone, d->per_s_parallel, d->n_requests);
}
