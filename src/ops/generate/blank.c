/* blank: takes a field's value away, so that `refill` can have it rebuilt; what it was stays in `blanked`.
 *
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"

typedef struct { qn_str field; } params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, field, NULL, "field to blank: a step's question, a sub-question"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "field: q1", .in = "{q1: 'Who built the mill?', e: 'Jan'}", .out = "{q1: null, e: 'Jan', blanked: {q1: 'Who built the mill?'}}" },
    { .params = "field: q1", .in = "{q1: null, e: 'Jan'}", .fail = "nothing in `q1`" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *maybe, *any;
    QN_TRY(qn_type_parse(QN_STR("text?"), ck->arena, &maybe, e));
    QN_TRY(qn_type_parse(QN_STR("any"), ck->arena, &any, e));
    ck->out = qn_type_with(ck->out, p->field, maybe, ck->arena);
    ck->out = qn_type_with(ck->out, QN_STR("blanked"), any, ck->arena);
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value v, was, name_value;
    qn_object_b o = { .a = cx->scratch };
    qn_str name;
    (void)state;
    if (!qn_row_find(r, p->field, &v) || v.kind == QN_V_NULL) return qn_fail(e, QN_EDATA, "there is nothing in `%.*s` to blank", QN_FMT(p->field));
    if (qn_row_find(r, QN_STR("blanked"), &was))
        for (qn_v_iter it = qn_v_iter_of(was); qn_v_next(&it, &name, &name_value);) qn_object_put(&o, name, name_value);
    qn_object_put(&o, p->field, v);
    qn_row_set(r, QN_STR("blanked"), qn_object_end(&o));
    qn_row_set(r, p->field, qn_v_null());
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_blank = {
    .name = "blank", .version = 1, .stage = QN_GENERATE, .brief = "take a field's value away for `refill` to rebuild",
    .paper = "Lupidi et al. 2024, Source2Synth (imputation)", .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
