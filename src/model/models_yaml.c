/* models_yaml: one entry of quern.yaml's `models:`, every word checked, with line numbers and "did you mean". */
#include "model/models.h"
#include "core/file.h"
#include "model/http.h"
#include "model/terms.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const WORDS[] = {
    "url", "file", "args", "name", "key", "headers", "query", "proxy", "price", "context", "in_flight", "rpm", "tpm", "silence", "deadline",
    "retry", "stream", "structured", "extra", "id", "licence", "terms", "about", "search", "batch",
};
#define N_WORDS (sizeof WORDS / sizeof *WORDS)

static qn_code wrong(qn_err *e, const qn_ynode *at, const char *word, const char *want)
{
    return qn_fail_at(e, QN_ERECIPE, at->pos, "`%s` must be %s", word, want);
}

/* ---- scalars ---- */
static qn_code text_of(qn_arena *a, const qn_ynode *n, const char *word, const char **out, qn_err *e)
{
    if (n->kind != QN_Y_SCALAR || n->text.n == 0) return wrong(e, n, word, "a text");
    *out = qn_arena_str(a, n->text).p;
    return QN_OK;
}

static qn_code number_of(const qn_ynode *n, const char *word, double least, double *out, qn_err *e)
{
    double v;
    if (n->kind != QN_Y_SCALAR || !qn_str_to_f64(n->text, &v)) return wrong(e, n, word, "a number");
    if (v < least) return qn_fail_at(e, QN_ERECIPE, n->pos, "`%s` is %.*s: it must be %g or more", word, QN_FMT(n->text), least);
    *out = v;
    return QN_OK;
}

/* "90s", "2m", "500ms", "1h"; a bare number is seconds. */
static qn_code duration_of(const qn_ynode *n, const char *word, int64_t *out_ms, qn_err *e)
{
    char z[32];
    if (n->kind != QN_Y_SCALAR || n->text.n == 0 || n->text.n >= sizeof z) return wrong(e, n, word, "a duration, like 90s, 10m or 500ms");
    memcpy(z, n->text.p, n->text.n);
    z[n->text.n] = 0;
    int64_t us = qn_reset_us(z);
    if (us <= 0) return wrong(e, n, word, "a duration, like 90s, 10m or 500ms");
    *out_ms = us / 1000 > 0 ? us / 1000 : 1;
    return QN_OK;
}

static qn_code three_of(const qn_ynode *n, const char *word, int *out, qn_err *e)
{
    if (n->kind == QN_Y_SCALAR) {
        if (qn_str_is(n->text, "yes") || qn_str_is(n->text, "true")) { *out = 1; return QN_OK; }
        if (qn_str_is(n->text, "no") || qn_str_is(n->text, "false")) { *out = 0; return QN_OK; }
        if (qn_str_is(n->text, "try")) { *out = -1; return QN_OK; }
    }
    return wrong(e, n, word, "yes, no or try");
}

static qn_code terms_of(const qn_ynode *n, const char *word, const char **out, qn_err *e)
{
    const qn_terms *t = n->kind == QN_Y_SCALAR ? qn_terms_named(n->text) : NULL;
    if (t) { *out = t->name; return QN_OK; }
    if (n->kind != QN_Y_SCALAR) return wrong(e, n, word, "the name of known terms");
    size_t count;
    const char *const *names = qn_terms_names(&count), *near = qn_nearest(n->text, names, count);
    qn_fail_at(e, QN_ERECIPE, n->pos, "no terms are called `%.*s`", QN_FMT(n->text));
    if (near) qn_hint(e, "did you mean `%s`? docs/terms.md lists all; `your-own` says that outputs are yours to use", near);
    else qn_hint(e, "docs/terms.md lists all; `your-own` says that outputs are yours to use");
    return QN_ERECIPE;
}

/* ---- secrets ---- */
qn_code qn_secret_read(qn_arena *a, qn_str where, const char *what, qn_pos pos, const char **out, qn_err *e)
{
    if (qn_str_starts(where, QN_STR("env:"))) {
        qn_str name = qn_arena_str(a, qn_str_sub(where, 4, where.n));
        const char *v = getenv(name.p);
        if (!v || !*v) {
            qn_fail_at(e, QN_ERECIPE, pos, "the environment variable %s (%s) is not set", name.p, what);
            qn_hint(e, "export %s=... before the run; keys are never given on the command line", name.p);
            return QN_ERECIPE;
        }
        *out = qn_arena_str(a, qn_str_trim(qn_str_of(v))).p;
        return QN_OK;
    }
    if (qn_str_starts(where, QN_STR("file:"))) {
        qn_buf b = {0};
        const char *path = qn_arena_str(a, qn_str_sub(where, 5, where.n)).p;
        if (path[0] == '~' && path[1] == '/' && getenv("HOME")) path = qn_arena_printf(a, "%s%s", getenv("HOME"), path + 1).p;
        qn_code rc = qn_file_read(path, 65536, &b, e);
        if (rc == QN_OK) *out = qn_arena_str(a, qn_str_trim(qn_buf_view(&b))).p;
        if (rc == QN_OK && !**out) rc = qn_fail_at(e, QN_ERECIPE, pos, "the file %s (%s) is empty", path, what);
        if (b.p) memset(b.p, 0, b.cap);
        qn_buf_free(&b);
        return rc;
    }
    qn_fail_at(e, QN_ERECIPE, pos, "%s must not stand in the file itself", what);   /* the value is not shown: it may be the secret */
    qn_hint(e, "write env:NAME_OF_A_VARIABLE or file:PATH");
    return QN_ERECIPE;
}

static bool is_secret_ref(qn_str s) { return qn_str_starts(s, QN_STR("env:")) || qn_str_starts(s, QN_STR("file:")); }

/* ---- parts with inner maps ---- */
static qn_code headers_of(qn_models *ms, const qn_ynode *n, const char *const **out, bool read_secrets, qn_err *e)
{
    if (n->kind != QN_Y_MAP) return wrong(e, n, "headers", "a map: {Name: value}");
    const char **list = QN_ARENA_NEW_N(&ms->arena, const char *, n->n + 1);
    for (size_t i = 0; i < n->n; i++) {
        const qn_ynode *v = n->items[i];
        qn_str name = n->keys[i]->text;
        const char *value;
        if (v->kind != QN_Y_SCALAR) return wrong(e, v, "headers", "a map of texts");
        for (size_t k = 0; k < name.n; k++) if (strchr(" \t\r\n:", name.p[k])) return qn_fail_at(e, QN_ERECIPE, n->keys[i]->pos, "a header's name holds no space or colon");
        for (size_t k = 0; k < v->text.n; k++) if ((unsigned char)v->text.p[k] < 32) return qn_fail_at(e, QN_ERECIPE, v->pos, "a header's value is one line");
        if (is_secret_ref(v->text) && !read_secrets) value = "";
        else if (is_secret_ref(v->text)) QN_TRY(qn_secret_read(&ms->arena, v->text, "a header's value", v->pos, &value, e));
        else value = qn_arena_str(&ms->arena, v->text).p;
        list[i] = qn_arena_printf(&ms->arena, "%.*s: %s", QN_FMT(name), value).p;
    }
    *out = list;
    return QN_OK;
}

static qn_code price_of(const qn_ynode *n, qn_model *m, qn_err *e)
{
    static const char *const words[] = { "prompt", "completion", "request" };
    if (n->kind != QN_Y_MAP) return wrong(e, n, "price", "a map of US dollars per million tokens: {prompt: 0.15, completion: 0.60}; of a search engine {request: 0.005}");
    m->usd_per_m_prompt = m->usd_per_m_completion = m->usd_per_request = 0;
    for (size_t i = 0; i < n->n; i++) {
        qn_str k = n->keys[i]->text;
        double *to = qn_str_is(k, "prompt") ? &m->usd_per_m_prompt : qn_str_is(k, "completion") ? &m->usd_per_m_completion
                   : qn_str_is(k, "request") ? &m->usd_per_request : NULL;
        if (!to) {
            const char *near = qn_nearest(k, words, 3);
            qn_fail_at(e, QN_ERECIPE, n->keys[i]->pos, "`price` knows no `%.*s`", QN_FMT(k));
            qn_hint(e, near ? "did you mean `%s`? it takes prompt and completion, or request" : "it takes prompt and completion, US dollars per million tokens, or request, US dollars each", near ? near : "");
            return QN_ERECIPE;
        }
        QN_TRY(number_of(n->items[i], "price", 0, to, e));
    }
    m->priced = true;
    return QN_OK;
}

/* "100MB", "5k"; a bare number is bytes. */
static qn_code bytes_of(const qn_ynode *n, const char *word, int64_t *out, qn_err *e)
{
    static const struct { const char *end; double by; } UNITS[] = { { "GB", 1e9 }, { "MB", 1e6 }, { "kB", 1e3 }, { "KB", 1e3 }, { "G", 1e9 }, { "M", 1e6 }, { "k", 1e3 }, { "K", 1e3 } };
    qn_str t = n->kind == QN_Y_SCALAR ? n->text : (qn_str){ "", 0 };
    double v, by = 1;
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS && by == 1; i++)
        if (qn_str_ends(t, qn_str_of(UNITS[i].end))) { by = UNITS[i].by; t = qn_str_trim(qn_str_sub(t, 0, t.n - strlen(UNITS[i].end))); }
    if (!qn_str_to_f64(t, &v) || v * by < 1000) return wrong(e, n, word, "a size of 1 kB or more, like 100MB");
    *out = (int64_t)(v * by);
    return QN_OK;
}

/* `yes`, `no`, or a map of what is different there. */
static qn_code batch_of(qn_models *ms, const qn_ynode *n, qn_model *m, qn_err *e)
{
    static const char *const words[] = { "requests", "size", "share", "singly", "poll", "window" };
    int yes;
    double d;
    if (n->kind == QN_Y_SCALAR) {
        if (three_of(n, "batch", &yes, e) != QN_OK || yes < 0) return wrong(e, n, "batch", "yes, no, or a map: {requests: 50000, size: 100MB, share: 0.5, poll: 60s}");
        m->batch = yes == 1;
        return QN_OK;
    }
    if (n->kind != QN_Y_MAP) return wrong(e, n, "batch", "yes, no, or a map: {requests: 50000, size: 100MB, share: 0.5, poll: 60s}");
    m->batch = true;
    for (size_t i = 0; i < n->n; i++) {
        qn_str k = n->keys[i]->text;
        const qn_ynode *v = n->items[i];
        if (qn_str_is(k, "requests")) { QN_TRY(number_of(v, "requests", 1, &d, e)); m->batch_requests = (int64_t)d; }
        else if (qn_str_is(k, "size")) QN_TRY(bytes_of(v, "size", &m->batch_bytes, e));
        else if (qn_str_is(k, "share")) QN_TRY(number_of(v, "share", 0, &m->batch_share, e));
        else if (qn_str_is(k, "singly")) QN_TRY(number_of(v, "singly", 0, &m->batch_singly, e));
        else if (qn_str_is(k, "poll")) QN_TRY(duration_of(v, "poll", &m->batch_poll_ms, e));
        else if (qn_str_is(k, "window")) {
            QN_TRY(text_of(&ms->arena, v, "window", &m->batch_window, e));
            for (const char *c = m->batch_window; *c; c++)      /* it goes into a request as it stands */
                if (!((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z'))) return wrong(e, v, "window", "a duration, like 24h");
        }
        else {
            const char *near = qn_nearest(k, words, sizeof words / sizeof *words);
            qn_fail_at(e, QN_ERECIPE, n->keys[i]->pos, "`batch` knows no `%.*s`", QN_FMT(k));
            qn_hint(e, near ? "did you mean `%s`? it takes requests, size, share, singly, poll, window" : "it takes requests, size, share, singly, poll, window", near ? near : "");
            return QN_ERECIPE;
        }
    }
    return QN_OK;
}

static void put_escaped(qn_buf *b, qn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~:", c);
        if (plain && c) qn_buf_putc(b, (char)c); else qn_buf_printf(b, "%%%02X", c);
    }
}

static qn_code url_of(qn_models *ms, const qn_ynode *n, const qn_ynode *query, bool read_secrets, const char **out, qn_err *e)
{
    qn_str u = n->text;
    if (n->kind != QN_Y_SCALAR || !(qn_str_starts(u, QN_STR("http://")) || qn_str_starts(u, QN_STR("https://"))) || qn_url_host(u).n == 0)
        return wrong(e, n, "url", "an address that starts with http:// or https://");
    if (qn_url_has_password(u)) {
        qn_fail_at(e, QN_ERECIPE, n->pos, "`url` holds a user or password");
        qn_hint(e, "put the secret into `key:` as env:NAME or file:PATH");
        return QN_ERECIPE;
    }
    while (u.n && u.p[u.n - 1] == '/') u.n--;
    qn_buf b = {0};
    qn_buf_str(&b, u);
    qn_code rc = QN_OK;
    if (query && query->kind != QN_Y_MAP) rc = wrong(e, query, "query", "a map: {api-version: 2024-10-01}");
    bool had = u.n && memchr(u.p, '?', u.n);
    for (size_t i = 0; rc == QN_OK && query && i < query->n; i++) {
        const qn_ynode *v = query->items[i];
        const char *value = "";
        if (v->kind != QN_Y_SCALAR) rc = wrong(e, v, "query", "a map of texts");
        else if (is_secret_ref(v->text)) { if (read_secrets) rc = qn_secret_read(&ms->arena, v->text, "a query value", v->pos, &value, e); }
        else value = qn_arena_str(&ms->arena, v->text).p;
        if (rc != QN_OK) break;
        qn_buf_putc(&b, had || i ? '&' : '?');
        put_escaped(&b, query->keys[i]->text);
        qn_buf_putc(&b, '=');
        put_escaped(&b, qn_str_of(value));
    }
    if (rc == QN_OK) *out = qn_arena_str(&ms->arena, qn_buf_view(&b)).p;
    qn_buf_free(&b);
    return rc;
}

static qn_code args_of(qn_models *ms, const qn_ynode *n, const char *const **out, qn_err *e)
{
    if (n->kind != QN_Y_LIST) return wrong(e, n, "args", "a list of arguments for the server");
    const char **list = QN_ARENA_NEW_N(&ms->arena, const char *, n->n + 1);
    for (size_t i = 0; i < n->n; i++) QN_TRY(text_of(&ms->arena, n->items[i], "args", &list[i], e));
    *out = list;
    return QN_OK;
}

/* ---- an entry ---- */
static qn_code unknown_word(const qn_ynode *key, const char *name, qn_err *e)
{
    const char *near = qn_nearest(key->text, WORDS, N_WORDS);
    qn_fail_at(e, QN_ERECIPE, key->pos, "model `%s` has an unknown setting `%.*s`", name, QN_FMT(key->text));
    if (near) qn_hint(e, "did you mean `%s`?", near);
    else qn_hint(e, "it takes url, name, key, headers, query, price, in_flight, rpm, tpm, silence, deadline, stream, structured, batch, extra, id ...");
    return QN_ERECIPE;
}

static qn_code setting(qn_models *ms, const char *word, const qn_ynode *v, qn_model *m, bool read_secrets, qn_err *e)
{
    double d;
#define IS(w) (strcmp(word, w) == 0)
    if (IS("name")) return text_of(&ms->arena, v, word, &m->name, e);
    if (IS("key")) {
        if (v->kind != QN_Y_SCALAR) return wrong(e, v, word, "env:NAME or file:PATH");
        if (is_secret_ref(v->text) && !read_secrets) return QN_OK;
        return qn_secret_read(&ms->arena, v->text, "the key", v->pos, &m->key, e);
    }
    if (IS("headers")) return headers_of(ms, v, &m->headers, read_secrets, e);
    if (IS("proxy")) return text_of(&ms->arena, v, word, &m->proxy, e);
    if (IS("price")) return price_of(v, m, e);
    if (IS("context")) { QN_TRY(number_of(v, word, 1, &d, e)); m->context_tokens = (int64_t)d; return QN_OK; }
    if (IS("in_flight")) { QN_TRY(number_of(v, word, 1, &d, e)); m->max_in_flight = d > 60000 ? 60000 : (int)d; return QN_OK; }
    if (IS("rpm")) return number_of(v, word, 0.001, &m->max_rpm, e);
    if (IS("tpm")) return number_of(v, word, 1, &m->max_tpm, e);
    if (IS("silence")) return duration_of(v, word, &m->silence_ms, e);
    if (IS("deadline")) return duration_of(v, word, &m->deadline_ms, e);
    if (IS("retry")) return duration_of(v, word, &m->retry_ms, e);
    if (IS("stream")) return three_of(v, word, &m->stream, e);
    if (IS("structured")) return three_of(v, word, &m->structured, e);
    if (IS("batch")) return batch_of(ms, v, m, e);
    if (IS("id")) return text_of(&ms->arena, v, word, &m->identity, e);
    if (IS("licence")) return terms_of(v, word, &m->licence, e);
    if (IS("search")) { m->search = qn_yaml_value(v, &ms->arena); return QN_OK; }
    if (IS("terms")) return terms_of(v, word, &m->terms, e);
    if (IS("extra")) {
        if (v->kind != QN_Y_MAP) return wrong(e, v, word, "a map of further keys for every request's body");
        m->extra = qn_yaml_value(v, &ms->arena);
        return QN_OK;
    }
#undef IS
    return QN_OK;       /* url, query, file, args, about: read by the caller or for people */
}

/* `search:` makes the entry a search engine: a kind that quern knows, or how the engine is asked and where its results are (see the operator `search`). */
static qn_code engine_of(qn_models *ms, const char *name, const qn_ynode *entry, qn_model *m, qn_err *e)
{
    const qn_ynode *s = qn_yaml_get(entry, "search");
    bool brave = s->kind == QN_Y_SCALAR && qn_str_is(s->text, "brave");
    if (s->kind == QN_Y_SCALAR && !brave && !qn_str_is(s->text, "searxng")) {
        qn_fail_at(e, QN_ERECIPE, s->pos, "no kind of search engine is called `%.*s`", QN_FMT(s->text));
        qn_hint(e, "searxng, brave, or a map: {address: ..., results: ..., url: ..., title: ..., text: ...}");
        return QN_ERECIPE;
    }
    if (s->kind == QN_Y_LIST) return wrong(e, s, "search", "searxng, brave, or a map that says how it is asked");
    if (!m->name) m->name = s->kind == QN_Y_SCALAR ? qn_arena_str(&ms->arena, s->text).p : qn_arena_str(&ms->arena, qn_str_of(name)).p;
    if (brave && m->key) {              /* its key goes into a header of its own */
        const char **list = QN_ARENA_NEW_N(&ms->arena, const char *, 2);
        list[0] = qn_arena_printf(&ms->arena, "X-Subscription-Token: %s", m->key).p;
        if (!m->headers) { m->headers = list; m->key = NULL; }
    }
    return QN_OK;
}

static qn_code entry_read(qn_models *ms, const char *name, const qn_ynode *entry, qn_model *m, const char **file, const char *const **args,
                          bool read_secrets, qn_err *e)
{
    if (entry->kind != QN_Y_MAP) return qn_fail_at(e, QN_ERECIPE, entry->pos, "model `%s` must be a map: {url: ..., name: ...}", name);
    for (size_t i = 0; i < entry->n; i++) {
        const qn_ynode *k = entry->keys[i];
        size_t w = 0;
        while (w < N_WORDS && !qn_str_is(k->text, WORDS[w])) w++;
        if (w == N_WORDS) return unknown_word(k, name, e);
        QN_TRY(setting(ms, WORDS[w], entry->items[i], m, read_secrets, e));
    }
    const qn_ynode *url = qn_yaml_get(entry, "url"), *gguf = qn_yaml_get(entry, "file"), *a = qn_yaml_get(entry, "args");
    if (!url == !gguf) return qn_fail_at(e, QN_ERECIPE, entry->pos, "model `%s` needs `url` or `file`%s", name, url ? ", not both" : "");
    if (a && !gguf) return qn_fail_at(e, QN_ERECIPE, a->pos, "`args` goes with `file`: they are the child server's arguments");
    if (gguf && m->batch) return qn_fail_at(e, QN_ERECIPE, gguf->pos, "a model in a file takes no batches: leave out `batch`");
    if (gguf) QN_TRY(text_of(&ms->arena, gguf, "file", file, e));
    if (a) QN_TRY(args_of(ms, a, args, e));
    if (url) QN_TRY(url_of(ms, url, qn_yaml_get(entry, "query"), read_secrets, &m->url, e));
    if (m->search.kind != QN_V_NULL) QN_TRY(engine_of(ms, name, entry, m, e));
    if (url && !m->name) {
        qn_fail_at(e, QN_ERECIPE, entry->pos, "model `%s` has no `name`: what does the endpoint call it?", name);
        qn_hint(e, "`quern doctor %s` lists the names", qn_url_host(url->text).n ? url->text.p : "URL");
        return QN_ERECIPE;
    }
    return QN_OK;
}

qn_code qn_model_from_yaml(qn_models *ms, const char *name, const qn_ynode *entry, qn_model *m, const char **file, const char *const **args, qn_err *e)
{
    return entry_read(ms, name, entry, m, file, args, true, e);
}

qn_code qn_models_check(qn_models *ms, qn_err *e)
{
    for (size_t i = 0; ms->entries && i < ms->entries->n; i++) {
        qn_model m = {0};
        const char *file = NULL, *const *args = NULL;
        QN_TRY(entry_read(ms, qn_arena_str(&ms->arena, ms->entries->keys[i]->text).p, ms->entries->items[i], &m, &file, &args, false, e));
    }
    return QN_OK;
}
