/* copy: a field's value under another name.
 *
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"

typedef struct { qn_str from, to; } params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, from, NULL, "field to read"),
    QN_FIELD(params, to, NULL, "field to write"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "from: task, to: instruction", .in = "{task: 'Sum up.'}", .out = "{task: 'Sum up.', instruction: 'Sum up.'}" },
    { .params = "from: a, to: a", .in = "{a: 1}", .out = "{a: 1}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *t = qn_type_field_of(ck->in, p->from);
    if (!t && !ck->in->open) {
        const char *near = qn_type_nearest_field(ck->in, p->from, ck->arena);
        qn_fail_at(e, QN_ERECIPE, ck->pos, "the rows have no field `%.*s`", QN_FMT(p->from));
        if (near) qn_hint(e, "did you mean `%s`?", near);
        return QN_ERECIPE;
    }
    ck->out = qn_type_with(ck->in, p->to, t ? t : qn_type_simple(QN_T_ANY), ck->arena);
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value v;
    (void)cx;
    (void)state;
    if (!qn_row_find(r, p->from, &v)) return qn_fail(e, QN_EDATA, "the row has no field `%.*s`", QN_FMT(p->from));
    if (!qn_str_eq(p->from, p->to)) qn_row_set(r, p->to, v);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_copy = {
    .name = "copy", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_MOVES, .brief = "a field's value under another name",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
