/* From an SQLite table to a view. */
#include "builtin/table_load.h"
#include <sqlite3.h>

static char type_of(const char *decl)
{
    if (!decl) return 't';
    if (sqlite3_strlike("%INT%", decl, 0) == 0) return 'i';
    if (sqlite3_strlike("%REAL%", decl, 0) == 0 || sqlite3_strlike("%NUM%", decl, 0) == 0 || sqlite3_strlike("%DEC%", decl, 0) == 0 || sqlite3_strlike("%DOUB%", decl, 0) == 0) return 'r';
    return 't';
}

qn_code qn_table_load(struct sqlite3 *db, qn_str name, size_t max_cells, qn_arena *a, qn_table_view **out, qn_err *e)
{
    char *sql = sqlite3_mprintf("SELECT * FROM \"%.*w\" ORDER BY rowid", (int)name.n, name.p);
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) {
        sqlite3_free(sql);
        return qn_fail(e, QN_EDATA, "no table is called `%.*s`", QN_FMT(name));
    }
    sqlite3_free(sql);
    int n = sqlite3_column_count(st);
    qn_str *names = qn_arena_alloc(a, (size_t)n * sizeof *names), *cells = NULL;
    char *types = qn_arena_alloc(a, (size_t)n);
    size_t n_cells = 0, cap = 0;
    for (int c = 0; c < n; c++) {
        names[c] = qn_arena_str(a, qn_str_of(sqlite3_column_name(st, c)));
        types[c] = type_of(sqlite3_column_decltype(st, c));
    }
    qn_code code = QN_OK;
    qn_arena tmp = { 0 };
    while (sqlite3_step(st) == SQLITE_ROW) {
        if (n_cells + (size_t)n > max_cells) { code = qn_fail(e, QN_ELIMIT, "table `%.*s` has more than %zu cells", QN_FMT(name), max_cells); break; }
        for (int c = 0; c < n; c++) {
            const char *p = (const char *)sqlite3_column_text(st, c);
            QN_GROW(cells, n_cells, cap);
            cells[n_cells++] = p ? qn_arena_str(&tmp, (qn_str){ p, (size_t)sqlite3_column_bytes(st, c) }) : (qn_str){ 0 };
        }
    }
    sqlite3_finalize(st);
    if (code == QN_OK) code = qn_table_view_make(a, name, names, types, (size_t)n, cells, n_cells / (size_t)n, out, e);
    qn_free(cells);
    qn_arena_free(&tmp);
    return code;
}
