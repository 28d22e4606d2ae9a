/* dry: a run that asks nobody, for `plan`: requests are counted and shown, replies are made up in the shape that was asked for, and filters let
 * everything pass, so that what later steps would ask is counted too (as an upper bound). */
#ifndef QN_ENGINE_DRY_H
#define QN_ENGINE_DRY_H
#include "data/type.h"
#include "model/model.h"

typedef struct qn_dry_step {
    uint64_t calls, prompt_bytes, max_tokens;
    uint64_t once_calls, once_bytes;    /* requests whose reply many rows share (an index's vectors): they do not grow with the rows; among the above too */
    const qn_model *model;
    uint64_t source_rows;       /* of a source: those of the sample and, read on without being followed, those behind it */
    bool     cut;               /* the time for counting was over before its end */
} qn_dry_step;

typedef struct qn_dry {
    qn_dry_step *steps;         /* (n_steps of the plan), zeroed by the caller */
    size_t   n_shown, want_shown;   /* requests kept as text: the first ones of each step */
    struct qn_dry_prompt { int step; char *body; } *shown;   /* (want_shown * n_steps), bodies owned */
    uint64_t n;                 /* requests so far: makes replies differ */
    int64_t  limit;             /* rows of each source that are counted; -1 all. The sample is the run's own limit */
} qn_dry;

/* A value that fits the type, in `a`. */
qn_value qn_dry_value(qn_dry *d, const qn_type *t, qn_arena *a);

/* Counts the request of `step` and makes up its reply in `a`. One worker. */
void qn_dry_answer(qn_dry *d, int step, const qn_ask *ask, qn_arena *a, qn_reply *out);
#endif
