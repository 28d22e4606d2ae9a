/* fuzz_sql_run: any bytes as a query: an answer within the limits or an error, never a change to the tables. */
#include "core/mem.h"
#include "io/sql_run.h"
#include <sqlite3.h>
#include <unistd.h>

static const char *DB = "/tmp/quern-fuzz-sql.db";

static qn_sql *open_once(void)
{
    static qn_sql *db;
    qn_err e = { 0 };
    if (db) return db;
    sqlite3 *h;
    unlink(DB);
    QN_ASSERT(sqlite3_open(DB, &h) == SQLITE_OK);
    QN_ASSERT(sqlite3_exec(h, "CREATE TABLE t (a NUMERIC, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, 'y');", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(h);
    QN_ASSERT(qn_sql_open(DB, &db, &e) == QN_OK);
    return db;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const qn_sql_limits lim = { .max_steps = 200000, .timeout_ms = 300, .max_rows = 50, .max_bytes = 4096 };
    qn_arena a = { 0 };
    qn_value answer;
    qn_err e = { 0 };
    bool stable;
    qn_sql *db = open_once();
    qn_str sql = { (const char *)data, n };
    if (qn_sql_run(db, sql, &lim, &a, &answer, &e) == QN_OK) {
        QN_ASSERT(answer.n <= 50);
        qn_sql_check_order(db, sql, &lim, answer, &a, &stable, &e);
    } else QN_ASSERT(e.msg[0]);
    QN_ASSERT(qn_sql_run(db, QN_STR("SELECT COUNT(*), SUM(a) FROM t"), NULL, &a, &answer, &e) == QN_OK);
    QN_ASSERT(qn_v_at(qn_v_at(answer, 0), 0).i == 3 && qn_v_at(qn_v_at(answer, 0), 1).i == 6);
    qn_arena_free(&a);
    return 0;
}
