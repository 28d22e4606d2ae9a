/* check_sql: keep a row only when its SQL is SQL, fits the tables it is asked of, and does not write.
 *
 * Without a database the text is parsed by SQLite, which needs no tables for that. With `db` it is prepared and run read-only, within a limit
 * of steps and rows. To label rows by what a query gives, use run_sql. Runs on: any worker, a connection for each row. */
#include "ops/curate/curate.h"
#include "text/code_parses.h"
#include <sqlite3.h>
#include <stdio.h>

typedef struct { qn_expr *sql, *db; bool writes, empty; int64_t max_steps, max_rows; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, sql, ".sql", "text", "the query"),
    QN_EXPR(params, db, "", "text", "path of the SQLite file that it is for; opened read-only"),
    QN_BOOL(params, writes, "no", "queries that write stay (only where there is no `db`)"),
    QN_BOOL(params, empty, "no", "queries that give no row stay"),
    QN_INT(params, max_steps, "20000000", "1..", "virtual machine steps of SQLite before a query is given up"),
    QN_INT(params, max_rows, "100000", "1..", "rows that a query may give"),
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

static int too_long(void *left) { return --*(int64_t *)left < 0; }

/* Runs the statements of a text; *n_rows gets the rows of the last. `why` says what failed. */
static bool run_all(sqlite3 *db, qn_str sql, const params *p, int64_t *n_rows, char *why, size_t size)
{
    int64_t left = p->max_steps / 1000 + 1;
    sqlite3_progress_handler(db, 1000, too_long, &left);
    for (const char *at = sql.p, *end = sql.p + sql.n; at < end;) {
        sqlite3_stmt *st = NULL;
        const char *tail = end;
        int rc = sqlite3_prepare_v2(db, at, (int)(end - at), &st, &tail);
        if (rc == SQLITE_OK && st && !sqlite3_stmt_readonly(st)) { snprintf(why, size, "it writes"); sqlite3_finalize(st); return false; }
        if (st) *n_rows = 0;
        while (rc == SQLITE_OK && st && (rc = sqlite3_step(st)) == SQLITE_ROW) {
            rc = SQLITE_OK;
            if (++*n_rows > p->max_rows) { snprintf(why, size, "more than %lld rows", (long long)p->max_rows); sqlite3_finalize(st); return false; }
        }
        if (rc != SQLITE_OK && rc != SQLITE_DONE) {
            snprintf(why, size, "%s", rc == SQLITE_INTERRUPT ? "it does not end within its steps" : sqlite3_errmsg(db));
            sqlite3_finalize(st);
            return false;
        }
        sqlite3_finalize(st);
        at = tail > at ? tail : end;
    }
    return true;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_str sql, path;
    qn_err bad = {0};
    char why[100] = "";
    int64_t n_rows = -1;
    (void)state;
    QN_TRY(qn_curate_text(cx, p->sql, r, &sql, e));
    if (!p->writes && may_write(sql) && qn_code_sql_ok(sql, &bad) == QN_OK) snprintf(why, sizeof why, "it writes");
    else if (qn_code_sql_ok(sql, &bad) != QN_OK) snprintf(why, sizeof why, "%.99s", bad.msg);
    else if (p->db) {
        sqlite3 *db = NULL;
        QN_TRY(qn_curate_text(cx, p->db, r, &path, e));
        if (sqlite3_open_v2(qn_arena_str(cx->scratch, path).p, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
            sqlite3_close(db);
            return qn_fail(e, QN_EIO, "cannot open the database %.*s", QN_FMT(path));
        }
        sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
        if (run_all(db, sql, p, &n_rows, why, sizeof why) && n_rows == 0 && !p->empty) snprintf(why, sizeof why, "no rows");
        sqlite3_close(db);
    }
    if (why[0]) qn_emit_reject(em, r, qn_reject_fact("sql", "%s", why));
    else qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_check_sql = {
    .name = "check_sql", .version = 1, .stage = QN_CURATE, .brief = "keep rows whose SQL parses, reads only and, with a database, runs",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .map = map,
};
