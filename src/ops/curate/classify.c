/* classify: a learned filter: keep what a small classifier, trained on a few hundred judged rows, takes for good.
 *
 * Trained when the run begins; its precision, recall and AUC on rows it did not see (5 folds) go to the log. Runs on: any worker; the model is
 * read only. */
#include "core/file.h"
#include "core/log.h"
#include "ops/curate/curate.h"
#include "text/hashed_classifier.h"

typedef struct { qn_hashed_classifier *c; } held;
typedef struct { qn_expr *text; const char *judged; qn_texts good, bad; qn_str field, label; double min; held *held; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to judge"),
    QN_PATH(params, judged, "", "file of judged rows, JSON lines with `field` and `label`"),
    QN_TEXTS(params, good, "[]", "good texts given here"),
    QN_TEXTS(params, bad, "[]", "bad texts given here"),
    QN_FIELD(params, field, "text", "field of the judged rows that holds the text"),
    QN_FIELD(params, label, "good", "field that holds the judgement: true or false, or a number, good above 0.5"),
    QN_REAL(params, min, "0.5", "0..1", "smallest probability of good that stays"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "good: ['the mill grinds corn', 'a miller grinds flour', 'the wheel of the mill'], bad: ['buy cheap pills now', 'click here to win', 'cheap offer click now']",
      .in = "{text: 'click now for cheap pills'}", .reject = "good" },
    QN_END
};

typedef struct { qn_str *texts; bool *good; size_t n, cap, good_cap; } rows;

static void add(rows *rs, qn_str text, bool good)
{
    QN_GROW(rs->texts, rs->n, rs->cap);
    QN_GROW(rs->good, rs->n, rs->good_cap);
    rs->texts[rs->n] = text;
    rs->good[rs->n++] = good;
}

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    p->held = QN_ARENA_NEW(ck->arena, held);
    if (p->judged || (p->good.n && p->bad.n)) return QN_OK;
    return qn_fail_at(e, QN_ERECIPE, ck->pos, "`classify` needs judged rows to learn from: `judged`, or `good` and `bad`");
}

static qn_code read_judged(const params *p, qn_arena *a, rows *rs, qn_err *e)
{
    qn_buf file = {0};
    qn_code rc = qn_file_read(p->judged, (size_t)1 << 30, &file, e);
    qn_str all = rc == QN_OK ? qn_arena_str(a, qn_buf_view(&file)) : (qn_str){ "", 0 };
    int line = 1;
    qn_buf_free(&file);
    for (size_t i = 0; i < all.n && rc == QN_OK; line++) {
        const char *nl = memchr(all.p + i, '\n', all.n - i);
        size_t end = nl ? (size_t)(nl - all.p) : all.n;
        qn_str s = qn_str_trim(qn_str_sub(all, i, end));
        qn_value row, text, label;
        i = end + 1;
        if (s.n == 0) continue;
        if ((rc = qn_json_parse(s, a, &row, e)) != QN_OK) break;
        bool ok = qn_v_get(row, p->field, &text) && text.kind == QN_V_TEXT && qn_v_get(row, p->label, &label) && (label.kind == QN_V_BOOL || qn_v_is_number(label));
        if (!ok) rc = qn_fail(e, QN_EDATA, "%s:%d: a judged row needs text in `%.*s` and true, false or a number in `%.*s`", p->judged, line, QN_FMT(p->field), QN_FMT(p->label));
        else add(rs, qn_v_str(text), label.kind == QN_V_BOOL ? label.b : qn_v_number(label) > 0.5);
    }
    return rc;
}

static qn_code open_model(qn_ctx *cx, const void *vp, void **state, qn_err *e)
{
    const params *p = vp;
    qn_arena a = {0};
    rows rs = {0};
    qn_classifier_scores s;
    *state = p->held;
    for (size_t i = 0; i < p->good.n; i++) add(&rs, p->good.items[i], true);
    for (size_t i = 0; i < p->bad.n; i++) add(&rs, p->bad.items[i], false);
    qn_code rc = p->judged ? read_judged(p, &a, &rs, e) : QN_OK;
    if (rc == QN_OK) rc = qn_hashed_classifier_train(rs.texts, rs.good, rs.n, cx->seed, &p->held->c, e);
    if (rc == QN_OK && rs.n >= 50 && qn_hashed_classifier_validate(rs.texts, rs.good, rs.n, 5, cx->seed, &s, NULL) == QN_OK)
        qn_log(s.auc < 0.7 ? QN_WARN : QN_INFO, "classify", "%zu judged rows, on held-out folds: precision %.3f, recall %.3f, AUC %.3f%s", s.n, s.precision, s.recall, s.auc,
               s.auc < 0.7 ? ": the judgements can hardly be learned from the words" : "");
    qn_free(rs.texts);
    qn_free(rs.good);
    qn_arena_free(&a);
    return rc;
}

static void close_model(void *state)
{
    held *h = state;
    if (h) qn_hashed_classifier_free(h->c);
    if (h) h->c = NULL;
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text;
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    qn_row_set_real(r, "good", qn_hashed_classifier_ask(p->held->c, text));
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const params *p = vp;
    double good = 0;
    qn_row_real(r, "good", &good, NULL);
    return good < p->min ? qn_reject_below("good", good, p->min) : qn_keep();
}

const qn_op qn_op_classify = {
    .name = "classify", .version = 1, .stage = QN_CURATE, .brief = "keep what a classifier, learned from a few hundred judged rows, takes for good",
    .about = "Logistic regression over hashed words, pairs of words and letter 4-grams. The log says how well the judgements can be told on rows that were not\n"
             "trained on; below an AUC of 0.7 it warns.",
    .paper = "Gunasekar et al. 2023 (phi-1), filtering by a classifier; Weinberger et al. 2009, feature hashing", .writes = "good: real",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .open = open_model, .close = close_model, .measure = measure, .decide = decide,
};
