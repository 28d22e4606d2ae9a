/* grow_end: where the steps of `grow` end: the row joins the pool and goes on. Made by the planner; not a word of recipes. */
#include "ops/generate/grow.h"

/* The pool's own copy, with the fields that seeds have. */
static qn_row *pool_row(const qn_pool *pool, const qn_row *r)
{
    qn_row *own = qn_row_new(qn_row_id(r));
    for (size_t i = 0; i < pool->shape->n_fields; i++) {
        qn_value v;
        if (qn_row_find(r, pool->shape->fields[i].name, &v)) qn_row_set(own, pool->shape->fields[i].name, v);
    }
    return own;
}

static qn_code map(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_emit *em, qn_err *e)
{
    qn_pool *pool = vs;
    (void)cx; (void)vp; (void)e;
    QN_GROW(pool->rows, pool->n, pool->cap);
    pool->rows[pool->n++] = pool_row(pool, r);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_grow_end = {
    .name = "grow_end", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_ORDERED | QN_OP_HIDDEN,
    .brief = "an accepted row joins the pool and goes on", .map = map,
};
