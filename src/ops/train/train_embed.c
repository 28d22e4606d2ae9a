/* train_embed: tunes a sentence encoder so that queries find their passages: multiple negatives ranking with hard negatives, or distillation.
 *
 * Each query's passage must score above the passages and hard negatives of all rows of its batch; with a `teacher` its scores for them all are
 * learnt: a search by words sees what a sentence encoder overlooks, and knows which other passages answer too. With `valid` the encoder is measured on
 * rows held back, before and after; with `gate` one that got worse is refused and the base stays. */
#include "nn/search.h"
#include "ops/train/training.h"

typedef struct { struct { QN_TRAINING_FIELDS; }; qn_expr *query, *positive, *negatives, *together, *valid_where; double scale, teacher_scale, teacher_share, blend; qn_str teacher; const qn_model *teacher_encoder; bool gate; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, query, ".query", "text", "the query"),
    QN_EXPR(params, positive, ".passage", "text", "the text that answers it"),
    QN_EXPR(params, negatives, "", NULL, "texts that do not, a list: from `mine_negatives`; left out: only the other rows of a batch"),
    QN_EXPR(params, together, "", "text", "what rows have in common that share steps, and so are each other's negatives: `.title` makes hard ones of passages of one article; left out: rows meet by chance"),
    QN_EXPR(params, valid_where, "", "bool", "rows for which this is true are held back too: where rows were chosen by how well the base does on them, rows that were not make a fair gate"),
    QN_REAL(params, scale, "20", "0..1000", "of the cosines, before the softmax"),
    QN_CHOICE(params, teacher, "none", "none|bm25|encoder|joined", "whose scores over a batch's candidates are learnt: a search by words, by `teacher_encoder`, or by both (scores added, as in `find_passage`) over the texts of all rows"),
    QN_MODEL(params, teacher_encoder, "", "a sentence encoder; left out: the base as it is"),
    QN_REAL(params, teacher_scale, "20", "0..1000", "of the teacher's scores, before the softmax: the higher, the surer it sounds"),
    QN_REAL(params, teacher_share, "1", "0..1", "how far the teacher is believed; the rest says that the row's own passage is the one"),
    QN_REAL(params, blend, "1", "0..1", "the weights go so far from the base's to the tuned ones: half of the way (0.5) often keeps the gain and forgets less of what the base knew"),
    QN_BOOL(params, gate, "yes", "with `valid` or `valid_where`: keep the base when the tuned encoder ranks the held-back rows worse. Queries that people typed tell; on queries of the kind that was learnt, every tuned encoder is better"),
    QN_TRAINING_PARAMS(params),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "query: .q, positive: .p", .in = "{q: 'x', p: 'y'}", .fail = "`base` is needed" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    QN_TRY(qn_training_need_base(ck, vp, "a sentence encoder such as all-MiniLM-L6-v2", e));
    const params *p = vp;
    if (p->teacher_encoder && !p->teacher_encoder->folder) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`teacher_encoder` is no folder with a model in it");
    if (p->teacher_encoder && (qn_str_is(p->teacher, "none") || qn_str_is(p->teacher, "bm25"))) {
        qn_fail_at(e, QN_ERECIPE, ck->pos, "`teacher_encoder` is not asked: `teacher` is %.*s", QN_FMT(p->teacher));
        qn_hint(e, "teacher: encoder, or joined");
        return QN_ERECIPE;
    }
    return qn_training_check(ck, vp, e);
}

static qn_code row_of(qn_ctx *cx, const void *vp, const qn_row *r, qn_learn_row *out, qn_err *e)
{
    const params *p = vp;
    qn_value list = qn_v_null(), one;
    if (p->negatives) QN_TRY(qn_expr_one(p->negatives, r, cx->scratch, &list, e));
    qn_message *m = QN_ARENA_NEW_N(cx->scratch, qn_message, 2 + (list.kind == QN_V_LIST ? list.n : 0));
    size_t n = 2;
    QN_TRY(qn_pick_text(p->query, r, cx->scratch, &m[0].content, e));
    QN_TRY(qn_pick_text(p->positive, r, cx->scratch, &m[1].content, e));
    *out = (qn_learn_row){ 0 };
    if (p->valid_where) {
        QN_TRY(qn_expr_one(p->valid_where, r, cx->scratch, &one, e));
        out->valid = one.kind == QN_V_BOOL && one.b;
    }
    if (p->together) QN_TRY(qn_pick_text(p->together, r, cx->scratch, &out->group, e));
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, NULL, &one);) {
        if (one.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "negative %zu is no text", n - 1);
        m[n++].content = qn_v_str(one);
    }
    out->a = m, out->n_a = 1, out->b = m + 1, out->n_b = n - 1;
    return QN_OK;
}

static qn_code open(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    const params *p = vp;
    QN_TRY(qn_training_open(cx, vp, QN_TRAIN_LM, "embed", row_of, out, e));
    qn_training_state *st = *out;
    st->o.ranking = true;
    st->o.scale = p->scale;
    st->o.gate = p->gate;
    st->o.blend = p->blend;
    while (st->o.teacher < QN_N_SEARCH && !qn_str_is(p->teacher, qn_search_names[st->o.teacher])) st->o.teacher++;
    st->o.teacher = st->o.teacher == QN_N_SEARCH ? 0 : st->o.teacher + 1;
    st->o.teacher_dir = p->teacher_encoder ? p->teacher_encoder->folder : NULL;
    st->o.teacher_scale = p->teacher_scale;
    st->o.teacher_share = p->teacher_share;
    if (p->lr <= 0) st->o.fit.lr = 2e-5;
    if (p->lr <= 0) st->o.fit.lr_end = 2e-6;
    return QN_OK;
}

const qn_op qn_op_train_embed = {
    .name = "train_embed", .version = 1, .stage = QN_TRAIN, .flags = QN_OP_GIVES_MODEL, .brief = "tune a sentence encoder on queries and their passages",
    .about = QN_TRAINING_ABOUT, .paper = "Henderson et al. 2017 (the ranking loss); Reimers and Gurevych 2019; large batches in parts: Gao et al. 2021; a teacher's scores over a batch: Lin, Yang and Lin 2021, In-Batch Negatives for Knowledge Distillation; alike rows in a batch: Hofstaetter et al. 2021, Efficiently Teaching an Effective Dense Retriever; weights between base and tuned: Wortsman et al. 2022, Robust fine-tuning of zero-shot models",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .open = open, QN_TRAINING_HOOKS,
};
