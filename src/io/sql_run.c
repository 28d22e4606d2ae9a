/* Untrusted SQL: one read-only connection on the file, one in memory with the tables' rows reversed, both behind the same guards. */
#include "io/sql_run.h"
#include "core/clock.h"
#include <math.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

enum { MAX_TABLES = 16, MAX_REVERSED_BYTES = 64 << 20 };

struct qn_sql {
    sqlite3 *file, *reversed;
    bool     guarded;               /* the authorizer refuses; off while we ourselves read */
    char     refused[120];          /* what it refused last */
    char    *tables[MAX_TABLES];    /* read by the query being prepared */
    int      n_tables;
    int64_t  steps_left, deadline_us;
    bool     out_of_steps, out_of_time;
};

/* ---- no clock ---- */
static _Thread_local bool clock_asked;
static int no_time(sqlite3_vfs *v, double *t) { (void)v; *t = 0; clock_asked = true; return SQLITE_ERROR; }
static int no_time64(sqlite3_vfs *v, sqlite3_int64 *t) { (void)v; *t = 0; clock_asked = true; return SQLITE_ERROR; }
static sqlite3_vfs timeless;
static void make_vfs(void)
{
    timeless = *sqlite3_vfs_find(NULL);
    timeless.zName = "quern-timeless";
    timeless.xCurrentTime = no_time;
    timeless.xCurrentTimeInt64 = no_time64;
    timeless.pNext = NULL;
    sqlite3_vfs_register(&timeless, 0);
}

/* ---- guards ---- */
static bool refused_function(const char *f)
{
    static const char *const NO[] = { "random", "randomblob", "load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "sqlite_compileoption_get",
                                      "sqlite_compileoption_used", "sqlite_source_id", "sqlite_version", "last_insert_rowid", "changes", "total_changes", "sqlite_log" };
    for (size_t i = 0; i < sizeof NO / sizeof *NO; i++) if (sqlite3_stricmp(f, NO[i]) == 0) return true;
    return false;
}

static void note_table(qn_sql *db, const char *t)
{
    for (int i = 0; i < db->n_tables; i++) if (sqlite3_stricmp(db->tables[i], t) == 0) return;
    if (db->n_tables < MAX_TABLES) db->tables[db->n_tables++] = qn_strz(qn_str_of(t));
}

static int authorize(void *arg, int action, const char *a, const char *b, const char *schema, const char *trigger)
{
    qn_sql *db = arg;
    (void)schema, (void)trigger;
    if (!db->guarded) return SQLITE_OK;
    if (action == SQLITE_SELECT || action == SQLITE_RECURSIVE) return SQLITE_OK;
    if (action == SQLITE_READ && a && sqlite3_strnicmp(a, "sqlite_", 7) != 0) {
        note_table(db, a);          /* a name that is no table (a common table expression) is passed over when tables are copied */
        return SQLITE_OK;
    }
    if (action == SQLITE_FUNCTION && b && !refused_function(b)) return SQLITE_OK;
    snprintf(db->refused, sizeof db->refused, "%s", action == SQLITE_FUNCTION && b ? b : action == SQLITE_READ && a ? a : action == SQLITE_PRAGMA ? "PRAGMA"
             : action == SQLITE_ATTACH ? "ATTACH" : "a statement that is no SELECT");
    return SQLITE_DENY;
}

static int progress(void *arg)
{
    qn_sql *db = arg;
    db->steps_left -= 1000;
    if (db->steps_left < 0) db->out_of_steps = true;
    if (qn_now_us() > db->deadline_us) db->out_of_time = true;
    return db->guarded && (db->out_of_steps || db->out_of_time);
}

static qn_code open_one(qn_sql *db, const char *path, int flags, sqlite3 **out, qn_err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_vfs);
    if (sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, "quern-timeless") != SQLITE_OK) {
        qn_fail(e, QN_EIO, "cannot open `%s`: %s", path, *out ? sqlite3_errmsg(*out) : "out of memory");
        sqlite3_close(*out);
        *out = NULL;
        return QN_EIO;
    }
    sqlite3_db_config(*out, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(*out, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(*out, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(*out, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_limit(*out, SQLITE_LIMIT_LENGTH, 4 << 20);
    sqlite3_limit(*out, SQLITE_LIMIT_SQL_LENGTH, 64 << 10);
    sqlite3_limit(*out, SQLITE_LIMIT_EXPR_DEPTH, 200);
    sqlite3_limit(*out, SQLITE_LIMIT_COMPOUND_SELECT, 50);
    sqlite3_limit(*out, SQLITE_LIMIT_VDBE_OP, 100000);
    sqlite3_limit(*out, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(*out, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000);
    sqlite3_set_authorizer(*out, authorize, db);
    sqlite3_progress_handler(*out, 1000, progress, db);
    return QN_OK;
}

qn_code qn_sql_open(const char *path, qn_sql **out, qn_err *e)
{
    qn_sql *db = QN_NEW(qn_sql);
    qn_code rc = open_one(db, path, SQLITE_OPEN_READONLY, &db->file, e);
    if (rc == QN_OK) rc = open_one(db, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &db->reversed, e);
    if (rc != QN_OK) { qn_sql_close(db); return rc; }
    /* "name" in double quotes must be a column: with this off, a misspelt one is an error and not a text */
    sqlite3_db_config(db->file, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->reversed, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    *out = db;
    return QN_OK;
}

static void forget_tables(qn_sql *db)
{
    for (int i = 0; i < db->n_tables; i++) qn_free(db->tables[i]);
    db->n_tables = 0;
}

void qn_sql_close(qn_sql *db)
{
    if (!db) return;
    forget_tables(db);
    sqlite3_close(db->file);
    sqlite3_close(db->reversed);
    qn_free(db);
}

struct sqlite3 *qn_sql_handle(qn_sql *db) { return db->file; }

/* ---- running ---- */
static qn_value cell_value(sqlite3_stmt *st, int c, qn_arena *a)
{
    switch (sqlite3_column_type(st, c)) {
    case SQLITE_NULL: return qn_v_null();
    case SQLITE_INTEGER: return qn_v_int(sqlite3_column_int64(st, c));
    case SQLITE_FLOAT: return qn_v_real(sqlite3_column_double(st, c));
    default: return qn_v_text(qn_arena_str(a, (qn_str){ (const char *)sqlite3_column_text(st, c), (size_t)sqlite3_column_bytes(st, c) }));
    }
}

static qn_code sql_error(qn_sql *db, sqlite3 *h, qn_err *e)
{
    if (clock_asked) return qn_fail(e, QN_EDATA, "the query asks for the time, which changes its answer");
    if (db->out_of_steps) return qn_fail(e, QN_ELIMIT, "the query takes too many steps");
    if (db->out_of_time) return qn_fail(e, QN_ELIMIT, "the query takes too long");
    if (db->refused[0]) return qn_fail(e, QN_EDATA, "not allowed in a query: %s", db->refused);
    return qn_fail(e, QN_EDATA, "%s", sqlite3_errmsg(h));
}

static bool only_space(const char *s, const char *end)
{
    for (; s < end; s++) if (*s != ' ' && *s != '\n' && *s != '\t' && *s != '\r' && *s != ';') return false;
    return true;
}

static qn_code collect(qn_sql *db, sqlite3 *h, sqlite3_stmt *st, size_t max_rows, size_t max_bytes, qn_arena *a, qn_value *answer, qn_err *e)
{
    qn_list_b rows = { .a = a };
    int n = sqlite3_column_count(st), rc;
    size_t bytes = 0;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        if (rows.n >= max_rows) return qn_fail(e, QN_ELIMIT, "the answer has more than %zu rows", max_rows);
        qn_list_b row = { .a = a };
        for (int c = 0; c < n; c++) {
            qn_value v = cell_value(st, c, a);
            bytes += v.kind == QN_V_TEXT ? v.n : 8;
            if (n == 1) qn_list_put(&rows, v);
            else qn_list_put(&row, v);
        }
        if (n > 1) qn_list_put(&rows, qn_list_end(&row));
        if (bytes > max_bytes) return qn_fail(e, QN_ELIMIT, "the answer is larger than %zu bytes", max_bytes);
    }
    if (rc != SQLITE_DONE || clock_asked) return sql_error(db, h, e);
    *answer = qn_list_end(&rows);
    return QN_OK;
}

static qn_code run_on(qn_sql *db, sqlite3 *h, qn_str sql, const qn_sql_limits *lim, qn_arena *a, qn_value *answer, qn_err *e)
{
    static const qn_sql_limits NONE = { 0 };
    if (!lim) lim = &NONE;
    if (memchr(sql.p, 0, sql.n)) return qn_fail(e, QN_EDATA, "the query holds a zero byte");
    char *text = qn_strz(sql);
    const char *tail = NULL;
    sqlite3_stmt *st = NULL;
    qn_code code;
    db->steps_left = lim->max_steps ? lim->max_steps : 20000000;
    db->deadline_us = qn_now_us() + (lim->timeout_ms ? lim->timeout_ms : 2000) * 1000;
    db->out_of_steps = db->out_of_time = clock_asked = false;
    db->refused[0] = 0;
    db->guarded = true;
    if (sqlite3_prepare_v2(h, text, (int)sql.n, &st, &tail) != SQLITE_OK) code = sql_error(db, h, e);
    else if (!st) code = qn_fail(e, QN_EDATA, "the query is empty");
    else if (!only_space(tail, text + sql.n)) code = qn_fail(e, QN_EDATA, "more than one statement");
    else if (!sqlite3_stmt_readonly(st) || sqlite3_column_count(st) < 1) code = qn_fail(e, QN_EDATA, "not allowed in a query: a statement that is no SELECT");
    else code = collect(db, h, st, lim->max_rows ? lim->max_rows : 1000, lim->max_bytes ? lim->max_bytes : 64 << 10, a, answer, e);
    sqlite3_finalize(st);
    db->guarded = false;
    qn_free(text);
    return code;
}

qn_code qn_sql_run(qn_sql *db, qn_str sql, const qn_sql_limits *lim, qn_arena *a, qn_value *answer, qn_err *e)
{
    forget_tables(db);
    return run_on(db, db->file, sql, lim, a, answer, e);
}

/* ---- the reversed copy ---- */
static qn_code copy_rows(qn_sql *db, const char *table, int n_cols, qn_err *e)
{
    char *from = sqlite3_mprintf("SELECT * FROM \"%w\" ORDER BY rowid DESC", table);
    qn_buf to = { 0 };
    char *head = sqlite3_mprintf("INSERT INTO \"%w\" VALUES (?", table);
    qn_buf_puts(&to, head);
    for (int i = 1; i < n_cols; i++) qn_buf_puts(&to, ",?");
    qn_buf_putc(&to, ')');
    sqlite3_free(head);
    sqlite3_stmt *in = NULL, *out = NULL;
    int64_t bytes = 0;
    int rc = sqlite3_prepare_v2(db->file, from, -1, &in, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_prepare_v2(db->reversed, to.p, -1, &out, NULL);
    while (rc == SQLITE_OK && sqlite3_step(in) == SQLITE_ROW) {
        for (int c = 0; c < n_cols; c++) {
            sqlite3_bind_value(out, c + 1, sqlite3_column_value(in, c));
            bytes += sqlite3_column_bytes(in, c);
        }
        if (bytes > MAX_REVERSED_BYTES) { rc = SQLITE_TOOBIG; break; }
        rc = sqlite3_step(out) == SQLITE_DONE ? sqlite3_reset(out) : SQLITE_ERROR;
    }
    sqlite3_finalize(in);
    sqlite3_finalize(out);
    sqlite3_free(from);
    qn_buf_free(&to);
    if (rc == SQLITE_TOOBIG) return qn_fail(e, QN_ELIMIT, "table `%s` is too large to be checked for row order", table);
    return rc == SQLITE_OK ? QN_OK : qn_fail(e, QN_EDATA, "cannot copy table `%s`: %s", table, sqlite3_errmsg(db->reversed));
}

static bool has_table(sqlite3 *h, const char *table)
{
    sqlite3_stmt *st = NULL;
    sqlite3_prepare_v2(h, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE", -1, &st, NULL);
    sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
    bool yes = sqlite3_step(st) == SQLITE_ROW;
    sqlite3_finalize(st);
    return yes;
}

static qn_code reverse_table(qn_sql *db, const char *table, qn_err *e)
{
    if (has_table(db->reversed, table)) return QN_OK;
    sqlite3_stmt *st = NULL;
    qn_code code = QN_OK;
    sqlite3_prepare_v2(db->file, "SELECT sql, name FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE", -1, &st, NULL);
    sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
    if (sqlite3_step(st) == SQLITE_ROW) {
        const char *create = (const char *)sqlite3_column_text(st, 0), *name = (const char *)sqlite3_column_text(st, 1);
        if (sqlite3_exec(db->reversed, create, NULL, NULL, NULL) != SQLITE_OK) code = qn_fail(e, QN_EDATA, "cannot copy table `%s`: %s", table, sqlite3_errmsg(db->reversed));
        else {
            char *q = sqlite3_mprintf("SELECT * FROM \"%w\" LIMIT 0", name);
            sqlite3_stmt *cols = NULL;
            sqlite3_prepare_v2(db->file, q, -1, &cols, NULL);
            sqlite3_exec(db->reversed, "BEGIN", NULL, NULL, NULL);
            code = copy_rows(db, name, sqlite3_column_count(cols), e);
            sqlite3_exec(db->reversed, code == QN_OK ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
            sqlite3_finalize(cols);
            sqlite3_free(q);
        }
    }
    sqlite3_finalize(st);
    return code;
}

static int by_value(const void *a, const void *b) { return qn_v_cmp(*(const qn_value *)a, *(const qn_value *)b); }

static bool near_equal(qn_value a, qn_value b)
{
    if (a.kind == QN_V_LIST && b.kind == QN_V_LIST) {
        if (a.n != b.n) return false;
        for (size_t i = 0; i < a.n; i++) if (!near_equal(qn_v_at(a, i), qn_v_at(b, i))) return false;
        return true;
    }
    if (qn_v_is_number(a) && qn_v_is_number(b)) {
        double x = qn_v_number(a), y = qn_v_number(b);
        return fabs(x - y) <= 1e-9 * fmax(1, fmax(fabs(x), fabs(y)));
    }
    return qn_v_eq(a, b);
}

static bool has_order_by(qn_str sql)
{
    for (size_t i = 0; i + 8 <= sql.n; i++)
        if (sqlite3_strnicmp(sql.p + i, "order", 5) == 0 && (sql.p[i + 5] == ' ' || sql.p[i + 5] == '\n' || sql.p[i + 5] == '\t')) return true;
    return false;
}

qn_code qn_sql_check_order(qn_sql *db, qn_str sql, const qn_sql_limits *lim, qn_value answer, qn_arena *a, bool *stable, qn_err *e)
{
    qn_value again;
    for (int i = 0; i < db->n_tables; i++) QN_TRY(reverse_table(db, db->tables[i], e));
    QN_TRY(run_on(db, db->reversed, sql, lim, a, &again, e));
    *stable = near_equal(answer, again);
    if (!*stable && answer.n == again.n && !has_order_by(sql)) {
        qn_value *x = qn_arena_alloc(a, (answer.n + 1) * sizeof *x), *y = qn_arena_alloc(a, (answer.n + 1) * sizeof *y);
        for (size_t i = 0; i < answer.n; i++) { x[i] = qn_v_at(answer, i); y[i] = qn_v_at(again, i); }
        qsort(x, answer.n, sizeof *x, by_value);
        qsort(y, again.n, sizeof *y, by_value);
        *stable = near_equal(qn_v_list(x, answer.n), qn_v_list(y, again.n));
    }
    return QN_OK;
}
