/* sql_skeleton: a sampled query as a short line of marks that a small model can learn to write, and such a line as SQL.
 *
 *   make: skeleton   from `sketch` (see sample_sql) and the question: "which CB VA CA"; rejects a row whose question does not say a value
 *   make: sql        from the line in `skeleton` and the question, which is linked again: SELECT "Title" FROM ... WHERE "Year" = 1971
 * Runs on: any worker; keeps the tables' views. */
#include "builtin/table_link.h"
#include "builtin/table_pool.h"
#include "ops/op.h"

typedef struct { qn_str question, make, skeleton, sql; bool spare, mend; } params;

static const qn_param PARAMS[] = {
    QN_CHOICE(params, make, NULL, "skeleton|sql", "what is made of what the row has"),
    QN_FIELD(params, question, "question", "field that holds the question: its words are what the marks point at"),
    QN_FIELD(params, skeleton, "skeleton", "field for, or of, the line of marks"),
    QN_FIELD(params, sql, "sql", "field for the SQL"),
    QN_BOOL(params, mend, "no", "make: sql: puts right what small models get wrong: a value whose column does not have it is of the first column that does, a condition whose value no column has is left out, words that stand in several cells mean all of them, `most` by texts is the commonest or last"),
    QN_BOOL(params, spare, "no", "make: sql: a line that means nothing gives empty SQL and stays, to be counted as wrong"),
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    bool sql = qn_str_is(p->make, "sql");
    (void)e;
    ck->out = qn_type_with(ck->out, sql ? p->sql : p->skeleton, qn_type_simple(QN_T_TEXT), ck->arena);
    return QN_OK;
}

static qn_code open_pool(qn_ctx *cx, const void *p, void **state, qn_err *e)
{
    (void)p, (void)e;
    *state = qn_table_pool_new(cx->out_dir, cx->memory_bytes / 4);
    return QN_OK;
}

static void close_pool(void *state) { qn_table_pool_free(state); }

static qn_code contract(const params *p, const qn_link *l, qn_row *r, qn_emit *em, qn_err *e)
{
    qn_value x;
    qn_sketch s;
    qn_buf b = { 0 };
    if (!qn_row_find(r, QN_STR("sketch"), &x) || !qn_sketch_read(l->v, x, &s)) return qn_fail(e, QN_EDATA, "the row has no `sketch` of a query over its table");
    if (qn_skeleton_write(l, &s, &b)) {
        qn_row_set(r, p->skeleton, qn_v_text(qn_buf_view(&b)));
        qn_emit_row(em, r);
    } else qn_emit_reject(em, r, qn_reject_fact("not linked", "the question does not say a value of its query"));
    qn_buf_free(&b);
    return QN_OK;
}

static qn_code expand(const params *p, const qn_link *l, qn_row *r, qn_emit *em, qn_err *e)
{
    qn_value x;
    qn_sketch s;
    qn_err bad = { 0 };
    qn_buf b = { 0 };
    if (!qn_row_find(r, p->skeleton, &x) || x.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "the row has no text in `%.*s`", QN_FMT(p->skeleton));
    bool ok = (p->mend ? qn_skeleton_mend : qn_skeleton_read)(l, qn_v_str(x), &s, &bad) == QN_OK;
    if (ok) qn_sketch_sql(l->v, &s, &b);
    if (ok || p->spare) {
        qn_row_set(r, p->sql, qn_v_text(qn_buf_view(&b)));
        qn_emit_row(em, r);
    } else qn_emit_reject(em, r, qn_reject_fact("skeleton", "%s", bad.msg));
    qn_buf_free(&b);
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    const qn_table_view *v;
    qn_value q;
    if (!qn_row_find(r, p->question, &q) || q.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "the row has no text in `%.*s`", QN_FMT(p->question));
    QN_TRY(qn_table_pool_view(state, r, cx->scratch, &v, e));
    qn_link *l = QN_ARENA_NEW(cx->scratch, qn_link);
    qn_link_find(v, qn_v_str(q), cx->scratch, l);
    return qn_str_is(p->make, "sql") ? expand(p, l, r, em, e) : contract(p, l, r, em, e);
}

const qn_op qn_op_sql_skeleton = {
    .name = "sql_skeleton", .version = 2, .stage = QN_GENERATE, .brief = "a sampled query as a line of marks for a small model to learn, and such a line as SQL",
    .about = "Lines: which T C.. | count C.. | rows | distinct T | max B C.. | min B C.. | sum B C.. | mean B C.. | most T B C.. | least T B C.. | common T | rare T |\n"
             "diff B V K V | more B V K V | less B V K V | next T B V K | prior T B V K | first T C.. | last T C.. | behind T V K | before T V K | same T B V K | top T B V |\n"
             "bottom T B V. T, B and K are columns (CA, CB ...): of the answer, to order or add up by, of named rows; V a value (VA, VB ...);\n"
             "a condition C is a value, its column, and ! < > <= >= where it is not equality (of words that several cells have: containing them); or two values, a\n"
             "column, and in. `or` behind two conditions: one of them will do.",
    .paper = "a sketch that is filled in: Dong and Lapata 2018, Coarse-to-Fine Decoding; Guo et al. 2019 (IRNet), section 2.1",
    .reads = "table: {name: text, ...}",
    .params = PARAMS, .params_size = sizeof(params), .check = check, .open = open_pool, .close = close_pool, .map = map,
};
