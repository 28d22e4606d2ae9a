/* table_answer: the query runs within the limits of io/sql_run.h; what it gives is compared as texts. */
#include "builtin/table_answer.h"
#include "text/score.h"

static qn_str text_of(qn_value v, qn_arena *a)
{
    if (v.kind == QN_V_TEXT) return qn_v_str(v);
    qn_buf b = { 0 };
    qn_json_write(&b, v);
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static size_t count(qn_value v)
{
    size_t n = 0;
    if (v.kind != QN_V_LIST) return 1;
    for (size_t i = 0; i < v.n; i++) n += count(qn_v_at(v, i));
    return n;
}

static void put(qn_value v, qn_arena *a, qn_cells *out)
{
    if (v.kind == QN_V_LIST) { for (size_t i = 0; i < v.n; i++) put(qn_v_at(v, i), a, out); return; }
    if (v.kind != QN_V_NULL) out->p[out->n++] = text_of(v, a);
}

qn_cells qn_answer_cells(qn_value answer, qn_arena *a)
{
    qn_cells out = { QN_ARENA_NEW_N(a, qn_str, count(answer) + 1), 0 };
    put(answer, a, &out);
    return out;
}

/* The cells that the SQL gives; `ok`: it did not fail. */
static qn_code cells_of(qn_table_pool *pool, const qn_row *r, qn_str sql, qn_arena *a, qn_cells *cells, bool *ok, qn_err *e)
{
    qn_sql *db;
    qn_value answer;
    qn_err bad = { 0 };
    QN_TRY(qn_table_pool_take(pool, r, &db, e));
    qn_code rc = qn_sql_run(db, sql, &(qn_sql_limits){ 0 }, a, &answer, &bad);
    qn_table_pool_put(pool, db);
    if (rc == QN_EIO) { *e = bad; return rc; }
    *ok = rc == QN_OK;
    *cells = *ok ? qn_answer_cells(answer, a) : (qn_cells){ 0 };
    return QN_OK;
}

qn_code qn_answer_is(qn_table_pool *pool, const qn_row *r, qn_str sql, qn_cells expected, qn_arena *a, bool *same, qn_err *e)
{
    qn_cells got;
    bool ok;
    QN_TRY(cells_of(pool, r, sql, a, &got, &ok, e));
    *same = ok && expected.n && qn_score_set(expected.p, expected.n, got.p, got.n);
    return QN_OK;
}

qn_str qn_answer_form_of(qn_cells cells, qn_arena *a)
{
    qn_buf b = { 0 };
    qn_score_set_form(cells.p, cells.n, &b);
    qn_str form = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return form;
}

qn_code qn_answer_form(qn_table_pool *pool, const qn_row *r, qn_str sql, qn_arena *a, qn_str *form, qn_err *e)
{
    qn_cells got;
    bool ok;
    QN_TRY(cells_of(pool, r, sql, a, &got, &ok, e));
    *form = qn_answer_form_of(got, a);
    return QN_OK;
}
