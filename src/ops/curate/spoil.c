/* spoil: gives some rows, on purpose, the fields of another row: a passage that does not answer, an answer to something else. To measure a filter.
 *
 * The other row is one of the last 64 that came before; its fields differ from the row's own. `spoiled` says which rows.
 * Rows in order, one thread at a time; holds the fields of 64 rows. */
#include "ops/op.h"
#include "recipe/pick.h"

typedef struct { double share; qn_texts fields; } params;

static const qn_param PARAMS[] = {
    QN_REAL(params, share, "0.15", "0..1", "share of rows that are spoiled"),
    QN_TEXTS(params, fields, NULL, "the fields that come from another row, together"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "share: 1, fields: p", .in = "{q: a, p: x}\n{q: b, p: y}", .out = "{q: a, p: x, spoiled: false}\n{q: b, p: x, spoiled: true}" },
    { .params = "share: 1, fields: p", .in = "{q: a, p: x}\n{q: b, p: x}", .out = "{q: a, p: x, spoiled: false}\n{q: b, p: x, spoiled: false}" },
    { .params = "share: 1, fields: z", .in = "{q: a}", .fail = "no field `z`" },
    QN_END
};

enum { KEPT = 64 };
typedef struct { qn_arena arena[KEPT]; qn_value v[KEPT]; size_t n; qn_licences licences; } state;     /* each value: the list of a row's fields */

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    (void)cx, (void)vp, (void)e;
    *out = QN_NEW(state);
    return QN_OK;
}

static void close(void *vs)
{
    state *st = vs;
    for (int i = 0; i < KEPT; i++) qn_arena_free(&st->arena[i]);
    qn_free(st);
}

static qn_code fields_of(const params *p, const qn_row *r, qn_arena *a, qn_value *out, qn_err *e)
{
    qn_list_b l = { .a = a };
    for (size_t i = 0; i < p->fields.n; i++) {
        qn_value v;
        if (!qn_row_find(r, p->fields.items[i], &v)) return qn_fail(e, QN_EDATA, "the row has no field `%.*s`", QN_FMT(p->fields.items[i]));
        qn_list_put(&l, v);
    }
    *out = qn_list_end(&l);
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_value own;
    QN_TRY(fields_of(p, r, cx->scratch, &own, e));
    qn_rng rng = qn_ctx_rng(cx, r);
    size_t at = st->n % KEPT, n_kept = st->n < KEPT ? st->n : KEPT;
    bool wanted = qn_rng_real(&rng) < p->share, spoiled = false;
    qn_arena old = { 0 };
    qn_value mine = qn_v_copy(&old, own);
    for (int t = 0; t < 8 && wanted && n_kept && !spoiled; t++) {
        qn_value other = st->v[qn_rng_below(&rng, n_kept)];
        spoiled = !qn_v_eq(other, own);
        for (size_t i = 0; i < p->fields.n && spoiled; i++) qn_row_set(r, p->fields.items[i], qn_v_at(other, i));
    }
    if (spoiled) qn_row_add_licences(r, st->licences);
    st->licences |= qn_row_licences(r);
    qn_arena_free(&st->arena[at]);
    st->arena[at] = old;
    st->v[at] = mine;
    st->n++;
    qn_row_set_bool(r, "spoiled", spoiled);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_spoil = {
    .name = "spoil", .version = 1, .stage = QN_CURATE, .flags = QN_OP_ORDERED, .brief = "give some rows another row's fields on purpose, to measure a filter",
    .about = "The first row, and one that finds no other value near it, stay right. Never leave it in a recipe whose rows are used.",
    .writes = "spoiled: bool",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .open = open, .close = close, .map = map,
};
