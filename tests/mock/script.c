/* script: rules of the mock server, one JSON object a line. The first rule that matches answers.
 *
 * What a rule counts, it counts for each text apart, so that the order in which requests arrive changes no answer: `nth`, `from`, `to` and `times` speak
 * of requests of the same text, and `every` begins to count at a place that follows from the text and the rule. */
#include "mock.h"
#include "core/file.h"
#include <stdio.h>
#include <stdlib.h>

static _Noreturn void wrong(const char *path, int line, const char *what)
{
    fprintf(stderr, "mock: %s:%d: %s\n", path, line, what);
    exit(2);
}

static char *text_of(yyjson_val *o, const char *key)
{
    yyjson_val *v = yyjson_obj_get(o, key);
    if (!v) return NULL;
    if (yyjson_is_str(v)) return qn_strz((qn_str){ yyjson_get_str(v), yyjson_get_len(v) });
    size_t n;
    char *s = yyjson_val_write(v, 0, &n);
    char *copy = qn_strz((qn_str){ s, n });
    free(s);
    return copy;
}

static double number_of(yyjson_val *o, const char *key, double otherwise)
{
    yyjson_val *v = yyjson_obj_get(o, key);
    return yyjson_is_num(v) ? yyjson_get_num(v) : otherwise;
}

static bool flag_of(yyjson_val *o, const char *key, bool otherwise)
{
    yyjson_val *v = yyjson_obj_get(o, key);
    return yyjson_is_bool(v) ? yyjson_get_bool(v) : otherwise;
}

static fault fault_of(const char *name, const char *path, int line)
{
    static const struct { const char *name; fault f; } all[] = {
        { "cut", F_CUT }, { "hang", F_HANG }, { "drip", F_DRIP }, { "truncated", F_TRUNCATED }, { "invalid_utf8", F_INVALID_UTF8 },
        { "empty", F_EMPTY }, { "lie_long", F_LIE_LONG }, { "lie_short", F_LIE_SHORT }, { "not_json", F_NOT_JSON },
        { "wrong_schema", F_WRONG_SCHEMA }, { "reset", F_RESET }, { "silent_close", F_SILENT_CLOSE },
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) if (strcmp(name, all[i].name) == 0) return all[i].f;
    wrong(path, line, "unknown fault");
}

static const char *const WORDS[] = {
    "match", "regex", "whole", "model", "path", "system", "nth", "from", "to", "every", "times", "together", "reply", "json", "raw", "thinking", "think_tags",
    "batch", "refusal", "finish", "error", "tool_calls", "headers", "usage", "stream", "stream_error", "status", "retry_after_ms", "latency_ms",
    "drip_ms", "drip_bytes", "file", "fault", "prompt_tokens", "completion_tokens", "logprob",
    "top_logprob", "top_token", "top_after", "about", NULL
};

static void check_words(yyjson_val *o, const char *path, int line)
{
    yyjson_obj_iter it = yyjson_obj_iter_with(o);
    for (yyjson_val *k; (k = yyjson_obj_iter_next(&it));) {
        size_t i = 0;
        while (WORDS[i] && strcmp(WORDS[i], yyjson_get_str(k)) != 0) i++;
        if (!WORDS[i]) wrong(path, line, yyjson_get_str(k));
    }
}

static bool numbers_texts;      /* some reply holds {{n}} */

static bool holds(const char *text, const char *word) { return text && strstr(text, word); }

static rule *rule_read(yyjson_val *o, const char *path, int line)
{
    rule *r = QN_NEW(rule);
    check_words(o, path, line);
    r->place = (uint64_t)line;
    r->match = text_of(o, "match"); r->whole = text_of(o, "whole"); r->model = text_of(o, "model"); r->path = text_of(o, "path"); r->system = text_of(o, "system");
    char *regex = text_of(o, "regex");
    if (regex) {
        if (regcomp(&r->regex, regex, REG_EXTENDED) != 0) wrong(path, line, "bad regex");
        r->has_regex = true;
        qn_free(regex);
    }
    r->nth = (uint64_t)number_of(o, "nth", 0); r->from = (uint64_t)number_of(o, "from", 0); r->to = (uint64_t)number_of(o, "to", 0);
    r->every = (uint64_t)number_of(o, "every", 0); r->times = (uint64_t)number_of(o, "times", 0);
    r->together = flag_of(o, "together", false);
    r->reply = text_of(o, "reply"); r->json = text_of(o, "json"); r->raw = text_of(o, "raw"); r->thinking = text_of(o, "thinking");
    r->counts = r->nth || r->from || r->to || r->every || r->times || holds(r->reply, "{{seen}}") || holds(r->json, "{{seen}}") || holds(r->raw, "{{seen}}");
    numbers_texts = numbers_texts || holds(r->reply, "{{n}}") || holds(r->json, "{{n}}") || holds(r->raw, "{{n}}");
    r->batch = text_of(o, "batch"); r->refusal = text_of(o, "refusal"); r->finish = text_of(o, "finish"); r->error = text_of(o, "error");
    r->tool_calls = text_of(o, "tool_calls");
    r->think_tags = flag_of(o, "think_tags", false);
    r->no_usage = !flag_of(o, "usage", true);
    r->no_stream = !flag_of(o, "stream", true); r->force_stream = flag_of(o, "stream", false);
    r->after_stream_error = flag_of(o, "stream_error", false);
    r->status = (int)number_of(o, "status", 200); r->retry_after_ms = (int)number_of(o, "retry_after_ms", -1);
    r->latency_ms = number_of(o, "latency_ms", -1); r->drip_ms = number_of(o, "drip_ms", 20);
    r->drip_bytes = (size_t)number_of(o, "drip_bytes", 16);
    r->prompt_tokens = (size_t)number_of(o, "prompt_tokens", 0); r->completion_tokens = (size_t)number_of(o, "completion_tokens", 0);
    char *file = text_of(o, "file");
    qn_err e = {0};
    if (file && qn_file_read(file, 0, &r->file, &e) != QN_OK) wrong(path, line, e.msg);
    qn_free(file);
    r->logprob = number_of(o, "logprob", 1); r->top_logprob = number_of(o, "top_logprob", 0);
    r->top_token = text_of(o, "top_token"); r->top_after = text_of(o, "top_after");
    char *f = text_of(o, "fault");
    if (f) r->fault = fault_of(f, path, line);
    qn_free(f);
    yyjson_val *headers = yyjson_obj_get(o, "headers");
    if (headers) {
        qn_buf b = {0};
        yyjson_obj_iter it = yyjson_obj_iter_with(headers);
        for (yyjson_val *k; (k = yyjson_obj_iter_next(&it));)
            qn_buf_printf(&b, "%s: %s\r\n", yyjson_get_str(k), yyjson_get_str(yyjson_obj_iter_get_val(k)));
        r->headers = b.p;
    }
    return r;
}

rule *script_read(const char *path)
{
    rule *first = NULL, **last = &first;
    qn_buf text = {0};
    qn_err e = {0};
    if (!path) return NULL;
    if (qn_file_read(path, 0, &text, &e) != QN_OK) wrong(path, 0, e.msg);
    int line = 0;
    for (char *p = text.p, *end; p && *p; p = end) {
        end = strchr(p, '\n');
        if (!end) end = p + strlen(p);
        line++;
        qn_str s = qn_str_trim((qn_str){ p, (size_t)(end - p) });
        if (*end) end++;
        if (s.n == 0 || s.p[0] == '#') continue;
        yyjson_doc *doc = yyjson_read(s.p, s.n, 0);
        if (!doc || !yyjson_is_obj(yyjson_doc_get_root(doc))) wrong(path, line, "not a JSON object");
        *last = rule_read(yyjson_doc_get_root(doc), path, line);
        last = &(*last)->next;
        yyjson_doc_free(doc);
    }
    qn_buf_free(&text);
    return first;
}

static bool matches_text(rule *r, const request *rq)
{
    qn_str text = rq->user.n ? rq->user : rq->prompt.n ? rq->prompt : rq->query;
    if (r->match && qn_str_find(text, qn_str_of(r->match)) < 0) return false;
    if (r->whole && qn_str_find(rq->prompt, qn_str_of(r->whole)) < 0) return false;
    if (r->system && qn_str_find(rq->system, qn_str_of(r->system)) < 0) return false;
    if (r->model && !qn_str_is(rq->model, r->model)) return false;
    if (r->path && qn_str_find(rq->path, qn_str_of(r->path)) < 0) return false;
    if (!r->has_regex) return true;
    regmatch_t m[MAX_GROUPS] = { { .rm_so = 0, .rm_eo = (regoff_t)text.n } };
    if (regexec(&r->regex, text.p ? text.p : "", MAX_GROUPS, m, REG_STARTEND) != 0) return false;
    for (int i = 0; i < MAX_GROUPS; i++)
        r->groups[i] = m[i].rm_so < 0 ? (qn_str){ 0 } : qn_str_sub(text, (size_t)m[i].rm_so, (size_t)m[i].rm_eo);
    return true;
}

static qn_str text_of_request(const request *rq) { return rq->prompt.n ? rq->prompt : rq->query; }

/* Whether this request is one of those that the rule's counting lets it answer. */
static bool counts_in(rule *r, const request *rq)
{
    qn_str text = r->together ? (qn_str){ "", 0 } : text_of_request(rq);
    uint64_t *used = qn_map_put_str(&r->texts_used, text, NULL);
    uint64_t n = r->seen = ++*qn_map_put_str(&r->texts_seen, text, NULL);
    uint64_t first = text.n ? qn_hash64(text.p, text.n, r->place) : 0;
    if (r->nth && n != r->nth) return false;
    if (r->from && n < r->from) return false;
    if (r->to && n > r->to) return false;
    if (r->every && (first % r->every + n) % r->every != 0) return false;
    if (r->times && *used >= r->times) return false;
    ++*used;
    return true;
}

/* A number of six digits for each text; the same text again gets the next. */
static uint64_t number_of_text(const request *rq)
{
    static qn_map texts;
    return 100000 + qn_hash64(rq->prompt.p, rq->prompt.n, 0) % 800000 + (*qn_map_put_str(&texts, rq->prompt, NULL))++;
}

rule *script_match(rule *rules, request *rq)
{
    if (numbers_texts || (mock.reply && holds(mock.reply, "{{n}}"))) rq->n = number_of_text(rq);
    for (rule *r = rules; r; r = r->next) if (matches_text(r, rq) && (!r->counts || counts_in(r, rq))) return r;
    return NULL;
}

/* {{user}} {{system}} {{prompt}} {{model}} {{n}} {{hash}} (of the prompt) {{seen}} {{1}}..{{9}} (regex groups) */
void template_fill(qn_buf *out, const char *text, const request *rq, const rule *r)
{
    for (const char *p = text; *p;) {
        const char *open = strstr(p, "{{"), *close = open ? strstr(open, "}}") : NULL;
        if (!close) { qn_buf_puts(out, p); return; }
        qn_buf_put(out, p, (size_t)(open - p));
        qn_str name = qn_str_trim((qn_str){ open + 2, (size_t)(close - open) - 2 });
        if (qn_str_is(name, "user")) qn_buf_str(out, rq->user.n ? rq->user : rq->prompt);
        else if (qn_str_is(name, "system")) qn_buf_str(out, rq->system);
        else if (qn_str_is(name, "prompt")) qn_buf_str(out, rq->prompt);
        else if (qn_str_is(name, "model")) qn_buf_str(out, rq->model);
        else if (qn_str_is(name, "n")) qn_buf_printf(out, "%llu", (unsigned long long)rq->n);
        else if (qn_str_is(name, "seen")) qn_buf_printf(out, "%llu", r ? (unsigned long long)r->seen : 0ULL);
        else if (qn_str_is(name, "hash")) qn_buf_printf(out, "%08x", (unsigned)text_hash(rq->prompt));
        else if (r && name.n == 1 && name.p[0] >= '0' && name.p[0] <= '9') qn_buf_str(out, r->groups[name.p[0] - '0']);
        else qn_buf_put(out, open, (size_t)(close + 2 - open));
        p = close + 2;
    }
}
