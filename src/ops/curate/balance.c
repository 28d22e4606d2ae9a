/* balance: keeps as many rows as possible so that the shares of a field's values are met exactly (to the row).
 *
 * What is too much of one value is rejected and counted by value; what is too little decides the size of the whole, and is said.
 * Which rows of a value stay is drawn from (seed, step, row id). Rows wait in memory, then on disk. */
#include "core/log.h"
#include "core/map.h"
#include "data/chosen.h"
#include "ops/op.h"
#include "recipe/cells.h"
#include "recipe/pick.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct { qn_expr *by; qn_value shares, cover; int64_t rows; qn_cells cells; } params;     /* cells: made by check */

static const qn_param PARAMS[] = {
    QN_EXPR(params, by, "", NULL, "the value whose shares are set"),
    QN_VALUE(params, shares, "", "value: share, which add up to 1; left out: every value that occurs gets the same"),
    QN_VALUE(params, cover, "", "instead of `by` and `shares`: a table whose cells get their shares, {domain: {physics: 0.6, history: 0.4}, use_case: [explain, compare]}"),
    QN_INT(params, rows, "0", "0..", "how many rows in all; 0: as many as the scarcest value allows"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "by: .k", .in = "{k: a}\n{k: b}", .out = "{k: a}\n{k: b}" },
    { .params = "by: .k, shares: {a: 1}", .in = "{k: a}\n{k: b}", .out = "{k: a}", .reject = "over_supply: b: 0 of 1 taken" },
    { .params = "cover: {k: {a: 0.5, b: 0.5}}", .in = "{k: a}\n{k: b}\n{k: c}", .out = "{k: a}\n{k: b}", .reject = "over_supply: k is c: 0 of 1 taken" },
    QN_END
};

typedef struct { qn_str name; double share; size_t supply, quota, taken; } group;
typedef struct { double key; uint32_t group; size_t index; } ticket;
typedef struct {
    qn_chosen rows;
    qn_arena arena;
    qn_map   names;
    group   *groups;
    size_t   n_groups, cap_groups;
    ticket  *tickets;
    size_t   n, cap;
    uint32_t *group_of;
    char     lacking[200];      /* a wanted value that no row has; "" none */
} state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    qn_v_iter it = qn_v_iter_of(p->shares);
    qn_str name;
    qn_value v;
    double sum = 0;
    bool cover = p->cover.kind != QN_V_NULL && !(p->cover.kind == QN_V_TEXT && p->cover.n == 0);
    if (cover == (p->by != NULL)) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `by` or `cover`");
    if (cover) return qn_cells_read(p->cover, ck->pos, ck->arena, &p->cells, e);
    if (p->shares.kind == QN_V_NULL || (p->shares.kind == QN_V_TEXT && p->shares.n == 0)) return QN_OK;
    if (p->shares.kind != QN_V_OBJECT) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`shares` must be a map: {value: share}");
    while (qn_v_next(&it, &name, &v)) {
        if (!qn_v_is_number(v) || qn_v_number(v) < 0) return qn_fail_at(e, QN_ERECIPE, ck->pos, "the share of `%.*s` is no number from 0 to 1", QN_FMT(name));
        sum += qn_v_number(v);
    }
    if (fabs(sum - 1) > 1e-6) return qn_fail_at(e, QN_ERECIPE, ck->pos, "the shares add up to %g, not to 1", sum);
    return QN_OK;
}

static uint32_t group_named(state *st, qn_str name)
{
    bool fresh;
    uint64_t *g = qn_map_put_str(&st->names, name, &fresh);
    if (fresh) {
        *g = st->n_groups;
        QN_GROW(st->groups, st->n_groups, st->cap_groups);
        st->groups[st->n_groups++] = (group){ .name = qn_arena_str(&st->arena, name) };
    }
    return (uint32_t)*g;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    qn_v_iter it = qn_v_iter_of(p->shares);
    qn_str name;
    qn_value v;
    (void)e;
    qn_chosen_open(&st->rows, cx->memory_bytes / 2);
    for (size_t c = 0; c < p->cells.n; c++) {
        qn_buf b = {0};
        qn_cells_name(&p->cells, c, &b);
        uint32_t g = group_named(st, qn_buf_view(&b));
        st->groups[g].share = p->cells.shares[c];
        qn_buf_free(&b);
    }
    if (p->shares.kind == QN_V_OBJECT)
        while (qn_v_next(&it, &name, &v)) {
            uint32_t g = group_named(st, name);         /* may move st->groups */
            st->groups[g].share = qn_v_number(v);
        }
    *out = st;
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_chosen_close(&st->rows);
    qn_arena_free(&st->arena);
    qn_map_free(&st->names);
    qn_free(st->groups);
    qn_free(st->tickets);
    qn_free(st->group_of);
    qn_free(st);
}

/* The cell's name; of a row in none, the field that is to blame. */
static qn_str cell_name(const params *p, const qn_row *r, qn_arena *a)
{
    size_t cell;
    qn_str field, value;
    if (!qn_cells_of(&p->cells, r, &cell, &field, &value)) return qn_arena_printf(a, "%.*s is %.*s", QN_FMT(field), QN_FMT(value));
    qn_buf b = {0};
    qn_cells_name(&p->cells, cell, &b);
    qn_str name = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return name;
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_str name;
    qn_code rc = QN_OK;
    if (p->by) rc = qn_pick_key(p->by, r, cx->scratch, &name, e);
    else name = cell_name(p, r, cx->scratch);
    if (rc != QN_OK) { qn_row_drop(r); return rc; }
    qn_rng rng = qn_ctx_rng(cx, r);
    uint32_t g = group_named(st, name);
    st->groups[g].supply++;
    QN_GROW(st->tickets, st->n, st->cap);
    st->tickets[st->n] = (ticket){ qn_rng_real(&rng), g, st->n };
    st->n++;
    return qn_chosen_put(&st->rows, r, e);
}

/* Quotas of `total` rows. True when the supply of every group suffices. */
static bool quotas(state *st, size_t total)
{
    double *share = QN_NEW_N(double, st->n_groups + 1);
    size_t *quota = QN_NEW_N(size_t, st->n_groups + 1);
    bool enough = true;
    for (size_t g = 0; g < st->n_groups; g++) share[g] = st->groups[g].share;
    qn_quotas(share, st->n_groups, total, quota);
    for (size_t g = 0; g < st->n_groups; g++) {
        st->groups[g].quota = quota[g];
        enough &= quota[g] <= st->groups[g].supply;
    }
    qn_free(share);
    qn_free(quota);
    return enough;
}

static bool no_rest(const state *st, size_t total)
{
    bool whole = true;
    for (size_t g = 0; g < st->n_groups; g++) whole &= fabs((double)total * st->groups[g].share - (double)st->groups[g].quota) < 1e-6;
    return whole;
}

/* The largest total that the supplies allow; of the thousand below it the first that needs no rounding, when there is one. With very many groups fewer totals
 * are tried, from one on that is met without any rounding up: less than a row of each group is lost by that. */
static size_t largest(state *st, size_t limit)
{
    enum { WORK = 20000000 };       /* groups looked at */
    double most = (double)st->n, safe = (double)st->n;
    for (size_t g = 0; g < st->n_groups; g++) {
        if (st->groups[g].share <= 0) continue;
        most = fmin(most, ((double)st->groups[g].supply + 1) / st->groups[g].share);
        safe = fmin(safe, (double)st->groups[g].supply / st->groups[g].share + 1e-9);
    }
    size_t tries = st->n_groups ? WORK / st->n_groups + 1 : 1;
    size_t total = most - safe > (double)tries ? (size_t)safe : (size_t)most;
    if (limit && total > limit) total = limit;
    while (total > 0 && !quotas(st, total)) total--;
    if (tries > 1000) tries = 1000;
    for (size_t t = total; t > 0 && t + tries > total; t--)
        if (quotas(st, t) && no_rest(st, t)) return t;
    quotas(st, total);
    return total;
}

static int by_key(const void *a, const void *b)
{
    const ticket *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* What was too much of each value, and which value decided how many rows stay. */
static void tell(const state *st, size_t total)
{
    const group *scarce = NULL;
    for (size_t g = 0; g < st->n_groups; g++) {
        const group *x = &st->groups[g];
        if (x->share > 0 && (!scarce || (double)x->supply / x->share < (double)scarce->supply / scarce->share)) scarce = x;
        if (g < 50 && x->supply > x->quota) qn_log(QN_INFO, "over_supply", "balance: %zu of %zu rows of `%.*s` stay", x->quota, x->supply, QN_FMT(x->name));
    }
    if (scarce) qn_log(QN_INFO, "balance", "balance: %zu of %zu rows stay; `%.*s` is scarcest: %zu rows for a share of %g", total, st->n, QN_FMT(scarce->name), scarce->supply, scarce->share);
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    (void)cx;
    (void)e;
    if (p->by && p->shares.kind != QN_V_OBJECT)
        for (size_t g = 0; g < st->n_groups; g++) st->groups[g].share = 1 / (double)st->n_groups;
    size_t in_any = 0;
    for (size_t g = 0; g < st->n_groups; g++) in_any += st->groups[g].share > 0 ? st->groups[g].supply : 0;
    for (size_t g = 0; g < st->n_groups && in_any; g++)
        if (st->groups[g].share > 0 && st->groups[g].supply == 0)
            snprintf(st->lacking, sizeof st->lacking, "balance: no row has the value `%.*s`, which is to be %g of all: the shares cannot be met",
                     (int)(st->groups[g].name.n < 80 ? st->groups[g].name.n : 80), st->groups[g].name.p, st->groups[g].share);
    size_t total = st->lacking[0] ? 0 : largest(st, (size_t)p->rows);
    if (p->rows && total < (size_t)p->rows) {
        for (size_t g = 0; g < st->n_groups; g++)
            if ((double)p->rows * st->groups[g].share > (double)st->groups[g].supply)
                qn_log(QN_WARN, "under_supply", "balance: %zu rows of `%.*s` where %.0f are needed", st->groups[g].supply, QN_FMT(st->groups[g].name),
                       (double)p->rows * st->groups[g].share);
        qn_log(QN_WARN, "under_supply", "balance: %zu rows instead of %lld, so that the shares are met", total, (long long)p->rows);
    }
    tell(st, total);
    bool *taken = qn_chosen_marks(&st->rows);
    st->group_of = QN_NEW_N(uint32_t, st->n + 1);
    for (size_t i = 0; i < st->n; i++) st->group_of[i] = st->tickets[i].group;
    if (st->n) qsort(st->tickets, st->n, sizeof *st->tickets, by_key);
    for (size_t i = 0; i < st->n; i++) {
        group *g = &st->groups[st->tickets[i].group];
        if (g->taken < g->quota) g->taken++, taken[st->tickets[i].index] = true;
    }
    return QN_OK;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    state *st = vs;
    (void)cx;
    (void)vp;
    size_t i;
    QN_TRY(qn_chosen_next(&st->rows, out, &i, e));
    if (!*out || qn_chosen_was_taken(*out)) return QN_OK;
    const group *g = &st->groups[st->group_of[i]];
    qn_verdict v = qn_reject_fact("over_supply", "%.*s: %zu of %zu taken", (int)(g->name.n < 60 ? g->name.n : 60), g->name.p, g->quota, g->supply);
    qn_row_attach(*out, qn_memdup(&v, sizeof v));
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const qn_verdict *v = qn_row_attached(r);
    (void)vp;
    return v ? *v : qn_keep();
}

static const char *lacks(void *vs)
{
    const state *st = vs;
    return st->lacking[0] ? st->lacking : NULL;
}

const qn_op qn_op_balance = {
    .name = "balance", .version = 1, .stage = QN_CURATE, .brief = "keep rows so that the shares of a field's values are met exactly",
    .about = "The scarcest value decides how many rows stay; too many of a value are rejected as `over_supply`, too few for `rows` are warned of.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .finish = finish, .next = next, .decide = decide, .lacks = lacks,
};
