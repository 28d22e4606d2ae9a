/* each: one row for every item of a list.
 *
 * The item goes to the field `as`; when it is an object and `spread: yes`, its fields become the row's. An empty list rejects the row.
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"

typedef struct { qn_expr *of; qn_str as; bool spread; int64_t most; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, of, NULL, NULL, "an expression that gives a list, or several results"),
    QN_FIELD(params, as, "item", "field for the item"),
    QN_BOOL(params, spread, "no", "an item's fields become the row's own"),
    QN_INT(params, most, "0", "0..", "at most so many of a row; 0 all"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "of: .tags, as: tag", .in = "{id: 1, tags: ['a', 'b']}",
      .out = "{id: 1, tags: ['a', 'b'], tag: 'a'}\n{id: 1, tags: ['a', 'b'], tag: 'b'}" },
    { .params = "of: .qs, spread: yes", .in = "{qs: [{q: 'x', a: 'y'}]}", .out = "{qs: [{q: 'x', a: 'y'}], q: 'x', a: 'y'}" },
    { .params = "of: .tags", .in = "{tags: []}", .reject = "rows 0.00 below 1.00" },
    QN_END
};

static const qn_type *item_type(const qn_type *t) { return t->kind == QN_T_LIST && t->item ? t->item : qn_type_simple(QN_T_ANY); }

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *gives;
    bool many;
    QN_TRY(qn_expr_check(p->of, ck->in, ck->arena, &gives, &many, e));
    const qn_type *item = many ? gives : item_type(gives);
    if (!p->spread) {
        ck->out = qn_type_with(ck->in, p->as, item, ck->arena);
    } else if (item->kind == QN_T_RECORD) {
        for (size_t i = 0; i < item->n_fields; i++)
            ck->out = qn_type_with(ck->out, item->fields[i].name, item->fields[i].type, ck->arena);
    } else {
        qn_type *open = QN_ARENA_NEW(ck->arena, qn_type);
        *open = *ck->in;
        open->open = true;
        ck->out = open;
    }
    return QN_OK;
}

typedef struct { const params *p; qn_row *row; qn_emit *em; int64_t n; } giving;

static qn_code give(giving *g, qn_value item, qn_err *e)
{
    if (g->p->most && g->n >= g->p->most) return QN_OK;
    if (g->p->spread && item.kind != QN_V_OBJECT)
        return qn_fail(e, QN_EDATA, "an item is a %s, `spread` needs objects", qn_v_kind_name(item));
    qn_row *c = qn_emit_child(g->em, g->row);
    g->n++;
    if (!g->p->spread) {
        qn_row_set(c, g->p->as, item);
    } else {
        qn_v_iter it = qn_v_iter_of(item);
        qn_str name;
        qn_value v;
        while (qn_v_next(&it, &name, &v)) qn_row_set(c, name, v);
    }
    qn_emit_row(g->em, c);
    return QN_OK;
}

static qn_code each_result(void *arg, qn_value v, qn_err *e)
{
    giving *g = arg;
    if (v.kind != QN_V_LIST) return give(g, v, e);
    qn_v_iter it = qn_v_iter_of(v);
    qn_value item;
    while (qn_v_next(&it, NULL, &item)) QN_TRY(give(g, item, e));
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    giving g = { vp, r, em, 0 };
    (void)state;
    return qn_expr_run(g.p->of, r, cx->scratch, each_result, &g, e);
}

const qn_op qn_op_each = {
    .name = "each", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_MOVES, .brief = "one row for every item of a list",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
