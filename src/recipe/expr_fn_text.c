/* expr_fn_text: functions of texts. Places and lengths are in characters (code points). */
#include "recipe/expr_fns.h"

static qn_code want_text(qn_xeval *ev, const qn_xnode *n, qn_value v)
{
    if (v.kind == QN_V_TEXT) return QN_OK;
    qn_str shown = qn_x_show(ev, v);
    return qn_x_fail(ev, n, "a text is needed, not %s (%.*s)", qn_v_kind_name(v), QN_FMT(shown));
}

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

qn_code qn_xf_split(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    QN_TRY(want_text(ev, n, in));
    QN_TRY(want_text(ev, n, *arg));
    return qn_x_binary(ev, n, QN_X_DIV, in, *arg, out);
}

qn_code qn_xf_ltrimstr(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_str s = qn_v_str(in), cut = qn_v_str(*arg);
    (void)ev; (void)n;
    *out = in;
    if (in.kind == QN_V_TEXT && arg->kind == QN_V_TEXT && qn_str_starts(s, cut)) *out = qn_v_text(qn_str_sub(s, cut.n, s.n));
    return QN_OK;
}

qn_code qn_xf_rtrimstr(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_str s = qn_v_str(in), cut = qn_v_str(*arg);
    (void)ev; (void)n;
    *out = in;
    if (in.kind == QN_V_TEXT && arg->kind == QN_V_TEXT && qn_str_ends(s, cut)) *out = qn_v_text(qn_str_sub(s, 0, s.n - cut.n));
    return QN_OK;
}

qn_code qn_xf_trim(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)arg;
    QN_TRY(want_text(ev, n, in));
    qn_str s = qn_v_str(in);
    if (n->fn->name[0] != 'r') while (s.n && is_space(s.p[0])) s.p++, s.n--;
    if (n->fn->name[0] != 'l') while (s.n && is_space(s.p[s.n - 1])) s.n--;
    *out = qn_v_text(s);
    return QN_OK;
}

qn_code qn_xf_startswith(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    QN_TRY(want_text(ev, n, in));
    QN_TRY(want_text(ev, n, *arg));
    *out = qn_v_bool(qn_str_starts(qn_v_str(in), qn_v_str(*arg)));
    return QN_OK;
}

qn_code qn_xf_endswith(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    QN_TRY(want_text(ev, n, in));
    QN_TRY(want_text(ev, n, *arg));
    *out = qn_v_bool(qn_str_ends(qn_v_str(in), qn_v_str(*arg)));
    return QN_OK;
}

/* ---- where something occurs ---- */
static qn_code places_in_text(qn_xeval *ev, const qn_xnode *n, qn_str s, qn_str part, qn_value *out)
{
    qn_list_b l = { .a = ev->a };
    size_t at = 0, chars = 0, counted = 0;
    if (!part.n) { *out = qn_v_null(); return QN_OK; }
    for (;;) {
        ptrdiff_t i = qn_str_find(qn_str_sub(s, at, s.n), part);
        QN_TRY(qn_x_spend(ev, n, 1));
        if (i < 0) break;
        at += (size_t)i;
        chars += qn_utf8_count(qn_str_sub(s, counted, at));
        counted = at;
        qn_list_put(&l, qn_v_int((int64_t)chars));
        at++;                                                       /* occurrences may overlap */
    }
    *out = qn_list_end(&l);
    return QN_OK;
}

qn_code qn_xf_indices(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_list_b l = { .a = ev->a };
    qn_value item;
    int64_t i = 0;
    if (in.kind == QN_V_NULL) { *out = in; return QN_OK; }
    if (in.kind == QN_V_TEXT && arg->kind == QN_V_TEXT) return places_in_text(ev, n, qn_v_str(in), qn_v_str(*arg), out);
    if (in.kind == QN_V_LIST && arg->kind == QN_V_LIST) return qn_x_index(ev, n, in, *arg, out);
    if (in.kind != QN_V_LIST) return qn_x_fail(ev, n, "%s cannot be looked for in %s", qn_v_kind_name(*arg), qn_v_kind_name(in));
    QN_TRY(qn_x_spend(ev, n, in.n));
    for (qn_v_iter it = qn_v_iter_of(in); qn_v_next(&it, NULL, &item); i++)
        if (qn_v_eq(item, *arg)) qn_list_put(&l, qn_v_int(i));
    *out = qn_list_end(&l);
    return QN_OK;
}

qn_code qn_xf_index(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    QN_TRY(qn_xf_indices(ev, n, in, arg, out));
    *out = qn_v_at(*out, 0);
    return QN_OK;
}

qn_code qn_xf_rindex(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    QN_TRY(qn_xf_indices(ev, n, in, arg, out));
    *out = out->n ? qn_v_at(*out, out->n - 1) : qn_v_null();
    return QN_OK;
}

/* ---- letters ---- */
static qn_code change_case(qn_xeval *ev, const qn_xnode *n, qn_value in, char from, char to, int by, qn_value *out)
{
    QN_TRY(want_text(ev, n, in));
    QN_TRY(qn_x_room(ev, n, in.n));
    qn_str s = qn_arena_str(ev->a, qn_v_str(in));
    char *p = (char *)s.p;
    for (size_t i = 0; i < s.n; i++)
        if (p[i] >= from && p[i] <= to) p[i] = (char)(p[i] + by);
    *out = qn_v_text(s);
    return QN_OK;
}

qn_code qn_xf_downcase(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)arg;
    return change_case(ev, n, in, 'A', 'Z', 32, out);
}

qn_code qn_xf_upcase(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)arg;
    return change_case(ev, n, in, 'a', 'z', -32, out);
}

qn_code qn_xf_explode(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    (void)arg;
    QN_TRY(want_text(ev, n, in));
    qn_str s = qn_v_str(in);
    size_t count = qn_utf8_count(s), k = 0;
    QN_TRY(qn_x_spend(ev, n, count / 8));
    QN_TRY(qn_x_room(ev, n, count * sizeof(qn_value)));
    qn_value *v = qn_arena_alloc(ev->a, count * sizeof *v);
    for (size_t i = 0; i < s.n && k < count;) v[k++] = qn_v_int(qn_utf8_next(s, &i));
    *out = qn_v_list(v, k);
    return QN_OK;
}

qn_code qn_xf_implode(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_value item;
    size_t k = 0;
    (void)arg;
    if (in.kind != QN_V_LIST) return qn_x_fail(ev, n, "a list of code points is needed, not %s", qn_v_kind_name(in));
    QN_TRY(qn_x_room(ev, n, (uint64_t)in.n * 4));
    char *p = qn_arena_alloc(ev->a, (size_t)in.n * 4 + 1);
    for (qn_v_iter it = qn_v_iter_of(in); qn_v_next(&it, NULL, &item);) {
        double d = qn_v_number(item);
        if (!qn_v_is_number(item) || !(d >= 0 && d <= 0x10FFFF) || (d >= 0xD800 && d < 0xE000)) return qn_x_fail(ev, n, "an item is no code point");
        k += (size_t)qn_utf8_put((uint32_t)d, p + k);
    }
    *out = qn_v_text((qn_str){ p, k });
    return QN_OK;
}

qn_code qn_xf_words(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    int64_t words = 0;
    bool inside = false;
    (void)arg;
    QN_TRY(want_text(ev, n, in));
    for (size_t i = 0; i < in.n; i++) {
        bool space = is_space(in.s[i]);
        words += !space && !inside;
        inside = !space;
    }
    *out = qn_v_int(words);
    return QN_OK;
}

qn_code qn_xf_lines(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_list_b l = { .a = ev->a };
    (void)arg;
    QN_TRY(want_text(ev, n, in));
    for (qn_str s = qn_v_str(in); s.n;) {
        const char *nl = memchr(s.p, '\n', s.n);
        size_t end = nl ? (size_t)(nl - s.p) : s.n, cut = nl && end && s.p[end - 1] == '\r' ? end - 1 : end;
        QN_TRY(qn_x_spend(ev, n, 1));
        qn_list_put(&l, qn_v_text(qn_str_sub(s, 0, cut)));
        s = qn_str_sub(s, nl ? end + 1 : end, s.n);
    }
    *out = qn_list_end(&l);
    return QN_OK;
}

/* ---- @formats ---- */
static void put_escaped(qn_buf *b, qn_str s, const char *chars, const char *const *escapes)
{
    for (size_t i = 0; i < s.n; i++) {
        const char *at = s.p[i] ? strchr(chars, s.p[i]) : NULL;
        if (at) qn_buf_puts(b, escapes[at - chars]);
        else qn_buf_putc(b, s.p[i]);
    }
}

static qn_code separated(qn_xeval *ev, const qn_xnode *n, qn_value in, bool csv, qn_buf *b)
{
    static const char *const quote[] = { "\"\"" }, *const tab[] = { "\\t", "\\n", "\\r", "\\\\" };
    qn_value item;
    size_t i = 0;
    if (in.kind != QN_V_LIST) return qn_x_fail(ev, n, "a list is needed, not %s", qn_v_kind_name(in));
    for (qn_v_iter it = qn_v_iter_of(in); qn_v_next(&it, NULL, &item); i++) {
        if (i) qn_buf_putc(b, csv ? ',' : '\t');
        if (item.kind == QN_V_LIST || item.kind == QN_V_OBJECT) return qn_x_fail(ev, n, "item %zu is a %s, which is no cell", i, qn_v_kind_name(item));
        if (item.kind == QN_V_TEXT) {
            if (csv) qn_buf_putc(b, '"');
            if (csv) put_escaped(b, qn_v_str(item), "\"", quote);
            else put_escaped(b, qn_v_str(item), "\t\n\r\\", tab);
            if (csv) qn_buf_putc(b, '"');
        } else if (item.kind != QN_V_NULL) {
            qn_json_write(b, item);
        }
    }
    return QN_OK;
}

static qn_code base64_decode(qn_xeval *ev, const qn_xnode *n, qn_str s, qn_buf *b)
{
    qn_buf raw = {0};
    qn_code rc = qn_base64_get(s, &raw) ? QN_OK : qn_x_fail(ev, n, "the text is no base64");
    for (size_t i = 0; rc == QN_OK && i < raw.n;) {
        char utf8[4];
        qn_buf_put(b, utf8, (size_t)qn_utf8_put(qn_utf8_next(qn_buf_view(&raw), &i), utf8));
    }
    qn_buf_free(&raw);
    return rc;
}

static qn_code shell(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_buf *b)
{
    static const char *const quote[] = { "'\\''" };
    qn_value item = in;
    qn_v_iter it = qn_v_iter_of(in);
    for (size_t i = 0; in.kind == QN_V_LIST ? qn_v_next(&it, NULL, &item) : i < 1; i++) {
        if (i) qn_buf_putc(b, ' ');
        if (item.kind == QN_V_LIST || item.kind == QN_V_OBJECT) return qn_x_fail(ev, n, "%s cannot be quoted for a shell", qn_v_kind_name(item));
        if (item.kind != QN_V_TEXT) { qn_json_write(b, item); continue; }
        qn_buf_putc(b, '\'');
        put_escaped(b, qn_v_str(item), "'", quote);
        qn_buf_putc(b, '\'');
    }
    return QN_OK;
}

static void percent(qn_buf *b, qn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) qn_buf_putc(b, (char)c);
        else qn_buf_printf(b, "%%%02X", c);
    }
}

qn_code qn_xf_format(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    static const char *const html[] = { "&lt;", "&gt;", "&amp;", "&#39;", "&quot;" };
    const char *f = n->fn->name + 1;
    qn_buf b = { .limit = QN_X_MEMORY };
    qn_code rc = QN_OK;
    if (strcmp(f, "text") == 0) return qn_xf_tostring(ev, n, in, arg, out);
    if (strcmp(f, "json") == 0) return qn_xf_tojson(ev, n, in, arg, out);
    if (strcmp(f, "csv") == 0 || strcmp(f, "tsv") == 0) rc = separated(ev, n, in, *f == 'c', &b);
    else if (strcmp(f, "sh") == 0) rc = shell(ev, n, in, &b);
    else {
        qn_str s = qn_v_str(qn_x_text(ev, in));
        if (strcmp(f, "html") == 0) put_escaped(&b, s, "<>&'\"", html);
        else if (strcmp(f, "uri") == 0) percent(&b, s);
        else if (strcmp(f, "base64") == 0) qn_base64_put(&b, s);
        else rc = base64_decode(ev, n, s, &b);
    }
    if (rc == QN_OK) rc = b.full ? qn_x_room(ev, n, QN_X_MEMORY + (uint64_t)1) : qn_x_room(ev, n, b.n);
    if (rc == QN_OK) *out = qn_v_text(qn_arena_str(ev->a, qn_buf_view(&b)));
    qn_buf_free(&b);
    return rc;
}
