/* format_sqlite: rows and tables of a SQLite file, opened read-only and never written. Values keep their kind: integer, real, text; a blob is
 * base64 in `rows` and hexadecimal in `tables`. Views are read as tables; a view is a program of whoever made the file, so its steps are bounded, and so
 * is the length of any value. */
#include "io/columns.h"
#include "io/format.h"
#include "io/table.h"
#include <sqlite3.h>
#include <stdio.h>

enum { MILLION = 1000000, VIEW_MILLIONS = 300, LONGEST_VALUE = 64 << 20 };

static qn_code fail(sqlite3 *db, const char *path, qn_err *e)
{
    int rc = sqlite3_errcode(db);
    if (rc == SQLITE_INTERRUPT) {
        qn_fail_at(e, QN_ELIMIT, (qn_pos){ .file = path }, "a view in %s takes more than %d million steps", path, VIEW_MILLIONS);
        qn_hint(e, "read a table instead (table: NAME), or export what the view gives");
        return QN_ELIMIT;
    }
    qn_code code = rc == SQLITE_CANTOPEN || rc == SQLITE_IOERR ? QN_EIO : QN_EDATA;
    return qn_fail_at(e, code, (qn_pos){ .file = path }, "cannot read %s as a SQLite file: %s", path, sqlite3_errmsg(db));
}

static qn_code db_open(const char *path, sqlite3 **db, qn_err *e)
{
    int rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(*db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_busy_timeout(*db, 2000);
        sqlite3_limit(*db, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
        rc = sqlite3_exec(*db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) return QN_OK;
    qn_code code = fail(*db, path, e);
    sqlite3_close(*db);
    return code;
}

static const char LIST[] = "SELECT name FROM sqlite_schema WHERE type IN ('table','view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid";

static bool is_view(sqlite3 *db, qn_str name)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(db, "SELECT 1 FROM sqlite_schema WHERE type = 'view' AND name = ?", -1, &st, NULL) != SQLITE_OK) return true;
    sqlite3_bind_text(st, 1, name.p, (int)name.n, SQLITE_STATIC);
    bool yes = sqlite3_step(st) == SQLITE_ROW;
    sqlite3_finalize(st);
    return yes;
}

static int count_down(void *left) { return --*(int *)left < 0; }

/* left: millions of steps that a view may take; lives as long as the statement. */
static qn_code table_open(sqlite3 *db, const char *path, qn_str table, int *left, sqlite3_stmt **st, qn_err *e)
{
    qn_buf b = {0};
    *left = VIEW_MILLIONS;
    sqlite3_progress_handler(db, is_view(db, table) ? MILLION : 0, count_down, left);
    qn_buf_puts(&b, "SELECT * FROM ");
    qn_sql_quote(&b, table);
    int rc = sqlite3_prepare_v2(db, b.p, (int)b.n, st, NULL);
    qn_buf_free(&b);
    return rc == SQLITE_OK ? QN_OK : fail(db, path, e);
}

static qn_str text_at(sqlite3_stmt *st, int i)
{
    const char *p = (const char *)sqlite3_column_text(st, i);
    return (qn_str){ p ? p : "", (size_t)sqlite3_column_bytes(st, i) };
}

/* ---- rows ---- */
typedef struct { qn_reader base; const char *path; sqlite3 *db; sqlite3_stmt *st; qn_columns columns; qn_arena scratch; int line, left; } rows_of;

static void put_value(qn_buf *b, sqlite3_stmt *st, int i)
{
    switch (sqlite3_column_type(st, i)) {
    case SQLITE_NULL:    qn_buf_puts(b, "null"); break;
    case SQLITE_INTEGER: qn_json_write(b, qn_v_int(sqlite3_column_int64(st, i))); break;
    case SQLITE_FLOAT:   qn_json_write(b, qn_v_real(sqlite3_column_double(st, i))); break;
    case SQLITE_BLOB: {
        const char *p = sqlite3_column_blob(st, i);
        qn_buf_putc(b, '"');
        qn_base64_put(b, (qn_str){ p, (size_t)sqlite3_column_bytes(st, i) });
        qn_buf_putc(b, '"');
        break;
    }
    default: qn_json_write_text(b, text_at(st, i));
    }
}

static qn_code rows_next(qn_reader *reader, qn_row **out, qn_err *e)
{
    rows_of *r = (rows_of *)reader;
    *out = NULL;
    if (!r->st) return QN_OK;
    int rc = sqlite3_step(r->st);
    r->line++;
    if (rc == SQLITE_ROW) {
        qn_buf *b = &r->columns.buf;
        qn_buf_clear(b);
        for (size_t i = 0; i < r->columns.n; i++) {
            qn_buf_str(b, r->columns.keys[i]);
            put_value(b, r->st, (int)i);
        }
        qn_buf_putc(b, '}');
        if (qn_row_parse(qn_buf_view(b), (qn_hash128){0}, out, e) == QN_OK) return QN_OK;
        return qn_fail_at(e, QN_EDATA, (qn_pos){ .file = r->path, .line = r->line }, "the record is not valid UTF-8");
    }
    qn_code code = rc == SQLITE_DONE ? QN_OK : fail(r->db, r->path, e);
    sqlite3_finalize(r->st);
    r->st = NULL;
    return code;
}

static void rows_close(qn_reader *reader)
{
    rows_of *r = (rows_of *)reader;
    sqlite3_finalize(r->st);
    sqlite3_close(r->db);
    qn_columns_free(&r->columns);
    qn_arena_free(&r->scratch);
    qn_free(r);
}

static const qn_reader_vt VT = { rows_next, rows_close };

static qn_code choose(rows_of *r, const char *wanted, qn_str *name, qn_err *e)
{
    sqlite3_stmt *st;
    qn_buf names = {0};
    size_t n = 0;
    if (sqlite3_prepare_v2(r->db, LIST, -1, &st, NULL) != SQLITE_OK) return fail(r->db, r->path, e);
    *name = (qn_str){ NULL, 0 };
    while (sqlite3_step(st) == SQLITE_ROW) {
        qn_str s = text_at(st, 0);
        if (!name->p && (!wanted || qn_str_is(s, wanted))) *name = qn_arena_str(&r->scratch, s);
        qn_buf_printf(&names, "%s%.*s", n++ ? ", " : "", QN_FMT(s));
    }
    sqlite3_finalize(st);
    qn_code rc = QN_OK;
    if (!name->p && n == 0) rc = qn_fail(e, QN_EDATA, "%s holds no table", r->path);
    else if (!name->p) rc = qn_fail(e, QN_EDATA, "%s has no table `%s`", r->path, wanted);
    else if (!wanted && n > 1) rc = qn_fail(e, QN_EDATA, "%s holds %zu tables: say which", r->path, n);
    if (rc != QN_OK && n) qn_hint(e, "table: one of %s", names.p);
    qn_buf_free(&names);
    return rc;
}

static qn_code rows(const char *path, const qn_read_opts *o, qn_reader **out, qn_err *e)
{
    rows_of *r = QN_NEW(rows_of);
    qn_str table;
    r->base.vt = &VT;
    r->path = path;
    qn_code rc = db_open(path, &r->db, e);
    if (rc != QN_OK) { qn_free(r); return rc; }
    rc = choose(r, o ? o->table : NULL, &table, e);
    if (rc == QN_OK) rc = table_open(r->db, path, table, &r->left, &r->st, e);
    if (rc != QN_OK) { rows_close(&r->base); return rc; }
    size_t n = (size_t)sqlite3_column_count(r->st);
    qn_str *header = QN_ARENA_NEW_N(&r->scratch, qn_str, n);
    for (size_t i = 0; i < n; i++) header[i] = qn_str_of(sqlite3_column_name(r->st, (int)i));
    qn_columns_set(&r->columns, header, n);
    *out = &r->base;
    return QN_OK;
}

/* ---- tables ---- */
static qn_str cell_at(sqlite3_stmt *st, int i, qn_arena *a)
{
    static const char hex[] = "0123456789abcdef";
    if (sqlite3_column_type(st, i) == SQLITE_NULL) return (qn_str){ NULL, 0 };
    if (sqlite3_column_type(st, i) != SQLITE_BLOB) return qn_arena_str(a, text_at(st, i));
    const unsigned char *p = sqlite3_column_blob(st, i);
    size_t n = (size_t)sqlite3_column_bytes(st, i);
    char *out = qn_arena_alloc(a, n * 2 + 1);
    for (size_t k = 0; k < n; k++) { out[2 * k] = hex[p[k] >> 4]; out[2 * k + 1] = hex[p[k] & 15]; }
    return (qn_str){ out, n * 2 };
}

static qn_code one_table(sqlite3 *db, const char *path, qn_str name, qn_cell_sink *sink, qn_err *e)
{
    sqlite3_stmt *st;
    qn_arena a = {0};
    int rc = SQLITE_ROW, left;
    QN_TRY(table_open(db, path, name, &left, &st, e));
    size_t n = (size_t)sqlite3_column_count(st);
    qn_str *cells = QN_NEW_N(qn_str, n);
    for (size_t i = 0; i < n; i++) cells[i] = qn_str_of(sqlite3_column_name(st, (int)i));
    qn_code code = sink->begin(sink->arg, name, QN_STR(""), cells, n, e);
    while (code == QN_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        qn_arena_reset(&a);
        for (size_t i = 0; i < n; i++) cells[i] = cell_at(st, (int)i, &a);
        code = sink->row(sink->arg, cells, n, e);
    }
    if (code == QN_OK && rc != SQLITE_DONE) code = fail(db, path, e);
    if (code == QN_OK) code = sink->end(sink->arg, e);
    sqlite3_finalize(st);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    qn_free(cells);
    qn_arena_free(&a);
    return code;
}

static qn_code tables(const char *path, const qn_read_opts *o, qn_cell_sink *sink, qn_err *e)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    size_t n = 0;
    QN_TRY(db_open(path, &db, e));
    qn_code rc = sqlite3_prepare_v2(db, LIST, -1, &st, NULL) == SQLITE_OK ? QN_OK : fail(db, path, e);
    while (rc == QN_OK && sqlite3_step(st) == SQLITE_ROW) {
        qn_str name = text_at(st, 0);
        if (o && o->table && !qn_str_is(name, o->table)) continue;
        rc = one_table(db, path, name, sink, e);
        n++;
    }
    if (rc == QN_OK && n == 0) rc = qn_fail_at(e, QN_EDATA, (qn_pos){ .file = path }, "%s holds no table", path);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return rc;
}

static bool sniff(qn_str head) { return head.n >= 16 && memcmp(head.p, "SQLite format 3", 16) == 0; }

const qn_format qn_format_sqlite = {
    .name = "sqlite", .exts = "sqlite sqlite3 db", .brief = "the tables of a SQLite file, opened read-only",
    .rows = rows, .tables = tables, .sniff = sniff,
};
