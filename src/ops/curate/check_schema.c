/* check_schema: keep a row only when a value (or the JSON inside a reply) has a shape.
 *
 * Runs on: any worker; keeps nothing between rows. */
#include "core/file.h"
#include "ops/curate/curate.h"
#include "recipe/schema.h"

typedef struct { qn_expr *value; qn_value shape; const char *file; qn_str as; qn_schema *schema; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, value, ".text", NULL, "the value; a text is taken for JSON, alone or inside a reply"),
    QN_VALUE(params, shape, "", "the shape: {name: text, age: int 0..150} or JSON Schema"),
    QN_PATH(params, file, "", "a file with JSON Schema, in place of `shape`"),
    QN_FIELD(params, as, "", "field for the value read from a text"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "shape: {name: text, age: int}", .in = "{text: '{\"name\": \"Anna\", \"age\": 7}'}", .out = "{text: '{\"name\": \"Anna\", \"age\": 7}'}" },
    { .params = "shape: {name: text, age: int}", .in = "{text: '{\"name\": \"Anna\", \"age\": \"seven\"}'}", .reject = "schema: " },
    { .params = "shape: {name: text}", .in = "{text: 'no JSON here'}", .reject = "schema: " },
    { .params = "value: .v, shape: {type: object, properties: {n: {type: integer, minimum: 1}}, required: [n]}", .in = "{v: {n: 0}}", .reject = "schema: " },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (p->as.n) ck->out = qn_type_with(ck->out, p->as, qn_type_simple(QN_T_ANY), ck->arena);
    if (p->file) {
        qn_buf b = {0};
        qn_value v;
        qn_code rc = qn_file_read(p->file, 1 << 22, &b, e);
        if (rc == QN_OK) rc = qn_json_parse(qn_arena_str(ck->arena, qn_buf_view(&b)), ck->arena, &v, e);
        qn_buf_free(&b);
        return rc == QN_OK ? qn_schema_of_json(v, ck->arena, &p->schema, e) : rc;
    }
    if (p->shape.kind != QN_V_OBJECT) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`check_schema` needs `shape` or `file`");
    return qn_schema_short(p->shape, ck->pos, ck->arena, &p->schema, e);
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value v;
    qn_buf why = {0};
    qn_err bad = {0};
    bool fits = true;
    (void)state;
    QN_TRY(qn_expr_one(p->value, r, cx->scratch, &v, e));
    if (v.kind == QN_V_TEXT && qn_reply_json(qn_v_str(v), p->schema, cx->scratch, &v, NULL, &bad) != QN_OK) { qn_buf_puts(&why, bad.msg); fits = false; }
    if (fits) fits = qn_schema_fits(p->schema, v, &why);
    if (fits && p->as.n) qn_row_set(r, p->as, v);
    if (fits) qn_emit_row(em, r);
    else qn_emit_reject(em, r, qn_reject_fact("schema", "%.*s", QN_FMT(qn_buf_view(&why))));
    qn_buf_free(&why);
    return QN_OK;
}

const qn_op qn_op_check_schema = {
    .name = "check_schema", .version = 1, .stage = QN_CURATE, .brief = "keep rows whose value has a shape (short form or JSON Schema)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
