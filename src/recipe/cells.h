/* cells: a table over one to four fields of a taxonomy, each field with its values and their shares; the cells are all combinations.
 *
 *   {domain: {physics: 0.6, history: 0.4}, use_case: [explain, compare]}       4 cells: 0.3 0.3 0.2 0.2
 *
 * A list gives its values equal shares; shares of a field add up to 1; a cell's share is the product. The last field varies quickest. */
#ifndef QN_RECIPE_CELLS_H
#define QN_RECIPE_CELLS_H
#include "data/row.h"
#include "data/type.h"

enum { QN_CELL_FIELDS = 4, QN_MOST_CELLS = 100000 };

typedef struct qn_cell_field { qn_str name; qn_str *values; double *shares; size_t n; } qn_cell_field;
typedef struct qn_cells {
    qn_cell_field fields[QN_CELL_FIELDS];
    size_t  n_fields, n;        /* n: cells */
    double *shares;             /* (n) */
} qn_cells;

/* Reads such a map; everything lives in the arena. Errors: QN_ERECIPE at pos. */
qn_code qn_cells_read(qn_value spec, qn_pos pos, qn_arena *a, qn_cells *out, qn_err *e);
/* The type of qn_cells_value: a record of texts. */
const qn_type *qn_cells_type(const qn_cells *c, qn_arena *a);
/* The row's cell; false when a field is missing or has another value: *field is the first such, *value what it holds ("" missing), borrowed. */
bool    qn_cells_of(const qn_cells *c, const qn_row *r, size_t *cell, qn_str *field, qn_str *value);
qn_value qn_cells_value(const qn_cells *c, size_t cell, qn_arena *a);       /* {domain: "physics", use_case: "explain"} */
void    qn_cells_name(const qn_cells *c, size_t cell, qn_buf *out);         /* "physics / explain", appended */

/* `total` parted by shares that add up to 1, whole numbers, by largest remainders (of equals the first).   share, quota (n) */
void    qn_quotas(const double *share, size_t n, size_t total, size_t *quota);
#endif
