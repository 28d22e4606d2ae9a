/* sse: server-sent events as chat endpoints send them (WHATWG HTML, "9.2 Server-sent events"; OpenAI's chunk objects inside). */
#include "model/sse.h"
#include "model/openai.h"
#include <stdio.h>

enum { MAX_LINE = 8 << 20, MAX_TEXT = 32 << 20, MAX_TOOLS = 256 };

static void buf_fresh(qn_buf *b, size_t limit)
{
    if (b->cap > (1 << 18)) qn_buf_free(b);         /* one long reply must not keep its memory for ever */
    qn_buf_clear(b);
    b->limit = limit;
    b->full = false;
}

static void tools_drop(qn_sse *s)
{
    for (size_t i = 0; i < s->n_tools; i++) {
        qn_buf_free(&s->tools[i].id);
        qn_buf_free(&s->tools[i].name);
        qn_buf_free(&s->tools[i].arguments);
    }
    s->n_tools = 0;
}

void qn_sse_init(qn_sse *s)
{
    buf_fresh(&s->line, MAX_LINE);
    buf_fresh(&s->event, MAX_LINE);
    buf_fresh(&s->text, MAX_TEXT);
    buf_fresh(&s->thinking, MAX_TEXT);
    buf_fresh(&s->refusal, MAX_TEXT);
    tools_drop(s);
    s->finish[0] = s->error[0] = 0;
    s->prompt_tokens = s->completion_tokens = -1;
    s->done = s->broken = s->skip_lf = false;
}

void qn_sse_free(qn_sse *s)
{
    qn_buf_free(&s->line);
    qn_buf_free(&s->event);
    qn_buf_free(&s->text);
    qn_buf_free(&s->thinking);
    qn_buf_free(&s->refusal);
    tools_drop(s);
    qn_free(s->tools);
    *s = (qn_sse){0};
}

bool qn_sse_looks(const char *p, size_t n)
{
    qn_str s = { p, n };
    if (n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) s = qn_str_sub(s, 3, n);
    while (s.n && (s.p[0] == '\n' || s.p[0] == '\r')) s = qn_str_sub(s, 1, s.n);
    return qn_str_starts(s, QN_STR("data:")) || qn_str_starts(s, QN_STR(":")) || qn_str_starts(s, QN_STR("event:"))
        || qn_str_starts(s, QN_STR("id:")) || qn_str_starts(s, QN_STR("retry:"));
}

static void add_text(qn_buf *b, yyjson_val *v, qn_sse *s)
{
    if (yyjson_is_str(v) && !qn_buf_put(b, yyjson_get_str(v), yyjson_get_len(v))) s->broken = true;
}

static qn_sse_tool *tool_at(qn_sse *s, int index)
{
    for (size_t i = 0; i < s->n_tools; i++) if (s->tools[i].index == index) return &s->tools[i];
    if (s->n_tools >= MAX_TOOLS) { s->broken = true; return NULL; }
    QN_GROW(s->tools, s->n_tools, s->cap_tools);
    qn_sse_tool *t = &s->tools[s->n_tools++];
    *t = (qn_sse_tool){ .index = index, .arguments.limit = MAX_TEXT, .id.limit = 4096, .name.limit = 4096 };
    return t;
}

static void add_tools(qn_sse *s, yyjson_val *calls)
{
    size_t i, n;
    yyjson_val *c;
    yyjson_arr_foreach(calls, i, n, c) {
        yyjson_val *at = yyjson_obj_get(c, "index"), *f = yyjson_obj_get(c, "function");
        qn_sse_tool *t = tool_at(s, yyjson_is_int(at) ? yyjson_get_int(at) : (int)i);
        if (!t) return;
        if (t->id.n == 0) add_text(&t->id, yyjson_obj_get(c, "id"), s);
        if (t->name.n == 0) add_text(&t->name, yyjson_obj_get(f, "name"), s);
        add_text(&t->arguments, yyjson_obj_get(f, "arguments"), s);
    }
}

static void add_choice(qn_sse *s, yyjson_val *choice)
{
    yyjson_val *d = yyjson_obj_get(choice, "delta"), *key, *v, *finish;
    yyjson_obj_iter it = yyjson_obj_iter_with(d);
    while ((key = yyjson_obj_iter_next(&it))) {
        v = yyjson_obj_iter_get_val(key);
        if (yyjson_equals_str(key, "content")) add_text(&s->text, v, s);
        else if (yyjson_equals_str(key, "reasoning_content") || yyjson_equals_str(key, "reasoning")) add_text(&s->thinking, v, s);
        else if (yyjson_equals_str(key, "refusal")) add_text(&s->refusal, v, s);
        else if (yyjson_equals_str(key, "tool_calls")) add_tools(s, v);
    }
    finish = yyjson_obj_get(choice, "finish_reason");
    if (yyjson_is_str(finish)) {
        snprintf(s->finish, sizeof s->finish, "%s", yyjson_get_str(finish));
        s->done = true;
    }
}

static void add_event(qn_sse *s, qn_str data, qn_buf *scratch)
{
    yyjson_alc alc;
    if (qn_str_is(data, "[DONE]")) { s->done = true; return; }
    if (data.n == 0) return;
    size_t need = yyjson_read_max_memory_usage(data.n, 0);
    qn_buf_clear(scratch);
    qn_buf_reserve(scratch, need);
    yyjson_alc_pool_init(&alc, scratch->p, scratch->cap);
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)data.p, data.n, 0, &alc, NULL);
    if (!doc) { s->broken = true; return; }
    yyjson_val *root = yyjson_doc_get_root(doc), *usage, *v, *key;
    yyjson_obj_iter it = yyjson_obj_iter_with(root);
    while ((key = yyjson_obj_iter_next(&it))) {
        v = yyjson_obj_iter_get_val(key);
        if (yyjson_equals_str(key, "choices")) {
            yyjson_val *choice = yyjson_arr_get_first(v);
            if (choice) add_choice(s, choice);
        } else if (yyjson_equals_str(key, "usage") && yyjson_is_obj(v)) {
            usage = yyjson_obj_get(v, "prompt_tokens");
            if (yyjson_is_int(usage)) s->prompt_tokens = yyjson_get_sint(usage);
            usage = yyjson_obj_get(v, "completion_tokens");
            if (yyjson_is_int(usage)) s->completion_tokens = yyjson_get_sint(usage);
        } else if (yyjson_equals_str(key, "error") && !yyjson_is_null(v)) {
            qn_openai_error_text(data, s->error, sizeof s->error);
            if (!s->error[0]) snprintf(s->error, sizeof s->error, "an error event");
        }
    }
}

static void end_line(qn_sse *s, qn_str line, qn_buf *scratch)
{
    if (line.n == 0) {                                      /* an empty line ends the event */
        if (s->event.n) add_event(s, qn_str_trim(qn_buf_view(&s->event)), scratch);
        qn_buf_clear(&s->event);
        return;
    }
    if (!qn_str_starts(line, QN_STR("data:"))) return;      /* comments, event, id, retry */
    line = qn_str_sub(line, 5, line.n);
    if (line.n && line.p[0] == ' ') line = qn_str_sub(line, 1, line.n);
    if (s->event.n) qn_buf_putc(&s->event, '\n');
    if (!qn_buf_str(&s->event, line)) s->broken = true;
}

void qn_sse_feed(qn_sse *s, const char *p, size_t n, qn_buf *scratch)
{
    while (n && !s->broken) {
        if (s->skip_lf && *p == '\n') { p++; n--; s->skip_lf = false; continue; }
        s->skip_lf = false;
        const char *lf = memchr(p, '\n', n);
        size_t k = lf ? (size_t)(lf - p) : n;
        const char *cr = memchr(p, '\r', k);
        if (cr) k = (size_t)(cr - p);
        if (k == n) {                                       /* no end of line yet */
            if (!qn_buf_put(&s->line, p, n)) s->broken = true;
            return;
        }
        qn_str line = { p, k };
        if (s->line.n) {
            if (!qn_buf_put(&s->line, p, k)) { s->broken = true; return; }
            line = qn_buf_view(&s->line);
        }
        end_line(s, line, scratch);
        qn_buf_clear(&s->line);
        s->skip_lf = p[k] == '\r';
        p += k + 1;
        n -= k + 1;
    }
}

static qn_value tools_value(const qn_sse *s, qn_arena *a)
{
    qn_list_b list = { .a = a };
    if (s->n_tools == 0) return qn_v_null();
    for (size_t i = 0; i < s->n_tools; i++) {
        const qn_sse_tool *t = &s->tools[i];
        qn_object_b f = { .a = a }, o = { .a = a };
        qn_object_put(&f, QN_STR("name"), qn_v_text(qn_arena_str(a, qn_buf_view(&t->name))));
        qn_object_put(&f, QN_STR("arguments"), qn_v_text(qn_arena_str(a, qn_buf_view(&t->arguments))));
        qn_object_put(&o, QN_STR("id"), qn_v_text(qn_arena_str(a, qn_buf_view(&t->id))));
        qn_object_put(&o, QN_STR("type"), qn_v_text(QN_STR("function")));
        qn_object_put(&o, QN_STR("function"), qn_object_end(&f));
        qn_list_put(&list, qn_object_end(&o));
    }
    return qn_list_end(&list);
}

bool qn_sse_end(qn_sse *s, const qn_ask *ask, qn_arena *a, qn_reply *out, qn_buf *scratch, const char **why)
{
    if (s->line.n) { end_line(s, qn_buf_view(&s->line), scratch); qn_buf_clear(&s->line); }
    end_line(s, (qn_str){ "", 0 }, scratch);                /* a last event without its empty line */
    *why = "an event of the stream is not valid JSON";
    if (s->broken) return false;
    *why = "the stream reported an error";
    if (s->error[0]) return false;
    *why = "the stream ended before its last event";
    if (!s->done) return false;
    out->prompt_tokens = s->prompt_tokens;
    out->completion_tokens = s->completion_tokens;
    out->tool_calls = tools_value(s, a);
    return qn_reply_settle(ask, qn_buf_view(&s->text), qn_buf_view(&s->thinking), qn_buf_view(&s->refusal), qn_str_of(s->finish), a, out, why);
}
