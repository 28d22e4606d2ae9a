/* run_sql: executes the row's query on its table; what it gives is the answer.
 *
 * The query is not trusted: it runs read-only, without clock and random numbers, within limits (io/sql_run.h), and once more on the table
 * with its rows in reverse order. Rejected: what fails, gives nothing, or gives another answer when the rows are reversed (18% of random
 * ORDER BY ... LIMIT 1 queries on real tables do). `steps` tells the way from table to answer in words.
 * Source: executed ground truth, Lupidi et al. 2024 (Source2Synth).
 * Runs on: any worker, one SQLite handle each. */
#include "builtin/question_nlg.h"
#include "builtin/table_pool.h"
#include "ops/op.h"

typedef struct { int64_t max_steps, timeout_ms, max_rows; bool check_order, spare; } params;

static const qn_param PARAMS[] = {
    QN_INT(params, max_rows, "100", "1..100000", "more rows in the answer reject the row"),
    QN_INT(params, max_steps, "20000000", "1000..", "of SQLite's virtual machine"),
    QN_INT(params, timeout_ms, "2000", "1..600000", "longest execution"),
    QN_BOOL(params, check_order, "yes", "run again on the reversed table and reject another answer"),
    QN_BOOL(params, spare, "no", "a query that fails or gives nothing has an empty answer and its row stays, to be counted as wrong"),
    QN_END
};

static qn_code open_pool(qn_ctx *cx, const void *p, void **state, qn_err *e)
{
    (void)p, (void)e;
    *state = qn_table_pool_new(cx->out_dir, cx->memory_bytes / 4);
    return QN_OK;
}

static void close_pool(void *state) { qn_table_pool_free(state); }

static bool is_empty(qn_value v)
{
    for (size_t i = 0; i < v.n; i++) {
        qn_value x = qn_v_at(v, i);
        if (x.kind == QN_V_LIST ? !is_empty(x) : x.kind != QN_V_NULL && !(x.kind == QN_V_TEXT && qn_str_trim(qn_v_str(x)).n == 0)) return false;
    }
    return true;
}

static qn_value steps_of(qn_table_pool *pool, const qn_row *r, qn_str sql, qn_value answer, qn_arena *a)
{
    const qn_table_view *v;
    qn_value sketch;
    qn_sketch s;
    qn_err e = { 0 };
    if (qn_row_find(r, QN_STR("sketch"), &sketch) && sketch.kind == QN_V_OBJECT && qn_table_pool_view(pool, r, a, &v, &e) == QN_OK && qn_sketch_read(v, sketch, &s))
        return qn_steps_write(v, &s, answer, a);
    qn_object_b o = { .a = a };
    qn_list_b l = { .a = a };
    qn_object_put(&o, QN_STR("step"), qn_v_text(qn_arena_printf(a, "Run %.*s", QN_FMT(sql))));
    qn_object_put(&o, QN_STR("result"), answer);
    qn_list_put(&l, qn_object_end(&o));
    return qn_list_end(&l);
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    const qn_sql_limits lim = { .max_steps = p->max_steps, .timeout_ms = p->timeout_ms, .max_rows = (size_t)p->max_rows };
    qn_str sql;
    qn_sql *db;
    qn_value answer;
    qn_err bad = { 0 };
    bool stable = true;
    QN_TRY(qn_row_text(r, "sql", &sql, e));
    QN_TRY(qn_table_pool_take(state, r, &db, e));
    qn_code rc = qn_sql_run(db, sql, &lim, cx->scratch, &answer, &bad);
    bool empty = rc == QN_OK && is_empty(answer);
    if (rc == QN_OK && !empty && p->check_order) rc = qn_sql_check_order(db, sql, &lim, answer, cx->scratch, &stable, &bad);
    qn_table_pool_put(state, db);
    if (rc == QN_EIO) { *e = bad; return rc; }
    if (p->spare && (rc != QN_OK || empty || !stable)) { answer = qn_v_list(NULL, 0); rc = QN_OK; empty = false; stable = true; }
    if (rc != QN_OK) qn_emit_reject(em, r, qn_reject_fact("sql", "%s", bad.msg));
    else if (empty) qn_emit_reject(em, r, qn_reject_fact("answer", "empty"));
    else if (!stable) qn_emit_reject(em, r, qn_reject_fact("answer", "depends on the order of rows"));
    else {
        qn_row_set(r, QN_STR("steps"), steps_of(state, r, sql, answer, cx->scratch));
        qn_row_set(r, QN_STR("answer"), answer);
        qn_emit_row(em, r);
    }
    return QN_OK;
}

const qn_op qn_op_run_sql = {
    .name = "run_sql", .version = 1, .stage = QN_GENERATE,
    .brief = "execute the row's SQL on its table: the result is the answer",
    .paper = "Lupidi et al. 2024, Source2Synth",
    .reads = "sql: text, table: {name: text, ...}", .writes = "steps: [{step: text, result: any}], answer: [any]",
    .params = PARAMS, .params_size = sizeof(params), .open = open_pool, .close = close_pool, .map = map,
};
