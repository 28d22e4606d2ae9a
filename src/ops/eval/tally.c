/* tally: the table at the end of an experiment: means of measures with 95% intervals and their denominators, group by group, and what lies
 * between each group and the one it is held against.
 *
 *   row: {group, measure, n, value, low, high, against, diff, diff_low, diff_high, p}; with `along` also {along, axis}
 *
 * With `along` a group is measured place by place (rows learnt from, tries, size): the report draws a curve. A group whose `along` is null has one level that
 * holds at every place; it is what others are held against where the group that they are held against was not measured at their place.
 *
 * Intervals are percentile bootstraps over units: rows, or with `unit` all rows of one table or document together. Differences are paired: by
 * `pair` a row meets the other group's row of the same question; rows without a partner are left out of the difference and counted in `unpaired`.
 * A measure that a row does not have counts as 0 and is counted in `missing`. Of each row only numbers stay in memory. */
#include "core/names.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/bootstrap.h"
#include <math.h>
#include <stdlib.h>

typedef struct { qn_texts of; qn_expr *by, *along, *pair, *unit; qn_str against, axis; int64_t rounds; double level; } params;    /* axis: made by check */

static const qn_param PARAMS[] = {
    QN_TEXTS(params, of, "em", "fields with the measures: numbers or true and false"),
    QN_EXPR(params, by, "", NULL, "group: the system, the model, the kind of question; left out: all rows are one"),
    QN_EXPR(params, along, "", NULL, "a number by which each group is parted further, or null: .rows; the report then draws lines over it"),
    QN_EXPR(params, pair, "", NULL, "what tells which rows of two groups belong together: the question's id"),
    QN_TEXT(params, against, "", "the group that the others are held against; needs `pair`"),
    QN_EXPR(params, unit, "", NULL, "rows with an equal value are drawn together: .table.name, .document; left out: each row by itself"),
    QN_INT(params, rounds, "2000", "100..1000000", "draws of the bootstrap, and swaps of the paired test"),
    QN_REAL(params, level, "0.95", "0.5..0.999", "of the intervals"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "of: em, rounds: 100", .in = "{em: 1}\n{em: 1}", .out = "{group: 'all', measure: 'em', n: 2, value: 1.0, low: 1.0, high: 1.0, missing: 0, against: null, diff: null, diff_low: null, diff_high: null, p: null, unpaired: null}" },
    { .params = "of: em, along: .rows, rounds: 100", .in = "{em: 1, rows: 200}\n{em: 0, rows: 100}",
      .out = "{group: 'all', measure: 'em', n: 1, value: 0.0, low: 0.0, high: 0.0, missing: 0, against: null, diff: null, diff_low: null, diff_high: null, p: null, unpaired: null, along: 100.0, axis: 'rows'}\n"
             "{group: 'all', measure: 'em', n: 1, value: 1.0, low: 1.0, high: 1.0, missing: 0, against: null, diff: null, diff_low: null, diff_high: null, p: null, unpaired: null, along: 200.0, axis: 'rows'}" },
    { .params = "of: em, against: a", .in = "{em: 1}", .fail = "`against` needs `by` and `pair`" },
    QN_END
};

/* A group at a place; along NAN: it has none. */
typedef struct { uint32_t group, number; double along; } place;
/* A row: its place, its unit and its pair as numbers; its measures from `at` on. */
typedef struct { uint32_t place, unit; qn_hash128 pair; size_t at; } entry;
typedef struct {
    entry *rows;
    size_t n, cap;
    double *x;
    size_t n_x, cap_x;
    qn_names groups, keys;      /* keys: of places, "group along" */
    place *places;              /* (keys.n) by number; in order of groups and places once the first row is given */
    size_t cap_places;
    qn_map units;
    size_t n_units, given;
} state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    qn_str field;
    if (!p->of.n) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`of` names no field");
    if (p->against.n && (!p->by || !p->pair)) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`against` needs `by` and `pair`");
    if (p->along) p->axis = qn_expr_is_field(p->along, &field) ? field : qn_yaml_get(ck->given, "along")->text;
    qn_str fields = qn_arena_printf(ck->arena, "group: text, measure: text, n: int, value: real?, low: real?, high: real?, missing: int, against: text?, diff: real?, "
                                               "diff_low: real?, diff_high: real?, p: real?, unpaired: int?%s", p->along ? ", along: real?, axis: text" : "");
    return qn_type_parse_fields(fields, ck->arena, &ck->out, e);
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
    qn_names_free(&st->keys);
    qn_free(st->places);
    qn_map_free(&st->units);
    qn_free(st->rows);
    qn_free(st->x);
    qn_free(st);
}

/* The number of the row's place. */
static qn_code place_of(qn_ctx *cx, const params *p, state *st, const qn_row *r, uint32_t *out, qn_err *e)
{
    place x = { .along = NAN };
    qn_str name = QN_STR("all");
    qn_value v;
    if (p->by) QN_TRY(qn_pick_key(p->by, r, cx->scratch, &name, e));
    if (p->along) {
        QN_TRY(qn_expr_one(p->along, r, cx->scratch, &v, e));
        if (v.kind != QN_V_NULL && !qn_v_is_number(v)) return qn_fail(e, QN_EDATA, "`along` gives a %s, a number is needed", qn_v_kind_name(v));
        if (v.kind != QN_V_NULL) x.along = qn_v_number(v);
    }
    x.group = qn_names_put(&st->groups, name);
    x.number = *out = qn_names_put(&st->keys, qn_arena_printf(cx->scratch, "%u %.17g", x.group, x.along));
    QN_GROW(st->places, x.number, st->cap_places);
    st->places[x.number] = x;
    return QN_OK;
}

static qn_code take(qn_ctx *cx, const params *p, state *st, const qn_row *r, qn_err *e)
{
    entry x = { .at = st->n_x };
    qn_str key;
    qn_value v;
    bool fresh;
    QN_TRY(place_of(cx, p, st, r, &x.place, e));
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
    state *st = vs;
    size_t n_x = st->n_x;
    qn_code rc = take(cx, vp, st, r, e);
    if (rc != QN_OK) st->n_x = n_x;
    qn_row_drop(r);
    return rc;
}

/* Units of a place that have rows, closed up; returns how many. */
static size_t units_of(const state *st, uint32_t at, size_t measure, qn_unit *u, size_t *n, size_t *missing)
{
    size_t k = 0;
    memset(u, 0, st->n_units * sizeof *u);
    *n = *missing = 0;
    for (size_t i = 0; i < st->n; i++) {
        if (st->rows[i].place != at) continue;
        double d = st->x[st->rows[i].at + measure];
        *missing += isnan(d);
        u[st->rows[i].unit].sum += isnan(d) ? 0 : d;
        u[st->rows[i].unit].count++;
        (*n)++;
    }
    for (size_t i = 0; i < st->n_units; i++) if (u[i].count > 0) u[k++] = u[i];
    return k;
}

/* Units of both places over the pairs that both have. */
static size_t paired_units(state *st, uint32_t a, uint32_t b, size_t measure, qn_unit *u, qn_unit *v, size_t *unpaired)
{
    qn_map where = { 0 };                   /* pair -> 1 + a row of b */
    size_t k = 0;
    *unpaired = 0;
    memset(u, 0, st->n_units * sizeof *u);
    memset(v, 0, st->n_units * sizeof *v);
    for (size_t i = 0; i < st->n; i++) if (st->rows[i].place == b) *qn_map_put(&where, st->rows[i].pair, NULL) = i + 1;
    for (size_t i = 0; i < st->n; i++) {
        if (st->rows[i].place != a) continue;
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

static int by_place(const void *a, const void *b)
{
    const place *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    if (isnan(x->along) || isnan(y->along)) return isnan(x->along) ? -1 : 1;
    return x->along < y->along ? -1 : x->along > y->along;
}

/* The place that `at` is held against: of that group where `at` is, else where the group is level; NULL: none, or itself. */
static const place *held_against(const state *st, const place *at, uint32_t other)
{
    const place *level = NULL;
    if (at->group == other) return NULL;
    for (size_t i = 0; i < st->keys.n; i++) {
        const place *x = &st->places[i];
        if (x->group != other) continue;
        if (x->along == at->along) return x;
        if (isnan(x->along)) level = x;
    }
    return level;
}

static void put_difference(qn_ctx *cx, const params *p, state *st, const place *at, const place *other, size_t measure, qn_row *r)
{
    qn_interval d = { NAN, NAN, NAN };
    double pv = NAN;
    size_t unpaired = 0;
    if (other) {
        qn_unit *u = QN_NEW_N(qn_unit, st->n_units + 1), *v = QN_NEW_N(qn_unit, st->n_units + 1);
        size_t k = paired_units(st, at->number, other->number, measure, u, v, &unpaired);
        d = qn_bootstrap_diff(u, v, k, (int)p->rounds, p->level, cx->seed + 1);
        pv = qn_swap_test(u, v, k, (int)p->rounds, cx->seed + 2);
        qn_free(u);
        qn_free(v);
    }
    qn_row_set(r, QN_STR("against"), other ? qn_v_text(p->against) : qn_v_null());
    put(r, "diff", d.value);
    put(r, "diff_low", d.low);
    put(r, "diff_high", d.high);
    put(r, "p", pv);
    qn_row_set(r, QN_STR("unpaired"), other ? qn_v_int((int64_t)unpaired) : qn_v_null());
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    *out = NULL;
    if (st->given == st->keys.n * p->of.n) return QN_OK;
    if (st->given == 0) qsort(st->places, st->keys.n, sizeof *st->places, by_place);
    const place *at = &st->places[st->given / p->of.n];
    size_t measure = st->given++ % p->of.n, n, missing;
    uint32_t other = 0;
    if (p->against.n && !qn_names_find(&st->groups, p->against, &other))
        return qn_fail(e, QN_ERECIPE, "no row is of the group `%.*s` that others are held against", QN_FMT(p->against));
    qn_unit *u = QN_NEW_N(qn_unit, st->n_units + 1);
    size_t k = units_of(st, at->number, measure, u, &n, &missing);
    qn_interval m = qn_bootstrap_mean(u, k, (int)p->rounds, p->level, cx->seed);
    qn_free(u);
    qn_row *r = *out = qn_row_new((qn_hash128){ 0 });
    qn_row_set(r, QN_STR("group"), qn_v_text(st->groups.all[at->group]));
    qn_row_set(r, QN_STR("measure"), qn_v_text(p->of.items[measure]));
    qn_row_set_int(r, "n", (int64_t)n);
    put(r, "value", m.value);
    put(r, "low", m.low);
    put(r, "high", m.high);
    qn_row_set_int(r, "missing", (int64_t)missing);
    put_difference(cx, p, st, at, p->against.n ? held_against(st, at, other) : NULL, measure, r);
    if (!p->along) return QN_OK;
    put(r, "along", at->along);
    qn_row_set(r, QN_STR("axis"), qn_v_text(p->axis));
    return QN_OK;
}

static size_t holds(const void *vp, uint64_t n, size_t avg_bytes) { (void)avg_bytes; return (size_t)n * (sizeof(entry) + 96 + 8 * ((const params *)vp)->of.n); }

const qn_op qn_op_tally = {
    .name = "tally", .version = 1, .stage = QN_EVAL, .brief = "means of measures with intervals and denominators, by group, and paired differences",
    .about = "The table that an experiment ends in. p is of a paired swap test (approximate randomisation), two-sided.",
    .paper = "Efron and Tibshirani 1993; Noreen 1989", .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .next = next, .holds = holds,
};
