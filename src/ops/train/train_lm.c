/* train_lm: trains a language model on texts: every token counts.
 *
 * Texts stay in memory until all are there. */
#include "ops/train/training.h"

typedef struct { struct { QN_TRAINING_FIELDS; }; qn_expr *text; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to learn"),
    QN_TRAINING_PARAMS(params),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "size: {wide: 30, heads: 4}", .in = "{text: 'x'}", .fail = "cannot be split over 4 heads" },
    { .params = "size: {widht: 64}", .in = "{text: 'x'}", .fail = "no part `widht`" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e) { return qn_training_check(ck, vp, e); }

static qn_code row_of(qn_ctx *cx, const void *vp, const qn_row *r, qn_learn_row *out, qn_err *e)
{
    const params *p = vp;
    qn_message *m = QN_ARENA_NEW_N(cx->scratch, qn_message, 1);
    *m = (qn_message){ .role = QN_STR("text") };
    *out = (qn_learn_row){ .a = m, .n_a = 1, .text = true };
    return qn_pick_text(p->text, r, cx->scratch, &m->content, e);
}

static qn_code open(qn_ctx *cx, const void *vp, void **st, qn_err *e) { return qn_training_open(cx, vp, QN_TRAIN_LM, "lm", row_of, st, e); }

const qn_op qn_op_train_lm = {
    .name = "train_lm", .version = 1, .stage = QN_TRAIN, .flags = QN_OP_GIVES_MODEL, .brief = "train a language model on texts, from scratch or from a base",
    .about = QN_TRAINING_ABOUT, .paper = "decoder: Touvron et al. 2023 (Llama 2); AdamW: Loshchilov and Hutter 2019; adapters: Hu et al. 2021 (LoRA)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, QN_TRAINING_HOOKS,
};
