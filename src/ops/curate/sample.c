/* sample: takes so many rows at random: evenly, in proportion to groups, or by weight. Exact counts; rows keep their order.
 *
 * Each row draws a key from (seed, step, row id); the smallest keys are taken. So a row's luck does not hang on the others, and a
 * larger sample contains the smaller one. Rows wait in memory, then on disk; about 40 bytes a row stay in memory.
 *
 * With `reservoir` the same rows are taken, but only those that may still be in the sample wait, in a heap with the worst ticket on top: memory of the
 * sample, no disk. Those not drawn are counted and gone. Source: Efraimidis and Spirakis 2006, A-Res; by equal weights it is a plain reservoir. */
#include "core/log.h"
#include "core/map.h"
#include "data/chosen.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include <math.h>
#include <stdlib.h>

typedef struct { int64_t rows; double share; qn_expr *by, *weight; bool reservoir; } params;

static const qn_param PARAMS[] = {
    QN_INT(params, rows, "0", "0..", "how many rows to take; 0: by `share`"),
    QN_REAL(params, share, "0", "0..1", "which share of the rows to take"),
    QN_EXPR(params, by, "", NULL, "group: every value of it is taken in proportion (stratified)"),
    QN_EXPR(params, weight, "", "number", "a row's weight: twice the weight, twice as likely (within its group); 0: never"),
    QN_BOOL(params, reservoir, "no", "one pass in the memory of the sample: the same rows; those not drawn are counted as rejected, but stand in no file (needs `rows`, no `by`)"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "rows: 2", .in = "{n: 1}\n{n: 2}", .out = "{n: 1}\n{n: 2}" },
    { .params = "rows: 1, weight: .w", .in = "{n: 1, w: 1}\n{n: 2, w: 0}", .out = "{n: 1, w: 1}", .reject = "not_drawn" },
    { .params = "rows: 1, weight: .w, reservoir: yes", .in = "{n: 1, w: 0}\n{n: 2, w: 1}\n{n: 3, w: 0}", .out = "{n: 2, w: 1}" },
    { .params = "rows: 2, weight: .w, by: .g", .in = "{n: 1, g: a, w: 1}\n{n: 2, g: a, w: 1}\n{n: 3, g: b, w: 0}\n{n: 4, g: b, w: 0}", .out = "{n: 1, g: a, w: 1}\n{n: 2, g: a, w: 1}", .reject = "not_drawn" },
    { .params = "rows: 1, weight: .w", .in = "{w: -1}", .fail = "a weight of -1" },
    { .params = "share: 0.5, reservoir: yes", .in = "{n: 1}", .fail = "`reservoir` needs `rows`" },
    QN_END
};

typedef struct { double key; uint32_t group; size_t index; } ticket;
typedef struct { ticket t; qn_row *row; } held;
typedef struct {
    qn_chosen rows;
    qn_map    groups;
    ticket   *tickets;
    size_t    n, cap, n_groups, n_weightless;
    held     *heap;             /* of a reservoir: the worst ticket first; in order of index once all rows are in */
    size_t    n_heap, cap_heap, heap_bytes, given;
} state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    if ((p->rows > 0) == (p->share > 0)) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `rows` or `share`");
    if (p->reservoir && (!p->rows || p->by)) return qn_fail_at(e, QN_ERECIPE, qn_check_param(ck, "reservoir"), "`reservoir` needs `rows`, and takes no `by`: how large groups are is known only at the end");
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    (void)vp;
    (void)e;
    qn_chosen_open(&st->rows, cx->memory_bytes / 2);
    *out = st;
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_chosen_close(&st->rows);
    qn_map_free(&st->groups);
    for (size_t i = st->given; i < st->n_heap; i++) qn_row_drop(st->heap[i].row);
    qn_free(st->heap);
    qn_free(st->tickets);
    qn_free(st);
}

static qn_code ticket_of(qn_ctx *cx, const params *p, state *st, qn_row *r, ticket *t, qn_err *e)
{
    qn_rng rng = qn_ctx_rng(cx, r);
    double weight = 1;
    qn_str group = { 0 };
    bool fresh;
    if (p->weight) QN_TRY(qn_pick_number(p->weight, r, cx->scratch, &weight, e));
    if (p->by) QN_TRY(qn_pick_key(p->by, r, cx->scratch, &group, e));
    uint64_t *g = qn_map_put_str(&st->groups, group, &fresh);
    if (fresh) *g = st->n_groups++;
    if (weight < 0) return qn_fail(e, QN_EDATA, "a weight of %g: it must be 0 or more", weight);
    double u = qn_rng_real(&rng);
    *t = (ticket){ weight > 0 ? -log(1 - u) / weight : INFINITY, (uint32_t)*g, st->n };     /* Efraimidis and Spirakis 2006 */
    return QN_OK;
}

/* ---- the reservoir ---- */
static bool worse(const ticket *a, const ticket *b) { return a->key != b->key ? a->key > b->key : a->index > b->index; }
static void swap(held *a, held *b) { held t = *a; *a = *b; *b = t; }

static void sift_up(held *h, size_t i)
{
    for (; i && worse(&h[i].t, &h[(i - 1) / 2].t); i = (i - 1) / 2) swap(&h[i], &h[(i - 1) / 2]);
}

static void sift_down(held *h, size_t n)
{
    for (size_t i = 0, c; (c = 2 * i + 1) < n; i = c) {
        if (c + 1 < n && worse(&h[c + 1].t, &h[c].t)) c++;
        if (!worse(&h[c].t, &h[i].t)) return;
        swap(&h[i], &h[c]);
    }
}

static void let_go(qn_ctx *cx, qn_row *r)
{
    qn_verdict v = qn_reject_fact("not_drawn", "%s", "");
    qn_let_go(cx, r, &v);
}

static qn_code absorb_held(qn_ctx *cx, const params *p, state *st, qn_row *r, qn_err *e)
{
    held new = { .row = r };
    qn_code rc = ticket_of(cx, p, st, r, &new.t, e);
    if (rc != QN_OK) { qn_row_drop(r); return rc; }
    st->n++;
    st->n_weightless += isinf(new.t.key);
    bool full = st->n_heap == (size_t)p->rows;
    if (isinf(new.t.key) || (full && worse(&new.t, &st->heap[0].t))) { let_go(cx, r); return QN_OK; }
    st->heap_bytes += qn_row_stack_bytes(r);
    if (full) {
        st->heap_bytes -= qn_row_stack_bytes(st->heap[0].row);
        let_go(cx, st->heap[0].row);
        st->heap[0] = new;
        sift_down(st->heap, st->n_heap);
    } else {
        QN_GROW(st->heap, st->n_heap, st->cap_heap);
        st->heap[st->n_heap] = new;
        sift_up(st->heap, st->n_heap++);
    }
    if (st->heap_bytes <= cx->memory_bytes) return QN_OK;
    qn_fail(e, QN_ELIMIT, "the sample itself takes more than this step's %zu MB", cx->memory_bytes >> 20);
    qn_hint(e, "raise --memory, or leave `reservoir` away: rows then wait on disk");
    return QN_ELIMIT;
}

static int by_index(const void *a, const void *b)
{
    size_t x = ((const held *)a)->t.index, y = ((const held *)b)->t.index;
    return (x > y) - (x < y);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    state *st = vs;
    if (((const params *)vp)->reservoir) return absorb_held(cx, vp, st, r, e);
    QN_GROW(st->tickets, st->n, st->cap);
    qn_code rc = ticket_of(cx, vp, st, r, &st->tickets[st->n], e);
    if (rc != QN_OK) { qn_row_drop(r); return rc; }
    st->n_weightless += isinf(st->tickets[st->n++].key);
    return qn_chosen_put(&st->rows, r, e);
}

static int by_group_then_key(const void *a, const void *b)
{
    const ticket *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

typedef struct { double rest; size_t group, whole; } part;

static int by_rest(const void *a, const void *b)
{
    const part *x = a, *y = b;
    if (x->rest != y->rest) return x->rest > y->rest ? -1 : 1;
    return (x->group > y->group) - (x->group < y->group);
}

/* `want` rows over groups in proportion to their sizes: whole parts, then the largest remainders. */
static void share_out(const size_t *size, size_t n_groups, size_t n, size_t want, size_t *quota)
{
    part *parts = QN_NEW_N(part, n_groups + 1);
    size_t given = 0;
    for (size_t g = 0; g < n_groups; g++) {
        double exact = n ? (double)want * (double)size[g] / (double)n : 0;
        parts[g] = (part){ exact - floor(exact), g, (size_t)exact };
        given += parts[g].whole;
    }
    qsort(parts, n_groups, sizeof *parts, by_rest);
    for (size_t i = 0; i < n_groups; i++) quota[parts[i].group] = parts[i].whole + (i < want - given);
    qn_free(parts);
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    (void)e;
    size_t want = p->rows ? (size_t)p->rows : (size_t)llround(p->share * (double)st->n), may = st->n - st->n_weightless;
    if (want > may && st->n_weightless)
        qn_log(QN_WARN, "under_supply", "%.*s: %zu rows instead of %zu, for the other %zu have no weight", QN_FMT(cx->step), may, want, st->n_weightless);
    if (want > may) want = may;
    if (p->reservoir) {
        if (st->n_heap) qsort(st->heap, st->n_heap, sizeof *st->heap, by_index);
        return QN_OK;
    }
    size_t *size = QN_NEW_N(size_t, st->n_groups + 1), *quota = QN_NEW_N(size_t, st->n_groups + 1);
    bool *taken = qn_chosen_marks(&st->rows);
    for (size_t i = 0; i < st->n; i++) size[st->tickets[i].group] += isfinite(st->tickets[i].key);
    share_out(size, st->n_groups, may, want, quota);
    if (st->n) qsort(st->tickets, st->n, sizeof *st->tickets, by_group_then_key);
    for (size_t i = 0; i < st->n; i++) {
        const ticket *t = &st->tickets[i];
        if (quota[t->group] && isfinite(t->key)) quota[t->group]--, taken[t->index] = true;
    }
    qn_free(size);
    qn_free(quota);
    return QN_OK;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    state *st = vs;
    (void)cx;
    if (((const params *)vp)->reservoir) {
        *out = st->given < st->n_heap ? st->heap[st->given++].row : NULL;
        return QN_OK;
    }
    return qn_chosen_next(&st->rows, out, NULL, e);
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    (void)vp;
    return qn_chosen_was_taken(r) ? qn_keep() : qn_reject_fact("not_drawn", "%s", "");
}

const qn_op qn_op_sample = {
    .name = "sample", .version = 1, .stage = QN_CURATE, .brief = "take so many rows at random: evenly, by groups, or by weight",
    .about = "The same seed takes the same rows, and a larger sample contains the smaller one (without groups). Rows not drawn are rejected as `not_drawn`, which keeps all rows on disk\n"
             "until the end; with `reservoir` they are counted so and let go at once: for sets far larger than the disk, or without an end but `--limit`. Shares of groups are\n"
             "shares of the rows that have weight.",
    .paper = "Efraimidis and Spirakis 2006, Weighted random sampling with a reservoir",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .finish = finish, .next = next, .decide = decide,
};
