/* columns: names for a table's columns, and rows made of cells. */
#ifndef QN_IO_COLUMNS_H
#define QN_IO_COLUMNS_H
#include "data/row.h"

/* Names that a person and SQL can use, from a header as it stands. White space is folded, control characters and double quotes go, at most
 * 120 bytes; an empty name becomes "column_N" (N from 1); a name that is there already, whatever its case, gets " 2", " 3" ...
 * names: (n) out, in the arena. */
void qn_column_names(qn_arena *a, const qn_str *header, size_t n, qn_str *names);

/* The name of a source's only table: its file's name without folder and endings. Borrowed from path. */
qn_str qn_table_name_of(const char *path);

/* Columns of a source whose rows are cells: the JSON keys are written once. Zero-initialise; free with qn_columns_free. */
typedef struct qn_columns { qn_arena arena; qn_str *names, *keys; size_t n; qn_buf buf; } qn_columns;
void    qn_columns_set(qn_columns *c, const qn_str *header, size_t n);
/* An object of the first n columns: text cells as they stand, p NULL gives null. */
qn_code qn_columns_row(qn_columns *c, const qn_str *cells, size_t n, qn_row **out, qn_err *e);
void    qn_columns_free(qn_columns *c);
#endif
