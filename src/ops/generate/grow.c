/* grow: a pool that feeds itself, in rounds: rows that come in are its seeds; every round gives `per_round` rows, each with some of the pool as
 * examples; what its steps accept joins the pool. Leaves when `until_rows` were accepted, after `rounds`, or after `patience` rounds that added nothing.
 *
 * With `cover` the rows wanted are parted over the cells of a table: each row given names as its target the cell that lacks most, and what would
 * make a cell fuller than its share is rejected (by grow_end), so the shares of what was accepted are met to the row.
 *
 * A round sees the pool as it was when the round began, and the next begins when all of its rows have ended, so the result does not depend on timing.
 * Source: the bootstrapping loop of Self-Instruct (Wang et al. 2022, section 2), made general. */
#include "ops/generate/grow.h"
#include "core/log.h"
#include <math.h>
#include <stdio.h>

typedef struct {
    int64_t  until_rows, per_round, rounds, patience, seeds_shown, grown_shown;
    qn_str   as, target;
    qn_value cover;
    const qn_type *shape;       /* made by check */
    qn_cells cells;
} params;

static const qn_param PARAMS[] = {
    QN_INT(params, until_rows, NULL, "1..", "accepted rows wanted"),
    QN_INT(params, per_round, "8", "1..", "rows given in a round"),
    QN_INT(params, rounds, "1000", "1..", "at most so many rounds"),
    QN_INT(params, patience, "5", "1..", "rounds in a row that may add nothing"),
    QN_INT(params, seeds_shown, "6", "0..", "seeds among the examples of a row"),
    QN_INT(params, grown_shown, "2", "0..", "accepted rows among them, once there are some (seeds stand in before)"),
    QN_FIELD(params, as, "examples", "field that holds the examples, a list of rows"),
    QN_VALUE(params, cover, "", "a table to fill: {domain: {physics: 0.6, history: 0.4}, use_case: [explain, compare]}; every cell gets its share of `until_rows`, exactly"),
    QN_FIELD(params, target, "target", "with `cover`: field for the cell that lacks most, {domain, use_case}"),
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    qn_type *list = QN_ARENA_NEW(ck->arena, qn_type), *row = QN_ARENA_NEW(ck->arena, qn_type);
    static const qn_type none = { .kind = QN_T_RECORD };
    p->shape = ck->in;
    *list = (qn_type){ .kind = QN_T_LIST, .item = ck->in };
    *row = none;
    const qn_type *t = qn_type_with(row, p->as, list, ck->arena);
    if (p->cover.kind != QN_V_NULL && !(p->cover.kind == QN_V_TEXT && p->cover.n == 0)) {
        QN_TRY(qn_cells_read(p->cover, ck->pos, ck->arena, &p->cells, e));
        t = qn_type_with(t, p->target, qn_cells_type(&p->cells, ck->arena), ck->arena);
    }
    ck->out = qn_type_with(t, QN_STR("round"), qn_type_simple(QN_T_INT), ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    qn_pool *pool = QN_NEW(qn_pool);
    (void)cx; (void)e;
    pool->shape = p->shape;
    *out = pool;
    if (p->cells.n_fields == 0) return QN_OK;
    pool->cells = &p->cells;
    pool->quota = QN_NEW_N(size_t, p->cells.n);
    pool->have = QN_NEW_N(size_t, p->cells.n);
    pool->planned = QN_NEW_N(size_t, p->cells.n);
    qn_quotas(p->cells.shares, p->cells.n, (size_t)p->until_rows, pool->quota);
    return QN_OK;
}

static void close(void *vs)
{
    qn_pool *pool = vs;
    for (size_t i = 0; i < pool->n; i++) qn_row_drop(pool->rows[i]);
    qn_free(pool->rows);
    qn_free(pool->quota);
    qn_free(pool->have);
    qn_free(pool->planned);
    qn_free(pool);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    qn_pool *pool = vs;
    (void)cx; (void)vp; (void)e;
    QN_GROW(pool->rows, pool->n, pool->cap);
    pool->rows[pool->n++] = r;
    pool->n_seeds = pool->n;
    return QN_OK;
}

static void stop(qn_pool *pool, const char *why)
{
    pool->over = true;
    snprintf(pool->why, sizeof pool->why, "%s", why);
}

/* The cells that are not full, the worst first as they stand in the table. */
static void say_lacking(const qn_pool *pool)
{
    size_t said = 0;
    for (size_t c = 0; pool->cells && c < pool->cells->n; c++) {
        if (pool->have[c] >= pool->quota[c]) continue;
        qn_buf b = {0};
        qn_cells_name(pool->cells, c, &b);
        if (said++ < 20) qn_log(QN_WARN, "under_supply", "grow: %zu of %zu rows of `%s`", pool->have[c], pool->quota[c], b.p);
        qn_buf_free(&b);
    }
}

/* The cell that lacks the largest share of its quota, counting what this round has asked for already; of equals the first. */
static size_t emptiest(const qn_pool *pool)
{
    size_t best = 0;
    double most = -INFINITY;
    for (size_t c = 0; c < pool->cells->n; c++) {
        if (pool->quota[c] == 0 || pool->have[c] >= pool->quota[c]) continue;
        double lack = ((double)pool->quota[c] - (double)pool->have[c] - (double)pool->planned[c]) / (double)pool->quota[c];
        if (lack > most) most = lack, best = c;
    }
    return best;
}

/* Is there another round? */
static bool next_round(const params *p, qn_pool *pool)
{
    size_t grown = pool->n - pool->n_seeds;
    if (pool->round > 0) pool->idle = pool->n == pool->n_before_round ? pool->idle + 1 : 0;
    if (grown >= (size_t)p->until_rows) { pool->over = true; return false; }
    if (pool->round >= p->rounds) stop(pool, "all rounds are used up");
    else if (pool->idle >= p->patience) stop(pool, "no round adds anything any more");
    if (pool->over) {
        qn_log(QN_WARN, "grow", "the pool grew to %zu of %lld rows: %s", grown, (long long)p->until_rows, pool->why);
        say_lacking(pool);
        return false;
    }
    pool->round++;
    pool->given = 0;
    if (pool->cells) memset(pool->planned, 0, pool->cells->n * sizeof *pool->planned);
    pool->n_before_round = pool->n;
    return true;
}

/* Examples for one row: a random choice of seeds and of what was accepted, mixed. */
static qn_value choose(qn_ctx *cx, const params *p, const qn_pool *pool, qn_rng *rng)
{
    size_t n_grown = pool->n_before_round - pool->n_seeds, want_grown = (size_t)p->grown_shown, want_seeds = (size_t)p->seeds_shown;
    if (want_grown > n_grown) { want_seeds += want_grown - n_grown; want_grown = n_grown; }
    size_t *at = qn_arena_alloc(cx->scratch, (want_seeds + want_grown + 1) * sizeof *at);
    size_t n = qn_rng_pick(rng, pool->n_seeds, want_seeds, at);
    size_t m = qn_rng_pick(rng, n_grown, want_grown, at + n);
    for (size_t i = n; i < n + m; i++) at[i] += pool->n_seeds;
    qn_rng_shuffle(rng, at, n + m, sizeof *at);
    qn_list_b l = { .a = cx->scratch };
    for (size_t i = 0; i < n + m; i++) qn_list_put(&l, qn_row_value(pool->rows[at[i]], cx->scratch));
    return qn_list_end(&l);
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    qn_pool *pool = vs;
    *out = NULL;
    if (pool->n_seeds == 0) return qn_fail(e, QN_EIO, "the pool is empty: no seed came through to `grow`");
    if (pool->over) return QN_OK;
    if (pool->round > 0 && pool->given < p->per_round) { /* the round goes on */ }
    else if (pool->round > 0 && pool->given == p->per_round) { pool->given++; return QN_ESTOP; }     /* first let the round come back */
    else if (!next_round(p, pool)) return QN_OK;
    struct { uint64_t round, k; } key = { (uint64_t)pool->round, (uint64_t)pool->given };
    qn_hash128 id = qn_hash_mix(qn_hash(cx->step.p, cx->step.n), qn_hash(&key, sizeof key));
    qn_rng rng = qn_rng_keyed(cx->seed, cx->step, id);
    qn_row *r = qn_row_new(id);
    qn_row_set(r, p->as, choose(cx, p, pool, &rng));
    if (pool->cells) {
        size_t cell = emptiest(pool);
        pool->planned[cell]++;
        qn_row_set(r, p->target, qn_cells_value(pool->cells, cell, cx->scratch));
    }
    qn_row_set_int(r, "round", pool->round);
    pool->given++;
    *out = r;
    return QN_OK;
}

static const char *lacks(void *vs)
{
    qn_pool *pool = vs;
    return pool->why[0] ? pool->why : NULL;
}

static qn_code finish(qn_ctx *cx, const void *vp, void *state, qn_err *e)
{
    (void)cx; (void)vp; (void)state; (void)e;
    return QN_OK;
}

const qn_op qn_op_grow = {
    .name = "grow", .version = 1, .stage = QN_GENERATE, .brief = "a pool that feeds itself, in rounds",
    .about = "With `cover`, accepted rows carry the table's fields (as an `ask` or `classify` in the steps wrote them): a row of a full cell is rejected as `over_supply`, one with\n"
             "a value that the table does not have as `off_map`. The shares of the accepted rows are then the shares of the table, to the row.",
    .paper = "Self-Instruct (Wang et al. 2022), section 2",
    .params = PARAMS, .params_size = sizeof(params),
    .check = check, .open = open, .close = close, .absorb = absorb, .finish = finish, .next = next,
    .lacks = lacks,
};
