/* perplexity: how strange a text is to a small language model trained on the user's own good text.
 *
 * The model is trained when the run begins, from a file or from texts in the recipe. Runs on: any worker; the model is read only. */
#include "core/file.h"
#include "ops/curate/curate.h"
#include "text/ngram_lm.h"

typedef struct { qn_ngram_lm *lm; } held;
typedef struct { qn_expr *text; const char *good; qn_texts texts; qn_str field; int64_t order; double max, min, max_unknown; held *held; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to measure"),
    QN_PATH(params, good, "", "file of good text to train on: JSON lines (see `field`) or plain text, a paragraph each"),
    QN_TEXTS(params, texts, "[]", "good texts given here, beside or in place of the file"),
    QN_FIELD(params, field, "text", "field of the file's rows"),
    QN_INT(params, order, "3", "1..5", "words of an n-gram"),
    QN_REAL(params, max, "1e300", NULL, "largest perplexity that stays"),
    QN_REAL(params, min, "0", NULL, "smallest perplexity that stays: what is too plain is often copied or repeated"),
    QN_REAL(params, max_unknown, "1", "0..1", "largest share of words that the good text does not have"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "texts: ['the mill grinds the corn', 'the miller grinds the corn of the village'], max: 50", .in = "{text: 'quantum flux capacitors oscillate'}", .reject = "perplexity" },
    { .params = "texts: ['the mill grinds the corn', 'the miller grinds the corn of the village'], max_unknown: 0.5", .in = "{text: 'the quantum flux'}", .reject = "unknown_words 0.67 above 0.50" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    p->held = QN_ARENA_NEW(ck->arena, held);
    if (p->good || p->texts.n) return QN_OK;
    qn_fail_at(e, QN_ERECIPE, ck->pos, "`perplexity` needs good text to learn from: `good` or `texts`");
    return QN_ERECIPE;
}

/* A row of JSON lines, or a paragraph of plain text. */
static qn_code add_line(const params *p, qn_str line, qn_arena *a, qn_err *e)
{
    qn_value row, v = qn_v_text(line);
    if (line.n && line.p[0] == '{') {
        QN_TRY(qn_json_parse(line, a, &row, e));
        if (!qn_v_get(row, p->field, &v) || v.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "%s: a row has no text in `%.*s`", p->good, QN_FMT(p->field));
    }
    qn_ngram_lm_add(p->held->lm, qn_v_str(v));
    qn_arena_reset(a);
    return QN_OK;
}

static qn_code open_model(qn_ctx *cx, const void *vp, void **state, qn_err *e)
{
    const params *p = vp;
    qn_buf file = {0};
    qn_arena a = {0};
    qn_code rc = QN_OK;
    p->held->lm = qn_ngram_lm_new((int)p->order);
    *state = p->held;
    for (size_t i = 0; i < p->texts.n; i++) qn_ngram_lm_add(p->held->lm, p->texts.items[i]);
    if (p->good) QN_TRY_OUT(qn_file_read(p->good, (size_t)1 << 32, &file, e));
    for (size_t i = 0; i < file.n;) {
        const char *nl = memchr(file.p + i, '\n', file.n - i);
        size_t end = nl ? (size_t)(nl - file.p) : file.n;
        QN_TRY_OUT(add_line(p, qn_str_trim((qn_str){ file.p + i, end - i }), &a, e));
        i = end + 1;
        if (qn_ngram_lm_bytes(p->held->lm) <= cx->memory_bytes) continue;
        rc = qn_fail(e, QN_ELIMIT, "the model of %s takes more than the step's %zu MB", p->good, cx->memory_bytes >> 20);
        qn_hint(e, "a smaller file, `order: 2`, or a larger --memory");
        goto out;
    }
    qn_ngram_lm_finish(p->held->lm);
out:
    qn_arena_free(&a);
    qn_buf_free(&file);
    return rc;
}

static void close_model(void *state)
{
    held *h = state;
    if (h) qn_ngram_lm_free(h->lm);
    if (h) h->lm = NULL;
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text;
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    qn_perplexity x = qn_ngram_lm_ask(p->held->lm, text);
    if (x.n_words == 0) return qn_fail(e, QN_EDATA, "the text has no words");
    qn_row_set_real(r, "perplexity", x.perplexity);
    qn_row_set_real(r, "unknown_words", x.unknown);
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const params *p = vp;
    double x = 0, unknown = 0;
    qn_row_real(r, "perplexity", &x, NULL);
    qn_row_real(r, "unknown_words", &unknown, NULL);
    if (x > p->max) return qn_reject_above("perplexity", x, p->max);
    if (x < p->min) return qn_reject_below("perplexity", x, p->min);
    return unknown > p->max_unknown ? qn_reject_above("unknown_words", unknown, p->max_unknown) : qn_keep();
}

const qn_op qn_op_perplexity = {
    .name = "perplexity", .version = 1, .stage = QN_CURATE, .brief = "drop what is strange to a small language model of your own good text",
    .about = "An n-gram model over words with Kneser-Ney smoothing. Look at the scores of good and bad rows (fields=yes) before setting `max`: they depend on\n"
             "the size of the good text.",
    .paper = "Wenzek et al. 2020 (CCNet); Chen & Goodman 1999", .writes = "perplexity: real, unknown_words: real",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .open = open_model, .close = close_model, .measure = measure, .decide = decide,
};
