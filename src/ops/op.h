/* op: what an operator is. One file under src/ops/ defines one `const qn_op qn_op_NAME`; the file's name is the word in recipes.
 *
 * An operator has one of these shapes, told by which function it fills in:
 *   source   next                 gives rows, one at a time, in order
 *   map      map                  one row to 0..n rows; any worker, nothing kept between rows
 *   filter   measure + decide     the measure becomes a field; the decision compares it with the limit; any worker
 *            measure + settle     as above, but the decision needs the rows before it: called in order, by one thread at a time
 *   effect   turn                 asks the world: a small state machine per row, never a blocked thread
 *            turn + map (ORDERED) as above; a turn that gives its own row passes it to map, in order, by one thread at a time
 *   gather   absorb + next        takes all rows in order, then gives rows; spills or refuses within cx->memory_bytes
 *            with decide          rows it gives back may be rejected: those it did not choose
 *   sink     absorb + finish      takes accepted rows in order
 */
#ifndef QN_OPS_OP_H
#define QN_OPS_OP_H
#include "core/rng.h"
#include "data/row.h"
#include "data/type.h"
#include "data/yaml.h"
#include "model/model.h"
#include "recipe/expr.h"

typedef enum { QN_SOURCE, QN_GENERATE, QN_CURATE, QN_TRAIN, QN_EVAL, QN_SINK } qn_stage;

/* ---- parameters: a struct filled in by the recipe's binder from this table ---- */
typedef enum {
    QN_P_INT,       /* int64_t        */
    QN_P_REAL,      /* double         */
    QN_P_BOOL,      /* bool           */
    QN_P_TEXT,      /* qn_str         */
    QN_P_CHOICE,    /* qn_str, one of the words in `range`, split by | */
    QN_P_PATH,      /* const char *   ; "-" is standard input */
    QN_P_SIZE,      /* int64_t bytes  ; "256M", "2G" */
    QN_P_EXPR,      /* qn_expr *      ; `range` holds the type it must give; NULL when not given */
    QN_P_TEMPLATE,  /* qn_template *  ; NULL when not given */
    QN_P_MODEL,     /* const qn_model * ; NULL when not given */
    QN_P_TEXTS,     /* qn_texts       ; one text or a list */
    QN_P_VALUE,     /* qn_value       ; any YAML as it stands, scalars as text unless plainly number/bool in JSON's syntax */
    QN_P_FIELD      /* qn_str         ; name of a field that the step writes or reads: "answer" or ".answer" */
} qn_ptype;

typedef struct { const qn_str *items; size_t n; } qn_texts;

typedef struct qn_param {
    const char *name;
    qn_ptype    type;
    size_t      offset;
    const char *deflt;      /* as written in a recipe; NULL: must be given; "" with EXPR/TEMPLATE/MODEL/TEXT/PATH/...: may be left out */
    const char *range;      /* "0..1", "1..", "a|b|c", a type; NULL any */
    const char *about;
} qn_param;
#define QN_PARAM_(s, field, t, d, r, about) { #field, t, offsetof(s, field), d, r, about }
#define QN_INT(s, field, d, r, about)      QN_PARAM_(s, field, QN_P_INT, d, r, about)
#define QN_REAL(s, field, d, r, about)     QN_PARAM_(s, field, QN_P_REAL, d, r, about)
#define QN_BOOL(s, field, d, about)        QN_PARAM_(s, field, QN_P_BOOL, d, NULL, about)
#define QN_TEXT(s, field, d, about)        QN_PARAM_(s, field, QN_P_TEXT, d, NULL, about)
#define QN_CHOICE(s, field, d, words, about) QN_PARAM_(s, field, QN_P_CHOICE, d, words, about)
#define QN_PATH(s, field, d, about)        QN_PARAM_(s, field, QN_P_PATH, d, NULL, about)
#define QN_SIZE(s, field, d, about)        QN_PARAM_(s, field, QN_P_SIZE, d, NULL, about)
#define QN_EXPR(s, field, d, type, about)  QN_PARAM_(s, field, QN_P_EXPR, d, type, about)
#define QN_TEMPLATE(s, field, d, about)    QN_PARAM_(s, field, QN_P_TEMPLATE, d, NULL, about)
#define QN_MODEL(s, field, d, about)       QN_PARAM_(s, field, QN_P_MODEL, d, NULL, about)
#define QN_TEXTS(s, field, d, about)       QN_PARAM_(s, field, QN_P_TEXTS, d, NULL, about)
#define QN_VALUE(s, field, d, about)       QN_PARAM_(s, field, QN_P_VALUE, d, NULL, about)
#define QN_FIELD(s, field, d, about)       QN_PARAM_(s, field, QN_P_FIELD, d, NULL, about)
#define QN_END { 0 }

/* An example is a test and a piece of the help page. Values are written in relaxed JSON: {name: 'text'} with bare keys and single quotes. */
typedef struct qn_example {
    const char *params;         /* "min: 0.5" (YAML flow, without braces) */
    const char *in;             /* a row, or rows separated by new lines */
    const char *out;            /* rows that come out; NULL: none */
    const char *reject;         /* "support 0.00 below 0.50", when the (last) row is rejected */
    const char *fail;           /* part of the error, when the row fails */
    const char *const *replies; /* effects: what the model says, in order; NULL-terminated */
    const char *asked;          /* effects: part of the first request's body that must be there */
} qn_example;

/* ---- a step's surroundings ---- */
typedef struct qn_ctx {
    qn_arena   *scratch;        /* this worker's; emptied after each row */
    uint64_t    seed;           /* of the run */
    qn_str      step;           /* this step's name: keys random numbers and ids */
    const char *out_dir;        /* the run's folder; NULL under `apply` */
    const char *recipe_dir;     /* relative paths of the recipe's own files; "" when none */
    size_t      memory_bytes;   /* what this step may hold */
    size_t     *spare;          /* of --memory, what no step has: see qn_ctx_room; NULL none */
    int         n_threads;      /* that a gather may use */
    const int  *stop;           /* raised when the run is asked to stop: what takes long looks at it and returns QN_ESTOP; NULL: never */
    qn_model   *gives;          /* the model that this step trains (QN_OP_GIVES_MODEL): `open` sets its folder; NULL: none */
    const char *licence;        /* --licence: of sources that do not say; NULL none */
    int64_t     limit;          /* --limit: rows a source may give; -1 none */
    struct qn_absorbing *absorbing;     /* the engine's own, for qn_let_go */
} qn_ctx;
/* For a step that cannot spill: may it hold `bytes`, where `share` is its own? What goes beyond is taken from the spare memory of the run, and is the
 * step's until it gives it back. *extra: how much it took so far; 0 at first. */
static inline bool qn_ctx_room(const qn_ctx *cx, size_t share, size_t bytes, size_t *extra)
{
    while (bytes > share + *extra) {
        size_t more = bytes - share - *extra, left = cx->spare ? __atomic_load_n(cx->spare, __ATOMIC_RELAXED) : 0;
        if (more < (size_t)1 << 20) more = (size_t)1 << 20;
        if (left < more) return false;
        if (__atomic_compare_exchange_n(cx->spare, &left, left - more, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) *extra += more;
    }
    return true;
}
/* Gives back what it took. */
static inline void qn_ctx_room_back(const qn_ctx *cx, size_t *extra)
{
    if (cx->spare) __atomic_fetch_add(cx->spare, *extra, __ATOMIC_RELAXED);
    *extra = 0;
}
static inline qn_rng qn_ctx_rng(const qn_ctx *cx, const qn_row *r) { return qn_rng_keyed(cx->seed, cx->step, qn_row_id(r)); }

/* ---- verdicts ---- */
typedef struct qn_verdict {
    bool        reject;
    const char *measure;        /* static text: "support" */
    char        sign;           /* '<' below the limit, '>' above, '=' equal, '!' a fact without a number (`text` says which) */
    double      value, limit;
    char        text[120];      /* for '!': "no such column: pop" */
    char        of[33];         /* id of the other row (duplicates), "" none */
    uint64_t    of_row;         /* its number in the input; 0: not numbered */
    double      similarity;
} qn_verdict;
static inline qn_verdict qn_keep(void) { return (qn_verdict){ .reject = false }; }
qn_verdict qn_reject_below(const char *measure, double value, double limit);
qn_verdict qn_reject_above(const char *measure, double value, double limit);
qn_verdict qn_reject_fact(const char *measure, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
qn_verdict qn_reject_duplicate(const char *measure, double similarity, double limit, qn_row_mark of);
void       qn_verdict_text(const qn_verdict *v, char *out, size_t size);   /* "support 0.00 below 0.50" */

/* ---- giving rows ---- */
typedef struct qn_emit qn_emit;
void    qn_emit_row(qn_emit *em, qn_row *r);                    /* the row that came in, or a child of it; moves */
qn_row *qn_emit_child(qn_emit *em, qn_row *parent);             /* a new child with the next number: fill it in, then qn_emit_row it */
void    qn_emit_reject(qn_emit *em, qn_row *r, qn_verdict v);   /* the row ends here (moves) */
void    qn_emit_wait(qn_emit *em);                              /* a turn: the row waits for people: pending, the next run asks again. Say so in lacks() */
/* From absorb: a gather that cannot hold all its rows ends one of them (moves), this one or one it took before. It is counted as rejected, for this reason; it
 * stands in no file of rejected rows, since it is let go because there are too many. */
void    qn_let_go(qn_ctx *cx, qn_row *r, const qn_verdict *v);
/* A map or a turn that returns QN_OK without having emitted or rejected anything rejects its row with the measure `rows`, 0 below 1. */

/* ---- one turn of an effect ---- called first with n_replies 0; each later call sees all replies so far, in the order asked */
typedef struct qn_turn {
    const qn_reply *replies;
    size_t   n_replies;
    void    *state;             /* kept between turns; NULL at first; allocate in `arena` */
    qn_arena *arena;            /* lives until the row leaves the step */
    struct qn_turn_private *private_;
} qn_turn;
/* Asks for one more thing in this turn (texts are copied). After a turn that asked, the next comes when all are answered. A reply with status
 * QN_REPLY_FAILED fails the row, unless the operator says QN_OP_SEES_FAILURES. */
void    qn_turn_ask(qn_turn *t, const qn_ask *ask);

enum {
    QN_OP_SEES_FAILURES = 1,    /* turn() is also called when a request failed */
    QN_OP_ORDERED       = 2,    /* map() must see rows in order, one thread at a time */
    QN_OP_NEEDS_MODEL   = 4,
    QN_OP_HIDDEN        = 8,    /* not in lists: made by the planner */
    QN_OP_RUNS_COMMANDS = 16,   /* runs a command that the recipe names: a run asks first, `plan` passes it by */
    QN_OP_GIVES_MODEL   = 64,   /* later steps may name this step as a model */
    QN_OP_MOVES         = 128,  /* what it adds is the source's own (a piece, a copy, one of a list), nothing made */
    QN_OP_MEASURES      = 32    /* a filter in the shape of an effect: what it writes are measures, which `apply` leaves out unless fields=yes */
};

/* What check() sees and may change while a recipe is checked, before anything runs. */
typedef struct qn_check {
    qn_arena      *arena;       /* lives as long as the plan */
    const qn_type *in;          /* record type of the rows that come in; NULL for a source */
    const qn_type *out;         /* set before the call to in + writes; change it where the parameters decide */
    qn_pos         pos;         /* of the step */
    uint64_t       seed;
    const char    *recipe_dir;
    const qn_ynode *given;      /* the step's parameters as they stand in the recipe; NULL: none */
} qn_check;
/* Where the parameter's value stands in the recipe; the step's place when it is not given. */
static inline qn_pos qn_check_param(const qn_check *ck, const char *name)
{
    const qn_ynode *v = qn_yaml_get(ck->given, name);
    return v ? v->pos : ck->pos;
}
/* Where a text of the parameters (of a qn_value, a qn_str) stands in the recipe: for the errors and expressions made from it. */
static inline qn_pos qn_check_pos(const qn_check *ck, qn_str text) { return qn_yaml_pos_of(ck->given, text.p, ck->pos); }

enum { QN_OP_AHEAD = 64 };
typedef struct qn_op qn_op;
struct qn_op {
    const char *name;
    int         version;        /* part of memo keys and of the trace: raise it when results change */
    qn_stage    stage;
    const char *brief;          /* one line */
    const char *about;          /* paragraphs for the help page; may be NULL */
    const char *paper;          /* source of the method; may be NULL */
    const char *reads, *writes; /* fields by default names: "passage: text" ; NULL none; expressions in params are checked apart */
    unsigned    flags;
    const qn_param   *params;
    size_t            params_size;
    const qn_example *examples;

    qn_code (*check)(qn_check *ck, void *params, qn_err *e);                                    /* optional */
    qn_code (*open)(qn_ctx *cx, const void *params, void **state, qn_err *e);                   /* optional: before the first row */
    void    (*close)(void *state);                                                              /* also of what a failed `open` left in *state, NULL there: nothing to close */

    qn_code (*next)(qn_ctx *cx, const void *params, void *state, qn_row **out, qn_err *e);      /* source, gather: NULL at the end. QN_EDATA: a bad row (*out, or one that could not be made), goes on */
    qn_code (*map)(qn_ctx *cx, const void *params, void *state, qn_row *r, qn_emit *em, qn_err *e);
    void    (*comes_next)(const void *params, void *state, const qn_row *r);     /* with an ordered map: r comes next; brings near what it will read, changes nothing */
    qn_code (*measure)(qn_ctx *cx, const void *params, qn_row *r, qn_err *e);
    qn_verdict (*decide)(const void *params, const qn_row *r);
    qn_verdict (*settle)(qn_ctx *cx, const void *params, void *state, qn_row *r);
    qn_code (*turn)(qn_ctx *cx, const void *params, void *state, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e);
    qn_code (*absorb)(qn_ctx *cx, const void *params, void *state, qn_row *r, qn_err *e);       /* takes the row (moves), also when it fails. QN_EDATA: a bad row, goes on */
    qn_code (*finish)(qn_ctx *cx, const void *params, void *state, qn_err *e);                  /* sinks: all rows are in; gathers: before the first next */
    const char *(*lacks)(void *state);      /* at the end: what bound was reached before the goal was met, or NULL; the run then exits 1 */
    /* Optional, before the step sees any of these rows: does at once for many (1..QN_OP_AHEAD) what it else does for each, such as their embeddings, and leaves
     * it with qn_row_attach for turn or map, which do without where it left nothing: so it tells no errors. Results must not depend on which rows
     * come together. Any worker. */
    void    (*ahead)(qn_ctx *cx, const void *params, void *state, qn_row *const *rows, size_t n);
    /* At the end, of a step that asks people: rows that went on with a decision of theirs, and rows that went on without. NULL: it asks nobody. */
    void    (*people)(void *state, uint64_t *decided, uint64_t *passed);
    /* Bytes that n rows of avg_bytes would take, for operators that cannot spill: refused early when over cx->memory_bytes. NULL: streams or spills. */
    size_t  (*holds)(const void *params, uint64_t n, size_t avg_bytes);
};
extern const qn_op *const qn_ops_table[];                   /* by name, NULL-terminated; written by tools/tables.sh */
const qn_op *qn_op_find(qn_str name);
const char  *qn_op_nearest(qn_str name);
#endif
