/* hand_over: rows leave by the engine's callback alone, no file is written: the end of an operator that the library applies to rows in memory. */
#include "ops/op.h"

static qn_code absorb(qn_ctx *cx, const void *params, void *state, qn_row *r, qn_err *e)
{
    (void)cx, (void)params, (void)state, (void)e;
    qn_row_drop(r);
    return QN_OK;
}

const qn_op qn_op_hand_over = { .name = "hand_over", .version = 1, .stage = QN_SINK, .flags = QN_OP_HIDDEN,
                                .brief = "rows go to who called the library", .absorb = absorb };
