/* curate: what the filters of this folder share: the text they look at, and limits that a recipe can move. */
#ifndef QN_OPS_CURATE_CURATE_H
#define QN_OPS_CURATE_CURATE_H
#include "ops/op.h"
#include "text/limits.h"

/* The text that an expression gives; null and other kinds are errors of the row. Borrowed until the scratch is emptied. */
static inline qn_code qn_curate_text(qn_ctx *cx, const qn_expr *x, const qn_row *r, qn_str *out, qn_err *e)
{
    qn_value v;
    QN_TRY(qn_expr_one(x, r, cx->scratch, &v, e));
    if (v.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "the text to look at is %s", qn_v_kind_name(v));
    *out = qn_v_str(v);
    return QN_OK;
}

/* A family's measures with the bounds of `given` in their place: {words: [20, 5000], dup_lines: 0.5, stop_words: null}. A number is the bound on the
 * side that the family bounds (the upper one when neither), a pair is both, null is none. The table lives in the arena. */
static inline qn_code qn_curate_limits(qn_check *ck, const qn_measure *family, size_t n, qn_value given, const qn_measure **out, qn_err *e)
{
    qn_measure *m = QN_ARENA_NEW_N(ck->arena, qn_measure, n);
    const char **names = QN_ARENA_NEW_N(ck->arena, const char *, n);
    for (size_t i = 0; i < n; i++) { m[i] = family[i]; names[i] = family[i].name; }
    *out = m;
    if (given.kind == QN_V_NULL || (given.kind == QN_V_TEXT && given.n == 0)) return QN_OK;
    if (given.kind != QN_V_OBJECT) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`limits` must be a map from measures to bounds");
    qn_v_iter it = qn_v_iter_of(given);
    qn_str name;
    for (qn_value v; qn_v_next(&it, &name, &v);) {
        size_t i = 0;
        while (i < n && !qn_str_is(name, names[i])) i++;
        if (i == n) {
            const char *near = qn_nearest(name, names, n);
            qn_fail_at(e, QN_ERECIPE, ck->pos, "there is no measure `%.*s`", QN_FMT(name));
            if (near) qn_hint(e, "did you mean `%s`?", near);
            return QN_ERECIPE;
        }
        bool lower = isfinite(m[i].min), both = lower && isfinite(m[i].max);
        qn_value lo = qn_v_at(v, 0), hi = qn_v_at(v, 1);
        if (v.kind == QN_V_NULL) { m[i].min = -INFINITY; m[i].max = INFINITY; }
        else if (qn_v_is_number(v) && !both) *(lower ? &m[i].min : &m[i].max) = qn_v_number(v);
        else if (v.kind == QN_V_LIST && v.n == 2 && (qn_v_is_number(lo) || lo.kind == QN_V_NULL) && (qn_v_is_number(hi) || hi.kind == QN_V_NULL)) {
            m[i].min = qn_v_is_number(lo) ? qn_v_number(lo) : -INFINITY;
            m[i].max = qn_v_is_number(hi) ? qn_v_number(hi) : INFINITY;
        } else return qn_fail_at(e, QN_ERECIPE, ck->pos, "the bound of `%.*s` must be %s[least, most] or null", QN_FMT(name), both ? "" : "a number, ");
    }
    return QN_OK;
}

/* Writes the measures as one object field, NaN as null, and keeps the values with the row for `qn_curate_decide`. */
static inline void qn_curate_put(qn_ctx *cx, qn_row *r, const char *field, const qn_measure *m, const double *values, size_t n)
{
    qn_object_b o = { .a = cx->scratch };
    for (size_t i = 0; i < n; i++) {
        bool whole = values[i] == floor(values[i]) && fabs(values[i]) < 1e15;
        qn_object_put(&o, qn_str_of(m[i].name), isnan(values[i]) ? qn_v_null() : whole ? qn_v_int((int64_t)values[i]) : qn_v_real(values[i]));
    }
    qn_row_set(r, qn_str_of(field), qn_object_end(&o));
    qn_row_attach(r, qn_memdup(values, n * sizeof *values));
}

static inline qn_verdict qn_curate_decide(const qn_measure *lim, const qn_row *r, size_t n)
{
    qn_breach b;
    if (!qn_limits_broken(lim, qn_row_attached(r), n, &b)) return qn_keep();
    return b.below ? qn_reject_below(b.measure, b.value, b.limit) : qn_reject_above(b.measure, b.value, b.limit);
}

static inline bool qn_texts_hold(qn_texts t, const char *word)
{
    for (size_t i = 0; i < t.n; i++)
        if (qn_str_is(t.items[i], word)) return true;
    return false;
}

/* The set of words of `names` (n of them) that `given` lists, as bits; an unknown word is an error with "did you mean". */
static inline qn_code qn_curate_bits(qn_check *ck, const char *what, qn_texts given, const char *const *names, size_t n, unsigned *out, qn_err *e)
{
    *out = 0;
    for (size_t k = 0; k < given.n; k++) {
        size_t i = 0;
        while (i < n && !qn_str_is(given.items[k], names[i])) i++;
        if (i == n) {
            const char *near = qn_nearest(given.items[k], names, n);
            qn_fail_at(e, QN_ERECIPE, ck->pos, "`%s` knows no `%.*s`", what, QN_FMT(given.items[k]));
            if (near) qn_hint(e, "did you mean `%s`?", near);
            return QN_ERECIPE;
        }
        *out |= 1u << i;
    }
    return QN_OK;
}
#endif
