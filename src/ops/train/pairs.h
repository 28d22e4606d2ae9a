/* pairs: a prompt with a better and a worse reply, as `train_dpo` and `train_rm` read it. */
#ifndef QN_OPS_TRAIN_PAIRS_H
#define QN_OPS_TRAIN_PAIRS_H
#include "ops/train/training.h"

#define QN_PAIR_FIELDS qn_template *prompt, *system; qn_expr *chosen, *rejected, *p, *weight
#define QN_PAIR_PARAMS(s) \
    QN_TEMPLATE(s, prompt, "", "what the user says: '{{ .prompt }}'"), \
    QN_TEMPLATE(s, system, "", "a system message"), \
    QN_EXPR(s, chosen, "", "text", "the better reply; left out: .chosen"), \
    QN_EXPR(s, rejected, "", "text", "the worse reply; left out: .rejected"), \
    QN_EXPR(s, p, "", "number", "how likely it is that the better reply is the better one (0..1): soft labels from scores; left out: 1"), \
    QN_EXPR(s, weight, "", "number", "how much a row counts; left out: 1")
typedef struct { QN_PAIR_FIELDS; } qn_pair_params;

static inline qn_code qn_pair_check(qn_check *ck, qn_pair_params *p, qn_err *e)
{
    struct { qn_expr **at; const char *deflt; } both[] = { { &p->chosen, ".chosen" }, { &p->rejected, ".rejected" } };
    for (int i = 0; i < 2; i++) {
        const qn_type *gives;
        bool many;
        if (*both[i].at) continue;
        QN_TRY(qn_expr_compile(qn_str_of(both[i].deflt), ck->pos, ck->arena, both[i].at, e));
        QN_TRY(qn_expr_check(*both[i].at, ck->in, ck->arena, &gives, &many, e));
    }
    return QN_OK;
}

static inline qn_code qn_pair_of(qn_ctx *cx, const qn_pair_params *p, const qn_row *r, qn_learn_row *out, qn_err *e)
{
    double weight = 1, prob = 1;
    qn_message *a = QN_ARENA_NEW_N(cx->scratch, qn_message, 6), *b = a + 3;
    size_t n = 0;
    if (p->system) { a[n].role = QN_STR("system"); QN_TRY(qn_training_fill(p->system, cx, r, &a[n++].content, e)); }
    a[n].role = QN_STR("user");
    QN_TRY(qn_training_fill(p->prompt, cx, r, &a[n++].content, e));
    memcpy(b, a, n * sizeof *a);
    a[n].role = b[n].role = QN_STR("assistant");
    QN_TRY(qn_pick_text(p->chosen, r, cx->scratch, &a[n].content, e));
    QN_TRY(qn_pick_text(p->rejected, r, cx->scratch, &b[n++].content, e));
    if (p->p) QN_TRY(qn_pick_number(p->p, r, cx->scratch, &prob, e));
    if (p->weight) QN_TRY(qn_pick_number(p->weight, r, cx->scratch, &weight, e));
    if (prob < 0 || prob > 1) return qn_fail(e, QN_EDATA, "`p` is %g, which is no probability", prob);
    if (weight < 0) return qn_fail(e, QN_EDATA, "a weight of %g is below 0", weight);
    *out = (qn_learn_row){ .a = a, .b = b, .n_a = n, .n_b = n, .weight = (float)weight, .p = prob > 0 ? (float)prob : 1e-9f };
    return QN_OK;
}
#endif
