/* tally: the table at the end of an experiment: means of measures with 95% intervals and their denominators, group by group, and what lies
 * between each group and the one it is held against.
 *
 *   row: {group, measure, n, value, low, high, against, diff, diff_low, diff_high, p}
 *
 * Intervals are percentile bootstraps over units: rows, or with `unit` all rows of one table or document together. Differences are paired: by
 * `pair` a row meets the other group's row of the same question; rows without a partner are left out of the difference and counted in `unpaired`.
 * A measure that a row does not have counts as 0 and is counted in `missing`. Of each row only numbers stay in memory. */
#include "core/names.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/bootstrap.h"
#include <math.h>

typedef struct { qn_texts of; qn_expr *by, *pair, *unit; qn_str against; int64_t rounds; double level; } params;

static const qn_param PARAMS[] = {
    QN_TEXTS(params, of, "em", "fields with the measures: numbers or true and false"),
    QN_EXPR(params, by, "", NULL, "group: the system, the model, the kind of question; left out: all rows are one"),
    QN_EXPR(params, pair, "", NULL, "what tells which rows of two groups belong together: the question's id"),
    QN_TEXT(params, against, "", "the group that the others are held against; needs `pair`"),
    QN_EXPR(params, unit, "", NULL, "rows with an equal value are drawn together: .table.name, .document; left out: each row by itself"),
    QN_INT(params, rounds, "2000", "100..1000000", "draws of the bootstrap, and swaps of the paired test"),
    QN_REAL(params, level, "0.95", "0.5..0.999", "of the intervals"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "of: em, rounds: 100", .in = "{em: 1}\n{em: 1}", .out = "{group: 'all', measure: 'em', n: 2, value: 1.0, low: 1.0, high: 1.0, missing: 0, against: null, diff: null, diff_low: null, diff_high: null, p: null, unpaired: null}" },
    { .params = "of: em, against: a", .in = "{em: 1}", .fail = "`against` needs `by` and `pair`" },
    QN_END
};

/* A row: its group, its unit and its pair as numbers; its measures from `at` on. */
typedef struct { uint32_t group, unit; qn_hash128 pair; size_t at; } entry;
typedef struct { entry *rows; size_t n, cap; double *x; size_t n_x, cap_x; qn_names groups; qn_map units; size_t n_units, given; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    if (!p->of.n) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`of` names no field");
    if (p->against.n && (!p->by || !p->pair)) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`against` needs `by` and `pair`");
    return qn_type_parse_fields(QN_STR("group: text, measure: text, n: int, value: real?, low: real?, high: real?, missing: int, against: text?, diff: real?, "
                                       "diff_low: real?, diff_high: real?, p: real?, unpaired: int?"), ck->arena, &ck->out, e);
}

static qn_code open(qn_ctx *cx, const void *p, void **out, qn_err *e)
{
    (void)cx, (void)p, (void)e;
    *out = QN_NEW(state);
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_names_free(&st->groups);
    qn_map_free(&st->units);
    qn_free(st->rows);
    qn_free(st->x);
    qn_free(st);
}

static qn_code take(qn_ctx *cx, const params *p, state *st, const qn_row *r, qn_err *e)
{
    entry x = { .at = st->n_x };
    qn_str name = QN_STR("all"), key;
    qn_value v;
    bool fresh;
    if (p->by) QN_TRY(qn_pick_key(p->by, r, cx->scratch, &name, e));
    x.group = qn_names_put(&st->groups, name);
    x.unit = (uint32_t)st->n_units;
    if (p->unit) {
        QN_TRY(qn_pick_key(p->unit, r, cx->scratch, &key, e));
        uint64_t *at = qn_map_put_str(&st->units, key, &fresh);
        if (fresh) *at = st->n_units++;
        x.unit = (uint32_t)*at;
    } else if (!p->pair) st->n_units++;
    if (p->pair) {
        QN_TRY(qn_pick_key(p->pair, r, cx->scratch, &key, e));
        x.pair = qn_hash(key.p, key.n);
        if (!p->unit) {                     /* a question is a unit, in whatever group */
            uint64_t *at = qn_map_put_str(&st->units, key, &fresh);
            if (fresh) *at = st->n_units++;
            x.unit = (uint32_t)*at;
        }
    }
    for (size_t i = 0; i < p->of.n; i++) {
        double d = NAN;
        if (qn_row_find(r, p->of.items[i], &v) && v.kind != QN_V_NULL) {
            if (v.kind != QN_V_BOOL && !qn_v_is_number(v)) return qn_fail(e, QN_EDATA, "`%.*s` is %s, a number is needed", QN_FMT(p->of.items[i]), qn_v_kind_name(v));
            d = v.kind == QN_V_BOOL ? v.b : qn_v_number(v);
        }
        QN_GROW(st->x, st->n_x, st->cap_x);
        st->x[st->n_x++] = d;
    }
    QN_GROW(st->rows, st->n, st->cap);
    st->rows[st->n++] = x;
    return QN_OK;
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    qn_code rc = take(cx, vp, vs, r, e);
    qn_row_drop(r);
    return rc;
}

/* Units of a group that have rows, closed up; returns how many. */
static size_t units_of(const state *st, uint32_t group, size_t measure, qn_unit *u, size_t *n, size_t *missing)
{
    size_t k = 0;
    memset(u, 0, st->n_units * sizeof *u);
    *n = *missing = 0;
    for (size_t i = 0; i < st->n; i++) {
        if (st->rows[i].group != group) continue;
        double d = st->x[st->rows[i].at + measure];
        *missing += isnan(d);
        u[st->rows[i].unit].sum += isnan(d) ? 0 : d;
        u[st->rows[i].unit].count++;
        (*n)++;
    }
    for (size_t i = 0; i < st->n_units; i++) if (u[i].count > 0) u[k++] = u[i];
    return k;
}

/* Units of both groups over the pairs that both have. */
static size_t paired_units(state *st, uint32_t a, uint32_t b, size_t measure, qn_unit *u, qn_unit *v, size_t *unpaired)
{
    qn_map where = { 0 };                   /* pair -> 1 + a row of b */
    size_t k = 0;
    *unpaired = 0;
    memset(u, 0, st->n_units * sizeof *u);
    memset(v, 0, st->n_units * sizeof *v);
    for (size_t i = 0; i < st->n; i++) if (st->rows[i].group == b) *qn_map_put(&where, st->rows[i].pair, NULL) = i + 1;
    for (size_t i = 0; i < st->n; i++) {
        if (st->rows[i].group != a) continue;
        uint64_t *at = qn_map_get(&where, st->rows[i].pair);
        if (!at || !*at) { (*unpaired)++; continue; }
        double x = st->x[st->rows[i].at + measure], y = st->x[st->rows[*at - 1].at + measure];
        qn_unit *p = &u[st->rows[i].unit], *q = &v[st->rows[i].unit];
        p->sum += isnan(x) ? 0 : x;
        q->sum += isnan(y) ? 0 : y;
        p->count++;
        q->count++;
    }
    qn_map_free(&where);
    for (size_t i = 0; i < st->n_units; i++) if (u[i].count > 0) { u[k] = u[i]; v[k++] = v[i]; }
    return k;
}

static void put(qn_row *r, const char *name, double x) { qn_row_set(r, qn_str_of(name), isfinite(x) ? qn_v_real(round(x * 1e6) / 1e6) : qn_v_null()); }

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    *out = NULL;
    if (st->given == st->groups.n * p->of.n) return QN_OK;
    uint32_t group = (uint32_t)(st->given / p->of.n), other = 0;
    size_t measure = st->given++ % p->of.n, n, missing, unpaired = 0;
    bool known = p->against.n && qn_names_find(&st->groups, p->against, &other);
    if (p->against.n && !known) return qn_fail(e, QN_ERECIPE, "no row is of the group `%.*s` that others are held against", QN_FMT(p->against));
    qn_unit *u = QN_NEW_N(qn_unit, st->n_units + 1), *v = QN_NEW_N(qn_unit, st->n_units + 1);
    size_t k = units_of(st, group, measure, u, &n, &missing);
    qn_interval m = qn_bootstrap_mean(u, k, (int)p->rounds, p->level, cx->seed), d = { NAN, NAN, NAN };
    double pv = NAN;
    bool held = known && other != group;
    if (held) {
        k = paired_units(st, group, other, measure, u, v, &unpaired);
        d = qn_bootstrap_diff(u, v, k, (int)p->rounds, p->level, cx->seed + 1);
        pv = qn_swap_test(u, v, k, (int)p->rounds, cx->seed + 2);
    }
    qn_row *r = *out = qn_row_new((qn_hash128){ 0 });
    qn_row_set(r, QN_STR("group"), qn_v_text(st->groups.all[group]));
    qn_row_set(r, QN_STR("measure"), qn_v_text(p->of.items[measure]));
    qn_row_set_int(r, "n", (int64_t)n);
    put(r, "value", m.value);
    put(r, "low", m.low);
    put(r, "high", m.high);
    qn_row_set_int(r, "missing", (int64_t)missing);
    qn_row_set(r, QN_STR("against"), held ? qn_v_text(p->against) : qn_v_null());
    put(r, "diff", d.value);
    put(r, "diff_low", d.low);
    put(r, "diff_high", d.high);
    put(r, "p", pv);
    qn_row_set(r, QN_STR("unpaired"), held ? qn_v_int((int64_t)unpaired) : qn_v_null());
    qn_free(u);
    qn_free(v);
    return QN_OK;
}

static size_t holds(const void *vp, uint64_t n, size_t avg_bytes) { (void)avg_bytes; return (size_t)n * (sizeof(entry) + 64 + 8 * ((const params *)vp)->of.n); }

const qn_op qn_op_tally = {
    .name = "tally", .version = 1, .stage = QN_EVAL, .brief = "means of measures with intervals and denominators, by group, and paired differences",
    .about = "The table that an experiment ends in. p is of a paired swap test (approximate randomisation), two-sided.",
    .paper = "Efron and Tibshirani 1993; Noreen 1989", .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .next = next, .holds = holds,
};
