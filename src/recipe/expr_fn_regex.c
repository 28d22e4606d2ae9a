/* expr_fn_regex: test, match, capture, scan, split, sub, gsub over text/regex.h. Offsets and lengths are in characters, as in jq. */
#include "recipe/expr_fns.h"

enum { REGEX_WORK = 200000000 };        /* thread steps of one evaluation of a function: some seconds at the very worst */

qn_code qn_x_regex_of(qn_xeval *ev, const qn_xnode *n, qn_value pattern, qn_value flags, const qn_regex **out)
{
    qn_regex *re;
    qn_err inner;
    if (n->regex) { *out = n->regex; return QN_OK; }
    if (pattern.kind != QN_V_TEXT) return qn_x_fail(ev, n, "a pattern is a text, not %s", qn_v_kind_name(pattern));
    if (flags.kind != QN_V_TEXT && flags.kind != QN_V_NULL) return qn_x_fail(ev, n, "flags are a text, not %s", qn_v_kind_name(flags));
    if (qn_regex_compile(qn_v_str(pattern), qn_v_str(flags), ev->a, &re, &inner) != QN_OK) return qn_x_fail(ev, n, "%s", inner.msg);
    *out = re;
    return qn_x_spend(ev, n, 1 + pattern.n / 8);
}

/* ---- one match after the other ---- */
typedef struct {
    qn_xeval *ev;
    const qn_xnode *n;
    const qn_regex *re;
    qn_str    text;
    bool      all;
    size_t    at;                       /* where to look next */
    size_t    counted, chars;           /* characters up to byte `counted` */
    uint64_t  work;
    qn_regex_span *span;                /* (groups) */
} matches;

static qn_code matches_of(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value pattern, qn_value flags, bool all, matches *m)
{
    const qn_regex *re;
    if (in.kind != QN_V_TEXT) {
        qn_str shown = qn_x_show(ev, in);
        return qn_x_fail(ev, n, "a text is needed, not %s (%.*s)", qn_v_kind_name(in), QN_FMT(shown));
    }
    QN_TRY(qn_x_regex_of(ev, n, pattern, flags, &re));
    *m = (matches){ .ev = ev, .n = n, .re = re, .text = qn_v_str(in), .all = all || qn_regex_global(re), .work = REGEX_WORK };
    m->span = qn_arena_alloc(ev->a, qn_regex_groups(re) * sizeof *m->span);
    return QN_OK;
}

/* The next match into m->span; after an empty one the search goes on one character further. */
static qn_code next_match(matches *m, bool *found)
{
    qn_err inner;
    for (;;) {
        QN_TRY(qn_x_spend(m->ev, m->n, 1));
        qn_code rc = qn_regex_find(m->re, m->text, m->at, m->span, &m->work, found, &inner);
        if (rc != QN_OK) return qn_fail_at(m->ev->e, rc, qn_x_pos(m->ev->x, m->n->from), "%s", inner.msg);
        if (!*found) return QN_OK;
        bool empty = m->span[0].to == m->span[0].from;
        m->at = m->span[0].to;
        if (!m->all) m->at = m->text.n + 1;
        else if (empty && m->at < m->text.n) qn_utf8_next(m->text, &m->at);
        else if (empty) m->at++;
        if (!empty || !qn_regex_skip_empty(m->re)) return QN_OK;
        if (!m->all) { *found = false; return QN_OK; }
    }
}

static int64_t offset_in_chars(matches *m, size_t byte)
{
    if (byte < m->counted) return (int64_t)qn_utf8_count(qn_str_sub(m->text, 0, byte));
    m->chars += qn_utf8_count(qn_str_sub(m->text, m->counted, byte));
    m->counted = byte;
    return (int64_t)m->chars;
}

static qn_str span_text(const matches *m, size_t i) { return qn_str_sub(m->text, m->span[i].from, m->span[i].to); }
static bool span_took_part(const matches *m, size_t i) { return m->span[i].from <= m->span[i].to; }

static qn_value group_object(matches *m, size_t i)                  /* 0: the match itself, without a name */
{
    qn_field *f = qn_arena_alloc(m->ev->a, 4 * sizeof *f);
    bool in = span_took_part(m, i);
    qn_str name = qn_regex_group_name(m->re, i);
    f[0] = (qn_field){ QN_STR("offset"), qn_v_int(in ? offset_in_chars(m, m->span[i].from) : -1) };
    f[1] = (qn_field){ QN_STR("length"), qn_v_int(in ? (int64_t)qn_utf8_count(span_text(m, i)) : 0) };
    f[2] = (qn_field){ QN_STR("string"), in ? qn_v_text(span_text(m, i)) : qn_v_null() };
    f[3] = (qn_field){ i ? QN_STR("name") : QN_STR("captures"), name.n ? qn_v_text(name) : qn_v_null() };
    return qn_v_object(f, 4);
}

static qn_value match_object(matches *m)
{
    size_t n = qn_regex_groups(m->re);
    qn_value whole = group_object(m, 0), *caps = qn_arena_alloc(m->ev->a, n * sizeof *caps);
    for (size_t i = 1; i < n; i++) caps[i - 1] = group_object(m, i);
    ((qn_field *)whole.object)[3].value = qn_v_list(caps, n - 1);
    return whole;
}

static qn_value capture_object(const matches *m)
{
    qn_object_b o = { .a = m->ev->a };
    for (size_t i = 1; i < qn_regex_groups(m->re); i++) {
        qn_str name = qn_regex_group_name(m->re, i);
        if (name.n) qn_object_put(&o, name, span_took_part(m, i) ? qn_v_text(span_text(m, i)) : qn_v_null());
    }
    return qn_object_end(&o);
}

/* ---- the functions ---- */
qn_code qn_xf_test(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    matches m;
    bool found;
    qn_err inner;
    QN_TRY(matches_of(ev, n, in, arg[0], n->n_kids > 1 ? arg[1] : qn_v_null(), false, &m));
    qn_code rc = QN_OK;
    if (qn_regex_skip_empty(m.re)) QN_TRY(next_match(&m, &found));
    else rc = qn_regex_find(m.re, m.text, 0, NULL, &m.work, &found, &inner);
    if (rc != QN_OK) return qn_fail_at(ev->e, rc, qn_x_pos(ev->x, n->from), "%s", inner.msg);
    *out = qn_v_bool(found);
    return QN_OK;
}

/* Pattern and flags of a lazy call: for each of them (outermost the flags) the function's body. */
static qn_code pattern_of(qn_xeval *ev, const qn_xnode *n, qn_value in, size_t flags_at, bool all, matches *m)
{
    qn_value pattern = qn_v_null(), flags = qn_v_null();
    bool any = true;
    if (!n->regex) QN_TRY(qn_x_first(ev, n->kid[0], in, &pattern, &any));
    if (any && !n->regex && n->n_kids > flags_at) QN_TRY(qn_x_first(ev, n->kid[flags_at], in, &flags, &any));
    if (!any) return qn_x_fail(ev, n, "the pattern has no result");
    return matches_of(ev, n, in, pattern, flags, all, m);
}

qn_code qn_xf_match(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    matches m;
    bool found;
    QN_TRY(pattern_of(ev, n, in, 1, false, &m));
    for (;;) {
        QN_TRY(next_match(&m, &found));
        if (!found) return QN_OK;
        QN_TRY(k(arg, match_object(&m)));
    }
}

qn_code qn_xf_capture(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    matches m;
    bool found;
    QN_TRY(pattern_of(ev, n, in, 1, false, &m));
    for (;;) {
        QN_TRY(next_match(&m, &found));
        if (!found) return QN_OK;
        QN_TRY(k(arg, capture_object(&m)));
    }
}

qn_code qn_xf_scan(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    matches m;
    bool found;
    QN_TRY(pattern_of(ev, n, in, 1, true, &m));
    size_t groups = qn_regex_groups(m.re);
    for (;;) {
        QN_TRY(next_match(&m, &found));
        if (!found) return QN_OK;
        if (groups == 1) { QN_TRY(k(arg, qn_v_text(span_text(&m, 0)))); continue; }
        qn_value *caps = qn_arena_alloc(ev->a, groups * sizeof *caps);
        for (size_t i = 1; i < groups; i++) caps[i - 1] = span_took_part(&m, i) ? qn_v_text(span_text(&m, i)) : qn_v_null();
        QN_TRY(k(arg, qn_v_list(caps, groups - 1)));
    }
}

qn_code qn_xf_splits(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    matches m;
    bool found;
    size_t from = 0;
    QN_TRY(pattern_of(ev, n, in, 1, true, &m));
    for (;;) {
        QN_TRY(next_match(&m, &found));
        if (!found) return k(arg, qn_v_text(qn_str_sub(m.text, from, m.text.n)));
        QN_TRY(k(arg, qn_v_text(qn_str_sub(m.text, from, m.span[0].from))));
        from = m.span[0].to;
    }
}

static qn_code put(void *arg, qn_value v)
{
    qn_list_put(arg, v);
    return QN_OK;
}

qn_code qn_xf_split_regex(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_list_b l = { .a = ev->a };
    matches m;
    bool found;
    size_t from = 0;
    QN_TRY(matches_of(ev, n, in, arg[0], arg[1], true, &m));
    for (;;) {
        QN_TRY(next_match(&m, &found));
        if (!found) break;
        put(&l, qn_v_text(qn_str_sub(m.text, from, m.span[0].from)));
        from = m.span[0].to;
    }
    put(&l, qn_v_text(qn_str_sub(m.text, from, m.text.n)));
    *out = qn_list_end(&l);
    return QN_OK;
}

/* Kid 1 sees the named groups and gives what stands in the match's place. */
static qn_code substitute(qn_xeval *ev, const qn_xnode *n, qn_value in, bool all, qn_value *out)
{
    matches m;
    bool found, any;
    size_t from = 0;
    qn_value with;
    qn_code rc = QN_OK;
    qn_buf b = { .limit = QN_X_MEMORY };
    QN_TRY(pattern_of(ev, n, in, 2, all, &m));
    for (;;) {
        QN_TRY_OUT(next_match(&m, &found));
        if (!found) break;
        QN_TRY_OUT(qn_x_first(ev, n->kid[1], capture_object(&m), &with, &any));
        if (!any || with.kind != QN_V_TEXT) {
            rc = qn_x_fail(ev, n->kid[1], "what replaces a match is a text, not %s", any ? qn_v_kind_name(with) : "nothing");
            goto out;
        }
        qn_buf_str(&b, qn_str_sub(m.text, from, m.span[0].from));
        qn_buf_str(&b, qn_v_str(with));
        from = m.span[0].to;
        QN_TRY_OUT(qn_x_room(ev, n, b.full ? QN_X_MEMORY + (uint64_t)1 : b.n));
    }
    qn_buf_str(&b, qn_str_sub(m.text, from, m.text.n));
    QN_TRY_OUT(qn_x_room(ev, n, b.full ? QN_X_MEMORY + (uint64_t)1 : b.n));
    *out = qn_v_text(qn_arena_str(ev->a, qn_buf_view(&b)));
out:
    qn_buf_free(&b);
    return rc;
}

qn_code qn_xf_sub(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out) { return substitute(ev, n, in, false, out); }
qn_code qn_xf_gsub(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out) { return substitute(ev, n, in, true, out); }
