/* json: JSON text <-> values. Parsing is yyjson's, with its memory taken from an arena. */
#include "data/value.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_DEPTH = 512 };

static void *arena_malloc(void *a, size_t n) { return qn_arena_alloc(a, n); }
static void *arena_realloc(void *a, void *old, size_t was, size_t n)
{
    void *p = qn_arena_alloc(a, n);
    memcpy(p, old, was < n ? was : n);
    return p;
}
static void arena_keep(void *a, void *p) { (void)a; (void)p; }

/* A document nested deeper than this would overflow the stack of whoever walks it. */
bool qn_json_too_deep(qn_str t)
{
    int depth = 0, deepest = 0;
    bool in_text = false;
    for (size_t i = 0; i < t.n; i++) {
        char c = t.p[i];
        if (in_text) {
            if (c == '\\') i++;
            else if (c == '"') in_text = false;
        } else if (c == '"') in_text = true;
        else if (c == '[' || c == '{') { if (++depth > deepest) deepest = depth; }
        else if (c == ']' || c == '}') depth--;
    }
    return deepest > MAX_DEPTH;
}

qn_code qn_json_parse(qn_str text, qn_arena *a, qn_value *out, qn_err *e)
{
    yyjson_alc alc = { arena_malloc, arena_realloc, arena_keep, a };
    yyjson_read_err bad;
    if (text.n > MAX_DEPTH * 2 && qn_json_too_deep(text)) return qn_fail(e, QN_ELIMIT, "JSON is nested deeper than %d levels", MAX_DEPTH);
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)(text.n ? text.p : ""), text.n, 0, &alc, &bad);
    if (!doc) return qn_fail(e, QN_EDATA, "not valid JSON at byte %zu: %s", bad.pos + 1, bad.msg);
    *out = qn_v_json(yyjson_doc_get_root(doc));
    return QN_OK;
}

void qn_json_write_text(qn_buf *b, qn_str s)
{
    static const char hex[] = "0123456789abcdef";
    qn_buf_reserve(b, s.n + 2);
    qn_buf_putc(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 32 && c != '"' && c != '\\') continue;
        qn_buf_put(b, s.p + from, i - from);
        from = i + 1;
        switch (c) {
        case '"':  qn_buf_put(b, "\\\"", 2); break;
        case '\\': qn_buf_put(b, "\\\\", 2); break;
        case '\n': qn_buf_put(b, "\\n", 2); break;
        case '\r': qn_buf_put(b, "\\r", 2); break;
        case '\t': qn_buf_put(b, "\\t", 2); break;
        case '\b': qn_buf_put(b, "\\b", 2); break;
        case '\f': qn_buf_put(b, "\\f", 2); break;
        default: {
            char esc[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
            qn_buf_put(b, esc, 6);
        }
        }
    }
    qn_buf_put(b, s.p + from, s.n - from);
    qn_buf_putc(b, '"');
}

static void write_int(qn_buf *b, int64_t i)
{
    char tmp[24];
    char *p = tmp + sizeof tmp;
    uint64_t u = i < 0 ? -(uint64_t)i : (uint64_t)i;
    do *--p = (char)('0' + u % 10); while (u /= 10);
    if (i < 0) *--p = '-';
    qn_buf_put(b, p, (size_t)(tmp + sizeof tmp - p));
}

/* The shortest of 15, 16 or 17 digits that reads back the same. */
static void write_real(qn_buf *b, double d)
{
    char z[40];
    if (!isfinite(d)) { qn_buf_puts(b, "null"); return; }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(z, sizeof z, "%.*g", digits, d);
        if (strtod(z, NULL) == d) break;
    }
    qn_buf_puts(b, z);
    if (!strpbrk(z, ".e")) qn_buf_puts(b, ".0");
}

static void write_scalar(qn_buf *b, qn_value v)
{
    switch (v.kind) {
    case QN_V_NULL: qn_buf_puts(b, "null"); break;
    case QN_V_BOOL: qn_buf_puts(b, v.b ? "true" : "false"); break;
    case QN_V_INT:  write_int(b, v.i); break;
    case QN_V_UINT: qn_buf_printf(b, "%llu", (unsigned long long)v.u); break;
    case QN_V_REAL: write_real(b, v.d); break;
    default:        qn_json_write_text(b, qn_v_str(v)); break;
    }
}

static void new_line(qn_buf *b, int indent, int depth)
{
    if (indent <= 0) return;
    qn_buf_putc(b, '\n');
    for (int i = 0; i < indent * depth; i++) qn_buf_putc(b, ' ');
}

static void write_value(qn_buf *b, qn_value v, int indent, int depth)
{
    if (v.kind != QN_V_LIST && v.kind != QN_V_OBJECT) { write_scalar(b, v); return; }
    bool object = v.kind == QN_V_OBJECT;
    qn_v_iter it = qn_v_iter_of(v);
    qn_value item;
    qn_str name;
    size_t i = 0;
    qn_buf_putc(b, object ? '{' : '[');
    while (qn_v_next(&it, &name, &item)) {
        if (i++) qn_buf_putc(b, ',');
        new_line(b, indent, depth + 1);
        if (object) {
            qn_json_write_text(b, name);
            qn_buf_puts(b, indent > 0 ? ": " : ":");
        }
        write_value(b, item, indent, depth + 1);
    }
    if (i) new_line(b, indent, depth);
    qn_buf_putc(b, object ? '}' : ']');
}

void qn_json_write(qn_buf *b, qn_value v) { write_value(b, v, 0, 0); }
void qn_json_write_pretty(qn_buf *b, qn_value v, int indent) { write_value(b, v, indent, 0); }

static int by_name(const void *a, const void *b) { return qn_str_cmp(((const qn_field *)a)->name, ((const qn_field *)b)->name); }

void qn_json_write_canonical(qn_buf *b, qn_value v)
{
    qn_v_iter it = qn_v_iter_of(v);
    if (v.kind == QN_V_LIST) {
        qn_value item;
        qn_buf_putc(b, '[');
        for (size_t i = 0; qn_v_next(&it, NULL, &item); i++) {
            if (i) qn_buf_putc(b, ',');
            qn_json_write_canonical(b, item);
        }
        qn_buf_putc(b, ']');
    } else if (v.kind == QN_V_OBJECT) {
        qn_field *f = qn_alloc(v.n * sizeof *f);
        for (size_t i = 0; i < v.n && qn_v_next(&it, &f[i].name, &f[i].value); i++) {}
        qsort(f, v.n, sizeof *f, by_name);
        qn_buf_putc(b, '{');
        for (size_t i = 0; i < v.n; i++) {
            if (i) qn_buf_putc(b, ',');
            qn_json_write_text(b, f[i].name);
            qn_buf_putc(b, ':');
            qn_json_write_canonical(b, f[i].value);
        }
        qn_buf_putc(b, '}');
        qn_free(f);
    } else {
        write_scalar(b, v);
    }
}
