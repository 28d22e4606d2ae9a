/* after_training: keeps rows until a model that an earlier step trains is there. The planner puts it before a step that names such
 * a model.
 *
 * Rows wait in memory, then on disk. */
#include "data/rowstore.h"
#include "ops/op.h"

typedef struct { const qn_model *model; } params;
typedef struct { qn_rowstore *rows; size_t at; } state;

static const qn_param PARAMS[] = {
    QN_MODEL(params, model, NULL, "the model that is waited for"),
    QN_END
};

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    (void)vp;
    (void)e;
    st->rows = qn_rowstore_new(cx->memory_bytes / 2, NULL);
    *out = st;
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    qn_rowstore_free(st->rows);
    qn_free(st);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    (void)cx;
    (void)vp;
    return qn_rowstore_put(((state *)vs)->rows, r, e);
}

/* The training has ended: gathers give their rows in the order of the steps. From here on requests carry the model's identity. */
static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    const qn_model *m = ((const params *)vp)->model;
    (void)cx;
    (void)vs;
    return m->folder ? qn_model_settle((qn_model *)(uintptr_t)m, e) : QN_OK;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    state *st = vs;
    (void)cx;
    (void)vp;
    *out = NULL;
    return st->at < qn_rowstore_n(st->rows) ? qn_rowstore_take(st->rows, st->at++, out, e) : QN_OK;
}

const qn_op qn_op_after_training = {
    .name = "after_training", .version = 1, .stage = QN_TRAIN, .flags = QN_OP_HIDDEN, .brief = "rows wait here until a model is trained",
    .params = PARAMS, .params_size = sizeof(params), .open = open, .close = close, .absorb = absorb, .finish = finish, .next = next,
};
