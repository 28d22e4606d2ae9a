/* trace: from a row back to its source, through every call. */
#include "report/trace.h"
#include "core/file.h"
#include "ledger/ledger.h"
#include "report/put.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

enum { LINE_MAX_BYTES = 64 << 20, MAX_CALLS = 64 };

/* ---- reading ---- */
typedef struct { qn_buf line; uint64_t number; bool (*fn)(void *, uint64_t, qn_str); void *arg; bool stop; } splitter;

static void split(splitter *s, const char *p, size_t n)
{
    for (const char *end = p + n; p < end && !s->stop;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t k = (size_t)((nl ? nl : end) - p);
        qn_buf_put(&s->line, p, k);
        if (nl) {
            s->stop = !s->fn(s->arg, s->number++, qn_buf_view(&s->line)) || s->line.full;
            qn_buf_clear(&s->line);
        }
        p += k + (nl != NULL);
    }
}

qn_code qn_trace_each(const char *path, bool (*fn)(void *, uint64_t, qn_str), void *arg, qn_err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return qn_fail_open(e, path);
    size_t n_in = ZSTD_DStreamInSize(), n_out = ZSTD_DStreamOutSize();
    char *in = qn_alloc(n_in), *out = qn_alloc(n_out);
    ZSTD_DCtx *z = ZSTD_createDCtx();
    splitter s = { .fn = fn, .arg = arg, .line = { .limit = LINE_MAX_BYTES } };
    qn_code rc = QN_OK;
    ssize_t k;
    while (rc == QN_OK && !s.stop && ((k = read(fd, in, n_in)) > 0 || (k < 0 && errno == EINTR))) {
        ZSTD_inBuffer src = { in, k > 0 ? (size_t)k : 0, 0 };
        while (src.pos < src.size && !s.stop) {
            ZSTD_outBuffer dst = { out, n_out, 0 };
            size_t left = ZSTD_decompressStream(z, &dst, &src);
            if (ZSTD_isError(left)) { rc = qn_fail(e, QN_EIO, "%s is damaged: %s", path, ZSTD_getErrorName(left)); break; }
            split(&s, out, dst.pos);
        }
    }
    ZSTD_freeDCtx(z);
    qn_buf_free(&s.line);
    qn_free(in);
    qn_free(out);
    close(fd);
    return rc;
}

/* ---- one row ---- */
static qn_str text_of(qn_value o, const char *key)
{
    qn_value v;
    return qn_v_get(o, qn_str_of(key), &v) ? qn_v_str(v) : (qn_str){ "", 0 };
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool key_from_hex(qn_str s, qn_hash128 *out)
{
    uint64_t half[2] = { 0, 0 };
    if (s.n != 32) return false;
    for (size_t i = 0; i < 32; i++) {
        int d = hex_digit(s.p[i]);
        if (d < 0) return false;
        half[i / 16] = half[i / 16] << 4 | (uint64_t)d;
    }
    *out = (qn_hash128){ half[0], half[1] };
    return true;
}

static void put_cut(qn_buf *b, qn_str s, size_t max)
{
    size_t left = qn_put_text(b, s, max);
    if (!left) return;
    b->n--;                                         /* the closing quote */
    qn_buf_printf(b, " \xe2\x80\xa6 (%zu bytes more)\"", left);
}

/* What was asked, as [[role, text], ...]. */
static void put_prompt(qn_buf *b, qn_str request, size_t max)
{
    qn_arena a = {0};
    qn_value body = qn_v_null(), list, m, content;
    qn_str no_name;
    qn_err e;
    qn_buf other = {0};
    qn_buf_putc(b, '[');
    if (request.n && qn_json_parse(request, &a, &body, &e) == QN_OK && qn_v_get(body, QN_STR("messages"), &list)) {
        for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, &no_name, &m);) {
            qn_buf_clear(&other);
            if (qn_v_get(m, QN_STR("content"), &content) && content.kind != QN_V_TEXT) qn_json_write(&other, content);
            qn_put_comma(b);
            qn_buf_putc(b, '[');
            qn_put_text(b, text_of(m, "role"), 40);
            qn_buf_putc(b, ',');
            put_cut(b, content.kind == QN_V_TEXT ? qn_v_str(content) : qn_buf_view(&other), max);
            qn_buf_putc(b, ']');
        }
    } else if (request.n) {
        qn_str prompt = text_of(body, "prompt");
        qn_buf_puts(b, "[\"\",");
        put_cut(b, prompt.n ? prompt : request, max);
        qn_buf_putc(b, ']');
    }
    qn_buf_putc(b, ']');
    qn_buf_free(&other);
    qn_arena_free(&a);
}

static void put_reply(qn_buf *b, qn_str reply, size_t max)
{
    qn_arena a = {0};
    qn_value v, calls;
    qn_err e;
    if (qn_json_parse(reply, &a, &v, &e) == QN_OK) {
        qn_str thinking = text_of(v, "thinking");
        qn_put_key(b, "text");
        put_cut(b, text_of(v, "text"), max);
        if (thinking.n) { qn_put_key(b, "thinking"); put_cut(b, thinking, max); }
        if (qn_v_get(v, QN_STR("tool_calls"), &calls) && calls.kind == QN_V_LIST) {
            qn_buf json = {0};
            qn_json_write(&json, calls);
            qn_put_key(b, "tool_calls");
            put_cut(b, qn_buf_view(&json), max);
            qn_buf_free(&json);
        }
    }
    qn_arena_free(&a);
}

static void put_call(qn_buf *b, qn_value call, qn_ledger_view *view, size_t max)
{
    qn_buf request = {0}, reply = {0};
    qn_ledger_call c;
    qn_hash128 key;
    qn_err e;
    bool found = false;
    qn_put_comma(b);
    qn_buf_puts(b, "{\"step\":");
    qn_put_text(b, text_of(call, "step"), 200);
    qn_buf_puts(b, ",\"key\":");
    qn_put_text(b, text_of(call, "key"), 64);
    if (view && key_from_hex(text_of(call, "key"), &key) && qn_ledger_view_call(view, key, &c, &request, &reply, &found, &e) == QN_OK && found) {
        qn_put_kv_int(b, "prompt_tokens", c.prompt_tokens);
        qn_put_kv_int(b, "completion_tokens", c.completion_tokens);
        qn_put_kv_real(b, "cost_usd", c.cost_usd);
        qn_put_key(b, "prompt");
        put_prompt(b, qn_buf_view(&request), max);
        put_reply(b, qn_buf_view(&reply), max);
    }
    qn_buf_putc(b, '}');
    qn_buf_free(&request);
    qn_buf_free(&reply);
}

bool qn_trace_put(qn_str line, qn_ledger_view *view, size_t max, qn_buf *b)
{
    qn_arena a = {0};
    qn_value row, v, call;
    qn_str no_name;
    qn_err e;
    size_t n = 0;
    bool ok = qn_json_parse(line, &a, &row, &e) == QN_OK && row.kind == QN_V_OBJECT;
    if (ok) {
        qn_buf_puts(b, "{\"id\":");
        qn_put_text(b, text_of(row, "id"), 64);
        qn_buf_puts(b, ",\"source\":");
        qn_v_get(row, QN_STR("source"), &v);
        qn_json_write(b, v);
        qn_buf_puts(b, ",\"path\":");
        qn_v_get(row, QN_STR("path"), &v);
        qn_json_write(b, v);
        qn_buf_puts(b, ",\"calls\":[");
        qn_v_get(row, QN_STR("calls"), &v);
        for (qn_v_iter it = qn_v_iter_of(v); v.kind == QN_V_LIST && n < MAX_CALLS && qn_v_next(&it, &no_name, &call); n++)
            put_call(b, call, view, max);
        qn_buf_puts(b, "]}");
    }
    qn_arena_free(&a);
    return ok;
}

/* ---- by id ---- */
typedef struct { uint64_t number; qn_str id; qn_buf line; size_t n; } seek;

static bool is_it(void *arg, uint64_t number, qn_str line)
{
    static const char head[] = "{\"id\":\"";
    seek *s = arg;
    if (s->number) {                            /* the row of that line in data.jsonl */
        if (number + 1 != s->number) return true;
        s->n = 1;
        qn_buf_str(&s->line, line);
        return false;
    }
    if (line.n < sizeof head - 1 + s->id.n || memcmp(line.p + sizeof head - 1, s->id.p, s->id.n) != 0) return true;
    if (s->n++ == 0) qn_buf_str(&s->line, line);
    return s->n < 2;
}

qn_code qn_trace_json(const char *dir, const char *ledger, const char *id, qn_buf *out, qn_err *e)
{
    char *path = qn_path_join(dir, "trace.jsonl.zst");
    int64_t number = 0;
    bool by_line = strncmp(id, "line:", 5) == 0 && qn_str_to_i64(qn_str_of(id + 5), &number) && number > 0;
    seek s = { .id = qn_str_of(id), .number = by_line ? (uint64_t)number : 0 };
    qn_ledger_view *view = NULL;
    qn_code rc = s.id.n ? qn_trace_each(path, is_it, &s, e) : qn_fail(e, QN_EDATA, "a row's id is needed");
    if (rc == QN_OK && s.n == 0) {
        rc = qn_fail(e, QN_EDATA, "no accepted row of %s has an id that begins with %s", dir, id);
        qn_hint(e, "ids are in the report beside each sample row, and in the field _id of rejected.jsonl");
    }
    if (rc == QN_OK && s.n > 1) {
        rc = qn_fail(e, QN_EDATA, "several rows have an id that begins with %s", id);
        qn_hint(e, "give more of its digits");
    }
    if (rc == QN_OK && ledger && qn_file_exists(ledger)) rc = qn_ledger_view_open(&view, ledger, e);
    if (rc == QN_OK && !qn_trace_put(qn_buf_view(&s.line), view, 0, out)) rc = qn_fail(e, QN_EDATA, "the trace of %s cannot be read", id);
    qn_ledger_view_close(view);
    qn_buf_free(&s.line);
    qn_free(path);
    return rc;
}

static void tell_indented(qn_buf *out, qn_str s)
{
    for (size_t i = 0; i < s.n;) {
        const char *nl = memchr(s.p + i, '\n', s.n - i);
        size_t n = nl ? (size_t)(nl - s.p) - i : s.n - i;
        qn_buf_printf(out, "      %.*s\n", (int)n, s.p + i);
        i += n + 1;
    }
}

static void tell_call(qn_buf *out, qn_value call)
{
    qn_value v, pair;
    qn_str no_name;
    qn_buf_printf(out, "  %.*s  (reply %.*s)\n", QN_FMT(text_of(call, "step")), QN_FMT(text_of(call, "key")));
    if (!qn_v_get(call, QN_STR("prompt"), &v)) { qn_buf_puts(out, "    not in this ledger\n"); return; }
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, &no_name, &pair);) {
        qn_str role = qn_v_str(qn_v_at(pair, 0));
        qn_buf_printf(out, "    asked%s%.*s\n", role.n ? " as " : "", QN_FMT(role));
        tell_indented(out, qn_v_str(qn_v_at(pair, 1)));
    }
    qn_str thinking = text_of(call, "thinking"), tools = text_of(call, "tool_calls");
    if (thinking.n) { qn_buf_puts(out, "    thought\n"); tell_indented(out, thinking); }
    qn_buf_puts(out, "    answered");
    if (qn_v_get(call, QN_STR("completion_tokens"), &v)) qn_buf_printf(out, "  (%lld tokens", (long long)qn_v_number(v));
    if (qn_v_get(call, QN_STR("cost_usd"), &v)) qn_buf_printf(out, ", %g USD)\n", qn_v_number(v));
    tell_indented(out, text_of(call, "text"));
    if (tools.n) tell_indented(out, tools);
}

qn_code qn_trace_tell(const char *dir, const char *ledger, const char *id, qn_buf *out, qn_err *e)
{
    qn_buf json = {0};
    qn_arena a = {0};
    qn_value t, v, item;
    qn_str name;
    qn_code rc = qn_trace_json(dir, ledger, id, &json, e);
    if (rc == QN_OK) rc = qn_json_parse(qn_buf_view(&json), &a, &t, e);
    if (rc == QN_OK) {
        qn_buf_printf(out, "row %.*s\n", QN_FMT(text_of(t, "id")));
        qn_v_get(t, QN_STR("source"), &v);
        if (v.kind == QN_V_OBJECT) qn_buf_puts(out, "from\n");
        for (qn_v_iter it = qn_v_iter_of(v); v.kind == QN_V_OBJECT && qn_v_next(&it, &name, &item);) {
            qn_buf_printf(out, "  %.*s: ", QN_FMT(name));
            if (item.kind == QN_V_TEXT) qn_buf_str(out, qn_v_str(item)); else qn_json_write(out, item);
            qn_buf_putc(out, '\n');
        }
        qn_buf_puts(out, "by way of\n");
        qn_v_get(t, QN_STR("path"), &v);
        for (qn_v_iter it = qn_v_iter_of(v); v.kind == QN_V_LIST && qn_v_next(&it, &name, &item);) {
            qn_value k;
            qn_str step = text_of(item, "step");
            qn_buf_printf(out, "  %.*s", QN_FMT(text_of(item, "id")));
            if (step.n && qn_v_get(item, QN_STR("k"), &k)) qn_buf_printf(out, "  number %lld of %.*s", (long long)qn_v_number(k) + 1, QN_FMT(step));
            qn_buf_putc(out, '\n');
        }
        qn_v_get(t, QN_STR("calls"), &v);
        if (v.n) qn_buf_puts(out, "calls\n");
        for (qn_v_iter it = qn_v_iter_of(v); v.kind == QN_V_LIST && qn_v_next(&it, &name, &item);) tell_call(out, item);
    }
    qn_arena_free(&a);
    qn_buf_free(&json);
    return rc;
}
