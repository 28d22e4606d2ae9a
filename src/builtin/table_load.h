/* table_load: views of tables that lie in an SQLite file, kept for as long as their reader lives. */
#ifndef QN_BUILTIN_TABLE_LOAD_H
#define QN_BUILTIN_TABLE_LOAD_H
#include "builtin/table_view.h"

struct sqlite3;
/* Reads table `name` whole, rows in rowid order. Types are the declared ones (INTEGER, REAL/NUMERIC, else text).
 * Errors: QN_EDATA when there is no such table or it has no rows; QN_ELIMIT over max_cells. */
qn_code qn_table_load(struct sqlite3 *db, qn_str name, size_t max_cells, qn_arena *a, qn_table_view **out, qn_err *e);
#endif
