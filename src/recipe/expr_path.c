/* expr_path: del(paths). The argument is walked as paths, not values; then one pass rebuilds each container that loses something. */
#include "recipe/expr_fns.h"
#include <math.h>
#include <stdlib.h>

/* A path as a chain from its last step up to the root. */
typedef struct step { const struct step *up; qn_value key; size_t length; bool from_slice; } step;
typedef qn_code (*path_sink)(void *arg, const step *at, qn_value v);

static qn_code paths(qn_xeval *ev, const qn_xnode *n, const step *at, qn_value v, path_sink k, void *arg);

typedef struct { qn_xeval *ev; const qn_xnode *n; const step *at; qn_value in; path_sink k; void *arg; } walk;

static qn_code deeper(walk *w, const step *at, qn_value of, qn_value key)
{
    qn_value v;
    if (at && at->from_slice) return qn_x_fail(w->ev, w->n, "a slice may only end a path");
    if (qn_v_is_number(key) && of.kind == QN_V_LIST) {
        double d = floor(qn_v_number(key));
        key = qn_v_int(d < 0 ? (int64_t)d + (int64_t)of.n : (int64_t)d);
        if (key.i < 0) return QN_OK;
    }
    QN_TRY(qn_x_index(w->ev, w->n, of, key, &v));
    step s = { at, key, at ? at->length + 1 : 1, false };
    return w->k(w->arg, &s, v);
}

static qn_code field(void *arg, const step *at, qn_value v)
{
    walk *w = arg;
    return deeper(w, at, v, qn_v_text(w->n->name));
}

typedef struct { walk *w; const step *at; qn_value of; } keyed;
static qn_code indexed_key(void *arg, qn_value key)
{
    keyed *x = arg;
    return deeper(x->w, x->at, x->of, key);
}

static qn_code indexed(void *arg, const step *at, qn_value v)
{
    walk *w = arg;
    return qn_x_each(w->ev, w->n->kid[1], w->in, indexed_key, &(keyed){ w, at, v });
}

static qn_code items(void *arg, const step *at, qn_value v)
{
    walk *w = arg;
    qn_str name;
    qn_value item;
    size_t i = 0;
    if (v.kind != QN_V_LIST && v.kind != QN_V_OBJECT) return qn_x_fail(w->ev, w->n, "%s has no items", qn_v_kind_name(v));
    if (at && at->from_slice) return qn_x_fail(w->ev, w->n, "a slice may only end a path");
    QN_TRY(qn_x_spend(w->ev, w->n, v.n));
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, &name, &item); i++) {
        step s = { at, v.kind == QN_V_OBJECT ? qn_v_text(name) : qn_v_int((int64_t)i), at ? at->length + 1 : 1, false };
        QN_TRY(w->k(w->arg, &s, item));
    }
    return QN_OK;
}

static qn_code bound(walk *w, const qn_xnode *n, double deflt, double len, double *out)
{
    qn_value v = qn_v_null();
    bool any = true;
    if (n) QN_TRY(qn_x_first(w->ev, n, w->in, &v, &any));
    if (v.kind != QN_V_NULL && !qn_v_is_number(v)) return qn_x_fail(w->ev, w->n, "the ends of a slice are numbers");
    *out = v.kind == QN_V_NULL ? deflt : qn_v_number(v);
    if (*out < 0) *out += len;
    *out = fmin(fmax(*out, 0), len);
    return QN_OK;
}

static qn_code slice(void *arg, const step *at, qn_value v)         /* every item in it is a path of its own */
{
    walk *w = arg;
    double from, to;
    if (v.kind == QN_V_NULL) return QN_OK;
    if (v.kind != QN_V_LIST) return qn_x_fail(w->ev, w->n, "only slices of lists can be deleted, not of %s", qn_v_kind_name(v));
    QN_TRY(bound(w, w->n->kid[1], 0, v.n, &from));
    QN_TRY(bound(w, w->n->kid[2], v.n, v.n, &to));
    for (size_t i = (size_t)from; i < (size_t)ceil(to); i++) {
        step s = { at, qn_v_int((int64_t)i), at ? at->length + 1 : 1, true };
        QN_TRY(qn_x_spend(w->ev, w->n, 1));
        QN_TRY(w->k(w->arg, &s, qn_v_at(v, i)));
    }
    return QN_OK;
}

static qn_code pipe_right(void *arg, const step *at, qn_value v)
{
    walk *w = arg;
    return paths(w->ev, w->n->kid[1], at, v, w->k, w->arg);
}

static qn_code when_true(void *arg, qn_value v)                     /* select(f) keeps the path */
{
    walk *w = arg;
    return qn_v_true(v) ? w->k(w->arg, w->at, w->in) : QN_OK;
}

static qn_code if_branch(void *arg, qn_value v)
{
    walk *w = arg;
    return paths(w->ev, w->n->kid[qn_v_true(v) ? 1 : 2], w->at, w->in, w->k, w->arg);
}

static qn_code paths(qn_xeval *ev, const qn_xnode *n, const step *at, qn_value v, path_sink k, void *arg)
{
    walk w = { ev, n, at, v, k, arg };
    qn_code rc;
    QN_TRY(qn_x_spend(ev, n, 1));
    switch ((qn_xkind)n->kind) {
    case QN_X_SELF:  return k(arg, at, v);
    case QN_X_FIELD: return paths(ev, n->kid[0], at, v, field, &w);
    case QN_X_INDEX: return paths(ev, n->kid[0], at, v, indexed, &w);
    case QN_X_SLICE: return paths(ev, n->kid[0], at, v, slice, &w);
    case QN_X_EACH:  return paths(ev, n->kid[0], at, v, items, &w);
    case QN_X_PIPE:  return paths(ev, n->kid[0], at, v, pipe_right, &w);
    case QN_X_IF:    return qn_x_each(ev, n->kid[0], v, if_branch, &w);
    case QN_X_COMMA:
        for (size_t i = 0; i < n->n_kids; i++) QN_TRY(paths(ev, n->kid[i], at, v, k, arg));
        return QN_OK;
    case QN_X_TRY:
        rc = paths(ev, n->kid[0], at, v, k, arg);
        return rc == QN_EDATA && n->n_kids < 2 ? QN_OK : rc;
    case QN_X_CALL:
        if (strcmp(n->fn->name, "select") == 0) return qn_x_each(ev, n->kid[0], v, when_true, &w);
        if (strcmp(n->fn->name, "empty") == 0) return QN_OK;
        if (strcmp(n->fn->name, "first") == 0 && !n->n_kids) return deeper(&w, at, v, qn_v_int(0));
        if (strcmp(n->fn->name, "last") == 0 && !n->n_kids) return deeper(&w, at, v, qn_v_int(-1));
        /* fall through */
    default: return qn_x_fail(ev, n, "del needs paths: .a, .a[0], .a[], select(...)");
    }
}

/* ---- deleting ---- paths sorted; those that go through one container stand together */
typedef struct { qn_value *keys; size_t n; } path;
typedef struct { qn_xeval *ev; const qn_xnode *n; path *at; size_t count, cap; bool whole; } gathered;

static qn_code gather(void *arg, const step *at, qn_value v)
{
    gathered *g = arg;
    (void)v;
    if (!at) { g->whole = true; return QN_OK; }
    if (g->count == g->cap) {
        path *more = qn_arena_alloc(g->ev->a, (g->cap ? g->cap * 2 : 8) * sizeof *more);
        if (g->count) memcpy(more, g->at, g->count * sizeof *more);
        g->cap = g->cap ? g->cap * 2 : 8;
        g->at = more;
    }
    path *p = &g->at[g->count++];
    *p = (path){ qn_arena_alloc(g->ev->a, at->length * sizeof(qn_value)), at->length };
    for (size_t i = at->length; i-- > 0; at = at->up) p->keys[i] = at->key;
    return qn_x_room(g->ev, g->n, 0);
}

static int by_keys(const void *a, const void *b)
{
    const path *x = a, *y = b;
    for (size_t i = 0; i < x->n && i < y->n; i++) {
        int c = qn_v_cmp(x->keys[i], y->keys[i]);
        if (c) return c;
    }
    return (x->n > y->n) - (x->n < y->n);
}

/* The paths among p[0..n) whose step `level` is `key`. */
static size_t matching(const path *p, size_t n, size_t level, qn_value key, size_t *count)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (qn_v_cmp(p[mid].keys[level], key) < 0) lo = mid + 1; else hi = mid;
    }
    for (*count = 0; lo + *count < n && qn_v_eq(p[lo + *count].keys[level], key);) ++*count;
    return lo;
}

static qn_code delete(qn_xeval *ev, const qn_xnode *n, qn_value v, const path *p, size_t count, size_t level, qn_value *out)
{
    qn_value item;
    qn_str name;
    size_t m = 0, i = 0;
    *out = v;
    if ((v.kind != QN_V_LIST && v.kind != QN_V_OBJECT) || !count) return QN_OK;
    QN_TRY(qn_x_spend(ev, n, v.n + (uint64_t)1));
    QN_TRY(qn_x_room(ev, n, (uint64_t)v.n * sizeof(qn_field)));
    qn_field *f = qn_arena_alloc(ev->a, v.n * sizeof *f);
    qn_value *l = (qn_value *)f;                                    /* one of the two is used; fields are the bigger */
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, &name, &item); i++) {
        size_t mine, from = matching(p, count, level, v.kind == QN_V_OBJECT ? qn_v_text(name) : qn_v_int((int64_t)i), &mine);
        if (mine && p[from].n == level + 1) continue;               /* the shortest stands first */
        if (mine) QN_TRY(delete(ev, n, item, p + from, mine, level + 1, &item));
        if (v.kind == QN_V_OBJECT) f[m++] = (qn_field){ name, item };
        else l[m++] = item;
    }
    *out = v.kind == QN_V_OBJECT ? qn_v_object(f, m) : qn_v_list(l, m);
    return QN_OK;
}

qn_code qn_xf_del(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    gathered g = { .ev = ev, .n = n };
    QN_TRY(paths(ev, n->kid[0], NULL, in, gather, &g));
    if (g.whole) { *out = qn_v_null(); return QN_OK; }
    if (g.count) qsort(g.at, g.count, sizeof *g.at, by_keys);
    return delete(ev, n, in, g.at, g.count, 0, out);
}
