/* ended: what an ended attempt means. Retried: 408, 409, 425, 429, 5xx, cut and silent connections, empty and broken bodies.
 * Never retried: other 4xx, certificates, a key that is refused, a quota that is used up. */
#include "model/loop_private.h"
#include "core/clock.h"
#include <stdio.h>

enum { MANY = 8, FEW = 4, UNTIL_DEADLINE = 1 << 20 };

/* Borrowed until the next call. */
static const char *header_of(slot *s, const char *name)
{
    static _Thread_local char value[256];
    struct curl_header *h;
    if (s->lane->plain) {
        qn_str v = qn_wire_header(s, name);
        if (!v.p || v.n >= sizeof value) return NULL;
        memcpy(value, v.p, v.n);
        value[v.n] = 0;
        return value;
    }
    return curl_easy_header(s->easy, name, 0, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

static int64_t retry_after(slot *s)
{
    const char *ms = header_of(s, "retry-after-ms");
    int64_t v;
    if (ms && qn_str_to_i64(qn_str_of(ms), &v) && v >= 0 && v < 86400000) return v * 1000;
    return qn_retry_after_us(header_of(s, "retry-after"), qn_wall_ms());
}

/* OpenAI-style headers: when nothing remains, rest until the reset. */
static void heed_limits(qn_loop *l, slot *s)
{
    static const char *const pairs[][2] = {
        { "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests" }, { "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens" },
    };
    for (size_t i = 0; i < 2; i++) {
        const char *left = header_of(s, pairs[i][0]);
        if (!left || left[0] != '0' || left[1] != 0) continue;
        int64_t reset = qn_reset_us(header_of(s, pairs[i][1]));
        if (reset > 0) qn_pace_rest(&s->lane->pace, l->now_us, reset < 120000000 ? reset : 120000000);
    }
}

static int tries(const slot *s, int many)
{
    int own = s->lane->model ? s->lane->model->max_tries : 0;
    return own > 0 && own < many ? own : many;
}

static ended failed(what_next what, qn_went went, int max, qn_str error)
{
    return (ended){ .what = what, .went = went, .retry_after_us = -1, .max_failures = max, .error = error };
}

/* ---- no whole HTTP answer ---- */
static ended judge_transport(slot *s, CURLcode code)
{
    qn_arena *a = &s->flight->call->arena;
    const qn_model *m = s->lane->model;
    long silence_s = (long)((m ? m->silence_ms : 60000) / 1000);
    qn_str text = qn_http_trouble(a, s->silent ? CURLE_ABORTED_BY_CALLBACK : (int)code, s->lane->host, s->error, s->blocked, silence_s);
    if (s->stopped) return failed(WHAT_FAIL, QN_WENT_STOPPED, 0, QN_STR("stopped"));
    if (s->blocked) return failed(WHAT_FAIL, QN_WENT_STOPPED, 0, text);
    if (s->late) return failed(WHAT_FAIL, QN_WENT_CUT, 0, qn_arena_printf(a, "%.*s gave no whole answer before the deadline (`deadline:` in quern.yaml)", QN_FMT(s->lane->host)));
    if (s->silent) return failed(WHAT_RETRY, QN_WENT_CUT, UNTIL_DEADLINE, text);
    switch (code) {
    case CURLE_COULDNT_CONNECT: case CURLE_COULDNT_RESOLVE_HOST: case CURLE_COULDNT_RESOLVE_PROXY: case CURLE_OPERATION_TIMEDOUT:
        return failed(WHAT_AGAIN, QN_WENT_NOWHERE, 0, text);
    case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ISSUER_ERROR: case CURLE_UNSUPPORTED_PROTOCOL: case CURLE_URL_MALFORMAT: {
        ended e = failed(WHAT_FAIL, QN_WENT_NOWHERE, 0, text);
        e.kill_lane = s->lane->model != NULL && !s->lane->pace.answered;
        return e;
    }
    case CURLE_FILESIZE_EXCEEDED: case CURLE_WRITE_ERROR: case CURLE_TOO_MANY_REDIRECTS:
        return failed(WHAT_FAIL, QN_WENT_WRONG, 0, text);
    default:
        return failed(WHAT_RETRY, QN_WENT_CUT, tries(s, MANY), text);
    }
}

/* ---- HTTP errors ---- */
static ended judge_status(slot *s, long http)
{
    qn_call *call = s->flight->call;
    qn_arena *a = &call->arena;
    lane *ln = s->lane;
    qn_str body = qn_buf_view(&s->body);
    char said[320];
    qn_openai_error_text(body, said, sizeof said);
    qn_str text = qn_arena_printf(a, "HTTP %ld from %.*s%s%s", http, QN_FMT(ln->host), said[0] ? ": " : "", said);
    ended e = failed(WHAT_FAIL, QN_WENT_WRONG, 0, text);
    if (http == 429 && qn_openai_is_quota(body)) {
        e.error = qn_arena_printf(a, "%.*s: the account's money or quota is used up", QN_FMT(text));
        e.kill_lane = true;
        return e;
    }
    if (http == 500 && ln->model) {
        unsigned learned = qn_openai_learn((int)http, body, &call->ask, ln->quirks);
        if (learned != ln->quirks) { ln->quirks = learned; e.what = WHAT_AGAIN; return e; }
    }
    if (http == 408 || http == 409 || http == 425 || http == 429 || (http >= 500 && http != 501 && http != 505)) {
        e.retry_after_us = retry_after(s);
        bool busy = http == 429 || (http == 503 && e.retry_after_us >= 0);
        e.what = WHAT_RETRY;
        e.went = busy ? QN_WENT_BUSY : QN_WENT_ERROR;
        e.max_failures = busy ? UNTIL_DEADLINE : tries(s, MANY);
        return e;
    }
    if (ln->model) {
        unsigned learned = qn_openai_learn((int)http, body, &call->ask, ln->quirks);
        if (learned != ln->quirks || s->asked_stream != qn_openai_streams(&call->ask, quirks_of(s->flight))) {
            ln->quirks = learned;
            e.what = WHAT_AGAIN;
            return e;
        }
        if (http == 401) {
            e.error = qn_arena_printf(a, "%.*s: the key was refused; check `key:` of this model in quern.yaml", QN_FMT(text));
            e.kill_lane = ln->n_ok == 0;
        }
        if (http == 404) e.error = qn_arena_printf(a, "%.*s (is the model's name right, and does the url end as the server wants it, mostly in /v1?)", QN_FMT(text));
        if (http >= 300 && http < 400) e.error = qn_arena_printf(a, "%.*s: it points elsewhere; put the new address into `url:`", QN_FMT(text));
    }
    return e;
}

static bool judge_filtered(slot *s, long http)
{
    qn_reply *r = &s->flight->call->reply;
    char said[320];
    if (http < 400 || http >= 500 || !s->lane->model || !qn_openai_is_filtered(qn_buf_view(&s->body))) return false;
    qn_openai_error_text(qn_buf_view(&s->body), said, sizeof said);
    r->status = QN_REPLY_REFUSED;
    r->finish = QN_STR("content_filter");
    r->text = qn_arena_str(&s->flight->call->arena, qn_str_of(said));
    r->prompt_tokens = r->completion_tokens = 0;
    return true;
}

/* ---- a page or a search ---- the body counts only with a 2xx */
static ended web_answer(slot *s, bool with_body)
{
    qn_call *call = s->flight->call;
    qn_reply *r = &call->reply;
    const char *type = header_of(s, "content-type");
    char *to = NULL;
    r->status = QN_REPLY_OK;
    r->finish = QN_STR("stop");
    r->text = with_body ? qn_arena_str(&call->arena, qn_buf_view(&s->body)) : QN_STR("");
    r->content_type = qn_arena_str(&call->arena, qn_str_of(type ? type : ""));
    if (s->easy) curl_easy_getinfo(s->easy, CURLINFO_REDIRECT_URL, &to);
    r->location = qn_arena_str(&call->arena, qn_str_of(to ? to : ""));
    r->cost_usd = call->ask.model ? call->ask.model->usd_per_request : 0;
    return failed(WHAT_DONE, with_body ? QN_WENT_OK : QN_WENT_WRONG, 0, (qn_str){ "", 0 });
}

/* A status that waiting does not change is what the host has to say. */
static bool is_definite(const qn_ask *ask, long http)
{
    return ask->kind == QN_ASK_GET && !ask->model && http >= 300 && http < 500 && http != 408 && http != 409 && http != 425 && http != 429;
}

/* ---- a 2xx ---- */
static ended judge_body(qn_loop *l, slot *s)
{
    qn_call *call = s->flight->call;
    const char *why = "";
    if (is_web(&call->ask)) return web_answer(s, true);
    if (s->asked_stream && !s->sniffed && qn_sse_looks(s->body.p ? s->body.p : "", s->body.n)) {
        s->is_stream = true;
        qn_sse_feed(&s->sse, s->body.p, s->body.n, &l->scratch);
    }
    bool ok = s->is_stream ? qn_sse_end(&s->sse, &call->ask, &call->arena, &call->reply, &l->scratch, &why)
                           : qn_openai_parse(&call->ask, qn_buf_view(&s->body), &l->scratch, &call->arena, &call->reply, &why);
    call->reply.streamed = s->is_stream;
    if (ok) return failed(WHAT_DONE, QN_WENT_OK, 0, (qn_str){ "", 0 });
    if (s->is_stream && s->sse.error[0])
        return failed(WHAT_RETRY, QN_WENT_ERROR, tries(s, MANY), qn_arena_printf(&call->arena, "%.*s: %s: %s", QN_FMT(s->lane->host), why, s->sse.error));
    if (s->asked_stream && s->body.n == 0 && !s->is_stream) s->flight->no_stream = true;
    return failed(WHAT_RETRY, QN_WENT_CUT, tries(s, FEW), qn_arena_printf(&call->arena, "%.*s: %s", QN_FMT(s->lane->host), why));
}

ended qn_transfer_judge(qn_loop *l, slot *s, CURLcode code)
{
    long http = s->http;
    if (s->easy) curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &http);
    s->flight->call->reply.http = (int)http;
    /* A complete stream whose connection ended badly afterwards (no last chunk) is still a complete reply. */
    bool whole = code == CURLE_OK || ((code == CURLE_RECV_ERROR || code == CURLE_PARTIAL_FILE) && s->is_stream && s->sse.done);
    if (!whole) return judge_transport(s, code);
    if (http >= 200 && http < 300) {
        if (s->lane->model) heed_limits(l, s);
        return judge_body(l, s);
    }
    if (is_definite(&s->flight->call->ask, http)) return web_answer(s, false);
    if (judge_filtered(s, http)) return failed(WHAT_DONE, QN_WENT_WRONG, 0, (qn_str){ "", 0 });
    return judge_status(s, http);
}
