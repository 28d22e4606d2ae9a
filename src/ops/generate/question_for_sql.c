/* question_for_sql: the question that a person would ask to get what the query gives, written by a grammar from the query's sketch.
 *
 * Words come from what the columns mean (year of discovery: when was it discovered, which came first; population: most populous). What
 * cannot be said well is rejected. `noise` is the share of questions typed in a hurry: lower case, no question mark, small words lost.
 * Runs on: any worker. */
#include "builtin/question_loose.h"
#include "builtin/question_nlg.h"
#include "builtin/table_pool.h"
#include "ops/op.h"

typedef struct { double noise, loose; } params;

static const qn_param PARAMS[] = {
    QN_REAL(params, noise, "0", "0..1", "share of questions written as hurried people type"),
    QN_REAL(params, loose, "0", "0..1", "share of questions worded loosely: more kinds of wording, less care, for rows to train on; above 0 also what cannot be worded with care"),
    QN_END
};

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
    qn_value sketch;
    qn_sketch s;
    qn_buf q = { 0 };
    QN_TRY(qn_table_pool_view(state, r, cx->scratch, &v, e));
    qn_rng rng = qn_ctx_rng(cx, r);
    if (!qn_row_find(r, QN_STR("sketch"), &sketch) || sketch.kind != QN_V_OBJECT || !qn_sketch_read(v, sketch, &s))
        qn_emit_reject(em, r, qn_reject_fact("question", "the query has no sketch: only queries of sample_sql can be put into words without a model"));
    else {
        bool ok = false;
        bool loose = p->loose > 0 && qn_rng_real(&rng) < p->loose;
        for (int t = 0; t < 4 && !ok && !loose; t++) ok = qn_question_write(v, &s, &rng, p->noise, &q);
        if (!ok && p->loose > 0) { qn_question_loose(v, &s, &rng, &q); ok = true; }
        if (ok) {
            qn_row_set_text(r, "question", qn_buf_view(&q));
            qn_emit_row(em, r);
        } else qn_emit_reject(em, r, qn_reject_fact("question", "no good words for this query"));
    }
    qn_buf_free(&q);
    return QN_OK;
}

const qn_op qn_op_question_for_sql = {
    .name = "question_for_sql", .version = 3, .stage = QN_GENERATE,
    .brief = "write the question that the sampled query answers; no model is asked",
    .reads = "sql: text, sketch: any, table: {name: text, ...}", .writes = "question: text",
    .params = PARAMS, .params_size = sizeof(params), .open = open_pool, .close = close_pool, .map = map,
};
