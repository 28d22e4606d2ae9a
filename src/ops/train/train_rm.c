/* train_rm: trains a reward model: a number for a reply, from pairs of a better and a worse one; or a number for each step of a solution, from
 * labelled steps (a process reward model). `reward` asks it.
 *
 * The score is a linear head on the last token's state (of the reply, or of each step). */
#include "ops/train/pairs.h"

typedef struct { struct { QN_TRAINING_FIELDS; }; struct { QN_PAIR_FIELDS; }; qn_expr *steps_of, *labels; double language; } params;

static const qn_param PARAMS[] = {
    QN_PAIR_PARAMS(params),
    QN_EXPR(params, steps_of, "", NULL, "instead of pairs: the texts of a solution's steps, a list"),
    QN_EXPR(params, labels, "", NULL, "with `steps_of`: for each step true, false, a number from 0 to 1, or null (not labelled); all null but the last: a model of outcomes"),
    QN_REAL(params, language, "0", "0..", "with `steps_of`: weight of language modelling beside the rewards, over steps that are right: a base that solves goes on to solve, and can tell better what is wrong"),
    QN_TRAINING_PARAMS(params),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "prompt: '{{ .prompt }}', steps_of: .steps", .in = "{prompt: 'x', steps: ['y']}", .fail = "give `steps_of` and `labels` together" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (!p->prompt) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `prompt`");
    if (!p->steps_of != !p->labels) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `steps_of` and `labels` together");
    if (p->language > 0 && !p->steps_of) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`language` goes with `steps_of`");
    if (!p->steps_of) QN_TRY(qn_pair_check(ck, (qn_pair_params *)&p->prompt, e));
    return qn_training_check(ck, vp, e);
}

/* The prompt, then the reply's steps: each a text of its own with a line's end. */
static qn_code steps_row(qn_ctx *cx, const void *vp, const qn_row *r, qn_learn_row *out, qn_err *e)
{
    const params *p = vp;
    qn_value steps, labels;
    QN_TRY(qn_expr_one(p->steps_of, r, cx->scratch, &steps, e));
    QN_TRY(qn_expr_one(p->labels, r, cx->scratch, &labels, e));
    if (steps.kind != QN_V_LIST || labels.kind != QN_V_LIST || steps.n != labels.n || !steps.n)
        return qn_fail(e, QN_EDATA, "steps and labels must be two lists of one length");
    qn_message *m = QN_ARENA_NEW_N(cx->scratch, qn_message, steps.n + 1);
    float *y = QN_ARENA_NEW_N(cx->scratch, float, steps.n + 1);
    QN_TRY(qn_training_fill(p->prompt, cx, r, &m[0].content, e));
    m[0].role = QN_STR("user");
    y[0] = -1;
    for (size_t i = 0; i < steps.n; i++) {
        qn_value s = qn_v_at(steps, i), l = qn_v_at(labels, i);
        if (s.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "step %zu is no text", i + 1);
        m[i + 1].content = qn_arena_printf(cx->scratch, "%.*s\n", QN_FMT(qn_v_str(s)));
        y[i + 1] = l.kind == QN_V_BOOL ? l.b : qn_v_is_number(l) ? (float)qn_v_number(l) : -1;
        if (y[i + 1] > 1) return qn_fail(e, QN_EDATA, "the label of step %zu is %g: a number from 0 to 1 is needed", i + 1, (double)y[i + 1]);
    }
    *out = (qn_learn_row){ .a = m, .n_a = steps.n + 1, .step = y };
    return QN_OK;
}

static qn_code pair_row(qn_ctx *cx, const void *vp, const qn_row *r, qn_learn_row *out, qn_err *e)
{
    return qn_pair_of(cx, (const qn_pair_params *)&((const params *)vp)->prompt, r, out, e);
}

static qn_code open(qn_ctx *cx, const void *vp, void **st, qn_err *e)
{
    if (!((const params *)vp)->steps_of) return qn_training_open(cx, vp, QN_TRAIN_REWARD, "rm", pair_row, st, e);
    QN_TRY(qn_training_open(cx, vp, QN_TRAIN_STEPS, "prm", steps_row, st, e));
    ((qn_training_state *)*st)->o.beta = ((const params *)vp)->language;
    return QN_OK;
}

const qn_op qn_op_train_rm = {
    .name = "train_rm", .version = 1, .stage = QN_TRAIN, .flags = QN_OP_GIVES_MODEL, .brief = "train a reward model on pairs of replies, or on labelled steps",
    .about = QN_TRAINING_ABOUT, .paper = "Ouyang et al. 2022 (pairwise reward); Lightman et al. 2023 (step rewards); Cobbe et al. 2021 (language beside them)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, QN_TRAINING_HOOKS,
};
