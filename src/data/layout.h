/* layout: the columns that trainers and evaluators read, made from a row's fields.
 *
 * Each layout looks for its parts under their usual names (question or instruction or prompt, answer or response or reply, ...); `with:` names others. */
#ifndef QN_DATA_LAYOUT_H
#define QN_DATA_LAYOUT_H
#include "data/row.h"
#include "data/type.h"

#define QN_LAYOUT_NAMES "rows|chat|prompt_completion|alpaca|sharegpt|dpo|kto|ranking|prm|triplet|beir|ragas|tools|verifiable|text"

typedef struct qn_layout qn_layout;
const qn_layout *qn_layout_find(qn_str name);       /* NULL for "rows" and unknown names */
const char *qn_layout_about(const qn_layout *l);
/* Before a run: is there a field for each part that the layout needs? */
qn_code qn_layout_check(const qn_layout *l, qn_value with, const qn_type *in, qn_arena *a, qn_pos pos, qn_err *e);
/* Puts the layout's columns into `out` (whose arena holds what is made). */
qn_code qn_layout_put(const qn_layout *l, qn_value with, const qn_row *r, qn_object_b *out, qn_err *e);
#endif
