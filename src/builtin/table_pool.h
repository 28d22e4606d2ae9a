/* table_pool: views of tables and guarded SQL handles, shared by the workers of a step. A view is made once and kept; when all views together
 * reach the limit, further ones are made for one call in the caller's arena. Thread-safe. */
#ifndef QN_BUILTIN_TABLE_POOL_H
#define QN_BUILTIN_TABLE_POOL_H
#include "builtin/table_view.h"
#include "data/row.h"
#include "io/sql_run.h"

typedef struct qn_table_pool qn_table_pool;
/* out_dir: the run's folder, where tables.db lies; NULL: each row must name its file in `table.db`. max_bytes: of kept views. */
qn_table_pool *qn_table_pool_new(const char *out_dir, size_t max_bytes);
void qn_table_pool_free(qn_table_pool *p);

/* The view of the row's table (`table.name`, in `table.db` or the run's tables.db). Borrowed: lives as long as pool and arena. */
qn_code qn_table_pool_view(qn_table_pool *p, const qn_row *r, qn_arena *a, const qn_table_view **out, qn_err *e);
/* A handle on the row's database for this thread alone, until it is put back. */
qn_code qn_table_pool_take(qn_table_pool *p, const qn_row *r, qn_sql **out, qn_err *e);
void    qn_table_pool_put(qn_table_pool *p, qn_sql *db);
#endif
