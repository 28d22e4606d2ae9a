/* diverse: chooses rows that lie far from one another, or that stand for all.
 *
 * Vectors stay in memory (an embedding of 384 numbers: 1.5 KB a row; TF-IDF: about 16 bytes a word); rows wait in memory, then on
 * disk. k_center costs rows * k comparisons, facility rows * rows / 2 at least. */
#include "data/chosen.h"
#include "ops/op.h"
#include "recipe/vecs.h"
#include "text/cluster.h"

typedef struct { int64_t rows; qn_expr *text, *vector; qn_str method; } params;

static const qn_param PARAMS[] = {
    QN_INT(params, rows, NULL, "1..", "how many rows to choose"),
    QN_EXPR(params, text, "", "text", "compare by this text (TF-IDF)"),
    QN_EXPR(params, vector, "", "[number]", "or by this list of numbers: an embedding"),
    QN_CHOICE(params, method, "k_center", "k_center|facility", "k_center: each next row is the farthest from those chosen; facility: rows that stand for all"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "rows: 2, vector: .v", .in = "{v: [1, 0]}\n{v: [0, 1]}", .out = "{v: [1, 0]}\n{v: [0, 1]}" },
    { .params = "rows: 1, vector: .v", .in = "{v: [1, 0]}\n{v: [0, 1]}", .out = "{v: [1, 0]}", .reject = "not_chosen" },
    QN_END
};

typedef struct { qn_chosen rows; qn_vecs *vecs; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    if (!p->text == !p->vector) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `text` or `vector`");
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    (void)e;
    qn_chosen_open(&st->rows, cx->memory_bytes / 4);
    st->vecs = qn_vecs_new(p->text, p->vector);
    *out = st;
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_chosen_close(&st->rows);
    qn_vecs_free(st->vecs);
    qn_free(st);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    state *st = vs;
    (void)vp;
    return qn_vecs_keep(st->vecs, st->rows.rows, r, cx->memory_bytes / 4 * 3, cx->scratch, e);
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    (void)cx;
    (void)e;
    const qn_vectors *v = qn_vecs_end(st->vecs);
    size_t k = (size_t)p->rows < v->n ? (size_t)p->rows : v->n, *chosen = QN_NEW_N(size_t, k + 1);
    bool *taken = qn_chosen_marks(&st->rows);
    k = qn_str_is(p->method, "facility") ? qn_facility(v, k, chosen, NULL) : qn_k_center(v, k, 0, chosen, NULL);
    for (size_t i = 0; i < k; i++) taken[chosen[i]] = true;
    qn_free(chosen);
    return QN_OK;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    state *st = vs;
    (void)cx;
    (void)vp;
    return qn_chosen_next(&st->rows, out, NULL, e);
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    (void)vp;
    return qn_chosen_was_taken(r) ? qn_keep() : qn_reject_fact("not_chosen", "%s", "");
}

static size_t holds(const void *vp, uint64_t n, size_t avg_bytes)
{
    return (size_t)n * (((const params *)vp)->vector ? 384 * sizeof(float) : avg_bytes * 3);
}

const qn_op qn_op_diverse = {
    .name = "diverse", .version = 1, .stage = QN_CURATE, .brief = "choose rows that lie far from one another, or that stand for all",
    .about = "k_center begins with the first row. Rows keep their order.",
    .paper = "k-center: Gonzalez 1985; facility location: Nemhauser, Wolsey and Fisher 1978",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, .close = close, .absorb = absorb, .finish = finish, .next = next, .decide = decide, .holds = holds,
};
