/* expr_eval: walks the nodes. Strict nodes first make every combination of their kids' values, the right kid outermost as in jq
 * ([(1,2) + (10,20)] is [11,12,21,22]), in objects and slices the left one. A row is `.` without being turned into an object: a field is
 * asked from the row itself. Nothing here allocates but in the scratch arena; every node visited is counted. */
#include "recipe/expr_node.h"
#include <math.h>
#include <stdio.h>

enum { KIND_ROW = 200, MANY_KIDS = 16, FOLD_DEPTH = 1000 };   /* KIND_ROW: `.` at the top, not yet an object */

/* ---- limits and errors ---- */
qn_code qn_x_fail(qn_xeval *ev, const qn_xnode *n, const char *fmt, ...)
{
    char msg[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    return qn_fail_at(ev->e, QN_EDATA, qn_x_pos(ev->x, n->from), "`%.*s`: %s", QN_FMT(qn_x_written(ev->x, n)), msg);
}

static qn_code out_of_steps(qn_xeval *ev, const qn_xnode *n)
{
    return qn_fail_at(ev->e, QN_ELIMIT, qn_x_pos(ev->x, n->from), "the expression takes more than %d steps on one row", QN_X_STEPS);
}

qn_code qn_x_room(qn_xeval *ev, const qn_xnode *n, uint64_t bytes)
{
    uint64_t used = ev->a->used_bytes - ev->memory_from;
    if (bytes <= QN_X_MEMORY && used + bytes <= QN_X_MEMORY) return QN_OK;
    return qn_fail_at(ev->e, QN_ELIMIT, qn_x_pos(ev->x, n->from), "`%.*s`: the expression takes more than %d MB on one row",
                      QN_FMT(qn_x_written(ev->x, n)), QN_X_MEMORY >> 20);
}

qn_code qn_x_spend(qn_xeval *ev, const qn_xnode *n, uint64_t work)
{
    if (work > (uint64_t)ev->steps) { ev->steps = 0; return out_of_steps(ev, n); }
    ev->steps -= (int64_t)work;
    return qn_x_room(ev, n, 0);
}

static inline qn_code tick(qn_xeval *ev, const qn_xnode *n)
{
    if (__builtin_expect(--ev->steps < 0, 0)) return out_of_steps(ev, n);
    if (__builtin_expect(ev->a->used_bytes - ev->memory_from > QN_X_MEMORY, 0)) return qn_x_room(ev, n, 0);
    return QN_OK;
}

static inline qn_value solid(qn_xeval *ev, qn_value v)
{
    if (v.kind != KIND_ROW) return v;
    if (!ev->have_whole) { ev->whole = qn_row_value(ev->row, ev->a); ev->have_whole = true; }
    return ev->whole;
}

bool qn_v_true(qn_value v) { return !(v.kind == QN_V_NULL || (v.kind == QN_V_BOOL && !v.b)); }

qn_str qn_x_show(qn_xeval *ev, qn_value v)
{
    qn_buf b = {0};
    if (v.n > 1000 && v.kind == QN_V_TEXT) v.n = (uint32_t)qn_utf8_cut(qn_v_str(v), 40);
    if (v.n > 50 && v.kind != QN_V_TEXT) return qn_arena_printf(ev->a, "%s of %u", qn_v_kind_name(v), v.n);
    qn_json_write(&b, v);
    qn_str s = qn_buf_view(&b);
    size_t cut = qn_utf8_cut(s, 60);
    s = cut < s.n ? qn_arena_printf(ev->a, "%.*s...", (int)cut, s.p) : qn_arena_str(ev->a, s);
    qn_buf_free(&b);
    return s;
}

qn_value qn_x_text(qn_xeval *ev, qn_value v)
{
    if (v.kind == QN_V_TEXT) return v;
    qn_buf b = {0};
    qn_json_write(&b, v);
    v = qn_v_text(qn_arena_str(ev->a, qn_buf_view(&b)));
    qn_buf_free(&b);
    return v;
}

/* ---- arithmetic ---- exact integers in [INT64_MIN, UINT64_MAX]; everything that meets a real becomes real */
__extension__ typedef __int128 wide;
static wide wide_of(qn_value v) { return v.kind == QN_V_UINT ? (wide)v.u : (wide)v.i; }

static qn_code integer(qn_xeval *ev, const qn_xnode *n, wide w, bool over, qn_value *out)
{
    if (over || w < INT64_MIN || w > UINT64_MAX) return qn_x_fail(ev, n, "the result is no integer of 64 bits");
    *out = w <= INT64_MAX ? qn_v_int((int64_t)w) : (qn_value){ .kind = QN_V_UINT, .u = (uint64_t)w };
    return QN_OK;
}

static bool to_i64(double d, int64_t *out)
{
    if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0)) return false;
    *out = (int64_t)d;
    return true;
}

static qn_code modulo(qn_xeval *ev, const qn_xnode *n, qn_value x, qn_value y, qn_value *out)
{
    wide a, b;
    int64_t i;
    if (x.kind == QN_V_REAL) { if (!to_i64(x.d, &i)) return qn_x_fail(ev, n, "%g is too big for %%", x.d); a = i; } else a = wide_of(x);
    if (y.kind == QN_V_REAL) { if (!to_i64(y.d, &i)) return qn_x_fail(ev, n, "%g is too big for %%", y.d); b = i; } else b = wide_of(y);
    if (b == 0) return qn_x_fail(ev, n, "division by zero");
    return integer(ev, n, a % b, false, out);
}

static qn_code numbers(qn_xeval *ev, const qn_xnode *n, qn_xop op, qn_value x, qn_value y, qn_value *out)
{
    wide w = 0;
    if (op == QN_X_MOD) return modulo(ev, n, x, y, out);
    if (op == QN_X_DIV && qn_v_number(y) == 0) return qn_x_fail(ev, n, "division by zero");
    if (x.kind != QN_V_REAL && y.kind != QN_V_REAL) {
        wide a = wide_of(x), b = wide_of(y);
        bool over = false;
        switch (op) {
        case QN_X_ADD: w = a + b; break;
        case QN_X_SUB: w = a - b; break;
        case QN_X_MUL: over = __builtin_mul_overflow(a, b, &w); break;
        default:
            if (a % b) { *out = qn_v_real(qn_v_number(x) / qn_v_number(y)); return QN_OK; }
            w = a / b;
        }
        return integer(ev, n, w, over, out);
    }
    double a = qn_v_number(x), b = qn_v_number(y), r = op == QN_X_ADD ? a + b : op == QN_X_SUB ? a - b : op == QN_X_MUL ? a * b : a / b;
    if (!isfinite(r)) return qn_x_fail(ev, n, "the result is too big for a real number");
    *out = qn_v_real(r);
    return QN_OK;
}

static qn_code join_texts(qn_xeval *ev, const qn_xnode *n, qn_str x, qn_str y, qn_value *out)
{
    QN_TRY(qn_x_room(ev, n, x.n + y.n));
    char *p = qn_arena_alloc(ev->a, x.n + y.n + 1);
    if (x.n) memcpy(p, x.p, x.n);
    if (y.n) memcpy(p + x.n, y.p, y.n);
    p[x.n + y.n] = 0;
    *out = qn_v_text((qn_str){ p, x.n + y.n });
    return QN_OK;
}

static qn_code repeat_text(qn_xeval *ev, const qn_xnode *n, qn_str s, double times, qn_value *out)
{
    if (!(times > 0)) { *out = qn_v_null(); return QN_OK; }
    if (times < 1) times = 1;
    if (times * (double)(s.n + 1) > QN_X_MEMORY) return qn_x_room(ev, n, QN_X_MEMORY + (uint64_t)1);
    size_t k = (size_t)times;
    QN_TRY(qn_x_room(ev, n, k * s.n));
    char *p = qn_arena_alloc(ev->a, k * s.n + 1);
    for (size_t i = 0; i < k && s.n; i++) memcpy(p + i * s.n, s.p, s.n);
    p[k * s.n] = 0;
    *out = qn_v_text((qn_str){ p, k * s.n });
    return QN_OK;
}

static qn_code join_lists(qn_xeval *ev, const qn_xnode *n, qn_value x, qn_value y, qn_value *out)
{
    size_t total = (size_t)x.n + y.n, i = 0;
    QN_TRY(qn_x_spend(ev, n, total / 8));
    QN_TRY(qn_x_room(ev, n, total * sizeof(qn_value)));
    qn_value *items = qn_arena_alloc(ev->a, total * sizeof *items);
    for (qn_v_iter it = qn_v_iter_of(x); qn_v_next(&it, NULL, &items[i]);) i++;
    for (qn_v_iter it = qn_v_iter_of(y); qn_v_next(&it, NULL, &items[i]);) i++;
    *out = qn_v_list(items, total);
    return QN_OK;
}

static qn_code without_items(qn_xeval *ev, const qn_xnode *n, qn_value x, qn_value y, qn_value *out)
{
    qn_list_b l = { .a = ev->a };
    qn_value item, other;
    for (qn_v_iter it = qn_v_iter_of(x); qn_v_next(&it, NULL, &item);) {
        bool in = false;
        QN_TRY(qn_x_spend(ev, n, y.n + 1));
        for (qn_v_iter jt = qn_v_iter_of(y); !in && qn_v_next(&jt, NULL, &other);) in = qn_v_eq(item, other);
        if (!in) qn_list_put(&l, item);
    }
    *out = qn_list_end(&l);
    return QN_OK;
}

/* Fields of both; the right one wins, or (deep) two objects under one name are merged in turn. */
static qn_code merge(qn_xeval *ev, const qn_xnode *n, qn_value x, qn_value y, bool deep, qn_value *out)
{
    qn_value mine, theirs;
    qn_str name;
    QN_TRY(qn_x_spend(ev, n, (uint64_t)x.n + y.n + 1));
    QN_TRY(qn_x_room(ev, n, ((uint64_t)x.n + y.n) * sizeof(qn_field)));
    qn_field *f = qn_arena_alloc(ev->a, ((size_t)x.n + y.n) * sizeof *f);
    size_t k = 0;
    for (qn_v_iter it = qn_v_iter_of(x); qn_v_next(&it, &f[k].name, &f[k].value);) k++;
    for (qn_v_iter it = qn_v_iter_of(y); qn_v_next(&it, &name, &theirs);) {
        size_t i = 0;
        if (qn_v_get(x, name, &mine)) {
            while (!qn_str_eq(f[i].name, name)) i++;
            QN_TRY(qn_x_spend(ev, n, i / 16));
            if (deep && mine.kind == QN_V_OBJECT && theirs.kind == QN_V_OBJECT) QN_TRY(merge(ev, n, mine, theirs, true, &theirs));
            f[i].value = theirs;
        } else {
            f[k++] = (qn_field){ name, theirs };
        }
    }
    *out = qn_v_object(f, k);
    return QN_OK;
}

static qn_code split_text(qn_xeval *ev, const qn_xnode *n, qn_str s, qn_str by, qn_value *out)
{
    qn_list_b l = { .a = ev->a };
    while (s.n) {
        ptrdiff_t i = by.n ? qn_str_find(s, by) : (ptrdiff_t)qn_utf8_cut(s, 1);
        if (!by.n) { size_t k = 0; qn_utf8_next(s, &k); i = (ptrdiff_t)k; }
        QN_TRY(qn_x_spend(ev, n, 1));
        if (i < 0) break;
        qn_list_put(&l, qn_v_text(qn_str_sub(s, 0, (size_t)i)));
        s = qn_str_sub(s, (size_t)i + by.n, s.n);
        if (!s.n && by.n) qn_list_put(&l, qn_v_text(s));
    }
    if (s.n) qn_list_put(&l, qn_v_text(s));
    *out = qn_list_end(&l);
    return QN_OK;
}

qn_code qn_x_binary(qn_xeval *ev, const qn_xnode *n, qn_xop op, qn_value x, qn_value y, qn_value *out)
{
    static const char *const verb[] = { [QN_X_ADD] = "added", [QN_X_SUB] = "subtracted", [QN_X_MUL] = "multiplied", [QN_X_DIV] = "divided",
                                        [QN_X_MOD] = "divided" };
    switch (op) {
    case QN_X_EQ: *out = qn_v_bool(qn_v_eq(x, y)); return QN_OK;
    case QN_X_NE: *out = qn_v_bool(!qn_v_eq(x, y)); return QN_OK;
    case QN_X_LT: *out = qn_v_bool(qn_v_cmp(x, y) < 0); return QN_OK;
    case QN_X_LE: *out = qn_v_bool(qn_v_cmp(x, y) <= 0); return QN_OK;
    case QN_X_GT: *out = qn_v_bool(qn_v_cmp(x, y) > 0); return QN_OK;
    case QN_X_GE: *out = qn_v_bool(qn_v_cmp(x, y) >= 0); return QN_OK;
    default: break;
    }
    bool nx = qn_v_is_number(x), ny = qn_v_is_number(y);
    if (nx && ny) return numbers(ev, n, op, x, y, out);
    if (op == QN_X_ADD) {
        if (x.kind == QN_V_NULL) { *out = y; return QN_OK; }
        if (y.kind == QN_V_NULL) { *out = x; return QN_OK; }
    }
    if (op == QN_X_MUL && x.kind == QN_V_TEXT && ny) return repeat_text(ev, n, qn_v_str(x), qn_v_number(y), out);
    if (op == QN_X_MUL && nx && y.kind == QN_V_TEXT) return repeat_text(ev, n, qn_v_str(y), qn_v_number(x), out);
    if (x.kind == y.kind) {
        if (x.kind == QN_V_TEXT && op == QN_X_ADD) return join_texts(ev, n, qn_v_str(x), qn_v_str(y), out);
        if (x.kind == QN_V_TEXT && op == QN_X_DIV) return split_text(ev, n, qn_v_str(x), qn_v_str(y), out);
        if (x.kind == QN_V_LIST && op == QN_X_ADD) return join_lists(ev, n, x, y, out);
        if (x.kind == QN_V_LIST && op == QN_X_SUB) return without_items(ev, n, x, y, out);
        if (x.kind == QN_V_OBJECT && (op == QN_X_ADD || op == QN_X_MUL)) return merge(ev, n, x, y, op == QN_X_MUL, out);
    }
    qn_str sx = qn_x_show(ev, x), sy = qn_x_show(ev, y);
    return qn_x_fail(ev, n, "%s (%.*s) and %s (%.*s) cannot be %s", qn_v_kind_name(x), QN_FMT(sx), qn_v_kind_name(y), QN_FMT(sy), verb[op]);
}

/* ---- paths ---- */
static qn_code field(qn_xeval *ev, const qn_xnode *n, qn_value of, qn_str name, qn_value *out)
{
    if (of.kind == KIND_ROW) {
        if (!qn_row_find(ev->row, name, out)) *out = qn_v_null();
        return QN_OK;
    }
    if (of.kind == QN_V_OBJECT) { qn_v_get(of, name, out); return QN_OK; }
    if (of.kind == QN_V_NULL) { *out = of; return QN_OK; }
    qn_str shown = qn_x_show(ev, of);
    return qn_x_fail(ev, n, "%s (%.*s) has no fields", qn_v_kind_name(of), QN_FMT(shown));
}

/* Places where `part` (a list) begins in `list`. */
static qn_code places(qn_xeval *ev, const qn_xnode *n, qn_value list, qn_value part, qn_value *out)
{
    qn_list_b l = { .a = ev->a };
    if (!part.n) { *out = qn_v_null(); return QN_OK; }
    for (size_t i = 0; i + part.n <= list.n; i++) {
        size_t k = 0;
        QN_TRY(qn_x_spend(ev, n, 1));
        while (k < part.n && qn_v_eq(qn_v_at(list, i + k), qn_v_at(part, k))) k++;
        QN_TRY(qn_x_spend(ev, n, k));
        if (k == part.n) qn_list_put(&l, qn_v_int((int64_t)i));
    }
    *out = qn_list_end(&l);
    return QN_OK;
}

qn_code qn_x_index(qn_xeval *ev, const qn_xnode *n, qn_value of, qn_value at, qn_value *out)
{
    of = solid(ev, of);
    if (at.kind == QN_V_TEXT && (of.kind == QN_V_OBJECT || of.kind == QN_V_NULL)) return field(ev, n, of, qn_v_str(at), out);
    if (qn_v_is_number(at) && of.kind == QN_V_LIST) {
        double d = floor(qn_v_number(at));
        if (d < 0) d += of.n;
        *out = d >= 0 && d < of.n ? qn_v_at(of, (size_t)d) : qn_v_null();
        return QN_OK;
    }
    if (of.kind == QN_V_NULL && (qn_v_is_number(at) || at.kind == QN_V_NULL)) { *out = of; return QN_OK; }
    if (of.kind == QN_V_LIST && at.kind == QN_V_LIST) return places(ev, n, of, at, out);
    qn_str shown = qn_x_show(ev, at);
    return qn_x_fail(ev, n, "%s cannot be indexed with %s (%.*s)", qn_v_kind_name(of), qn_v_kind_name(at), QN_FMT(shown));
}

static bool slice_end(qn_value v, double n, double deflt, double *out)
{
    if (v.kind == QN_V_NULL) { *out = deflt; return true; }
    if (!qn_v_is_number(v)) return false;
    *out = qn_v_number(v);
    if (*out < 0) *out += n;
    if (!(*out > 0)) *out = 0;
    if (*out > n) *out = n;
    return true;
}

static size_t byte_of(qn_str s, size_t code_point)
{
    size_t i = 0;
    while (i < s.n && code_point) { i++; while (i < s.n && ((unsigned char)s.p[i] & 0xC0) == 0x80) i++; code_point--; }
    return i;
}

static qn_code slice(qn_xeval *ev, const qn_xnode *n, qn_value of, qn_value from, qn_value to, qn_value *out)
{
    double a, b, len;
    if (of.kind == QN_V_NULL) { *out = of; return QN_OK; }
    if (of.kind != QN_V_LIST && of.kind != QN_V_TEXT) return qn_x_fail(ev, n, "%s cannot be sliced", qn_v_kind_name(of));
    len = of.kind == QN_V_LIST ? of.n : (double)qn_utf8_count(qn_v_str(of));
    if (!slice_end(from, len, 0, &a) || !slice_end(to, len, len, &b)) return qn_x_fail(ev, n, "the ends of a slice are numbers");
    a = floor(a);
    b = ceil(b);
    if (b < a) b = a;
    if (of.kind == QN_V_TEXT) {
        qn_str s = qn_v_str(of), rest;
        size_t i = byte_of(s, (size_t)a);
        rest = qn_str_sub(s, i, s.n);
        *out = qn_v_text(qn_str_sub(rest, 0, byte_of(rest, (size_t)(b - a))));
        return QN_OK;
    }
    size_t k = 0, first = (size_t)a, count = (size_t)(b - a);
    if (!of.json) { *out = qn_v_list(of.list ? of.list + first : NULL, count); return QN_OK; }
    QN_TRY(qn_x_room(ev, n, count * sizeof(qn_value)));
    qn_value *items = qn_arena_alloc(ev->a, count * sizeof *items), item;
    qn_v_iter it = qn_v_iter_of(of);
    for (size_t i = 0; k < count && qn_v_next(&it, NULL, &item); i++)
        if (i >= first) items[k++] = item;
    *out = qn_v_list(items, k);
    return QN_OK;
}

/* ---- strict nodes: values in, one value out ---- */
static qn_code make_object(qn_xeval *ev, const qn_xnode *n, const qn_value *val, qn_value *out)
{
    qn_object_b o = { .a = ev->a };
    for (size_t i = 0; i < n->n_kids; i += 2) {
        if (val[i].kind != QN_V_TEXT) return qn_x_fail(ev, n->kid[i], "the key of an object is a text, not %s", qn_v_kind_name(val[i]));
        qn_object_put(&o, qn_v_str(val[i]), val[i + 1]);
    }
    *out = qn_object_end(&o);
    return QN_OK;
}

static qn_code make_text(qn_xeval *ev, const qn_xnode *n, const qn_value *val, qn_value *out)
{
    uint64_t total = 0;
    size_t at = 0;
    for (size_t i = 0; i < n->n_kids; i++) if (val[i].kind == QN_V_TEXT) total += val[i].n;
    qn_value *t = qn_arena_alloc(ev->a, n->n_kids * sizeof *t);
    total = 0;
    for (size_t i = 0; i < n->n_kids; i++) {
        t[i] = qn_x_text(ev, val[i]);
        total += t[i].n;
        QN_TRY(qn_x_room(ev, n, total));
    }
    char *p = qn_arena_alloc(ev->a, total + 1);
    for (size_t i = 0; i < n->n_kids; i++) {
        if (t[i].n) memcpy(p + at, t[i].s, t[i].n);
        at += t[i].n;
    }
    p[at] = 0;
    *out = qn_v_text((qn_str){ p, at });
    return QN_OK;
}

static qn_code negate(qn_xeval *ev, const qn_xnode *n, qn_value v, qn_value *out)
{
    if (v.kind == QN_V_REAL) { *out = qn_v_real(-v.d); return QN_OK; }
    if (!qn_v_is_number(v)) return qn_x_fail(ev, n, "%s cannot be negated", qn_v_kind_name(v));
    return integer(ev, n, -wide_of(v), false, out);
}

static qn_code apply(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *val, qn_value *out)
{
    switch ((qn_xkind)n->kind) {
    case QN_X_FIELD:  return field(ev, n, val[0], n->name, out);
    case QN_X_INDEX:  return qn_x_index(ev, n, val[0], val[1], out);
    case QN_X_SLICE:  return slice(ev, n, val[0], val[1], val[2], out);
    case QN_X_NEG:    return negate(ev, n, val[0], out);
    case QN_X_BINARY: return qn_x_binary(ev, n, (qn_xop)n->op, val[0], val[1], out);
    case QN_X_OBJECT: return make_object(ev, n, val, out);
    case QN_X_TEXT:   return make_text(ev, n, val, out);
    case QN_X_CALL:   return n->fn->strict(ev, n, solid(ev, in), val, out);
    default: QN_ASSERT(!"a strict node"); return QN_OK;
    }
}

static bool is_strict(const qn_xnode *n)
{
    return n->kind <= QN_X_TEXT || (n->kind == QN_X_CALL && n->fn->strict);
}

/* ---- exactly one result ---- */
static qn_code reduce(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out);

static qn_code strict_one(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    qn_value few[MANY_KIDS], *val = n->n_kids > MANY_KIDS ? qn_arena_alloc(ev->a, n->n_kids * sizeof *val) : few;
    for (size_t i = 0; i < n->n_kids; i++) {
        if (!n->kid[i]) val[i] = qn_v_null();
        else QN_TRY(qn_x_one(ev, n->kid[i], in, &val[i]));
    }
    return apply(ev, n, in, val, out);
}

qn_code qn_x_one(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    qn_value v;
    QN_TRY(tick(ev, n));
    switch ((qn_xkind)n->kind) {
    case QN_X_LITERAL:  *out = n->literal; return QN_OK;
    case QN_X_SELF:     *out = solid(ev, in); return QN_OK;
    case QN_X_VARIABLE: *out = ev->vars[n->slot]; return QN_OK;
    case QN_X_FIELD:
        if (n->kid[0]->kind == QN_X_SELF) return field(ev, n, in, n->name, out);
        QN_TRY(qn_x_one(ev, n->kid[0], in, &v));
        return field(ev, n, v, n->name, out);
    case QN_X_BINARY: {
        qn_value x;
        QN_TRY(qn_x_one(ev, n->kid[1], in, &v));
        QN_TRY(qn_x_one(ev, n->kid[0], in, &x));
        return qn_x_binary(ev, n, (qn_xop)n->op, x, v, out);
    }
    case QN_X_CALL:
        if (n->fn->lazy_one) return n->fn->lazy_one(ev, n, solid(ev, in), out);
        if (!n->n_kids) return n->fn->strict(ev, n, solid(ev, in), NULL, out);
        return strict_one(ev, n, in, out);
    case QN_X_PIPE:
        QN_TRY(qn_x_one(ev, n->kid[0], in, &v));
        return qn_x_one(ev, n->kid[1], v, out);
    case QN_X_AND: case QN_X_OR:
        QN_TRY(qn_x_one(ev, n->kid[0], in, &v));
        if (qn_v_true(v) == (n->kind == QN_X_OR)) { *out = qn_v_bool(n->kind == QN_X_OR); return QN_OK; }
        QN_TRY(qn_x_one(ev, n->kid[1], in, &v));
        *out = qn_v_bool(qn_v_true(v));
        return QN_OK;
    case QN_X_IF:
        QN_TRY(qn_x_one(ev, n->kid[0], in, &v));
        return qn_x_one(ev, n->kid[qn_v_true(v) ? 1 : 2], in, out);
    case QN_X_ALTERNATIVE: {
        qn_code rc = qn_x_one(ev, n->kid[0], in, &v);
        if (rc != QN_OK && rc != QN_EDATA) return rc;
        if (rc == QN_OK && qn_v_true(v)) { *out = v; return QN_OK; }
        return qn_x_one(ev, n->kid[1], in, out);
    }
    case QN_X_AS:
        QN_TRY(qn_x_one(ev, n->kid[0], in, &ev->vars[n->slot]));
        return qn_x_one(ev, n->kid[1], in, out);
    case QN_X_LIST:   return qn_x_list_of(ev, n->kid[0], in, out);
    case QN_X_REDUCE: return reduce(ev, n, in, out);
    default: return strict_one(ev, n, in, out);
    }
}

/* ---- any number of results ---- */

/* Every combination of the kids' values, outermost first. */
typedef struct { qn_xeval *ev; const qn_xnode *n; qn_value in, *val; qn_xsink k; void *arg; } product;
typedef struct { product *p; size_t level; } product_level;

static size_t product_kid(const qn_xnode *n, size_t level)
{
    if (n->kind == QN_X_OBJECT) return level;
    if (n->kind == QN_X_SLICE) return (level + 1) % 3;              /* from, to, then the thing itself */
    return n->n_kids - 1 - level;
}

static qn_code product_from(product *p, size_t level);

static qn_code product_value(void *arg, qn_value v)
{
    product_level *l = arg;
    l->p->val[product_kid(l->p->n, l->level)] = v;
    return product_from(l->p, l->level + 1);
}

static qn_code product_from(product *p, size_t level)
{
    const qn_xnode *n = p->n;
    for (; level < n->n_kids; level++) {
        size_t i = product_kid(n, level);
        if (!n->kid[i]) p->val[i] = qn_v_null();
        else if (n->kid[i]->one) QN_TRY(qn_x_one(p->ev, n->kid[i], p->in, &p->val[i]));
        else return qn_x_each(p->ev, n->kid[i], p->in, product_value, &(product_level){ p, level });
    }
    qn_value out;
    QN_TRY(apply(p->ev, n, p->in, p->val, &out));
    return p->k(p->arg, out);
}

static qn_code strict_each(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    product p = { ev, n, in, qn_arena_alloc(ev->a, n->n_kids * sizeof(qn_value)), k, arg };
    return product_from(&p, 0);
}

/* What most sinks below carry: the node, its input, and where results go. */
typedef struct { qn_xeval *ev; const qn_xnode *n; qn_value in; qn_xsink k; void *arg; bool any, inner_failed; qn_value acc; uint32_t rounds; } walk;

static qn_code each_item(void *arg, qn_value v)
{
    walk *w = arg;
    qn_value item;
    if (v.kind != QN_V_LIST && v.kind != QN_V_OBJECT) {
        qn_str shown = qn_x_show(w->ev, v);
        return qn_x_fail(w->ev, w->n, "%s (%.*s) has no items", qn_v_kind_name(v), QN_FMT(shown));
    }
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &item);) {
        QN_TRY(tick(w->ev, w->n));
        QN_TRY(w->k(w->arg, item));
    }
    return QN_OK;
}

static qn_code pipe_right(void *arg, qn_value v)
{
    walk *w = arg;
    return qn_x_each(w->ev, w->n->kid[1], v, w->k, w->arg);
}

static qn_code if_branch(void *arg, qn_value v)
{
    walk *w = arg;
    return qn_x_each(w->ev, w->n->kid[qn_v_true(v) ? 1 : 2], w->in, w->k, w->arg);
}

static qn_code truth(void *arg, qn_value v)
{
    walk *w = arg;
    return w->k(w->arg, qn_v_bool(qn_v_true(v)));
}

static qn_code logic_left(void *arg, qn_value v)
{
    walk *w = arg;
    if (qn_v_true(v) == (w->n->kind == QN_X_OR)) return w->k(w->arg, qn_v_bool(w->n->kind == QN_X_OR));
    return qn_x_each(w->ev, w->n->kid[1], w->in, truth, w);
}

static qn_code bind_then(void *arg, qn_value v)
{
    walk *w = arg;
    w->ev->vars[w->n->slot] = v;
    return qn_x_each(w->ev, w->n->kid[1], w->in, w->k, w->arg);
}

/* Results pass on; a failure behind us is not ours to catch. */
static qn_code pass_on(void *arg, qn_value v)
{
    walk *w = arg;
    if (w->n->kind == QN_X_ALTERNATIVE && !qn_v_true(v)) return QN_OK;
    w->any = true;
    qn_code rc = w->k(w->arg, v);
    w->inner_failed = rc != QN_OK;
    return rc;
}

static qn_code try_each(walk *w)
{
    qn_code rc = qn_x_each(w->ev, w->n->kid[0], w->in, pass_on, w);
    if (rc != QN_EDATA || w->inner_failed) return rc;
    if (w->n->n_kids < 2) return QN_OK;
    return qn_x_each(w->ev, w->n->kid[1], qn_v_text(qn_arena_str(w->ev->a, qn_str_of(w->ev->e->msg))), w->k, w->arg);
}

static qn_code alternative_each(walk *w)
{
    qn_code rc = qn_x_each(w->ev, w->n->kid[0], w->in, pass_on, w);
    if (rc != QN_OK && (rc != QN_EDATA || w->inner_failed)) return rc;
    return w->any ? QN_OK : qn_x_each(w->ev, w->n->kid[1], w->in, w->k, w->arg);
}

static size_t depth_of(qn_value v, size_t limit)
{
    size_t deepest = 0;
    qn_value item;
    if ((v.kind != QN_V_LIST && v.kind != QN_V_OBJECT) || !limit) return 0;
    for (qn_v_iter it = qn_v_iter_of(v); qn_v_next(&it, NULL, &item);) {
        size_t d = 1 + depth_of(item, limit - 1);
        if (d > deepest) deepest = d;
    }
    return deepest;
}

static qn_code keep_last(void *arg, qn_value v)
{
    *(qn_value *)arg = v;
    return QN_OK;
}

static qn_code fold_extract(void *arg, qn_value v)                 /* foreach: every update becomes the state and is shown */
{
    walk *w = arg;
    w->acc = v;
    return w->n->n_kids > 3 ? qn_x_each(w->ev, w->n->kid[3], v, w->k, w->arg) : w->k(w->arg, v);
}

static qn_code fold_step(void *arg, qn_value v)
{
    walk *w = arg;
    qn_value last = qn_v_null();
    if (++w->rounds % 16 == 0 && depth_of(w->acc, FOLD_DEPTH + 1) > FOLD_DEPTH)
        return qn_fail_at(w->ev->e, QN_ELIMIT, qn_x_pos(w->ev->x, w->n->from), "a value is nested deeper than %d levels", FOLD_DEPTH);
    if (w->rounds % 16 == 0) QN_TRY(qn_x_spend(w->ev, w->n, 16));
    w->ev->vars[w->n->slot] = v;
    if (w->n->kind == QN_X_FOREACH) return qn_x_each(w->ev, w->n->kid[2], w->acc, fold_extract, w);
    QN_TRY(qn_x_each(w->ev, w->n->kid[2], w->acc, keep_last, &last));
    w->acc = last;
    return QN_OK;
}

static qn_code reduce(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    walk w = { .ev = ev, .n = n, .in = in };
    QN_TRY(qn_x_each(ev, n->kid[1], in, keep_last, &w.acc));
    QN_TRY(qn_x_each(ev, n->kid[0], in, fold_step, &w));
    *out = w.acc;
    return QN_OK;
}

static qn_code foreach_start(void *arg, qn_value v)
{
    walk *w = arg;
    w->acc = v;
    return qn_x_each(w->ev, w->n->kid[0], w->in, fold_step, w);
}

qn_code qn_x_each(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg)
{
    if (n->one) {
        qn_value v;
        QN_TRY(qn_x_one(ev, n, in, &v));
        return k(arg, v);
    }
    QN_TRY(tick(ev, n));
    if (is_strict(n)) return strict_each(ev, n, in, k, arg);
    walk w = { .ev = ev, .n = n, .in = in, .k = k, .arg = arg };
    switch ((qn_xkind)n->kind) {
    case QN_X_CALL:        return n->fn->lazy(ev, n, solid(ev, in), k, arg);
    case QN_X_EACH:        return qn_x_each(ev, n->kid[0], in, each_item, &w);
    case QN_X_TRY:         return try_each(&w);
    case QN_X_ALTERNATIVE: return alternative_each(&w);
    case QN_X_AND: case QN_X_OR: return qn_x_each(ev, n->kid[0], in, logic_left, &w);
    case QN_X_IF:          return qn_x_each(ev, n->kid[0], in, if_branch, &w);
    case QN_X_PIPE:        return qn_x_each(ev, n->kid[0], in, pipe_right, &w);
    case QN_X_AS:          return qn_x_each(ev, n->kid[0], in, bind_then, &w);
    case QN_X_FOREACH:     return qn_x_each(ev, n->kid[1], in, foreach_start, &w);
    case QN_X_COMMA:
        for (size_t i = 0; i < n->n_kids; i++) QN_TRY(qn_x_each(ev, n->kid[i], in, k, arg));
        return QN_OK;
    default: QN_ASSERT(!"a node with any number of results"); return QN_OK;
    }
}

/* ---- gathering ---- */
static qn_code put(void *arg, qn_value v)
{
    qn_list_put(arg, v);
    return QN_OK;
}

qn_code qn_x_list_of(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out)
{
    qn_list_b l = { .a = ev->a };
    QN_TRY(qn_x_each(ev, n, in, put, &l));
    *out = qn_list_end(&l);
    return QN_OK;
}

typedef struct { qn_xeval *ev; qn_value v; bool any; } first;

static qn_code take_first(void *arg, qn_value v)
{
    first *f = arg;
    f->v = v;
    f->any = true;
    f->ev->stop = f;
    return QN_X_STOPPED;
}

qn_code qn_x_first(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out, bool *any)
{
    first f = { .ev = ev };
    qn_code rc = QN_OK;
    if (n->one) { rc = qn_x_one(ev, n, in, &f.v); f.any = true; }
    else rc = qn_x_each(ev, n, in, take_first, &f);
    if (rc == QN_X_STOPPED && ev->stop == &f) rc = QN_OK;
    *out = f.v;
    *any = f.any;
    return rc;
}

/* ---- from outside ---- */
qn_code qn_expr_compile(qn_str text, qn_pos pos, qn_arena *a, qn_expr **out, qn_err *e)
{
    size_t end;
    if (pos.file) pos.file = qn_arena_str(a, qn_str_of(pos.file)).p;
    return qn_x_parse(qn_arena_str(a, text), 0, NULL, pos, a, out, &end, e);
}

typedef struct { qn_xeval *ev; qn_expr_each each; void *arg; bool outside; } outer;

static qn_code give(void *arg, qn_value v)
{
    outer *o = arg;
    qn_code rc = o->each(o->arg, v, o->ev->e);
    o->outside = rc != QN_OK;
    return rc;
}

/* Errors go to `inner` first: a failure that `?` or `//` catches must leave the caller's error alone. */
static qn_code run(qn_xeval *ev, qn_value in, qn_expr_each each, void *arg, qn_value *one, qn_err *e)
{
    qn_err inner;
    const qn_expr *x = ev->x;
    qn_code rc;
    inner.code = QN_OK;
    ev->e = &inner;
    ev->steps = QN_X_STEPS;
    ev->memory_from = ev->a->used_bytes;
    ev->vars = x->n_slots ? qn_arena_alloc(ev->a, x->n_slots * sizeof(qn_value)) : NULL;
    if (each) {
        outer o = { .ev = ev, .each = each, .arg = arg };
        rc = qn_x_each(ev, x->root, in, give, &o);
        if (rc != QN_OK && o.outside && inner.code != rc) return rc;    /* the caller's own code, perhaps without words */
    } else {
        bool any;
        rc = qn_x_first(ev, x->root, in, one, &any);
        if (rc == QN_OK && !any) rc = qn_x_fail(ev, x->root, "no result");
    }
    if (rc != QN_OK && e) *e = inner;
    return rc;
}

qn_code qn_expr_run(const qn_expr *x, const qn_row *row, qn_arena *scratch, qn_expr_each each, void *arg, qn_err *e)
{
    qn_xeval ev = { .a = scratch, .x = x, .row = row };
    return run(&ev, (qn_value){ .kind = KIND_ROW }, each, arg, NULL, e);
}

qn_code qn_expr_run_value(const qn_expr *x, qn_value in, qn_arena *scratch, qn_expr_each each, void *arg, qn_err *e)
{
    qn_xeval ev = { .a = scratch, .x = x };
    return run(&ev, in, each, arg, NULL, e);
}

qn_code qn_expr_one(const qn_expr *x, const qn_row *row, qn_arena *scratch, qn_value *out, qn_err *e)
{
    qn_xeval ev = { .a = scratch, .x = x, .row = row };
    return run(&ev, (qn_value){ .kind = KIND_ROW }, NULL, NULL, out, e);
}

bool qn_expr_is_field(const qn_expr *x, qn_str *name)
{
    if (x->root->kind != QN_X_FIELD || x->root->kid[0]->kind != QN_X_SELF) return false;
    *name = x->root->name;
    return true;
}
