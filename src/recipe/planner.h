/* planner: what the planner's files share: plan.c (the whole), plan_params.c (parameters), plan_steps.c (steps). */
#ifndef QN_RECIPE_PLANNER_H
#define QN_RECIPE_PLANNER_H
#include "recipe/plan.h"

typedef struct qn_scope {       /* one recipe's text being planned: the outermost, or one that is used */
    const qn_ynode *params;     /* name -> value node, after defaults */
    const char *prefix;         /* before the names of its steps: "" or "use." */
    int depth;
    const struct qn_scope *outer;   /* of a round of `rounds`: the names around it are seen too; NULL: none are */
} qn_scope;

/* What flows into a step: from `from:`, else from the step before. */
typedef struct qn_inlet { int from[16]; int n; } qn_inlet;

/* A step that became several (repeat, grow, recipe): its name means the rows that leave the last of them. */
typedef struct qn_named_rows { struct qn_named_rows *next; qn_str name; qn_inlet rows; } qn_named_rows;

typedef struct qn_planner {
    qn_plan *plan;
    const qn_plan_opts *o;
    size_t cap_steps;
    qn_named_rows *blocks;
} qn_planner;

static inline qn_arena *qn_planner_arena(qn_planner *p) { return &p->plan->arena; }
static inline qn_step *qn_planner_step(qn_planner *p, int i) { return &p->plan->steps[i]; }

/* ---- plan_params.c ---- */
qn_ynode *qn_planner_scalar(qn_planner *p, qn_str text, qn_pos pos);
qn_ynode *qn_planner_truth(qn_planner *p, const qn_ynode *decl, qn_ynode *v);
/* Every declared parameter is {type, default, about} with a type that exists. */
qn_code qn_planner_check_decls(const qn_ynode *decls, qn_err *e);
bool    qn_planner_is_model(const qn_ynode *decl);                 /* is a declared parameter a model? */
qn_code qn_planner_unknown_param(const qn_ynode *decls, qn_str name, qn_pos pos, qn_err *e);
/* The values of the outermost recipe's parameters: command line, else default. A map node of name -> value. */
qn_code qn_planner_params(qn_planner *p, const qn_ynode *decls, qn_ynode **out, qn_err *e);
/* A copy of the tree in which `$name` is that parameter's value. */
qn_code qn_planner_fill_in(qn_planner *p, const qn_scope *sc, const qn_ynode *n, qn_ynode **out, qn_err *e);

/* ---- plan_steps.c ---- */
qn_code qn_planner_steps(qn_planner *p, const qn_scope *sc, const qn_ynode *list, qn_inlet *flow, qn_err *e);
/* The name of the training step that `word` means here, as a node; NULL: there is none before this place. A.B: of `rounds` A the last round's B. */
qn_ynode *qn_planner_trained(qn_planner *p, const qn_scope *sc, qn_str word, qn_pos pos);
/* Rows that no step takes: the last step's go to `write`, others are a mistake. */
qn_code qn_planner_close_ends(qn_planner *p, qn_inlet *flow, qn_err *e);

/* ---- plan_rounds.c ---- */
qn_code qn_planner_rounds(qn_planner *p, const qn_scope *sc, const qn_ynode *given, qn_str name, qn_pos pos, qn_inlet *flow, qn_err *e);

/* ---- plan.c ---- */
/* A shipped recipe by its bare name, or a file relative to `dir`. Everything lives in the arena. */
qn_code qn_planner_load(qn_arena *a, const char *name, const char *dir, qn_str *text, const char **file, const char **its_dir, qn_err *e);
#endif
