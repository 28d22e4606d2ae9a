/* train_sft: trains a model to answer: supervised fine-tuning on prompts and replies, or on conversations. Only what the
 * assistant says counts.
 *
 * A conversation is laid out by the base's chat template where it is of a known form, else by a plain one (nn/chat.h); `ask` lays
 * out its prompts by the same. */
#include "ops/train/training.h"

typedef struct { struct { QN_TRAINING_FIELDS; }; qn_template *prompt, *system; qn_expr *reply, *messages, *weight; } params;

static const qn_param PARAMS[] = {
    QN_TEMPLATE(params, prompt, "", "what the user says: '{{ .question }}'"),
    QN_EXPR(params, reply, "", "text", "what the model should say; left out: .reply"),
    QN_TEMPLATE(params, system, "", "a system message"),
    QN_EXPR(params, messages, "", NULL, "instead of prompt and reply: a conversation, [{role, content}, ...]; all it says as `assistant` is learnt"),
    QN_EXPR(params, weight, "", "number", "how much a row counts; left out: 1"),
    QN_TRAINING_PARAMS(params),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "reply: .a", .in = "{q: 'x', a: 'y'}", .fail = "give `prompt` and `reply`, or `messages`" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *gives;
    bool many;
    if (!p->prompt == !p->messages) return qn_fail_at(e, QN_ERECIPE, ck->pos, "give `prompt` and `reply`, or `messages`");
    if (p->prompt && !p->reply) {
        QN_TRY(qn_expr_compile(QN_STR(".reply"), ck->pos, ck->arena, &p->reply, e));
        QN_TRY(qn_expr_check(p->reply, ck->in, ck->arena, &gives, &many, e));
    }
    return qn_training_check(ck, vp, e);
}

static qn_code row_of(qn_ctx *cx, const void *vp, const qn_row *r, qn_learn_row *out, qn_err *e)
{
    const params *p = vp;
    double weight = 1;
    qn_message *m = NULL;
    size_t n = 0;
    if (p->messages) QN_TRY(qn_training_messages(cx, p->messages, r, &m, &n, e));
    else {
        m = QN_ARENA_NEW_N(cx->scratch, qn_message, 3);
        if (p->system) { m[n].role = QN_STR("system"); QN_TRY(qn_training_fill(p->system, cx, r, &m[n++].content, e)); }
        m[n].role = QN_STR("user");
        QN_TRY(qn_training_fill(p->prompt, cx, r, &m[n++].content, e));
        m[n].role = QN_STR("assistant");
        QN_TRY(qn_pick_text(p->reply, r, cx->scratch, &m[n++].content, e));
    }
    if (p->weight) QN_TRY(qn_pick_number(p->weight, r, cx->scratch, &weight, e));
    if (weight < 0) return qn_fail(e, QN_EDATA, "a weight of %g is below 0", weight);
    *out = (qn_learn_row){ .a = m, .n_a = weight > 0 ? n : 0, .weight = (float)weight };
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **st, qn_err *e) { return qn_training_open(cx, vp, QN_TRAIN_LM, "sft", row_of, st, e); }

const qn_op qn_op_train_sft = {
    .name = "train_sft", .version = 1, .stage = QN_TRAIN, .flags = QN_OP_GIVES_MODEL, .brief = "train a model on prompts and replies (supervised fine-tuning), from scratch or from a base",
    .about = QN_TRAINING_ABOUT, .paper = "decoder: Touvron et al. 2023 (Llama 2); AdamW: Loshchilov and Hutter 2019; adapters: Hu et al. 2021 (LoRA)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, QN_TRAINING_HOOKS,
};
