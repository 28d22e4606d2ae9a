/* expr_node: the inside of the expression language, shared by its own files (expr_*.c, template.c) alone.
 *
 *     text --expr_lex--> tokens --expr_parse--> nodes --expr_check--> types of the results
 *                                                 \-----expr_eval---> results   (expr_fn*.c: the functions)
 *
 * A node gives 0..n results for one input. `one` marks nodes that always give exactly one (or fail): they are evaluated by a plain
 * recursive call; the others push each result into a sink, so that nothing is gathered that is not asked for. */
#ifndef QN_RECIPE_EXPR_NODE_H
#define QN_RECIPE_EXPR_NODE_H
#include "recipe/expr.h"
#include "text/regex.h"

enum {
    QN_X_NESTING   = 200,               /* levels of brackets in an expression's text */
    QN_X_TREE      = 1000,              /* levels of its tree (a long chain of + is deep without brackets) */
    QN_X_STEPS     = 1000000,           /* work of one evaluation */
    QN_X_MEMORY    = 64 << 20           /* bytes that one evaluation may take from the scratch arena */
};

typedef enum {
    /* strict: all kids are values first (every combination of them), then one result is made */
    QN_X_FIELD,         /* kid 0, .name */
    QN_X_INDEX,         /* kid 0 [kid 1] */
    QN_X_SLICE,         /* kid 0 [kid 1 : kid 2], either may be NULL */
    QN_X_NEG, QN_X_BINARY,
    QN_X_OBJECT,        /* key, value, key, value, ... */
    QN_X_TEXT,          /* pieces of "a\(b)c" */
    QN_X_CALL,          /* fn with its arguments; strict or lazy as the function says */
    /* the rest decide what to evaluate */
    QN_X_LITERAL, QN_X_SELF, QN_X_VARIABLE, QN_X_EACH, QN_X_TRY, QN_X_AND, QN_X_OR, QN_X_ALTERNATIVE, QN_X_IF, QN_X_PIPE, QN_X_COMMA,
    QN_X_LIST, QN_X_AS, QN_X_REDUCE, QN_X_FOREACH
} qn_xkind;

typedef enum { QN_X_ADD = 1, QN_X_SUB, QN_X_MUL, QN_X_DIV, QN_X_MOD, QN_X_EQ, QN_X_NE, QN_X_LT, QN_X_LE, QN_X_GT, QN_X_GE } qn_xop;

typedef struct qn_xfn qn_xfn;
typedef struct qn_xnode qn_xnode;
struct qn_xnode {
    uint8_t   kind;             /* qn_xkind */
    uint8_t   op;               /* qn_xop of QN_X_BINARY */
    bool      one;
    uint16_t  depth, n_kids;
    uint32_t  from, to;         /* bytes of the text it was written as */
    uint32_t  slot;             /* of a variable */
    qn_xnode **kid;
    qn_str    name;             /* of a field, a variable */
    qn_value  literal;
    const qn_xfn   *fn;
    const qn_regex *regex;      /* of a call whose pattern is a literal: compiled with the expression */
};

struct qn_expr {
    qn_str    text;             /* of the whole recipe value: nodes point into it */
    size_t    from, to;         /* the expression within it */
    qn_pos    pos;              /* of text's first byte */
    qn_xnode *root;
    uint32_t  n_slots;
};

/* The hint of an error that has none. */
void   qn_x_hint(qn_err *e);
qn_pos qn_x_pos(const qn_expr *x, size_t at);                       /* line and column of byte `at` */
qn_str qn_x_written(const qn_expr *x, const qn_xnode *n);           /* how the node was written, cut to a line's length */

/* Parses from byte `from` up to the end (close NULL) or to `close` ("}}"), which ends the last token. *end: behind `close`. */
qn_code qn_x_parse(qn_str text, size_t from, const char *close, qn_pos pos, qn_arena *a, qn_expr **out, size_t *end, qn_err *e);

/* ---- tokens ---- */
typedef enum {
    QN_TK_END = 0, QN_TK_NAME = 256, QN_TK_FIELD, QN_TK_VARIABLE, QN_TK_FORMAT, QN_TK_NUMBER, QN_TK_QUOTE, QN_TK_DOTS,
    QN_TK_EQ, QN_TK_NE, QN_TK_LE, QN_TK_GE, QN_TK_ALT, QN_TK_ASSIGN /* any of jq's = |= += ... */
} qn_xtok_kind;                         /* single characters stand for themselves */
typedef struct { int kind; size_t from, to; qn_str text; qn_value number; } qn_xtok;
typedef struct { qn_str text; size_t at; const qn_expr *x; qn_err *e; } qn_xlex;
qn_code qn_x_lex(qn_xlex *lx, qn_xtok *t);
/* Behind an opening quote or a hole: the piece up to `\(` (*hole true) or the closing quote, escapes resolved, in the arena. */
qn_code qn_x_lex_piece(qn_xlex *lx, qn_arena *a, qn_str *piece, bool *hole);

/* ---- evaluation ---- */
typedef struct qn_xeval {
    qn_arena      *a;
    qn_err        *e;
    const qn_expr *x;
    const qn_row  *row;         /* what `.` is at the top, when it is a row */
    qn_value       whole;       /* the row as an object, once it was needed */
    bool           have_whole;
    qn_value      *vars;
    int64_t        steps;       /* left */
    size_t         memory_from;
    const void    *stop;        /* who asked to stop (QN_X_STOPPED) */
} qn_xeval;
typedef qn_code (*qn_xsink)(void *arg, qn_value v);
#define QN_X_STOPPED ((qn_code)99)      /* inner: a sink that wants no more results */

qn_code qn_x_each(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg);
qn_code qn_x_one(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out);      /* only for n->one */
qn_code qn_x_first(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out, bool *any);  /* the first result of any node */
qn_code qn_x_list_of(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out);  /* all results as a list */
qn_code qn_x_spend(qn_xeval *ev, const qn_xnode *n, uint64_t work);                 /* counts work done in a loop of C; checks the limits */
qn_code qn_x_room(qn_xeval *ev, const qn_xnode *n, uint64_t bytes);                 /* before a big allocation */
qn_code qn_x_fail(qn_xeval *ev, const qn_xnode *n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
qn_str  qn_x_show(qn_xeval *ev, qn_value v);                        /* a value as JSON, cut short, for messages */
qn_value qn_x_text(qn_xeval *ev, qn_value v);                       /* jq's tostring */
qn_code qn_x_binary(qn_xeval *ev, const qn_xnode *n, qn_xop op, qn_value x, qn_value y, qn_value *out);
qn_code qn_x_index(qn_xeval *ev, const qn_xnode *n, qn_value of, qn_value at, qn_value *out);

/* ---- functions ---- (the table is in expr_fn.c) */
typedef qn_code qn_x_strict(qn_xeval *ev, const qn_xnode *n, qn_value in, const qn_value *arg, qn_value *out);
typedef qn_code qn_x_lazy(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_xsink k, void *arg);
typedef qn_code qn_x_lazy_one(qn_xeval *ev, const qn_xnode *n, qn_value in, qn_value *out);

/* How the type of the result follows. */
typedef enum {
    QN_XR_TYPE,         /* as written in `gives` */
    QN_XR_SAME,         /* the input's */
    QN_XR_ITEM,         /* an item of the input list, or null */
    QN_XR_LIST_ITEMS,   /* a list of the input list's items (null for null in) */
    QN_XR_GROUPS,       /* a list of lists of items */
    QN_XR_F,            /* what the (last) argument gives */
    QN_XR_LIST_F,       /* a list of what the argument gives */
    QN_XR_VALUES_F,     /* an object or a list whose values are what the argument gives */
    QN_XR_NOTHING,      /* never a result (empty, error) */
    QN_XR_ADD,          /* add */
    QN_XR_ENTRIES, QN_XR_VALUES, QN_XR_FLATTEN, QN_XR_DEL, QN_XR_NUMBER
} qn_xresult;

struct qn_xfn {
    const char *name, *takes, *args, *gives;    /* types: "text|list|null", "(text; number)", "[text]"; an argument `f` is an expression */
    const char *signature, *brief;
    uint8_t     n_args, result;                 /* qn_xresult */
    uint8_t     about_items;                    /* lazy arguments see an item (1), an entry (2) or the input (0) */
    int8_t      regex;                          /* number of the argument that is a pattern, -1 none */
    bool        one;
    qn_x_strict   *strict;                      /* exactly one of the three */
    qn_x_lazy     *lazy;
    qn_x_lazy_one *lazy_one;
};
const qn_xfn *qn_x_fn_find(qn_str name, size_t n_args);
bool          qn_x_fn_args(qn_str name, char *out, size_t size);    /* "1 or 2": how many arguments it takes; false when unknown */
const char   *qn_x_fn_nearest(qn_str name);
qn_code       qn_x_regex_of(qn_xeval *ev, const qn_xnode *n, qn_value pattern, qn_value flags, const qn_regex **out);
#endif
