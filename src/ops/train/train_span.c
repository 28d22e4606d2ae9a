/* train_span: trains a reader: an encoder with a head that marks the words of a passage that answer a question. `extract_answer` asks it.
 *
 * Each row has a question, one passage or several, and an answer that stands in them word for word, whatever its case, or is one of `choices`.
 * An answer that stands in several places counts wherever the reader finds it, unless `start` says which place is meant. Rows whose answer
 * stands nowhere stay out and are counted. */
#include "ops/train/training.h"

typedef struct { struct { QN_TRAINING_FIELDS; }; qn_expr *question, *passage, *answer, *start; qn_texts choices; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, question, ".question", "text", "the question"),
    QN_EXPR(params, passage, ".passage", NULL, "what it is answered from: a text, or a list of texts that are read together"),
    QN_EXPR(params, answer, ".answer", "text", "the answer, as it stands in a passage"),
    QN_EXPR(params, start, "", "int", "byte of the (first) passage at which it stands, as `answer_span` writes it; left out: every place counts"),
    QN_TEXTS(params, choices, "", "answers that need not stand in a passage: [yes, no]; the model keeps them"),
    QN_TRAINING_PARAMS(params),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "lora: 4", .in = "{question: 'x', passage: 'y', answer: 'y'}", .fail = "an adapter cannot be trained" },
    { .params = "by: trl, base_name: x/y", .in = "{question: 'x', passage: 'y', answer: 'y'}", .fail = "readers are trained by quern alone" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    if (p->lora) return qn_fail_at(e, QN_ERECIPE, ck->pos, "an adapter cannot be trained for a reader: leave `lora` out");
    if (!qn_str_is(p->by, "quern")) return qn_fail_at(e, QN_ERECIPE, ck->pos, "readers are trained by quern alone");
    return qn_training_check(ck, vp, e);
}

static qn_code row_of(qn_ctx *cx, const void *vp, const qn_row *r, qn_learn_row *out, qn_err *e)
{
    const params *p = vp;
    qn_value v, one;
    double start = -1;
    QN_TRY(qn_expr_one(p->passage, r, cx->scratch, &v, e));
    size_t n = v.kind == QN_V_LIST ? v.n : 1, k = 1;
    qn_message *m = QN_ARENA_NEW_N(cx->scratch, qn_message, n + 2);
    QN_TRY(qn_pick_text(p->question, r, cx->scratch, &m[0].content, e));
    QN_TRY(qn_pick_text(p->answer, r, cx->scratch, &m[n + 1].content, e));
    if (v.kind == QN_V_TEXT) m[k++].content = qn_v_str(v);
    else for (qn_v_iter it = qn_v_iter_of(v); v.kind == QN_V_LIST && qn_v_next(&it, NULL, &one);) {
        if (one.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "passage %zu is no text", k);
        m[k++].content = qn_v_str(one);
    }
    if (k == 1) return qn_fail(e, QN_EDATA, "`passage` gives %s: a text or a list of texts is needed", v.kind == QN_V_LIST ? "an empty list" : qn_v_kind_name(v));
    if (p->start) QN_TRY(qn_pick_number(p->start, r, cx->scratch, &start, e));
    *out = (qn_learn_row){ .a = m, .n_a = n + 1, .b = m + n + 1, .n_b = 1, .start = start >= 0 ? (int64_t)start + 1 : 0 };
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    QN_TRY(qn_training_open(cx, vp, QN_TRAIN_LM, "span", row_of, out, e));
    qn_training_state *st = *out;
    st->o.span = true;
    st->o.choices = p->choices.items;
    st->o.n_choices = p->choices.n;
    if (p->lr <= 0) st->o.fit.lr = st->o.base ? 1e-4 : 1e-3;
    st->o.fit.lr_end = st->o.fit.lr / 10;
    return QN_OK;
}

const qn_op qn_op_train_span = {
    .name = "train_span", .version = 1, .stage = QN_TRAIN, .flags = QN_OP_GIVES_MODEL, .brief = "train a reader that finds the answer to a question in passages",
    .about = QN_TRAINING_ABOUT "\n`extract_answer` asks a reader. To `ask`, `tries` and `refill` it is a model too: the prompt is the question, an empty line, and the passages with\n"
             "empty lines between; the reply is the answer, drawn among the likeliest when the temperature is above 0.",
    .paper = "Devlin et al. 2019 (BERT), section 4.2; several places: Clark and Gardner 2018, section 3.2",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, QN_TRAINING_HOOKS,
};
