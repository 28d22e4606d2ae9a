/* make_rows: so many rows with a number and nothing else, for recipes that begin with nothing but a draw. */
#include "ops/op.h"

typedef struct { int64_t n; qn_str as; } params;

static const qn_param PARAMS[] = {
    QN_INT(params, n, NULL, "1..1000000000", "how many"),
    QN_FIELD(params, as, "number", "field for the number, from 0"),
    QN_END
};

typedef struct { int64_t at; } state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    static const qn_type nothing = { .kind = QN_T_RECORD };
    const params *p = vp;
    (void)e;
    ck->out = qn_type_with(&nothing, p->as, qn_type_simple(QN_T_INT), ck->arena);
    return QN_OK;
}

static qn_code open_rows(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    (void)cx;
    (void)vp;
    (void)e;
    *out = QN_NEW(state);
    return QN_OK;
}

static void close_rows(void *vs) { qn_free(vs); }

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    (void)e;
    *out = NULL;
    if (st->at == p->n || (cx->limit >= 0 && st->at == cx->limit)) return QN_OK;
    *out = qn_row_new((qn_hash128){0});
    qn_row_set(*out, p->as, qn_v_int(st->at++));
    return QN_OK;
}

const qn_op qn_op_make_rows = {
    .name = "make_rows", .version = 1, .stage = QN_SOURCE, .brief = "so many numbered rows, to begin with a draw instead of a file",
    .params = PARAMS, .params_size = sizeof(params), .check = check, .open = open_rows, .close = close_rows, .next = next,
};
