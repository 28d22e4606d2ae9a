/* pick: one value of a known kind from a row by an expression, with an error that says what was found instead; and the texts or rows of a
 * file beside the flow: evaluation sets, seeds, samples. */
#ifndef QN_RECIPE_PICK_H
#define QN_RECIPE_PICK_H
#include "recipe/expr.h"
qn_code qn_pick_text(const qn_expr *x, const qn_row *row, qn_arena *scratch, qn_str *out, qn_err *e);     /* borrowed from row or scratch */
qn_code qn_pick_number(const qn_expr *x, const qn_row *row, qn_arena *scratch, double *out, qn_err *e);
/* Any value as a short text for grouping: a text as it is, the rest as JSON. */
qn_code qn_pick_key(const qn_expr *x, const qn_row *row, qn_arena *scratch, qn_str *out, qn_err *e);

/* The expression that a parameter like `field=question` means: ".question", ".a.b[]", or a bare field name; `other` when it is empty. */
qn_code qn_pick_compile(qn_str field, qn_expr *other, qn_pos pos, qn_arena *a, qn_expr **out, qn_err *e);
/* Every text that `x` gives on the rows of a file, a folder or a glob; `where` is the file's name (last part) and row number, "dev.jsonl:12".
 * A row that cannot be read, or gives something else than texts, stops with an error. */
typedef qn_code (*qn_pick_each)(void *arg, qn_str text, const char *where, qn_err *e);
qn_code qn_pick_file(const char *path, const qn_expr *x, qn_pick_each each, void *arg, qn_err *e);
/* The same with whole rows (borrowed for the call). */
typedef qn_code (*qn_pick_row)(void *arg, qn_row *row, const char *where, qn_err *e);
qn_code qn_pick_rows(const char *path, qn_pick_row each, void *arg, qn_err *e);
#endif
