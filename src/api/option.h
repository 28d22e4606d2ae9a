/* option: a named setting as a place in a struct, set from a text: the long options of commands, and quern_option. */
#ifndef QN_API_OPTION_H
#define QN_API_OPTION_H
#include "recipe/plan.h"

/* Exactly one of the places is set, by kind. */
typedef enum { QN_OPT_FLAG, QN_OPT_TEXT, QN_OPT_INT, QN_OPT_REAL, QN_OPT_SIZE, QN_OPT_PAIRS } qn_opt_kind;
typedef struct qn_opt {
    const char *name;           /* "budget" for --budget */
    char        letter;         /* 'o' for -o; 0 none */
    qn_opt_kind kind;
    const char *value;          /* what stands behind it in the help: "USD" */
    const char *about;
    size_t      offset;         /* in the command's own struct: bool, const char *, int64_t, double, int64_t, qn_pairs */
} qn_opt;

typedef struct qn_pairs { qn_setting *items; size_t n, cap; } qn_pairs;

/* "NAME=VALUE" in two; false when it is none. Borrowed from the word. */
bool    qn_pair_split(const char *word, qn_setting *out);
void    qn_pairs_add(qn_pairs *p, qn_setting s);
/* Sets the option from a text (borrowed by TEXT and PAIRS; NULL for a flag). Errors: QN_EUSAGE that says what is needed. */
qn_code qn_opt_set(const qn_opt *o, const char *value, void *opts, qn_err *e);
/* The option of that name or, with a letter, of that letter; NULL when there is none. The table ends with a NULL name. */
const qn_opt *qn_opt_find(const qn_opt *table, qn_str name, char letter);
/* The name nearest to a wrong one, for "did you mean"; NULL. `more` is one name beside the table, or NULL. */
const char *qn_opt_nearest(const qn_opt *table, qn_str name, const char *more);
#endif
