/* table: cells -> SQLite. One table at a time: its cells wait in memory until its types are known (or in a temporary table when they are many). */
#include "io/table.h"
#include "core/map.h"
#include "io/columns.h"
#include <ctype.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

enum { MOST_COLUMNS = 2000, IN_MEMORY = 64 << 20 };

typedef struct { uint64_t n[4], empty; } counts;    /* by qn_col_type */

typedef struct {
    qn_tables    *out;
    sqlite3      *db;
    qn_map        names;
    const char   *path;
    qn_table      t;            /* the one being read */
    counts       *seen;
    qn_arena      wait;         /* rows that wait */
    qn_str      **rows;
    size_t        n_wait, cap_wait;
    sqlite3_stmt *stage;        /* temporary table in use: inserts into it */
} loader;

const char *qn_col_type_name(qn_col_type t)
{
    static const char *const names[] = { "text", "int", "real", "date" };
    return names[t];
}

/* ---- types ---- */
static bool is_date(qn_str s)
{
    static const char shape[] = "dddd-dd-dd";
    if (s.n != 10) return false;
    for (size_t i = 0; i < 10; i++)
        if (shape[i] == 'd' ? !isdigit((unsigned char)s.p[i]) : s.p[i] != shape[i]) return false;
    int month = (s.p[5] - '0') * 10 + s.p[6] - '0', day = (s.p[8] - '0') * 10 + s.p[9] - '0';
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

qn_col_type qn_cell_type(qn_str s)
{
    size_t i = 0, whole, n_digits;
    int64_t v;
    s = qn_str_trim(s);
    if (is_date(s)) return QN_COL_DATE;
    if (i < s.n && s.p[i] == '-') i++;
    for (whole = i; i < s.n && isdigit((unsigned char)s.p[i]);) i++;
    n_digits = i - whole;
    if (n_digits == 0 || (n_digits > 1 && s.p[whole] == '0')) return QN_COL_TEXT;
    if (i == s.n) return qn_str_to_i64(s, &v) ? QN_COL_INT : QN_COL_TEXT;
    if (s.p[i++] != '.') return QN_COL_TEXT;
    size_t point = i;
    while (i < s.n && isdigit((unsigned char)s.p[i])) i++;
    return i == s.n && i > point && n_digits + (i - point) <= 15 ? QN_COL_REAL : QN_COL_TEXT;
}

static qn_col_type column_type(const counts *c)
{
    if (c->n[QN_COL_TEXT]) return QN_COL_TEXT;
    if (c->n[QN_COL_DATE]) return c->n[QN_COL_INT] || c->n[QN_COL_REAL] ? QN_COL_TEXT : QN_COL_DATE;
    if (c->n[QN_COL_REAL]) return QN_COL_REAL;
    return c->n[QN_COL_INT] ? QN_COL_INT : QN_COL_TEXT;
}

/* ---- names ---- */
qn_str qn_sql_name(qn_arena *a, qn_str text)
{
    static const char *const endings[] = { ".csv", ".tsv", ".json", ".html", ".xlsx", NULL };
    qn_buf b = {0};
    for (const char *const *z = endings; *z; z++)
        if (text.n > strlen(*z) && qn_str_ieq(qn_str_sub(text, text.n - strlen(*z), text.n), qn_str_of(*z))) { text.n -= strlen(*z); break; }
    for (size_t i = 0; i < text.n && b.n < 60; i++) {
        char c = text.p[i];
        if (isalnum((unsigned char)c)) qn_buf_putc(&b, c);
        else if (b.n && b.p[b.n - 1] != '_') qn_buf_putc(&b, '_');
    }
    while (b.n && b.p[b.n - 1] == '_') b.p[--b.n] = 0;
    qn_str name = qn_buf_view(&b);
    bool odd = name.n == 0 || isdigit((unsigned char)name.p[0]) || sqlite3_keyword_check(name.p, (int)name.n) ||
               (name.n >= 7 && qn_str_ieq(qn_str_sub(name, 0, 7), QN_STR("sqlite_")));
    qn_str out = name.n == 0 ? QN_STR("table") : name;
    out = qn_arena_printf(a, "%s%.*s", odd ? "t_" : "", QN_FMT(out));
    qn_buf_free(&b);
    return out;
}

static bool name_taken(qn_map *names, qn_str name)
{
    bool fresh;
    char lower[128];
    size_t n = name.n < sizeof lower ? name.n : sizeof lower;
    for (size_t i = 0; i < n; i++) lower[i] = (char)tolower((unsigned char)name.p[i]);
    qn_map_put_str(names, (qn_str){ lower, n }, &fresh);
    return !fresh;
}

void qn_sql_quote(qn_buf *b, qn_str name)
{
    qn_buf_putc(b, '"');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"') qn_buf_putc(b, '"');
        qn_buf_putc(b, name.p[i]);
    }
    qn_buf_putc(b, '"');
}

/* ---- SQLite ---- */
static qn_code sql_fail(loader *l, qn_err *e) { return qn_fail(e, QN_EIO, "cannot write the tables' database: %s", sqlite3_errmsg(l->db)); }

static qn_code run(loader *l, const char *sql, qn_err *e)
{
    return sqlite3_exec(l->db, sql, NULL, NULL, NULL) == SQLITE_OK ? QN_OK : sql_fail(l, e);
}

static qn_code prepare_insert(loader *l, const char *into, sqlite3_stmt **out, qn_err *e)
{
    qn_buf b = {0};
    qn_buf_printf(&b, "INSERT INTO %s VALUES(?", into);
    for (size_t i = 1; i < l->t.n_columns; i++) qn_buf_puts(&b, ",?");
    qn_buf_putc(&b, ')');
    int rc = sqlite3_prepare_v2(l->db, b.p, (int)b.n, out, NULL);
    qn_buf_free(&b);
    return rc == SQLITE_OK ? QN_OK : sql_fail(l, e);
}

/* The rows that wait go through `insert`; then none waits. */
static qn_code flush(loader *l, sqlite3_stmt *insert, qn_err *e)
{
    for (size_t r = 0; r < l->n_wait; r++) {
        for (size_t i = 0; i < l->t.n_columns; i++) {
            qn_str c = l->rows[r][i];
            if (c.p) sqlite3_bind_text64(insert, (int)i + 1, c.p, c.n, SQLITE_STATIC, SQLITE_UTF8);
            else sqlite3_bind_null(insert, (int)i + 1);
        }
        int rc = sqlite3_step(insert);
        sqlite3_reset(insert);
        if (rc != SQLITE_DONE) return sql_fail(l, e);
    }
    sqlite3_clear_bindings(insert);
    l->n_wait = 0;
    qn_arena_reset(&l->wait);
    return QN_OK;
}

static qn_code stage(loader *l, qn_err *e)
{
    if (!l->stage) {
        qn_buf b = {0};
        qn_buf_puts(&b, "CREATE TEMP TABLE quern_stage(c0");
        for (size_t i = 1; i < l->t.n_columns; i++) qn_buf_printf(&b, ",c%zu", i);
        qn_buf_putc(&b, ')');
        qn_code rc = run(l, b.p, e);
        qn_buf_free(&b);
        QN_TRY(rc);
        QN_TRY(prepare_insert(l, "temp.quern_stage", &l->stage, e));
    }
    return flush(l, l->stage, e);
}

static qn_code create(loader *l, qn_buf *quoted, qn_err *e)
{
    qn_buf b = {0};
    qn_buf_printf(&b, "CREATE TABLE %s(", quoted->p);
    for (size_t i = 0; i < l->t.n_columns; i++) {
        qn_column *c = &l->t.columns[i];
        if (i) qn_buf_puts(&b, ", ");
        qn_sql_quote(&b, c->name);
        qn_buf_puts(&b, c->type == QN_COL_INT || c->type == QN_COL_REAL ? " NUMERIC" : " TEXT");
    }
    qn_buf_putc(&b, ')');
    qn_code rc = run(l, b.p, e);
    qn_buf_free(&b);
    return rc;
}

static qn_code fill(loader *l, qn_buf *quoted, qn_err *e)
{
    sqlite3_stmt *insert = NULL;
    if (l->stage) {
        QN_TRY(stage(l, e));
        sqlite3_finalize(l->stage);
        l->stage = NULL;
        qn_buf b = {0};
        qn_buf_printf(&b, "INSERT INTO %s SELECT * FROM temp.quern_stage ORDER BY rowid; DROP TABLE temp.quern_stage", quoted->p);
        qn_code rc = run(l, b.p, e);
        qn_buf_free(&b);
        return rc;
    }
    QN_TRY(prepare_insert(l, quoted->p, &insert, e));
    qn_code rc = flush(l, insert, e);
    sqlite3_finalize(insert);
    return rc;
}

/* ---- the sink ---- */
static void forget(loader *l)
{
    sqlite3_finalize(l->stage);
    if (l->stage) sqlite3_exec(l->db, "DROP TABLE IF EXISTS temp.quern_stage", NULL, NULL, NULL);
    l->stage = NULL;
    l->n_wait = 0;
    qn_arena_reset(&l->wait);
    l->t = (qn_table){0};
}

static qn_code on_begin(void *arg, qn_str name, qn_str title, const qn_str *header, size_t n, qn_err *e)
{
    loader *l = arg;
    qn_arena *a = &l->out->arena;
    forget(l);
    if (n == 0) return qn_fail(e, QN_EDATA, "the table %.*s has no columns", QN_FMT(name));
    if (n > MOST_COLUMNS) return qn_fail(e, QN_EDATA, "the table %.*s has %zu columns, the most is %d", QN_FMT(name), n, MOST_COLUMNS);
    qn_str *names = QN_ARENA_NEW_N(a, qn_str, n);
    qn_column_names(a, header, n, names);
    l->t = (qn_table){ .title = qn_arena_str(a, title), .path = qn_arena_str(a, qn_str_of(l->path)), .source_name = qn_arena_str(a, name),
                       .columns = QN_ARENA_NEW_N(a, qn_column, n), .n_columns = n };
    l->seen = QN_ARENA_NEW_N(a, counts, n);
    for (size_t i = 0; i < n; i++) l->t.columns[i] = (qn_column){ .name = names[i], .header = qn_arena_str(a, header[i]) };
    return QN_OK;
}

/* Text as SQLite and JSON want it: bytes that are no UTF-8 become U+FFFD. */
static qn_str clean(qn_arena *a, qn_str s)
{
    if (qn_utf8_valid(s)) return qn_arena_str(a, s);
    qn_buf b = {0};
    for (size_t i = 0; i < s.n;) {
        char out[4];
        uint32_t cp = qn_utf8_next(s, &i);
        qn_buf_put(&b, out, (size_t)qn_utf8_put(cp, out));
    }
    qn_str ok = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return ok;
}

static qn_code on_row(void *arg, const qn_str *cells, size_t n, qn_err *e)
{
    loader *l = arg;
    qn_table *t = &l->t;
    qn_str *row = QN_ARENA_NEW_N(&l->wait, qn_str, t->n_columns);
    for (size_t i = 0; i < t->n_columns; i++) {
        qn_str c = i < n ? cells[i] : (qn_str){ NULL, 0 };
        if (c.p) row[i] = clean(&l->wait, c);
        if (qn_str_trim(c).n) l->seen[i].n[qn_cell_type(c)]++;
        else l->seen[i].empty++;
    }
    t->n_rows++;
    t->n_ragged += n != t->n_columns;
    QN_GROW(l->rows, l->n_wait, l->cap_wait);
    l->rows[l->n_wait++] = row;
    return l->wait.used_bytes > IN_MEMORY ? stage(l, e) : QN_OK;
}

static qn_code on_end(void *arg, qn_err *e)
{
    loader *l = arg;
    qn_arena *a = &l->out->arena;
    qn_buf quoted = {0};
    qn_str base = qn_sql_name(a, l->t.source_name);
    l->t.name = base;
    for (int k = 2; name_taken(&l->names, l->t.name); k++) l->t.name = qn_arena_printf(a, "%.*s_%d", QN_FMT(base), k);
    for (size_t i = 0; i < l->t.n_columns; i++) {
        qn_column *c = &l->t.columns[i];
        c->type = column_type(&l->seen[i]);
        c->n_empty = l->seen[i].empty;
        c->n_number = l->seen[i].n[QN_COL_INT] + l->seen[i].n[QN_COL_REAL];
    }
    qn_sql_quote(&quoted, l->t.name);
    qn_code rc = create(l, &quoted, e);
    if (rc == QN_OK) rc = fill(l, &quoted, e);
    qn_buf_free(&quoted);
    if (rc != QN_OK) return rc;
    QN_GROW(l->out->items, l->out->n, l->out->cap);
    l->out->items[l->out->n++] = l->t;
    forget(l);
    return QN_OK;
}

/* ---- files ---- */
typedef struct { loader *l; const qn_read_opts *opts; bool in_folder; } walk;

static void problem(loader *l, const char *path, const qn_err *err, bool skipped)
{
    qn_tables *t = l->out;
    QN_GROW(t->problems, t->n_problems, t->cap_problems);
    qn_table_problem *p = &t->problems[t->n_problems++];
    *p = (qn_table_problem){ .path = qn_arena_str(&t->arena, qn_str_of(path)), .err = *err, .skipped = skipped };
    p->err.pos.file = p->path.p;        /* what it pointed to may go */
}

static qn_code on_file(void *arg, const char *file, qn_err *e)
{
    walk *w = arg;
    loader *l = w->l;
    const qn_format *f;
    qn_err err = {0};
    size_t n_before = l->out->n;
    qn_cell_sink sink = { l, on_begin, on_row, on_end };
    qn_code rc = qn_format_of(file, &f, &err);
    if (strcmp(file, "-") == 0) f = qn_format_by_name(QN_STR("csv"));
    if (rc == QN_OK && !f->tables) rc = qn_fail(&err, QN_EDATA, "%s holds no tables (%s)", file, f->name);
    if (rc != QN_OK) { problem(l, file, &err, w->in_folder); return QN_OK; }
    l->path = file;
    rc = f->tables(file, w->opts, &sink, &err);
    if (rc == QN_OK && l->out->n == n_before) rc = qn_fail(&err, QN_EDATA, "%s holds no table", file);
    forget(l);
    if (rc == QN_EIO && sqlite3_errcode(l->db) == SQLITE_FULL) { *e = err; return rc; }
    if (rc != QN_OK) problem(l, file, &err, false);
    return QN_OK;
}

static qn_code load_all(loader *l, const char *const *paths, size_t n, const qn_read_opts *opts, qn_err *e)
{
    QN_TRY(run(l, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE; BEGIN", e));
    for (size_t i = 0; i < n; i++) {
        walk w = { l, opts, qn_is_dir(paths[i]) || !qn_file_exists(paths[i]) };
        QN_TRY(qn_files_each(paths[i], on_file, &w, e));
    }
    QN_TRY(run(l, "COMMIT", e));
    if (l->out->n) return QN_OK;
    if (l->out->n_problems == 0) return qn_fail(e, QN_EDATA, "no tables here");
    *e = l->out->problems[0].err;
    e->pos.file = NULL;
    return e->code;
}

static qn_code keep_file(const char *part, const char *path, qn_err *e)
{
    int fd = open(part, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) { fsync(fd); close(fd); }
    return rename(part, path) == 0 ? QN_OK : qn_fail(e, QN_EIO, "cannot rename %s to %s", part, path);
}

qn_code qn_tables_load(const char *const *paths, size_t n, const char *db_path, const qn_read_opts *opts, qn_tables **out, qn_err *e)
{
    loader l = { .out = QN_NEW(qn_tables) };
    qn_buf part = {0};
    qn_buf_printf(&part, "%s.part", db_path);
    unlink(part.p);
    qn_code rc = sqlite3_open_v2(part.p, &l.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
        ? QN_OK : qn_fail(e, QN_EIO, "cannot write %s: %s", db_path, sqlite3_errmsg(l.db));
    if (rc == QN_OK) rc = load_all(&l, paths, n, opts, e);
    forget(&l);
    if (sqlite3_close(l.db) != SQLITE_OK && rc == QN_OK) rc = qn_fail(e, QN_EIO, "cannot write %s", db_path);
    if (rc == QN_OK) rc = keep_file(part.p, db_path, e);
    if (rc != QN_OK) unlink(part.p);
    qn_buf_free(&part);
    qn_map_free(&l.names);
    qn_free(l.rows);
    qn_arena_free(&l.wait);
    if (rc != QN_OK) { qn_tables_free(l.out); return rc; }
    *out = l.out;
    return QN_OK;
}

void qn_tables_free(qn_tables *t)
{
    if (!t) return;
    qn_free(t->items);
    qn_free(t->problems);
    qn_arena_free(&t->arena);
    qn_free(t);
}

const qn_table *qn_tables_find(const qn_tables *t, qn_str name)
{
    for (size_t i = 0; i < t->n; i++)
        if (qn_str_ieq(t->items[i].name, name)) return &t->items[i];
    return NULL;
}
