/* compare_read: the texts of one side, one after the other. */
#ifndef QN_REPORT_COMPARE_READ_H
#define QN_REPORT_COMPARE_READ_H
#include "data/row.h"
#include "report/compare.h"

/* Calls fn for each row that has a text (trimmed, borrowed for the call); row numbers count from 1. fn may set *stop.
 * Counts rows, texts, empty and unreadable into `side`. Rows beyond `limit` (< 0: none) are not read.
 * Errors: those of fn; QN_EUSAGE when no row has a text, with the nearest field. */
typedef qn_code (*qn_compare_each)(void *arg, uint64_t number, const qn_row *row, qn_str text, bool *stop, qn_err *e);
qn_code qn_compare_read(const char *path, const char *field, int64_t limit, qn_compare_side *side, qn_compare_each fn, void *arg, qn_err *e);
/* `id` or `_id` of a row as text, copied; empty when it has none. */
qn_str  qn_compare_id(const qn_row *row, qn_arena *a);
#endif
