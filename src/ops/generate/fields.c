/* fields: keep, drop or rename fields: `fields: {keep: [question, answer]}`, `fields: {drop: [seed], rename: {q: question}}`.
 *
 * Order: drop or keep first, then rename. Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"

typedef struct { qn_texts keep, drop; qn_value rename; } params;

static const qn_param PARAMS[] = {
    QN_TEXTS(params, keep, "", "fields to keep; all others are dropped"),
    QN_TEXTS(params, drop, "", "fields to drop"),
    QN_VALUE(params, rename, "", "old: new, ..."),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "keep: [a]", .in = "{a: 1, b: 2}", .out = "{a: 1}" },
    { .params = "drop: [a]", .in = "{a: 1, b: 2}", .out = "{b: 2}" },
    { .params = "rename: {b: c}", .in = "{a: 1, b: 2}", .out = "{a: 1, c: 2}" },
    QN_END
};

static qn_str plain(qn_str s) { return s.n && s.p[0] == '.' ? qn_str_sub(s, 1, s.n) : s; }

static bool is_one_of(const qn_texts *t, qn_str name)
{
    for (size_t i = 0; i < t->n; i++)
        if (qn_str_eq(plain(t->items[i]), name)) return true;
    return false;
}

static qn_code must_be_there(qn_check *ck, qn_str name, qn_err *e)
{
    if (ck->in->open || qn_type_field_of(ck->in, name)) return QN_OK;
    const char *near = qn_type_nearest_field(ck->in, name, ck->arena);
    qn_fail_at(e, QN_ERECIPE, ck->pos, "the rows have no field `%.*s`", QN_FMT(name));
    if (near) qn_hint(e, "did you mean `%s`?", near);
    return QN_ERECIPE;
}

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    qn_v_iter it = qn_v_iter_of(p->rename);
    qn_str from;
    qn_value to;
    const qn_type *t = ck->in;
    for (size_t i = 0; i < p->keep.n; i++) QN_TRY(must_be_there(ck, plain(p->keep.items[i]), e));
    for (size_t i = 0; i < p->drop.n; i++) QN_TRY(must_be_there(ck, plain(p->drop.items[i]), e));
    for (size_t i = 0; i < ck->in->n_fields; i++) {
        qn_str name = ck->in->fields[i].name;
        if ((p->keep.n && !is_one_of(&p->keep, name)) || is_one_of(&p->drop, name)) t = qn_type_without(t, name, ck->arena);
    }
    while (qn_v_next(&it, &from, &to)) {
        QN_TRY(must_be_there(ck, plain(from), e));
        if (to.kind != QN_V_TEXT) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`rename` needs names: old: new");
        const qn_type *was = qn_type_field_of(t, plain(from));
        t = qn_type_with(qn_type_without(t, plain(from), ck->arena), plain(qn_v_str(to)), was ? was : qn_type_simple(QN_T_ANY), ck->arena);
    }
    ck->out = t;
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value all = qn_row_value(r, cx->scratch), v, to;
    qn_v_iter it = qn_v_iter_of(all);
    qn_str name;
    (void)state;
    (void)e;
    while (qn_v_next(&it, &name, &v)) {
        bool own = name.n && name.p[0] == '_';
        if ((p->keep.n && !own && !is_one_of(&p->keep, name)) || is_one_of(&p->drop, name)) qn_row_remove(r, name);
    }
    for (it = qn_v_iter_of(p->rename); qn_v_next(&it, &name, &to);) {
        qn_value was;
        if (!qn_row_find(r, plain(name), &was)) continue;
        was = qn_v_copy(cx->scratch, was);
        qn_row_remove(r, plain(name));
        qn_row_set(r, plain(qn_v_str(to)), was);
    }
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_fields = {
    .name = "fields", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_MOVES, .brief = "keep, drop or rename fields",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
