/* learned_filter: learns from the rows that carry a judgement what the others are worth, and keeps what it takes for good.
 *
 * A judge looks at a few hundred rows of a large set; a classifier on their words decides about all of them. How well that works is measured on
 * judged rows that each fold of the classifier has not seen, and goes on every row as `learned`: a precision near the share of good rows says that
 * the judgements cannot be told from the words. Rows and texts wait in memory, then on disk. */
#include "core/log.h"
#include "data/rowstore.h"
#include "ops/op.h"
#include "recipe/pick.h"
#include "text/hashed_classifier.h"

typedef struct { qn_expr *text, *judged; double min; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to learn from and to judge"),
    QN_EXPR(params, judged, ".judged", NULL, "the judgement: true, false or a number (good above 0.5); null where nobody judged"),
    QN_REAL(params, min, "0.5", "0..1", "smallest probability of good that stays"),
    QN_END
};

#define ONE_KIND "the judged rows are all good, all bad, or none: both kinds are needed to learn from"

typedef struct {
    qn_rowstore *rows;
    qn_arena arena;
    qn_str  *texts;             /* of the judged rows */
    bool    *good;
    size_t   n, cap, good_cap, at;
    qn_hashed_classifier *model;
    qn_classifier_scores scores;
} state;

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const qn_type *t;
    (void)vp;
    QN_TRY(qn_type_parse(QN_STR("{precision: real, recall: real, auc: real, judged: int}"), ck->arena, &t, e));
    ck->out = qn_type_with(qn_type_with(ck->in, QN_STR("good"), qn_type_simple(QN_T_REAL), ck->arena), QN_STR("learned"), t, ck->arena);
    return QN_OK;
}

static qn_code open_filter(qn_ctx *cx, const void *vp, void **out, qn_err *e)
{
    state *st = QN_NEW(state);
    (void)vp;
    (void)e;
    st->rows = qn_rowstore_new(cx->memory_bytes / 2, NULL);
    *out = st;
    return QN_OK;
}

static void close_filter(void *vs)
{
    state *st = vs;
    qn_rowstore_free(st->rows);
    qn_arena_free(&st->arena);
    qn_free(st->texts);
    qn_free(st->good);
    qn_hashed_classifier_free(st->model);
    qn_free(st);
}

static qn_code absorb(qn_ctx *cx, const void *vp, void *vs, qn_row *r, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_value v;
    qn_str text;
    qn_code rc = qn_expr_one(p->judged, r, cx->scratch, &v, e);
    if (rc == QN_OK && (v.kind == QN_V_BOOL || qn_v_is_number(v)) && (rc = qn_pick_text(p->text, r, cx->scratch, &text, e)) == QN_OK) {
        QN_GROW(st->texts, st->n, st->cap);
        QN_GROW(st->good, st->n, st->good_cap);
        st->texts[st->n] = qn_arena_str(&st->arena, text);
        st->good[st->n++] = v.kind == QN_V_BOOL ? v.b : qn_v_number(v) > 0.5;
    }
    if (rc != QN_OK) { qn_row_drop(r); return rc; }
    return qn_rowstore_put(st->rows, r, e);
}

static qn_code finish(qn_ctx *cx, const void *vp, void *vs, qn_err *e)
{
    state *st = vs;
    size_t n_good = 0;
    (void)vp;
    if (qn_rowstore_n(st->rows) == 0) return QN_OK;
    for (size_t i = 0; i < st->n; i++) n_good += st->good[i];
    if (n_good == 0 || n_good == st->n) return QN_OK;       /* nothing to learn: every row is rejected, and lacks() says why */
    QN_TRY(qn_hashed_classifier_train(st->texts, st->good, st->n, cx->seed, &st->model, e));
    qn_err small = {0};
    if (qn_hashed_classifier_validate(st->texts, st->good, st->n, 5, cx->seed, &st->scores, &small) != QN_OK) return QN_OK;
    qn_log(st->scores.auc < 0.7 ? QN_WARN : QN_INFO, "learned_filter", "%zu judged rows, on held-out folds: precision %.3f, recall %.3f, AUC %.3f%s", st->scores.n, st->scores.precision,
           st->scores.recall, st->scores.auc, st->scores.auc < 0.7 ? ": the judgements can hardly be learned from the words" : "");
    return QN_OK;
}

static qn_code next(qn_ctx *cx, const void *vp, void *vs, qn_row **out, qn_err *e)
{
    const params *p = vp;
    state *st = vs;
    qn_str text;
    *out = NULL;
    if (st->at == qn_rowstore_n(st->rows)) return QN_OK;
    QN_TRY(qn_rowstore_take(st->rows, st->at++, out, e));
    QN_TRY(qn_pick_text(p->text, *out, cx->scratch, &text, e));
    qn_object_b o = { .a = cx->scratch };
    qn_object_put(&o, QN_STR("precision"), qn_v_real(st->scores.precision));
    qn_object_put(&o, QN_STR("recall"), qn_v_real(st->scores.recall));
    qn_object_put(&o, QN_STR("auc"), qn_v_real(st->scores.auc));
    qn_object_put(&o, QN_STR("judged"), qn_v_int((int64_t)st->n));
    double good = st->model ? qn_hashed_classifier_ask(st->model, text) : 0;
    qn_row_set_real(*out, "good", good);
    qn_row_set(*out, QN_STR("learned"), qn_object_end(&o));
    qn_verdict v = st->model ? qn_reject_below("good", good, p->min) : qn_reject_fact("not_learned", "%s", ONE_KIND);
    qn_row_attach(*out, good < p->min || !st->model ? qn_memdup(&v, sizeof v) : NULL);
    return QN_OK;
}

static const char *lacks(void *vs)
{
    const state *st = vs;
    return st->at && !st->model ? "learned_filter: " ONE_KIND : NULL;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const qn_verdict *v = qn_row_attached(r);
    (void)vp;
    return v ? *v : qn_keep();
}

const qn_op qn_op_learned_filter = {
    .name = "learned_filter", .version = 1, .stage = QN_CURATE, .brief = "keep what a classifier, learned from the judged rows among them, takes for good",
    .about = "As `classify`, but the judged rows are rows of the flow: a model judges some, the classifier all. `learned` has its precision, recall and AUC on\n"
             "judged rows that it was not trained on.",
    .paper = "Gunasekar et al. 2023 (phi-1): a few files judged, a classifier for all", .params = PARAMS, .params_size = sizeof(params),
    .check = check, .open = open_filter, .close = close_filter, .absorb = absorb, .finish = finish, .next = next, .decide = decide, .lacks = lacks,
};
