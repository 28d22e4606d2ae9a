/* set: give fields new values, each an expression over the row as it came in.
 *
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"

typedef struct { qn_str name; qn_expr *expr; } assignment;
typedef struct { qn_value fields; assignment *all; size_t n; } params;

static const qn_param PARAMS[] = {
    QN_VALUE(params, fields, NULL, "field: expression, ..."),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "fields: {n: '.a + .b'}", .in = "{a: 1, b: 2}", .out = "{a: 1, b: 2, n: 3}" },
    { .params = "fields: {a: '.b', b: '.a'}", .in = "{a: 1, b: 2}", .out = "{a: 2, b: 1}" },
    { .params = "fields: {label: '\"spam\"'}", .in = "{}", .out = "{label: 'spam'}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    qn_v_iter it = qn_v_iter_of(p->fields);
    qn_str name;
    qn_value v;
    if (p->fields.kind != QN_V_OBJECT || p->fields.n == 0)
        return qn_fail_at(e, QN_ERECIPE, ck->pos, "`set` needs `fields: {name: expression, ...}`");
    p->all = QN_ARENA_NEW_N(ck->arena, assignment, p->fields.n);
    const qn_type *out = ck->in;
    while (qn_v_next(&it, &name, &v)) {
        const qn_type *gives;
        bool many;
        qn_buf text = {0};
        if (v.kind == QN_V_TEXT) qn_buf_str(&text, qn_v_str(v));
        else qn_json_write(&text, v);                           /* a plain number, true, a list: as it stands */
        qn_str source = qn_arena_str(ck->arena, qn_buf_view(&text));
        qn_buf_free(&text);
        assignment *a = &p->all[p->n++];
        a->name = name;
        QN_TRY(qn_expr_compile(source, qn_check_pos(ck, qn_v_str(v)), ck->arena, &a->expr, e));
        QN_TRY(qn_expr_check(a->expr, ck->in, ck->arena, &gives, &many, e));
        out = qn_type_with(out, name, gives, ck->arena);
    }
    ck->out = out;
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value *v = qn_arena_alloc(cx->scratch, p->n * sizeof *v);
    (void)state;
    for (size_t i = 0; i < p->n; i++) QN_TRY(qn_expr_one(p->all[i].expr, r, cx->scratch, &v[i], e));
    for (size_t i = 0; i < p->n; i++) qn_row_set(r, p->all[i].name, v[i]);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_set = {
    .name = "set", .version = 1, .stage = QN_GENERATE, .brief = "give fields new values, each an expression over the row",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
