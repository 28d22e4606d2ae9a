/* link_table: marks in a question which words are cells, numbers or column names of its table, by rules alone.
 *
 * `linked` is what a small model reads in place of the table: the header with a mark for each column, then the question with the marks of what was
 * found in it. A model then only has to say which marks belong together (`sql_skeleton`). The same rules mark questions that were made and those of
 * people. Runs on: any worker; keeps the tables' views. */
#include "builtin/table_link.h"
#include "builtin/table_pool.h"
#include "ops/op.h"

typedef struct { qn_str question, as; double lose; } params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, question, "question", "field that holds the question"),
    QN_FIELD(params, as, "linked", "field for the marked text"),
    QN_REAL(params, lose, "0", "0..1", "rows to train on: in half of this share of rows marks are left out, so that the model learns to do without"),
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    (void)e;
    ck->out = qn_type_with(ck->out, p->as, qn_type_simple(QN_T_TEXT), ck->arena);
    return QN_OK;
}

static qn_code open_pool(qn_ctx *cx, const void *p, void **state, qn_err *e)
{
    (void)p, (void)e;
    *state = qn_table_pool_new(cx->out_dir, cx->memory_bytes / 4);
    return QN_OK;
}

static void close_pool(void *state) { qn_table_pool_free(state); }

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    const qn_table_view *v;
    qn_value q;
    qn_buf b = { 0 };
    if (!qn_row_find(r, p->question, &q) || q.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "the row has no text in `%.*s`", QN_FMT(p->question));
    QN_TRY(qn_table_pool_view(state, r, cx->scratch, &v, e));
    qn_link *l = QN_ARENA_NEW(cx->scratch, qn_link);
    qn_rng rng = qn_ctx_rng(cx, r);
    qn_link_find(v, qn_v_str(q), cx->scratch, l);
    double lose = p->lose > 0 && qn_rng_real(&rng) < p->lose ? 0.5 : 0;
    qn_link_write(l, lose, &rng, &b);
    qn_row_set(r, p->as, qn_v_text(qn_buf_view(&b)));
    qn_buf_free(&b);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_link_table = {
    .name = "link_table", .version = 2, .stage = QN_GENERATE, .brief = "mark in a question what is a cell, a number or a column of its table",
    .about = "\"CA year YR CB title TX CC uk NU | what CC uk position did VA CB illusion have\": CA is the first column, VA the first value, and before a\n"
             "value or a column's word stand the columns that it may be of. Columns past the 16th are not looked at.",
    .paper = "schema linking: Guo et al. 2019 (IRNet), section 2.2; Lin et al. 2020 (BRIDGE), section 2.2",
    .reads = "table: {name: text, ...}",
    .params = PARAMS, .params_size = sizeof(params), .check = check, .open = open_pool, .close = close_pool, .map = map,
};
