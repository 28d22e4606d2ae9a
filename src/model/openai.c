/* openai: request bodies and replies. See openai.h. */
#include "model/openai.h"
#include <stdio.h>
#include <stdlib.h>

const char *qn_openai_path(qn_ask_kind kind)
{
    switch (kind) {
    case QN_ASK_CHAT: return "/chat/completions";
    case QN_ASK_COMPLETION: return "/completions";
    case QN_ASK_EMBED: return "/embeddings";
    default: return NULL;
    }
}

/* ---- bodies out ---- */
static bool body_has(const qn_ask *ask, const char *quoted_key) { return qn_str_find(ask->body, qn_str_of(quoted_key)) >= 0; }

bool qn_openai_streams(const qn_ask *ask, unsigned quirks)
{
    if (ask->kind != QN_ASK_CHAT || (quirks & QN_NO_STREAM) || !ask->model || ask->model->stream == 0) return false;
    if (body_has(ask, "\"logprobs\"") || body_has(ask, "\"n\":")) return false;
    return ask->model->stream == 1 || ask->max_tokens == 0 || ask->max_tokens > 256;
}

static void put_pair(qn_buf *out, bool *first, qn_str key, qn_value v)
{
    if (!*first) qn_buf_putc(out, ',');
    *first = false;
    qn_json_write_text(out, key);
    qn_buf_putc(out, ':');
    qn_json_write(out, v);
}

static bool left_out(const qn_ask *ask, unsigned quirks, qn_str key)
{
    if (qn_str_is(key, "response_format")) return (quirks & QN_NO_RESPONSE_FORMAT) || (ask->model && ask->model->structured == 0);
    return qn_str_is(key, "temperature") && (quirks & QN_NO_TEMPERATURE);
}

/* The careful way: key by key. Needed when the model has extra keys or the endpoint a quirk that touches the body. */
static void body_merge(const qn_ask *ask, unsigned quirks, qn_buf *out)
{
    qn_arena a = {0};
    qn_err e = {0};
    qn_value body, v;
    qn_str key;
    bool first = false;                         /* model was put before */
    if (qn_json_parse(ask->body, &a, &body, &e) != QN_OK) body = qn_v_null();
    qn_v_iter it = qn_v_iter_of(ask->model ? ask->model->extra : qn_v_null());
    while (qn_v_next(&it, &key, &v)) {
        qn_value own;
        if (!qn_v_get(body, key, &own)) put_pair(out, &first, key, v);
    }
    it = qn_v_iter_of(body);
    while (qn_v_next(&it, &key, &v)) {
        if (left_out(ask, quirks, key)) continue;
        if (qn_str_is(key, "max_tokens") && (quirks & QN_MAX_COMPLETION_NAME)) key = QN_STR("max_completion_tokens");
        put_pair(out, &first, key, v);
    }
    qn_buf_putc(out, '}');
    qn_arena_free(&a);
}

qn_str qn_openai_body_start(const qn_ask *ask, unsigned quirks, qn_buf *out)
{
    const qn_str none = { "", 0 };
    const qn_model *m = ask->model;
    bool touched = (quirks & (QN_NO_RESPONSE_FORMAT | QN_MAX_COMPLETION_NAME | QN_NO_TEMPERATURE)) != 0;
    bool format_off = m && m->structured == 0 && body_has(ask, "\"response_format\"");
    if (!m || !qn_openai_path(ask->kind)) return ask->body;
    qn_buf_puts(out, "{\"model\":");
    qn_json_write_text(out, qn_str_of(m->name));
    if (qn_openai_streams(ask, quirks)) {
        qn_buf_puts(out, ",\"stream\":true");
        if (!(quirks & QN_NO_STREAM_OPTIONS)) qn_buf_puts(out, ",\"stream_options\":{\"include_usage\":true}");
    }
    if (touched || format_off || (m->extra.kind == QN_V_OBJECT && m->extra.n)) { body_merge(ask, quirks, out); return none; }
    qn_str body = qn_str_trim(ask->body);       /* `{...}`: its keys follow ours, nothing is parsed again */
    if (body.n <= 2) { qn_buf_putc(out, '}'); return none; }
    qn_buf_putc(out, ',');
    return qn_str_sub(body, 1, body.n);
}

void qn_openai_body(const qn_ask *ask, unsigned quirks, qn_buf *out) { qn_buf_str(out, qn_openai_body_start(ask, quirks, out)); }

/* ---- learning from refusals ---- */
static bool says(qn_str body, const char *word) { return qn_str_find(body, qn_str_of(word)) >= 0; }

unsigned qn_openai_learn(int http, qn_str body, const qn_ask *ask, unsigned quirks)
{
    if (body.n > 4096) body.n = 4096;
    bool mistake = http == 500 && says(body, "validation error");      /* llama_cpp.server says 500 to a body that it does not take */
    if ((http != 400 && http != 422 && http != 501 && !mistake) || !ask->model) return quirks;
    if (!(quirks & QN_MAX_COMPLETION_NAME) && says(body, "max_completion_tokens") && body_has(ask, "\"max_tokens\"")) return quirks | QN_MAX_COMPLETION_NAME;
    if (!(quirks & QN_NO_STREAM_OPTIONS) && says(body, "stream_options") && qn_openai_streams(ask, quirks)) return quirks | QN_NO_STREAM_OPTIONS;
    bool format = says(body, "response_format") || says(body, "json_schema") || says(body, "guided") || says(body, "grammar") || says(body, "schema");
    if (!(quirks & QN_NO_RESPONSE_FORMAT) && ask->model->structured == -1 && format && body_has(ask, "\"response_format\"")) return quirks | QN_NO_RESPONSE_FORMAT;
    if (!(quirks & QN_NO_STREAM) && ask->model->stream == -1 && says(body, "stream") && qn_openai_streams(ask, quirks)) return quirks | QN_NO_STREAM;
    if (!(quirks & QN_NO_TEMPERATURE) && says(body, "temperature") && says(body, "nsupported") && body_has(ask, "\"temperature\"")) return quirks | QN_NO_TEMPERATURE;
    return quirks;
}

/* ---- parsing with memory that is used again ---- */
static yyjson_doc *doc_read(qn_str body, qn_buf *scratch, yyjson_alc *alc)
{
    if (body.n > (1 << 18)) return yyjson_read(body.p, body.n, 0);   /* large ones (embeddings): the allocator's own memory */
    size_t need = yyjson_read_max_memory_usage(body.n, 0);
    qn_buf_clear(scratch);
    qn_buf_reserve(scratch, need);
    yyjson_alc_pool_init(alc, scratch->p, scratch->cap);
    return yyjson_read_opts((char *)(uintptr_t)body.p, body.n, 0, alc, NULL);
}

static qn_str str_of(yyjson_val *v)
{
    return yyjson_is_str(v) ? (qn_str){ yyjson_get_str(v), yyjson_get_len(v) } : (qn_str){ "", 0 };
}

/* ---- thinking ---- */
void qn_think_split(qn_str text, qn_str *thinking, qn_str *rest)
{
    const qn_str OPEN = QN_STR("<think>"), CLOSE = QN_STR("</think>");
    *thinking = (qn_str){ "", 0 };
    *rest = text;
    qn_str t = qn_str_trim(text);
    bool opened = qn_str_starts(t, OPEN);
    ptrdiff_t close = qn_str_find(t, CLOSE);
    if (!opened && close < 0) return;
    if (!opened && qn_str_find(qn_str_sub(t, 0, (size_t)close), OPEN) >= 0) return; /* text before the tag: it is the reply's own */
    size_t from = opened ? OPEN.n : 0;                                              /* some templates open the tag in the prompt */
    *thinking = qn_str_trim(qn_str_sub(t, from, close < 0 ? t.n : (size_t)close));
    *rest = close < 0 ? (qn_str){ "", 0 } : qn_str_trim(qn_str_sub(t, (size_t)close + CLOSE.n, t.n));
}

/* ---- what a reply is ---- */
void qn_reply_count(const qn_ask *ask, qn_reply *r)
{
    if (r->prompt_tokens < 0 || r->completion_tokens < 0) {
        r->tokens_estimated = true;
        if (r->prompt_tokens < 0) r->prompt_tokens = (int64_t)(ask->body.n + 3) / 4;
        if (r->completion_tokens < 0) r->completion_tokens = ask->kind == QN_ASK_EMBED ? 0 : (int64_t)(r->text.n + r->thinking.n + 3) / 4;
    }
    if (ask->kind == QN_ASK_GET || ask->kind == QN_ASK_POST) { r->cost_usd = ask->model ? ask->model->usd_per_request : 0; return; }
    r->cost_usd = ask->model && ask->model->priced ? ((double)r->prompt_tokens * ask->model->usd_per_m_prompt
                  + (double)r->completion_tokens * ask->model->usd_per_m_completion) / 1e6 : 0;
}

bool qn_reply_settle(const qn_ask *ask, qn_str content, qn_str thinking, qn_str refusal, qn_str finish, qn_arena *a, qn_reply *r, const char **why)
{
    qn_str tagged = { "", 0 };
    if (ask->kind == QN_ASK_CHAT) qn_think_split(content, &tagged, &content);
    r->thinking_tagged = thinking.n == 0 && tagged.n > 0;
    if (r->thinking_tagged) thinking = tagged;
    bool filtered = qn_str_is(finish, "content_filter") || refusal.n > 0, cut = qn_str_is(finish, "length");
    bool echo_only = ask->kind == QN_ASK_COMPLETION && r->logprobs.kind == QN_V_OBJECT;
    if (content.n == 0 && !filtered && !cut && r->tool_calls.kind != QN_V_LIST && !echo_only) { *why = "the reply has no content"; return false; }
    r->status = filtered ? QN_REPLY_REFUSED : cut ? QN_REPLY_CUT : QN_REPLY_OK;
    r->text = qn_arena_str(a, content.n || !refusal.n ? content : refusal);
    r->thinking = thinking.n ? qn_arena_str(a, thinking) : (qn_str){ "", 0 };
    r->finish = qn_str_is(finish, "stop") || finish.n == 0 ? QN_STR("stop") : qn_arena_str(a, finish);
    qn_reply_count(ask, r);
    return true;
}

static void read_usage(yyjson_val *root, qn_reply *r)
{
    yyjson_val *usage = yyjson_obj_get(root, "usage"), *p = yyjson_obj_get(usage, "prompt_tokens"), *c = yyjson_obj_get(usage, "completion_tokens");
    r->prompt_tokens = yyjson_is_int(p) ? yyjson_get_sint(p) : -1;
    r->completion_tokens = yyjson_is_int(c) ? yyjson_get_sint(c) : -1;
    if (r->completion_tokens < 0 && r->prompt_tokens >= 0 && !c && usage) r->completion_tokens = 0;  /* embeddings name the prompt only */
}

static qn_value copied(qn_arena *a, yyjson_val *v)
{
    return v && !yyjson_is_null(v) ? qn_v_copy(a, qn_v_json(v)) : qn_v_null();
}

static bool read_choice(const qn_ask *ask, yyjson_val *root, qn_arena *a, qn_reply *r, const char **why)
{
    yyjson_val *choice = yyjson_arr_get_first(yyjson_obj_get(root, "choices"));
    if (!yyjson_is_obj(choice)) { *why = yyjson_obj_get(root, "error") ? "an error came with status 200" : "the body has no choices"; return false; }
    qn_str finish = str_of(yyjson_obj_get(choice, "finish_reason"));
    r->logprobs = copied(a, yyjson_obj_get(choice, "logprobs"));
    if (ask->kind == QN_ASK_COMPLETION)
        return qn_reply_settle(ask, str_of(yyjson_obj_get(choice, "text")), (qn_str){ "", 0 }, (qn_str){ "", 0 }, finish, a, r, why);
    yyjson_val *m = yyjson_obj_get(choice, "message"), *calls = yyjson_obj_get(m, "tool_calls");
    if (!yyjson_is_obj(m)) { *why = "the choice has no message"; return false; }
    if (yyjson_is_arr(calls) && yyjson_arr_size(calls)) r->tool_calls = copied(a, calls);
    qn_str thinking = str_of(yyjson_obj_get(m, "reasoning_content"));
    if (thinking.n == 0) thinking = str_of(yyjson_obj_get(m, "reasoning"));
    return qn_reply_settle(ask, str_of(yyjson_obj_get(m, "content")), thinking, str_of(yyjson_obj_get(m, "refusal")), finish, a, r, why);
}

/* Vectors in the order of their texts, whatever the order in which they came; all of one length, every number finite. */
static bool read_embeddings(const qn_ask *ask, yyjson_val *root, qn_arena *a, qn_reply *r, const char **why)
{
    yyjson_val *data = yyjson_obj_get(root, "data"), *d;
    size_t n = yyjson_arr_size(data), i, max, dims = 0;
    *why = "the body has no embeddings";
    if (n == 0) return false;
    qn_value *out = QN_ARENA_NEW_N(a, qn_value, n);
    yyjson_arr_foreach(data, i, max, d) {
        yyjson_val *v = yyjson_obj_get(d, "embedding"), *at = yyjson_obj_get(d, "index");
        size_t k = yyjson_is_uint(at) ? yyjson_get_uint(at) : i;
        *why = "the embeddings do not fit their texts";
        if (!yyjson_is_arr(v) || yyjson_arr_size(v) == 0 || k >= n || out[k].kind == QN_V_LIST) return false;
        if (dims && yyjson_arr_size(v) != dims) return false;
        dims = yyjson_arr_size(v);
        size_t j, m;
        yyjson_val *x;
        yyjson_arr_foreach(v, j, m, x) if (!yyjson_is_num(x)) return false;
        out[k] = copied(a, v);
    }
    r->embeddings = qn_v_list(out, n);
    r->status = QN_REPLY_OK;
    r->finish = QN_STR("stop");
    qn_reply_count(ask, r);
    return true;
}

bool qn_openai_parse(const qn_ask *ask, qn_str body, qn_buf *scratch, qn_arena *a, qn_reply *out, const char **why)
{
    yyjson_alc alc;
    *why = "the body is empty";
    if (qn_str_trim(body).n == 0) return false;
    yyjson_doc *doc = doc_read(body, scratch, &alc);
    *why = "the body is not valid JSON";
    if (!doc) return false;
    yyjson_val *root = yyjson_doc_get_root(doc);
    read_usage(root, out);
    bool ok = ask->kind == QN_ASK_EMBED ? read_embeddings(ask, root, a, out, why) : read_choice(ask, root, a, out, why);
    yyjson_doc_free(doc);
    return ok;
}

/* ---- errors ---- */
static yyjson_val *error_of(yyjson_val *root)
{
    if (yyjson_is_arr(root)) root = yyjson_arr_get_first(root);     /* Gemini wraps its error in a list */
    yyjson_val *e = yyjson_obj_get(root, "error");
    return e ? e : root;
}

/* Bodies of errors are outside bytes: one line, valid UTF-8, no control characters. */
static void one_line(qn_str s, char *out, size_t size)
{
    size_t k = 0;
    for (size_t i = 0; i < s.n && k + 5 < size;) {
        uint32_t cp = qn_utf8_next(s, &i);
        if (cp < 32 || cp == 127) cp = ' ';
        if (cp == ' ' && k && out[k - 1] == ' ') continue;
        k += (size_t)qn_utf8_put(cp, out + k);
    }
    out[k] = 0;
}

void qn_openai_error_text(qn_str body, char *out, size_t size)
{
    static const char *const keys[] = { "message", "detail", "error_description", "error" };
    yyjson_doc *doc = body.n && body.n < (1 << 20) ? yyjson_read(body.p, body.n, 0) : NULL;
    qn_str text = { "", 0 };
    if (doc) {
        yyjson_val *e = error_of(yyjson_doc_get_root(doc));
        text = str_of(e);
        for (size_t i = 0; i < sizeof keys / sizeof *keys && text.n == 0; i++) text = str_of(yyjson_obj_get(e, keys[i]));
    } else if (qn_str_trim(body).n && qn_str_trim(body).p[0] != '<') text = qn_str_trim(body);  /* pages of proxies say nothing to people */
    if (text.n > 300) text.n = qn_utf8_cut(text, 300);
    one_line(text, out, size);
    yyjson_doc_free(doc);
}

bool qn_openai_is_filtered(qn_str body)
{
    if (body.n > 8192) body.n = 8192;
    return says(body, "\"content_filter\"") || says(body, "ResponsibleAIPolicyViolation") || says(body, "content_policy_violation");
}

bool qn_openai_is_quota(qn_str body)
{
    if (body.n > 8192) body.n = 8192;
    return says(body, "insufficient_quota") || says(body, "billing_hard_limit");
}
