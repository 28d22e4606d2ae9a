/* keep: keep the rows for which an expression is true.
 *
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"

typedef struct { qn_expr *where; qn_str why; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, where, NULL, "bool", "an expression: rows for which it is true stay"),
    QN_TEXT(params, why, "where", "the word under which rejections are counted"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "where: '.n > 1'", .in = "{n: 2}", .out = "{n: 2}" },
    { .params = "where: '.n > 1'", .in = "{n: 1}", .reject = "where" },
    { .params = "where: '.q | length > 3', why: too_short", .in = "{q: 'abc'}", .reject = "too_short" },
    QN_END
};

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value v;
    (void)state;
    QN_TRY(qn_expr_one(p->where, r, cx->scratch, &v, e));
    if (qn_v_true(v)) qn_emit_row(em, r);
    else qn_emit_reject(em, r, qn_reject_fact(p->why.p, "%s", ""));
    return QN_OK;
}

const qn_op qn_op_keep = {
    .name = "keep", .version = 1, .stage = QN_CURATE, .brief = "keep the rows for which an expression is true",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .map = map,
};
