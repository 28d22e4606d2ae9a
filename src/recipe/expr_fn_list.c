/* expr_fn_list: functions of lists and objects. Sorting is a stable merge sort; work is counted before it is done. */
#include "recipe/expr_fns.h"
#include <math.h>
#include <stdlib.h>

static qn_code want(qn_xeval *ev, const qn_xnode *n, qn_value v, bool list, bool object)
{
    if ((list && v.kind == QN_V_LIST) || (object && v.kind == QN_V_OBJECT)) return QN_OK;
    qn_str shown = qn_x_show(ev, v);
    return qn_x_fail(ev, n, "%s is needed, not %s (%.*s)", list && object ? "a list or an object" : list ? "a list" : "an object",
                     qn_v_kind_name(v), QN_FMT(shown));
}

static qn_code array_of(qn_xeval *ev, const qn_xnode *n, qn_value v, qn_value **items)
{
    QN_TRY(qn_x_spend(ev, n, v.n));
    QN_TRY(qn_x_room(ev, n, (uint64_t)v.n * sizeof **items));
    *items = qn_arena_alloc(ev->a, v.n * sizeof **items);
    size_t i = 0;
    for (qn_v_iter it = qn_v_iter_of(v); i < v.n && qn_v_next(&it, NULL, &(*items)[i]);) i++;
    return QN_OK;
}

/* ---- sorting ---- items with their keys; equal keys keep their order */
typedef struct { qn_value key, item; } keyed;

static void merge_sort(keyed *a, keyed *tmp, size_t n)
{
    if (n < 2) return;
    size_t half = n / 2, i = 0, j = half, k = 0;
    merge_sort(a, tmp, half);
    merge_sort(a + half, tmp, n - half);
    while (i < half && j < n) tmp[k++] = qn_v_cmp(a[j].key, a[i].key) < 0 ? a[j++] : a[i++];
    while (i < half) tmp[k++] = a[i++];
    while (j < n) tmp[k++] = a[j++];
    memcpy(a, tmp, n * sizeof *a);
}

/* The items with their keys: f's results as a list (f may give several), or the item itself without f. */
static qn_code keys_of(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_xnode *f, bool sort, keyed **out)
{
    QN_TRY(want(ev, n, in, true, false));
    QN_TRY(qn_x_room(ev, n, (uint64_t)in.n * 2 * sizeof(keyed)));
    keyed *k = qn_arena_alloc(ev->a, (size_t)in.n * sizeof *k);
    uint64_t levels = 1;
    size_t i = 0;
    for (qn_v_iter it = qn_v_iter_of(in); i < in.n && qn_v_next(&it, NULL, &k[i].item); i++) {
        if (!f) k[i].key = k[i].item;
        else if (f->one) QN_TRY(qn_x_one(ev, f, k[i].item, &k[i].key));     /* [x] orders as x does */
        else QN_TRY(qn_x_list_of(ev, f, k[i].item, &k[i].key));
    }
    *out = k;
    if (!sort) return qn_x_spend(ev, n, in.n);
    for (size_t m = in.n; m > 8; m /= 8) levels++;
    QN_TRY(qn_x_spend(ev, n, in.n * levels));
    merge_sort(k, qn_arena_alloc(ev->a, (size_t)in.n * sizeof *k), in.n);
    return QN_OK;
}

static qn_code sorted(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_xnode *f, bool once, qn_value *out)
{
    keyed *k;
    QN_TRY(keys_of(ev, n, in, f, true, &k));
    qn_value *items = qn_arena_alloc(ev->a, (size_t)in.n * sizeof *items);
    size_t m = 0;
    for (size_t i = 0; i < in.n; i++)
        if (!once || !i || qn_v_cmp(k[i].key, k[i - 1].key) != 0) items[m++] = k[i].item;
    *out = qn_v_list(items, m);
    return QN_OK;
}

static qn_code extreme(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_xnode *f, bool smallest, qn_value *out)
{
    keyed *k;
    size_t best = 0;
    QN_TRY(keys_of(ev, n, in, f, false, &k));
    for (size_t i = 1; i < in.n; i++)
        if ((qn_v_cmp(k[i].key, k[best].key) < 0) == smallest) best = i;    /* as jq: the first of the smallest, the last of the largest */
    *out = in.n ? k[best].item : qn_v_null();
    return QN_OK;
}

#define STRICT(fn, body) qn_code fn(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out) { (void)arg; return body; }
#define LAZY_ONE(fn, body) qn_code fn(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out) { return body; }
STRICT(qn_xf_sort, sorted(ev, n, in, NULL, false, out))
STRICT(qn_xf_unique, sorted(ev, n, in, NULL, true, out))
STRICT(qn_xf_min, extreme(ev, n, in, NULL, true, out))
STRICT(qn_xf_max, extreme(ev, n, in, NULL, false, out))
LAZY_ONE(qn_xf_sort_by, sorted(ev, n, in, n->kid[0], false, out))
LAZY_ONE(qn_xf_unique_by, sorted(ev, n, in, n->kid[0], true, out))
LAZY_ONE(qn_xf_min_by, extreme(ev, n, in, n->kid[0], true, out))
LAZY_ONE(qn_xf_max_by, extreme(ev, n, in, n->kid[0], false, out))

qn_code qn_xf_group_by(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    keyed *k;
    QN_TRY(keys_of(ev, n, in, n->kid[0], true, &k));
    qn_value *items = qn_arena_alloc(ev->a, (size_t)in.n * sizeof *items), *groups = qn_arena_alloc(ev->a, (size_t)in.n * sizeof *groups);
    size_t m = 0;
    for (size_t i = 0, from = 0; i < in.n; i++) {
        items[i] = k[i].item;
        if (i + 1 < in.n && qn_v_cmp(k[i].key, k[i + 1].key) == 0) continue;
        groups[m++] = qn_v_list(items + from, i + 1 - from);
        from = i + 1;
    }
    *out = qn_v_list(groups, m);
    return QN_OK;
}

/* ---- every item ---- */
static qn_code put(void *arg, qn_value v)
{
    qn_list_put(arg, v);
    return QN_OK;
}

qn_code qn_xf_map(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    qn_list_b l = { .a = ev->a };
    qn_value item;
    QN_TRY(want(ev, n, in, true, true));
    for (qn_v_iter it = qn_v_iter_of(in); qn_v_next(&it, NULL, &item);) QN_TRY(qn_x_each(ev, n->kid[0], item, put, &l));
    *out = qn_list_end(&l);
    return QN_OK;
}

qn_code qn_xf_map_values(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    qn_value item, v;
    qn_str name;
    bool any;
    size_t m = 0;
    QN_TRY(want(ev, n, in, true, true));
    QN_TRY(qn_x_room(ev, n, (uint64_t)in.n * sizeof(qn_field)));
    qn_field *f = qn_arena_alloc(ev->a, in.n * sizeof *f);
    qn_value *items = (qn_value *)f;                                /* one of the two is used; fields are the bigger */
    for (qn_v_iter it = qn_v_iter_of(in); qn_v_next(&it, &name, &item);) {
        QN_TRY(qn_x_first(ev, n->kid[0], item, &v, &any));
        if (!any) continue;
        if (in.kind == QN_V_OBJECT) f[m++] = (qn_field){ name, v };
        else items[m++] = v;
    }
    *out = in.kind == QN_V_OBJECT ? qn_v_object(f, m) : qn_v_list(items, m);
    return QN_OK;
}

/* ---- adding up ---- texts and lists of one kind are joined at once, the rest two by two */
static qn_code add_all(qn_xeval *ev, const qn_xnode *n, const qn_value *v, size_t n_items, qn_value *out)
{
    uint64_t total = 0;
    bool texts = n_items > 0, lists = n_items > 0;
    for (size_t i = 0; i < n_items; i++) {
        total += v[i].n;
        texts = texts && v[i].kind == QN_V_TEXT;
        lists = lists && v[i].kind == QN_V_LIST;
    }
    if (texts) {
        QN_TRY(qn_x_room(ev, n, total));
        char *p = qn_arena_alloc(ev->a, total + 1);
        size_t at = 0;
        for (size_t i = 0; i < n_items; i++) { memcpy(p + at, v[i].s, v[i].n); at += v[i].n; }
        p[at] = 0;
        *out = qn_v_text((qn_str){ p, at });
        return QN_OK;
    }
    if (lists) {
        QN_TRY(qn_x_spend(ev, n, total / 8));
        QN_TRY(qn_x_room(ev, n, total * sizeof(qn_value)));
        qn_value *items = qn_arena_alloc(ev->a, total * sizeof *items);
        size_t at = 0;
        for (size_t i = 0; i < n_items; i++)
            for (qn_v_iter it = qn_v_iter_of(v[i]); qn_v_next(&it, NULL, &items[at]);) at++;
        *out = qn_v_list(items, at);
        return QN_OK;
    }
    *out = qn_v_null();
    for (size_t i = 0; i < n_items; i++) QN_TRY(qn_x_binary(ev, n, QN_X_ADD, *out, v[i], out));
    return QN_OK;
}

qn_code qn_xf_add(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_value *items;
    (void)arg;
    QN_TRY(want(ev, n, in, true, true));
    QN_TRY(array_of(ev, n, in, &items));
    return add_all(ev, n, items, in.n, out);
}

qn_code qn_xf_add_f(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    qn_value l;
    QN_TRY(qn_x_list_of(ev, n->kid[0], in, &l));
    return add_all(ev, n, l.list, l.n, out);
}

/* ---- any, all ---- */
typedef struct { qn_xeval *ev; const qn_xnode *f; bool want, found; } search;

static qn_code search_value(void *arg, qn_value v)
{
    search *s = arg;
    if (qn_v_true(v) != s->want) return QN_OK;
    s->found = true;
    s->ev->stop = s;
    return QN_X_STOPPED;
}

static qn_code search_through(void *arg, qn_value v)
{
    search *s = arg;
    return qn_x_each(s->ev, s->f, v, search_value, s);
}

static qn_code searched(qn_xeval *ev, search *s, qn_code rc, qn_value *out)
{
    if (rc == QN_X_STOPPED && ev->stop == s) rc = QN_OK;
    *out = qn_v_bool(s->want ? s->found : !s->found);
    return rc;
}

static qn_code among_items(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_xnode *f, bool look_for, qn_value *out)
{
    search s = { ev, f, look_for, false };
    qn_value item;
    qn_code rc = QN_OK;
    QN_TRY(want(ev, n, in, true, true));
    QN_TRY(qn_x_spend(ev, n, in.n));
    for (qn_v_iter it = qn_v_iter_of(in); rc == QN_OK && qn_v_next(&it, NULL, &item);)
        rc = f ? search_through(&s, item) : search_value(&s, item);
    return searched(ev, &s, rc, out);
}

static qn_code among_results(qn_xeval *ev, const qn_xnode *n, qn_value in, bool look_for, qn_value *out)
{
    search s = { ev, n->kid[1], look_for, false };
    return searched(ev, &s, qn_x_each(ev, n->kid[0], in, search_through, &s), out);
}

STRICT(qn_xf_any, among_items(ev, n, in, NULL, true, out))
STRICT(qn_xf_all, among_items(ev, n, in, NULL, false, out))
LAZY_ONE(qn_xf_any_f, among_items(ev, n, in, n->kid[0], true, out))
LAZY_ONE(qn_xf_all_f, among_items(ev, n, in, n->kid[0], false, out))
LAZY_ONE(qn_xf_any_of, among_results(ev, n, in, true, out))
LAZY_ONE(qn_xf_all_of, among_results(ev, n, in, false, out))

qn_code qn_xf_isempty(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    qn_value v;
    bool any;
    QN_TRY(qn_x_first(ev, n->kid[0], in, &v, &any));
    *out = qn_v_bool(!any);
    return QN_OK;
}

/* ---- one of several ---- */
static qn_code item_at(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value at, qn_value *out)
{
    if (in.kind == QN_V_NULL) { *out = in; return QN_OK; }
    QN_TRY(want(ev, n, in, true, false));
    return qn_x_index(ev, n, in, at, out);
}
STRICT(qn_xf_first, item_at(ev, n, in, qn_v_int(0), out))
STRICT(qn_xf_last, item_at(ev, n, in, qn_v_int(-1), out))
STRICT(qn_xf_nth, item_at(ev, n, in, arg[0], out))

qn_code qn_xf_first_f(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    qn_value v;
    bool any;
    QN_TRY(qn_x_first(ev, n->kid[0], in, &v, &any));
    return any ? k(arg, v) : QN_OK;
}

typedef struct { qn_value v; bool any; } latest;

static qn_code keep_latest(void *arg, qn_value v)
{
    *(latest *)arg = (latest){ v, true };
    return QN_OK;
}

qn_code qn_xf_last_f(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    latest l = { .any = false };
    QN_TRY(qn_x_each(ev, n->kid[0], in, keep_latest, &l));
    return l.any ? k(arg, l.v) : QN_OK;
}

/* limit, skip, nth: results of kid 1 from number `from` up to `to`, for each number that kid 0 gives. */
typedef struct { qn_xeval *ev; const qn_xnode *n; qn_value in; qn_xsink k; void *arg; double at, from, to; bool outside; } window;

static qn_code window_value(void *arg, qn_value v)
{
    window *w = arg;
    double i = w->at++;
    if (i >= w->from) {
        qn_code rc = w->k(w->arg, v);
        if (rc != QN_OK) { w->outside = true; return rc; }
    }
    if (w->at < w->to) return QN_OK;
    w->ev->stop = w;
    return QN_X_STOPPED;
}

static qn_code window_number(void *arg, qn_value v)
{
    window *o = arg, w = *o;
    double d = qn_v_number(v);
    const char *name = w.n->fn->name;
    if (!qn_v_is_number(v)) return qn_x_fail(w.ev, w.n, "a number is needed first, not %s", qn_v_kind_name(v));
    if (d < 0 && *name != 'l') return qn_x_fail(w.ev, w.n, "the number is below zero");
    d = *name == 'n' ? floor(d) : ceil(d);
    w.from = *name == 'l' ? 0 : d;
    w.to = *name == 'l' ? d : *name == 'n' ? d + 1 : HUGE_VAL;
    if (w.to <= 0) return QN_OK;
    qn_code rc = qn_x_each(w.ev, w.n->kid[1], w.in, window_value, &w);
    return rc == QN_X_STOPPED && w.ev->stop == &w && !w.outside ? QN_OK : rc;
}

qn_code qn_xf_limit(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    window w = { .ev = ev, .n = n, .in = in, .k = k, .arg = arg };
    return qn_x_each(ev, n->kid[0], in, window_number, &w);
}
qn_code qn_xf_skip(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg) { return qn_xf_limit(ev, n, in, k, arg); }
qn_code qn_xf_nth_f(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg) { return qn_xf_limit(ev, n, in, k, arg); }

/* ---- range ---- the first argument is outermost, as in jq */
typedef struct { qn_xeval *ev; const qn_xnode *n; qn_value in, bound[3]; qn_xsink k; void *arg; size_t at; } ranging;

static qn_code range_run(ranging *r)
{
    const qn_xnode *n = r->n;
    qn_value from = n->n_kids > 1 ? r->bound[0] : qn_v_int(0), to = r->bound[n->n_kids > 1], step = n->n_kids > 2 ? r->bound[2] : qn_v_int(1);
    if (!qn_v_is_number(from) || !qn_v_is_number(to) || !qn_v_is_number(step)) return qn_x_fail(r->ev, n, "the bounds of a range are numbers");
    double s = qn_v_number(step);
    if (s == 0) return qn_x_fail(r->ev, n, "the step of a range is zero");
    for (qn_value v = from; s > 0 ? qn_v_cmp(v, to) < 0 : qn_v_cmp(v, to) > 0;) {
        QN_TRY(qn_x_spend(r->ev, n, 1));
        QN_TRY(r->k(r->arg, v));
        QN_TRY(qn_x_binary(r->ev, n, QN_X_ADD, v, step, &v));
    }
    return QN_OK;
}

static qn_code range_bound(void *arg, qn_value v)
{
    ranging r = *(ranging *)arg;
    r.bound[r.at++] = v;
    return r.at == r.n->n_kids ? range_run(&r) : qn_x_each(r.ev, r.n->kid[r.at], r.in, range_bound, &r);
}

qn_code qn_xf_range(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    ranging r = { .ev = ev, .n = n, .in = in, .k = k, .arg = arg };
    return qn_x_each(ev, n->kid[0], in, range_bound, &r);
}

/* ---- shapes ---- */
static int by_name(const void *a, const void *b) { return qn_str_cmp(qn_v_str(*(const qn_value *)a), qn_v_str(*(const qn_value *)b)); }

static qn_code names_of(qn_xeval *ev, const qn_xnode *n, qn_value in, bool sort, qn_value *out)
{
    QN_TRY(want(ev, n, in, true, true));
    QN_TRY(qn_x_spend(ev, n, in.n));
    QN_TRY(qn_x_room(ev, n, (uint64_t)in.n * sizeof(qn_value)));
    qn_value *names = qn_arena_alloc(ev->a, in.n * sizeof *names), item;
    qn_v_iter it = qn_v_iter_of(in);
    qn_str name;
    for (size_t i = 0; i < in.n && qn_v_next(&it, &name, &item); i++)
        names[i] = in.kind == QN_V_OBJECT ? qn_v_text(name) : qn_v_int((int64_t)i);
    if (sort && in.kind == QN_V_OBJECT && in.n) qsort(names, in.n, sizeof *names, by_name);
    *out = qn_v_list(names, in.n);
    return QN_OK;
}
STRICT(qn_xf_keys, names_of(ev, n, in, true, out))
STRICT(qn_xf_keys_unsorted, names_of(ev, n, in, false, out))

qn_code qn_xf_reverse(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_value *items;
    (void)arg;
    if (in.kind == QN_V_NULL) { *out = qn_v_list(NULL, 0); return QN_OK; }
    if (in.kind == QN_V_TEXT) {                                     /* by characters */
        qn_str s = qn_v_str(in);
        QN_TRY(qn_x_room(ev, n, s.n));
        char *p = qn_arena_alloc(ev->a, s.n + 1);
        for (size_t i = 0, end = s.n; i < s.n;) {
            size_t from = i;
            qn_utf8_next(s, &i);
            end -= i - from;
            memcpy(p + end, s.p + from, i - from);
        }
        *out = qn_v_text((qn_str){ p, s.n });
        return QN_OK;
    }
    QN_TRY(want(ev, n, in, true, false));
    QN_TRY(array_of(ev, n, in, &items));
    for (size_t i = 0; i < in.n / 2; i++) { qn_value t = items[i]; items[i] = items[in.n - 1 - i]; items[in.n - 1 - i] = t; }
    *out = qn_v_list(items, in.n);
    return QN_OK;
}

static qn_code flatten(qn_xeval *ev, const qn_xnode *n, qn_value in, double depth, qn_list_b *l)
{
    qn_value item;
    QN_TRY(qn_x_spend(ev, n, in.n + (uint64_t)1));
    for (qn_v_iter it = qn_v_iter_of(in); qn_v_next(&it, NULL, &item);) {
        if (item.kind == QN_V_LIST && depth >= 1) QN_TRY(flatten(ev, n, item, depth - 1, l));
        else qn_list_put(l, item);
    }
    return QN_OK;
}

qn_code qn_xf_flatten(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_list_b l = { .a = ev->a };
    double depth = n->n_kids ? qn_v_number(arg[0]) : 1e9;
    QN_TRY(want(ev, n, in, true, true));
    if (n->n_kids && !qn_v_is_number(arg[0])) return qn_x_fail(ev, n, "the depth is a number, not %s", qn_v_kind_name(arg[0]));
    if (depth < 0) return qn_x_fail(ev, n, "the depth is below zero");
    QN_TRY(flatten(ev, n, in, depth, &l));
    *out = qn_list_end(&l);
    return QN_OK;
}

qn_code qn_xf_transpose(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_value *rows;
    size_t width = 0;
    (void)arg;
    QN_TRY(want(ev, n, in, true, false));
    QN_TRY(array_of(ev, n, in, &rows));
    for (size_t i = 0; i < in.n; i++) {
        QN_TRY(want(ev, n, rows[i], true, false));
        if (rows[i].n > width) width = rows[i].n;
    }
    QN_TRY(qn_x_spend(ev, n, width * in.n));
    QN_TRY(qn_x_room(ev, n, (width + 1) * (in.n + (uint64_t)1) * sizeof(qn_value)));
    qn_value *cols = qn_arena_alloc(ev->a, width * sizeof *cols), *cells = qn_arena_alloc(ev->a, width * in.n * sizeof *cells);
    for (size_t r = 0; r < in.n; r++) {
        qn_v_iter it = qn_v_iter_of(rows[r]);
        for (size_t c = 0; c < width; c++)
            if (!qn_v_next(&it, NULL, &cells[c * in.n + r])) cells[c * in.n + r] = qn_v_null();
    }
    for (size_t c = 0; c < width; c++) cols[c] = qn_v_list(cells + c * in.n, in.n);
    *out = qn_v_list(cols, width);
    return QN_OK;
}

/* ---- entries ---- */
qn_code qn_xf_to_entries(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_str name;
    qn_value item;
    (void)arg;
    QN_TRY(want(ev, n, in, true, true));
    QN_TRY(qn_x_spend(ev, n, in.n));
    QN_TRY(qn_x_room(ev, n, (uint64_t)in.n * (2 * sizeof(qn_field) + sizeof(qn_value))));
    qn_field *f = qn_arena_alloc(ev->a, 2 * (size_t)in.n * sizeof *f);
    qn_value *items = qn_arena_alloc(ev->a, in.n * sizeof *items);
    size_t i = 0;
    for (qn_v_iter it = qn_v_iter_of(in); qn_v_next(&it, &name, &item); i++) {
        f[2 * i] = (qn_field){ QN_STR("key"), in.kind == QN_V_OBJECT ? qn_v_text(name) : qn_v_int((int64_t)i) };
        f[2 * i + 1] = (qn_field){ QN_STR("value"), item };
        items[i] = qn_v_object(f + 2 * i, 2);
    }
    *out = qn_v_list(items, in.n);
    return QN_OK;
}

static qn_code entry(qn_xeval *ev, const qn_xnode *n, qn_value v, qn_str *name, qn_value *value)
{
    static const char *const KEYS[] = { "key", "k", "name", "Name", "K", "Key", NULL }, *const VALUES[] = { "value", "v", "Value", "V", NULL };
    qn_value key = qn_v_null(), found;
    bool any = false;
    QN_TRY(want(ev, n, v, false, true));
    for (size_t i = 0; KEYS[i] && key.kind == QN_V_NULL; i++)
        if (qn_v_get(v, qn_str_of(KEYS[i]), &found)) { key = found; any = true; }
    if (!any) return qn_x_fail(ev, n, "an entry has no `key` (or `name` or `k`)");
    if (key.kind == QN_V_LIST || key.kind == QN_V_OBJECT) return qn_x_fail(ev, n, "%s cannot be a key", qn_v_kind_name(key));
    *name = qn_v_str(qn_x_text(ev, key));
    *value = qn_v_null();
    for (size_t i = 0; VALUES[i]; i++)
        if (qn_v_get(v, qn_str_of(VALUES[i]), value)) break;
    return QN_OK;
}

qn_code qn_xf_from_entries(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_object_b o = { .a = ev->a };
    qn_value item, value;
    qn_str name;
    (void)arg;
    QN_TRY(want(ev, n, in, true, true));
    for (qn_v_iter it = qn_v_iter_of(in); qn_v_next(&it, NULL, &item);) {
        QN_TRY(entry(ev, n, item, &name, &value));
        QN_TRY(qn_x_spend(ev, n, 1 + o.n / 16));                    /* a name is looked for among those before it */
        qn_object_put(&o, name, value);
    }
    *out = qn_object_end(&o);
    return QN_OK;
}

qn_code qn_xf_with_entries(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    qn_value l;
    QN_TRY(qn_xf_to_entries(ev, n, in, NULL, &l));
    QN_TRY(qn_xf_map(ev, n, l, &l));
    return qn_xf_from_entries(ev, n, l, NULL, out);
}

/* ---- join ---- */
qn_code qn_xf_join(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out)
{
    qn_value *v;
    uint64_t total = 0;
    size_t at = 0;
    QN_TRY(want(ev, n, in, true, true));
    if (!in.n) { *out = qn_v_text((qn_str){0}); return QN_OK; }
    if (arg->kind != QN_V_TEXT) return qn_x_fail(ev, n, "what stands between is a text, not %s", qn_v_kind_name(*arg));
    QN_TRY(array_of(ev, n, in, &v));
    for (size_t i = 0; i < in.n; i++) {
        if (v[i].kind == QN_V_LIST || v[i].kind == QN_V_OBJECT)
            return qn_x_fail(ev, n, "item %zu is %s %s, which cannot be joined to a text", i, v[i].kind == QN_V_LIST ? "a" : "an", qn_v_kind_name(v[i]));
        v[i] = v[i].kind == QN_V_NULL ? qn_v_text((qn_str){0}) : qn_x_text(ev, v[i]);
        total += v[i].n + (uint64_t)arg->n;
    }
    QN_TRY(qn_x_room(ev, n, total));
    char *p = qn_arena_alloc(ev->a, total + 1);
    for (size_t i = 0; i < in.n; i++) {
        if (i && arg->n) { memcpy(p + at, arg->s, arg->n); at += arg->n; }
        if (v[i].n) memcpy(p + at, v[i].s, v[i].n);
        at += v[i].n;
    }
    p[at] = 0;
    *out = qn_v_text((qn_str){ p, at });
    return QN_OK;
}
