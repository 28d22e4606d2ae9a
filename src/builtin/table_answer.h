/* table_answer: does a query give, on the row's table, the answer that is expected? Answers are equal as multisets of their cells' normal forms
 * (text/score.h): neither order nor the way a number is written matters. */
#ifndef QN_BUILTIN_TABLE_ANSWER_H
#define QN_BUILTIN_TABLE_ANSWER_H
#include "builtin/table_pool.h"

/* The cells of an answer, a row of several columns cell by cell, as texts in the arena. Null is no cell. */
typedef struct { qn_str *p; size_t n; } qn_cells;
qn_cells qn_answer_cells(qn_value answer, qn_arena *a);

/* `*same`: the SQL gives these cells. SQL that fails gives another answer; an expected answer without cells is never given.
 * Errors: QN_EIO of the database. */
qn_code qn_answer_is(qn_table_pool *pool, const qn_row *r, qn_str sql, qn_cells expected, qn_arena *a, bool *same, qn_err *e);
/* What the SQL gives, as a text in the arena that is the same for equal answers alone; empty where it fails or gives nothing. Errors: QN_EIO. */
qn_code qn_answer_form(qn_table_pool *pool, const qn_row *r, qn_str sql, qn_arena *a, qn_str *form, qn_err *e);
qn_str  qn_answer_form_of(qn_cells cells, qn_arena *a);
#endif
