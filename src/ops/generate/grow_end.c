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

/* With a table: a row of a full cell, or of none, ends here. */
static bool has_room(qn_pool *pool, qn_row *r, qn_emit *em)
{
    size_t cell;
    qn_str field, value;
    if (!pool->cells) return true;
    if (!qn_cells_of(pool->cells, r, &cell, &field, &value)) {
        qn_emit_reject(em, r, qn_reject_fact("off_map", "%.*s is `%.*s`", (int)(field.n < 40 ? field.n : 40), field.p, (int)(value.n < 60 ? value.n : 60), value.p));
        return false;
    }
    if (pool->have[cell] >= pool->quota[cell]) {
        qn_buf b = {0};
        qn_cells_name(pool->cells, cell, &b);
        qn_emit_reject(em, r, qn_reject_fact("over_supply", "%.80s", b.p));
        qn_buf_free(&b);
        return false;
    }
    pool->have[cell]++;
    return true;
}

static qn_code map(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_emit *em, qn_err *e)
{
    qn_pool *pool = vs;
    (void)cx; (void)vp; (void)e;
    if (!has_room(pool, r, em)) return QN_OK;
    QN_GROW(pool->rows, pool->n, pool->cap);
    pool->rows[pool->n++] = pool_row(pool, r);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_grow_end = {
    .name = "grow_end", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_ORDERED | QN_OP_HIDDEN,
    .brief = "an accepted row joins the pool and goes on", .map = map,
};
