/* mix: puts rows of a file (real ones) between the rows that come (synthetic ones), at a set share of all.
 *
 * Shares are met to the row: of the richer side a random part stays out, drawn from (seed, step, row id). The file's rows are
 * spread evenly. The file is read first; its rows, and those that come, wait in memory, then on disk. */
#include "core/log.h"
#include "data/rowstore.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include <math.h>
#include <stdlib.h>

typedef struct { const char *with; double share; qn_str mark; } params;

static const qn_param PARAMS[] = {
    QN_PATH(params, with, NULL, "the file, folder or glob whose rows are mixed in"),
    QN_REAL(params, share, "0.5", "0..1", "share of the file's rows in the result; 1: the file's rows alone"),
    QN_FIELD(params, mark, "", "a field that says where a row is from: `file` or `flow` (left out: none)"),
    QN_END
};

typedef struct { qn_rowstore *store; double *keys; size_t n, cap, n_wanted; bool *in; } side;
typedef struct { side flow, file; size_t at_flow, at_file, given_flow, given_file; } state;
typedef struct { state *st; const qn_ctx *cx; } reading;

static qn_code side_put(side *s, double key, qn_row *r, qn_err *e)
{
    QN_GROW(s->keys, s->n, s->cap);
    s->keys[s->n++] = key;
    return qn_rowstore_put(s->store, r, e);
}

static qn_code file_row(void *arg, qn_row *r, const char *where, qn_err *e)
{
    const reading *x = arg;
    side *file = &x->st->file;
    qn_buf b = { 0 };
    (void)where;
    qn_row_write(r, &b);
    qn_hash128 id = qn_hash_mix(qn_hash(b.p, b.n), (qn_hash128){ 0, file->n + 1 });
    qn_buf_free(&b);
    qn_row_id_set(r, id);
    qn_rng rng = qn_rng_keyed(x->cx->seed, x->cx->step, id);
    return side_put(file, qn_rng_real(&rng), qn_row_hold(r), e);
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    state *st = QN_NEW(state);
    st->flow.store = qn_rowstore_new(cx->memory_bytes / 4, NULL);
    st->file.store = qn_rowstore_new(cx->memory_bytes / 4, NULL);
    *out = st;
    QN_TRY(qn_pick_rows(p->with, file_row, &(reading){ st, cx }, e));
    if (st->file.n || p->share == 0) return QN_OK;
    qn_fail(e, QN_EDATA, "%s holds no rows: there is nothing to mix in", p->with);
    qn_hint(e, "`share: 0` lets the rows pass as they are");
    return QN_EDATA;
}

static void close(void *vs)
{
    state *st = vs;
    side *sides[] = { &st->flow, &st->file };
    for (int i = 0; i < 2; i++) {
        qn_rowstore_free(sides[i]->store);
        qn_free(sides[i]->keys);
        qn_free(sides[i]->in);
    }
    qn_free(st);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    qn_rng rng = qn_ctx_rng(cx, r);
    (void)vp;
    return side_put(&((state *)vs)->flow, qn_rng_real(&rng), r, e);
}

static int by_key(const void *a, const void *b, void *vk)
{
    const double *keys = vk;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    if (keys[x] != keys[y]) return keys[x] < keys[y] ? -1 : 1;
    return (x > y) - (x < y);
}

static void choose(side *s, size_t want)
{
    size_t *order = QN_NEW_N(size_t, s->n + 1);
    s->n_wanted = want;
    s->in = QN_NEW_N(bool, s->n + 1);
    for (size_t i = 0; i < s->n; i++) order[i] = i;
    if (s->n) qsort_r(order, s->n, sizeof *order, by_key, s->keys);
    for (size_t i = 0; i < want; i++) s->in[order[i]] = true;
    qn_free(order);
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    (void)cx, (void)e;
    double n_flow = (double)st->flow.n, n_file = (double)st->file.n, total = n_flow + n_file;
    if (p->share < 1) total = fmin(total, n_flow / (1 - p->share));
    if (p->share > 0) total = fmin(total, n_file / p->share);
    /* The most rows whose share, rounded to a row, both sides can give. */
    size_t all = (size_t)(total + 1e-9) + 2, from_file, from_flow;
    do {
        all--;
        from_file = (size_t)llround((double)all * p->share);
        from_flow = all - from_file;
    } while (all && (from_file > st->file.n || from_flow > st->flow.n));
    if (from_flow < st->flow.n)
        qn_log(QN_WARN, "under_supply", "mix: %zu rows in the file, so %zu of %zu rows stay out to meet the share", st->file.n, st->flow.n - from_flow, st->flow.n);
    if (from_file < st->file.n) qn_log(QN_INFO, "over_supply", "mix: %zu of %zu rows of the file are taken", from_file, st->file.n);
    choose(&st->flow, from_flow);
    choose(&st->file, from_file);
    return QN_OK;
}

static qn_code give(const params *p, side *s, size_t i, const char *from, qn_row **out, qn_err *e)
{
    QN_TRY(qn_rowstore_take(s->store, i, out, e));
    if (p->mark.n && s->in[i]) qn_row_set(*out, p->mark, qn_v_text(qn_str_of(from)));
    qn_row_attach(*out, s->in[i] ? NULL : qn_zalloc(1));
    return QN_OK;
}

/* Rows of the flow in their order, a file's row wherever its share falls behind. File rows that were not chosen never entered. */
static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    (void)cx;
    *out = NULL;
    while (st->at_file < st->file.n && !st->file.in[st->at_file]) st->at_file++;
    bool file_behind = (double)st->given_file * (double)st->flow.n_wanted <= (double)st->given_flow * (double)st->file.n_wanted;
    if (st->at_file < st->file.n && (file_behind || st->at_flow == st->flow.n)) {
        st->given_file++;
        return give(p, &st->file, st->at_file++, "file", out, e);
    }
    if (st->at_flow == st->flow.n) return QN_OK;
    st->given_flow += st->flow.in[st->at_flow];
    return give(p, &st->flow, st->at_flow++, "flow", out, e);
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    (void)vp;
    return qn_row_attached(r) ? qn_reject_fact("over_supply", "%s", "more rows than the share allows") : qn_keep();
}

const qn_op qn_op_mix = {
    .name = "mix", .version = 1, .stage = QN_CURATE, .brief = "mix in rows of a file (real ones) at a set share of all",
    .about = "The share is met to the row: when the file has too few rows, rows of the flow are left out, and that is said.",
    .params = PARAMS, .params_size = sizeof(params),
    .open = open, .close = close, .absorb = absorb, .finish = finish, .next = next, .decide = decide,
};
