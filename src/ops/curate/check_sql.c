/* check_sql: keep a row only when its SQL is SQL, fits the tables it is asked of, does not write, and means one thing.
 *
 * Without a database the text is parsed by SQLite, which needs no tables for that. With `db` it runs as io/sql_run.h runs what nobody vouches for:
 * read-only, no clock, no chance, no PRAGMA or ATTACH, within limits; and once more on the tables with their rows reversed. To label rows by what a
 * query gives, use run_sql. Runs on: any worker, a connection for each row. */
#include "io/sql_run.h"
#include "ops/curate/curate.h"
#include "text/code_parses.h"
#include <stdio.h>

typedef struct { qn_expr *sql, *db; bool writes, empty, order; int64_t max_steps, max_rows, time_ms; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, sql, ".sql", "text", "the query"),
    QN_EXPR(params, db, "", "text", "path of the SQLite file that it is for; opened read-only"),
    QN_BOOL(params, writes, "no", "queries that write stay (only where there is no `db`)"),
    QN_BOOL(params, empty, "no", "queries that give no row stay"),
    QN_BOOL(params, order, "yes", "with `db`: reject queries whose answer depends on the order of the tables' rows, which a table does not have"),
    QN_INT(params, max_steps, "20000000", "1..", "virtual machine steps of SQLite before a query is given up"),
    QN_INT(params, max_rows, "100000", "1..", "rows that a query may give"),
    QN_INT(params, time_ms, "5000", "10..600000", "wall-clock milliseconds of a query"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{sql: 'SELECT name FROM mills WHERE built < 1700'}", .out = "{sql: 'SELECT name FROM mills WHERE built < 1700'}" },
    { .params = "", .in = "{sql: 'SELEC name FROM mills'}", .reject = "sql: near \"SELEC\": syntax error" },
    { .params = "", .in = "{sql: 'DROP TABLE mills'}", .reject = "sql: it writes" },
    { .params = "db: '\"/nowhere/at/all.db\"'", .in = "{sql: 'SELECT 1'}", .fail = "cannot open" },
    QN_END
};

static bool may_write(qn_str sql)
{
    static const char *const readers[] = { "select", "with", "values", "explain", "(" };
    qn_str s = qn_str_trim(sql);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (s.n >= strlen(readers[i]) && strncasecmp(s.p, readers[i], strlen(readers[i])) == 0) return false;
    return true;
}

/* Runs the query on its database; `why` says what is wrong with it. */
static qn_code run_on(const params *p, qn_ctx *cx, qn_str sql, qn_str path, char *why, size_t size, qn_err *e)
{
    const qn_sql_limits limits = { .max_steps = p->max_steps, .timeout_ms = p->time_ms, .max_rows = (size_t)p->max_rows, .max_bytes = (size_t)64 << 20 };
    qn_sql *db;
    qn_value answer;
    qn_err bad = {0};
    bool stable = true;
    QN_TRY(qn_sql_open(qn_arena_str(cx->scratch, path).p, &db, e));
    qn_code rc = qn_sql_run(db, sql, &limits, cx->scratch, &answer, &bad);
    if (rc == QN_OK && p->order) rc = qn_sql_check_order(db, sql, &limits, answer, cx->scratch, &stable, &bad);
    qn_sql_close(db);
    if (rc != QN_OK) snprintf(why, size, "%.*s", (int)qn_utf8_cut(qn_str_of(bad.msg), size - 1), bad.msg);
    else if (!stable) snprintf(why, size, "its answer depends on the order of rows");
    else if (answer.n == 0 && !p->empty) snprintf(why, size, "no rows");
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_str sql, path;
    qn_err bad = {0};
    char why[100] = "";
    (void)state;
    QN_TRY(qn_curate_text(cx, p->sql, r, &sql, e));
    if (!p->writes && may_write(sql) && qn_code_sql_ok(sql, &bad) == QN_OK) snprintf(why, sizeof why, "it writes");
    else if (qn_code_sql_ok(sql, &bad) != QN_OK) snprintf(why, sizeof why, "%.99s", bad.msg);
    else if (p->db) {
        QN_TRY(qn_curate_text(cx, p->db, r, &path, e));
        QN_TRY(run_on(p, cx, sql, path, why, sizeof why, e));
    }
    if (why[0]) qn_emit_reject(em, r, qn_reject_fact("sql", "%s", why));
    else qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_check_sql = {
    .name = "check_sql", .version = 2, .stage = QN_CURATE, .brief = "keep rows whose SQL parses, reads only and, with a database, runs and means one thing",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .map = map,
};
