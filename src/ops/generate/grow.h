/* grow: the pool that `grow` and `grow_end` share. */
#ifndef QN_OPS_GROW_H
#define QN_OPS_GROW_H
#include "ops/op.h"
#include "recipe/cells.h"
typedef struct qn_pool {
    qn_row **rows;              /* the pool, in order: first the rows that came in, then those that were accepted */
    size_t   n, cap, n_seeds;
    const qn_type *shape;       /* of a seed: grown rows join with these fields alone, so that examples do not nest */
    size_t   n_before_round;    /* pool size when the round began */
    int64_t  round, idle;       /* rounds so far; rounds in a row that added nothing */
    int64_t  given;             /* rows given in this round */
    const qn_cells *cells;      /* NULL: none */
    size_t  *quota, *have, *planned;    /* (cells) wanted, accepted, given in this round */
    bool     over;
    char     why[96];           /* why it is over */
} qn_pool;
#endif
