/* expr: the expression language of recipes, a typed, checked subset of jq that runs on rows in place.
 *
 * Paths (.a.b, .[0], .["x"], .a[], .[1:3], ?), literals, arithmetic (+ - * / %), comparison, and/or/not, //, if-elif-else, pipes, commas,
 * [] and {} construction, "text \(hole)", and the functions that `quern help expressions` lists. No import, env, input, now, recursion, assignment.
 * Integers are exact to 64 bits (overflow is an error). Every evaluation has a limit on steps and memory. Compiled expressions are immutable
 * and may be evaluated on any thread at once. */
#ifndef QN_RECIPE_EXPR_H
#define QN_RECIPE_EXPR_H
#include "data/row.h"
#include "data/type.h"

typedef struct qn_expr qn_expr;

/* Compiles `text`, found at `pos` in the recipe (errors get line and column within it). Lives in the arena. */
qn_code qn_expr_compile(qn_str text, qn_pos pos, qn_arena *a, qn_expr **out, qn_err *e);
/* Checks against the type of the input row; `out` gets the type of each result, `many` whether there may be other than exactly one.
 * An unknown field is an error with "did you mean". Either may be NULL. */
qn_code qn_expr_check(const qn_expr *x, const qn_type *in, qn_arena *a, const qn_type **out, bool *many, qn_err *e);
/* Evaluates on a row (or on a value with the _value form). Results go to `each` in order; a non-OK return stops. Values live in `scratch`.
 * Errors: QN_EDATA (wrong kind, division by zero, ...), QN_ELIMIT (steps or memory). */
typedef qn_code (*qn_expr_each)(void *arg, qn_value v, qn_err *e);
qn_code qn_expr_run(const qn_expr *x, const qn_row *row, qn_arena *scratch, qn_expr_each each, void *arg, qn_err *e);
qn_code qn_expr_run_value(const qn_expr *x, qn_value in, qn_arena *scratch, qn_expr_each each, void *arg, qn_err *e);
qn_code qn_expr_one(const qn_expr *x, const qn_row *row, qn_arena *scratch, qn_value *out, qn_err *e); /* the first result; none is an error */
bool    qn_v_true(qn_value v);                 /* jq: everything but null and false */
/* When the expression is one plain field (`.name`), its name: the fast path of filters. */
bool    qn_expr_is_field(const qn_expr *x, qn_str *name);

/* Functions for the help page: name, signature, one line. Ends with a NULL name. */
typedef struct { const char *name, *signature, *brief; } qn_expr_fn;
extern const qn_expr_fn qn_expr_functions[];

/* ---- templates: text with {{ expression }} holes ---- */
typedef struct qn_template qn_template;
/* A hole ends at the `}}` that the expression's lexer finds (not one inside a string); {{"{{"}} writes braces. White space is kept as written. */
qn_code qn_template_compile(qn_str text, qn_pos pos, qn_arena *a, qn_template **out, qn_err *e);
qn_code qn_template_check(const qn_template *t, const qn_type *in, qn_arena *a, qn_err *e);
/* Appends the filled-in text: texts as they are, numbers and bools as JSON, lists and objects as JSON, several results joined by new lines;
 * null or a missing field is an error (QN_EDATA) that names the hole. */
qn_code qn_template_fill(const qn_template *t, const qn_row *row, qn_arena *scratch, qn_buf *out, qn_err *e);
#endif
