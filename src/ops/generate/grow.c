/* grow: a pool that feeds itself, in rounds: rows that come in are its seeds; every round gives `per_round` rows, each with some of the pool as
 * examples; what its steps accept joins the pool. Leaves when `until_rows` were accepted, after `rounds`, or after `patience` rounds that added nothing.
 *
 * A round sees the pool as it was when the round began, and the next begins when all of its rows have ended, so the result does not depend on timing.
 * Source: the bootstrapping loop of Self-Instruct (Wang et al. 2022, section 2), made general. */
#include "ops/generate/grow.h"
#include "core/log.h"
#include <stdio.h>

typedef struct { int64_t until_rows, per_round, rounds, patience, seeds_shown, grown_shown; qn_str as; const qn_type *shape; } params;

static const qn_param PARAMS[] = {
    QN_INT(params, until_rows, NULL, "1..", "accepted rows wanted"),
    QN_INT(params, per_round, "8", "1..", "rows given in a round"),
    QN_INT(params, rounds, "1000", "1..", "at most so many rounds"),
    QN_INT(params, patience, "5", "1..", "rounds in a row that may add nothing"),
    QN_INT(params, seeds_shown, "6", "0..", "seeds among the examples of a row"),
    QN_INT(params, grown_shown, "2", "0..", "accepted rows among them, once there are some (seeds stand in before)"),
    QN_FIELD(params, as, "examples", "field that holds the examples, a list of rows"),
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    (void)e;
    qn_type *list = QN_ARENA_NEW(ck->arena, qn_type), *row = QN_ARENA_NEW(ck->arena, qn_type);
    static const qn_type none = { .kind = QN_T_RECORD };
    p->shape = ck->in;
    *list = (qn_type){ .kind = QN_T_LIST, .item = ck->in };
    *row = none;
    const qn_type *t = qn_type_with(row, p->as, list, ck->arena);
    ck->out = qn_type_with(t, QN_STR("round"), qn_type_simple(QN_T_INT), ck->arena);
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    qn_pool *pool = QN_NEW(qn_pool);
    (void)cx; (void)e;
    pool->shape = ((const params *)vp)->shape;
    *out = pool;
    return QN_OK;
}

static void close(void *vs)
{
    qn_pool *pool = vs;
    for (size_t i = 0; i < pool->n; i++) qn_row_drop(pool->rows[i]);
    qn_free(pool->rows);
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
        return false;
    }
    pool->round++;
    pool->given = 0;
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
    .paper = "Self-Instruct (Wang et al. 2022), section 2",
    .params = PARAMS, .params_size = sizeof(params),
    .check = check, .open = open, .close = close, .absorb = absorb, .finish = finish, .next = next,
    .lacks = lacks,
};
