/* review: what the parts of the operator `review` share: its parameters and the state of a step.
 *
 *   review_task.h    a task's line for people, and what a decided line says
 *   review_people.h  who decides what: files of tasks, control tasks, trust
 *   review.c         the operator */
#ifndef QN_OPS_CURATE_REVIEW_H
#define QN_OPS_CURATE_REVIEW_H
#include "core/log.h"
#include "core/thread.h"
#include "io/desk.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include <stdio.h>

typedef struct {
    qn_expr *rule, *show;
    qn_value share, scales;
    qn_texts people, edit;
    qn_str   as, ask;
    int64_t  overlap;
    const char *control, *dir;
    double   control_share, control_min;
    double   picked;            /* made by check: share of the rows that the rule does not name */
} qn_review_params;

typedef struct { qn_str name; size_t seen, right; } qn_review_rater;
typedef struct { qn_str task, line; bool accept; } qn_review_control;
typedef struct {
    const qn_review_params *p;
    char     step[64], folder[1024];
    qn_arena arena;
    qn_desk *desk;              /* NULL: nobody can be asked */
    qn_str  *people; size_t n_people;
    qn_review_control *controls; size_t n_controls, cap_controls;
    qn_review_rater *trusts; size_t n_trusts, cap_trusts;
    bool     complete;
    pthread_mutex_t lock;       /* guards the counts below */
    size_t   waiting, disputed, accepted, modified, rejected, passed;
    size_t   pairs, agreeing;   /* of decisions about one task by two people */
    double   observed[2][2];    /* coincidences of reject (0) and accept (1) */
    char     why[1600];
} qn_review;

static inline qn_str qn_review_text(qn_value o, const char *key)
{
    qn_value v;
    return qn_v_get(o, qn_str_of(key), &v) ? qn_str_trim(qn_v_str(v)) : (qn_str){ "", 0 };
}

/* 1 keep, 0 reject, -1 no decision that is known. */
static inline int qn_review_side(qn_str decision)
{
    if (qn_str_is(decision, "accept") || qn_str_is(decision, "modify")) return 1;
    return qn_str_is(decision, "reject") ? 0 : -1;
}
#endif
