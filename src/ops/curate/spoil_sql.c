/* spoil_sql: spoils some rows on purpose, as a careless writer would: the query no longer asks what the question asks. To measure a filter.
 *
 * In `share` of the rows one thing of the sketch is changed: the column of the answer or the one to order by, largest and smallest, the comparison, what
 * is computed; and the query then gives another answer than before, which is not empty. Put it between the step that writes the question and the one that
 * executes the query; `spoiled` says which rows.
 * Runs on: any worker; keeps the tables' views. */
#include "builtin/sql_grammar.h"
#include "builtin/table_answer.h"
#include "ops/op.h"

typedef struct { double share; } params;

static const qn_param PARAMS[] = {
    QN_REAL(params, share, "0.15", "0..1", "share of rows that are spoiled"),
    QN_END
};

static qn_code open_pool(qn_ctx *cx, const void *p, void **state, qn_err *e)
{
    (void)p, (void)e;
    *state = qn_table_pool_new(cx->out_dir, cx->memory_bytes / 4);
    return QN_OK;
}

static void close_pool(void *state) { qn_table_pool_free(state); }

static bool other_column(const qn_table_view *v, qn_rng *r, bool number, int *c)
{
    for (int t = 0; t < 8; t++) {
        int k = (int)qn_rng_below(r, v->n_cols);
        if (k != *c && (!number || v->cols[k].num) && v->cols[k].n_values > 1) { *c = k; return true; }
    }
    return false;
}

static bool spoil(const qn_table_view *v, qn_rng *r, qn_sketch *s)
{
    static const qn_form INSTEAD[] = { QN_FORM_EXTREME, QN_FORM_SUM, QN_FORM_AVERAGE };
    for (int t = 0; t < 12; t++) {
        switch (qn_rng_below(r, 5)) {
        case 0: if (s->target >= 0 && s->by != s->target && other_column(v, r, false, &s->target)) return true; break;
        case 1:
            if (s->by < 0 || !other_column(v, r, true, &s->by)) break;
            if (s->form == QN_FORM_EXTREME || s->form == QN_FORM_SUM || s->form == QN_FORM_AVERAGE || s->form == QN_FORM_DIFFERENCE) s->target = s->by;
            return true;
        case 2: if (s->form == QN_FORM_EXTREME || s->form == QN_FORM_ARGEXTREME || s->form == QN_FORM_COMPARE || s->form == QN_FORM_COMMON) { s->desc = !s->desc; return true; } break;
        case 3: if (s->n_conds && strchr("<>gl", s->conds[0].op)) { s->conds[0].op = strchr("<l", s->conds[0].op) ? '>' : '<'; return true; } break;
        default:
            if ((s->form == QN_FORM_WHICH || s->form == QN_FORM_LIST) && s->n_conds) { s->form = QN_FORM_COUNT; return true; }
            if (s->form == QN_FORM_EXTREME || s->form == QN_FORM_SUM || s->form == QN_FORM_AVERAGE) {
                qn_form f = INSTEAD[qn_rng_below(r, 3)];
                if (f != s->form) { s->form = f; return true; }
            }
            if (s->form == QN_FORM_ROW_FIRST || s->form == QN_FORM_ROW_LAST) { s->form = s->form == QN_FORM_ROW_FIRST ? QN_FORM_ROW_LAST : QN_FORM_ROW_FIRST; return true; }
            if (s->form == QN_FORM_ROW_NEXT || s->form == QN_FORM_ROW_PREVIOUS) { s->form = s->form == QN_FORM_ROW_NEXT ? QN_FORM_ROW_PREVIOUS : QN_FORM_ROW_NEXT; return true; }
            if (s->form == QN_FORM_COUNT && s->n_conds == 2) { s->n_conds = 1; return true; }
        }
    }
    return false;
}

/* Does the changed query give something, and something else? */
static qn_code differs(void *pool, const qn_row *r, qn_value answer, qn_str sql, qn_arena *a, bool *yes, qn_err *e)
{
    qn_value other;
    qn_sql *db;
    qn_err bad = { 0 };
    bool same;
    *yes = false;
    QN_TRY(qn_table_pool_take(pool, r, &db, e));
    qn_code rc = qn_sql_run(db, sql, &(qn_sql_limits){ .max_rows = 100 }, a, &other, &bad);
    qn_table_pool_put(pool, db);
    if (rc == QN_EIO) { *e = bad; return rc; }
    if (rc != QN_OK || !qn_answer_cells(other, a).n) return QN_OK;
    QN_TRY(qn_answer_is(pool, r, sql, qn_answer_cells(answer, a), a, &same, e));
    *yes = !same;
    return QN_OK;
}

static qn_code spoil_row(qn_ctx *cx, void *pool, const qn_table_view *v, qn_rng *rng, qn_row *r, const qn_sketch *right, bool *spoiled, qn_err *e)
{
    qn_str sql;
    qn_sql *db;
    qn_value answer;
    qn_err bad = { 0 };
    QN_TRY(qn_row_text(r, "sql", &sql, e));
    QN_TRY(qn_table_pool_take(pool, r, &db, e));
    qn_code rc = qn_sql_run(db, sql, &(qn_sql_limits){ .max_rows = 100 }, cx->scratch, &answer, &bad);
    qn_table_pool_put(pool, db);
    if (rc == QN_EIO) { *e = bad; return rc; }
    for (int t = 0; rc == QN_OK && t < 8 && !*spoiled; t++) {
        qn_sketch s = *right;
        qn_buf made = { 0 };
        if (!spoil(v, rng, &s)) break;
        qn_sketch_sql(v, &s, &made);
        sql = qn_arena_str(cx->scratch, qn_buf_view(&made));
        qn_buf_free(&made);
        QN_TRY(differs(pool, r, answer, sql, cx->scratch, spoiled, e));
        if (!*spoiled) continue;
        qn_row_set_text(r, "sql", sql);
        qn_row_set(r, QN_STR("sketch"), qn_sketch_value(v, &s, cx->scratch));
    }
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const qn_table_view *v;
    qn_value x;
    qn_sketch s;
    QN_TRY(qn_table_pool_view(state, r, cx->scratch, &v, e));
    if (!qn_row_find(r, QN_STR("sketch"), &x) || !qn_sketch_read(v, x, &s)) return qn_fail(e, QN_EDATA, "the row has no `sketch` of a query over its table");
    qn_rng rng = qn_ctx_rng(cx, r);
    bool spoiled = false;
    if (qn_rng_real(&rng) < ((const params *)vp)->share) QN_TRY(spoil_row(cx, state, v, &rng, r, &s, &spoiled, e));
    qn_row_set_bool(r, "spoiled", spoiled);
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_spoil_sql = {
    .name = "spoil_sql", .version = 2, .stage = QN_CURATE, .brief = "spoil the queries of some rows on purpose, to measure a filter",
    .about = "Rows whose query cannot be spoiled so that it gives another answer stay right. Never leave it in a recipe whose rows are used.",
    .reads = "sketch: any, table: {name: text, ...}", .writes = "sql: text, sketch: any, spoiled: bool",
    .params = PARAMS, .params_size = sizeof(params), .open = open_pool, .close = close_pool, .map = map,
};
