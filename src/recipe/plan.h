/* plan: a recipe's text, checked and typed, as steps in the order in which rows meet them.
 *
 * The planner reads YAML, fills in parameters, inlines `recipe: use`, puts `without:` operators where a role is `builtin`, compiles expressions,
 * and carries the type of rows from step to step, so that every mistake is found before the first row is read or the first call is paid. */
#ifndef QN_RECIPE_PLAN_H
#define QN_RECIPE_PLAN_H
#include "data/yaml.h"
#include "ops/op.h"

typedef enum {
    QN_STEP_OP,             /* an operator */
    QN_STEP_LOOP,           /* `repeat` begins: a row enters, or comes back for another turn */
    QN_STEP_LOOP_END,       /* `repeat` ends: go round again or leave */
    QN_STEP_JOIN            /* rows of several branches of one row become one row */
} qn_step_kind;

/* repeat: {times, until, each, again, as, steps} */
typedef struct qn_loop_params {
    int64_t  times;         /* at most so often */
    qn_expr *until;         /* leave when true; NULL: after `times` */
    bool     each;          /* give a copy of the row after every turn, not only after the last */
    bool     again;         /* a row rejected in a turn does not end the loop: the row of before the turn goes round again */
    qn_str   as;            /* field that holds the number of the turn, from 1 */
} qn_loop_params;

typedef struct qn_step {
    qn_step_kind kind;
    int          index;
    qn_str       name;          /* unique in the plan; keys random numbers and ids, so inserting a step moves no other */
    qn_pos       pos;
    const qn_op *op;            /* QN_STEP_OP */
    void        *params;        /* the operator's struct, or qn_loop_params */
    qn_expr     *when;          /* rows for which it is false pass by; NULL: all */
    const qn_type *in, *out;    /* record types; in is NULL for a source */
    int         *next;          /* steps that take its rows */
    int          n_next;
    int          n_from;        /* how many steps give rows to this one */
    qn_model    *gives;         /* the model that it trains; NULL: none */
    int          partner;       /* LOOP <-> LOOP_END; `grow` <-> `grow_end`; -1 none */
    qn_value     shown;         /* parameters as given, for the summary and `plan` */
} qn_step;

/* model NULL or builtin: no model; trained: by the step of that name; used: some step names it */
typedef struct qn_role { const char *name; const qn_model *model; bool trained, used; } qn_role;
static inline bool qn_role_counts(const qn_role *r) { return r->used || r->trained || !r->model || r->model->builtin; }    /* else: given, and nothing to do with the rows */

typedef struct qn_plan {
    qn_arena     arena;
    const char  *name;          /* of the recipe */
    const char  *file;
    const char  *dir;           /* the recipe file's folder; "" for a shipped one */
    qn_str       about, paper, group;
    qn_value     params;        /* parameter values as used, models by name */
    qn_hash128   hash;          /* of the recipe's text and its parameters */
    qn_step     *steps;
    int          n_steps;
    qn_role     *roles;
    int          n_roles;
    uint64_t     seed;
} qn_plan;

typedef struct qn_setting { qn_str name, value; } qn_setting;          /* name=value of the command line */

typedef struct qn_plan_opts {
    const qn_setting *settings; size_t n_settings;
    const qn_setting *models;   size_t n_models;        /* ROLE=WHERE */
    qn_models  *registry;                               /* resolves WHERE */
    uint64_t    seed;
} qn_plan_opts;

/* Plans the recipe `name`: a file's path (it has a '/' or ends in .yaml), or the bare name of a shipped recipe. */
qn_code qn_plan_make(const char *name, const qn_plan_opts *o, qn_plan **out, qn_err *e);
/* Plans a recipe's text; `file` names it in errors. */
qn_code qn_plan_text(qn_str yaml, const char *file, const char *dir, const qn_plan_opts *o, qn_plan **out, qn_err *e);
/* One operator alone, reading rows of type `in`: for `apply`. Settings are the operator's parameters. */
qn_code qn_plan_op(const qn_op *op, const qn_type *in, const qn_plan_opts *o, qn_plan **out, qn_err *e);
void    qn_plan_free(qn_plan *p);

/* ---- shipped recipes ---- */
typedef struct qn_recipe_info {
    const char *name;
    qn_str text, about, paper, group, check;
    bool needs_model, builtin;      /* has a step that asks; runs without any model */
    qn_value params;                /* object: name -> {type, default, about} */
    unsigned needs;                 /* QN_NEEDS_*, told by its steps */
} qn_recipe_info;
enum { QN_NEEDS_MODEL = 1, QN_NEEDS_LOGPROBS = 2, QN_NEEDS_EMBEDDINGS = 4, QN_NEEDS_SEARCH = 8, QN_NEEDS_SANDBOX = 16 };
const char *qn_recipe_need_word(unsigned bit);          /* "log-probabilities" */
size_t  qn_recipes_count(void);
qn_code qn_recipe_info_get(size_t i, qn_arena *a, qn_recipe_info *out, qn_err *e);
bool    qn_recipe_text(const char *name, qn_str *out);  /* of a shipped recipe */
const char *qn_recipe_nearest(qn_str name);
#endif
