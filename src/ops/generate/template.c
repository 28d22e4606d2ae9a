/* template: a field from a text with {{ expression }} holes.
 *
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"

typedef struct { qn_str as; qn_template *text; } params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, as, "text", "field to write"),
    QN_TEMPLATE(params, text, NULL, "the text, with {{ expression }} holes"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "as: prompt, text: 'Name a river in {{ .country }}.'", .in = "{country: 'Peru'}",
      .out = "{country: 'Peru', prompt: 'Name a river in Peru.'}" },
    { .params = "as: p, text: '{{ .tags | join(\", \") }}'", .in = "{tags: ['a', 'b']}", .out = "{tags: ['a', 'b'], p: 'a, b'}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    (void)e;
    ck->out = qn_type_with(ck->in, p->as, qn_type_simple(QN_T_TEXT), ck->arena);
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_buf b = {0};
    (void)state;
    qn_code rc = qn_template_fill(p->text, r, cx->scratch, &b, e);
    if (rc == QN_OK) {
        qn_row_set(r, p->as, qn_v_text(qn_buf_view(&b)));
        qn_emit_row(em, r);
    }
    qn_buf_free(&b);
    return rc;
}

const qn_op qn_op_template = {
    .name = "template", .version = 1, .stage = QN_GENERATE, .brief = "a field from a text with {{ expression }} holes",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
