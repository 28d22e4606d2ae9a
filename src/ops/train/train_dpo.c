/* train_dpo: moves a model towards the better of two replies and away from the worse one (direct preference optimisation). The base as it
 * is when training begins is the reference.
 *
 *   loss = -p log s(h) - (1 - p) log s(-h),   h = beta * (gain of the better - gain of the worse reply over the reference)
 *
 * p = 1 is plain DPO; p from the scores of a reward model is the weighted form, soft on pairs whose replies are nearly equal. */
#include "ops/train/pairs.h"

typedef struct { struct { QN_TRAINING_FIELDS; }; struct { QN_PAIR_FIELDS; }; double beta; } params;

static const qn_param PARAMS[] = {
    QN_PAIR_PARAMS(params),
    QN_REAL(params, beta, "0.1", "0..10", "how strongly the model is held to the reference"),
    QN_TRAINING_PARAMS(params),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "prompt: '{{ .prompt }}'", .in = "{prompt: 'x', chosen: 'y', rejected: 'z'}", .fail = "`base` is needed" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (!p->prompt) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `prompt`");
    QN_TRY(qn_pair_check(ck, (qn_pair_params *)&p->prompt, e));
    QN_TRY(qn_training_need_base(ck, vp, "preferences move a model that can answer already", e));
    return qn_training_check(ck, vp, e);
}

static qn_code row_of(qn_ctx *cx, const void *vp, const qn_row *r, qn_learn_row *out, qn_err *e)
{
    return qn_pair_of(cx, (const qn_pair_params *)&((const params *)vp)->prompt, r, out, e);
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    QN_TRY(qn_training_open(cx, vp, QN_TRAIN_DPO, "dpo", row_of, out, e));
    ((qn_training_state *)*out)->o.beta = ((const params *)vp)->beta;
    return QN_OK;
}

const qn_op qn_op_train_dpo = {
    .name = "train_dpo", .version = 1, .stage = QN_TRAIN, .flags = QN_OP_GIVES_MODEL, .brief = "train a model on pairs of a better and a worse reply (DPO, plain or weighted)",
    .about = QN_TRAINING_ABOUT, .paper = "Rafailov et al. 2023 (DPO); with p: Mitchell 2023 (conservative DPO), Gallego 2024 (rDPO)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, QN_TRAINING_HOOKS,
};
