/* sql_run: runs one SQL query that nobody vouches for, on tables that must not change, and tells whether its answer can be trusted.
 *
 * Read-only connection; an authorizer lets through SELECT, reading of user tables and known functions, nothing else (no PRAGMA, ATTACH,
 * sqlite_ tables, random(), load_extension); the clock is taken away (a VFS whose time cannot be asked), so date(...,'now') is an error and
 * date functions over cells work. Limits on VM steps, time, rows and bytes. The query also runs on a copy of its tables with the rows in
 * reverse order: another answer means that it depends on the order of rows, which a table does not have.
 * A handle belongs to one thread. */
#ifndef QN_IO_SQL_RUN_H
#define QN_IO_SQL_RUN_H
#include "data/value.h"

typedef struct qn_sql qn_sql;
struct sqlite3;

typedef struct qn_sql_limits {
    int64_t max_steps;          /* of SQLite's virtual machine; 0: 20 million */
    int64_t timeout_ms;         /* 0: 2000 */
    size_t  max_rows;           /* 0: 1000 */
    size_t  max_bytes;          /* of the answer; 0: 64 KB */
} qn_sql_limits;

qn_code qn_sql_open(const char *path, qn_sql **out, qn_err *e);     /* the file is opened read-only; owned: qn_sql_close */
void    qn_sql_close(qn_sql *db);
struct sqlite3 *qn_sql_handle(qn_sql *db);                          /* borrowed; for trusted reading */

/* Runs `sql`; the answer is a list: of values when the query has one column, else of lists. Lives in the arena.
 * Errors: QN_EDATA (not valid, not allowed, more than one statement, asks the clock), QN_ELIMIT. An empty answer is not an error. */
qn_code qn_sql_run(qn_sql *db, qn_str sql, const qn_sql_limits *lim, qn_arena *a, qn_value *answer, qn_err *e);

/* The same on the reversed tables, compared. Without ORDER BY the order of the answer means nothing and is not compared; reals are equal
 * within 1e-9. `*stable` false: the answer depends on row order. Tables over 64 MB of cells are an error (QN_ELIMIT). */
qn_code qn_sql_check_order(qn_sql *db, qn_str sql, const qn_sql_limits *lim, qn_value answer, qn_arena *a, bool *stable, qn_err *e);
#endif
