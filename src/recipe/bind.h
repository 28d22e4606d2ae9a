/* bind: fills an operator's parameter struct from a YAML map, by the operator's own table. */
#ifndef QN_RECIPE_BIND_H
#define QN_RECIPE_BIND_H
#include "data/yaml.h"
#include "ops/op.h"

typedef struct qn_bind {
    qn_arena      *arena;           /* the plan's: everything bound lives there */
    const qn_type *in;              /* type of the rows that the step sees; NULL for a source */
    const char    *dir;             /* relative paths are looked up in the working folder */
    void          *arg;
    /* A model by the recipe's or the user's word for it. */
    qn_code (*model)(void *arg, qn_str where, qn_pos pos, const qn_model **out, qn_err *e);
} qn_bind;

/* `given` is a map, a scalar for an operator with one parameter (`keep: .a > 1`), or empty. Unknown names get "did you mean", missing ones are
 * named with what they are for, values out of range are shown with the range. Expressions are compiled and checked against b->in. */
qn_code qn_bind_params(const qn_bind *b, const char *what, const qn_param *table, size_t struct_bytes, const qn_ynode *given, qn_pos pos,
                       void **out, qn_err *e);
/* A condition must be able to be false: `what` names it in the error. */
qn_code qn_bind_condition(const char *what, const qn_type *gives, qn_str text, qn_pos pos, qn_err *e);
/* "256M", "2G", "1024" -> bytes. */
bool    qn_size_of_text(qn_str s, int64_t *out);
#endif
