/* quality_gopher: the quality and repetition filters of MassiveText.
 *
 * The 21 measures are written to the row as `gopher`; the first one outside its limits rejects the row. Runs on: any worker; keeps nothing
 * between rows. */
#include "ops/curate/curate.h"
#include "text/gopher.h"

typedef struct { qn_expr *text; qn_value limits; qn_str only; const qn_measure *lim; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to measure"),
    QN_VALUE(params, limits, "", "bounds in place of the paper's: {words: [20, 100000], dup_lines: 0.5, stop_words: null}"),
    QN_CHOICE(params, only, "all", "all|quality|repetition", "which of the two filters"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{text: 'Too short a text.'}", .reject = "words 4.00 below 50.00" },
    { .params = "limits: {words: [3, null], word_chars: null, alpha_words: null, top_2gram: 0.3, top_3gram: null, top_4gram: null}", .in = "{text: 'the mill and the mill'}", .reject = "top_2gram 0.76 above 0.30" },
    { .params = "only: repetition", .in = "{text: 'a b c d e f a b c d e f a b c d e f g h i j k l m n o p q r s t u v w x y z'}", .reject = "top_3gram 0.20 above 0.18" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    qn_measure *m;
    QN_TRY(qn_curate_limits(ck, QN_GOPHER_MEASURES, QN_GOPHER_N, p->limits, &p->lim, e));
    m = (qn_measure *)(uintptr_t)p->lim;        /* ours, made just now */
    for (size_t i = 0; i < QN_GOPHER_N; i++) {
        bool quality = i < QN_GOPHER_N_QUALITY;
        if (qn_str_is(p->only, quality ? "repetition" : "quality")) { m[i].min = -INFINITY; m[i].max = INFINITY; }
    }
    return QN_OK;
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text;
    qn_page page = {0};
    double values[QN_GOPHER_N];
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    qn_page_scan(&page, text, true);
    qn_gopher(&page, values);
    qn_page_free(&page);
    qn_curate_put(cx, r, "gopher", p->lim, values, QN_GOPHER_N);
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r) { return qn_curate_decide(((const params *)vp)->lim, r, QN_GOPHER_N); }

const qn_op qn_op_quality_gopher = {
    .name = "quality_gopher", .version = 1, .stage = QN_CURATE, .brief = "drop what looks like no prose or repeats itself (Gopher's rules)",
    .about = "Measures: words, word_chars, hash_ratio, ellipsis_ratio, bullet_lines, ellipsis_lines, alpha_words, stop_words, dup_lines, dup_paragraphs,\n"
             "dup_line_chars, dup_paragraph_chars, top_2gram to top_4gram, dup_5gram to dup_10gram. Shares run from 0 to 1. The rules are for web pages in English:\n"
             "short rows need other limits.",
    .paper = "Rae et al. 2021, Scaling Language Models (Gopher), Appendix A.1.1 and Table A1", .writes = "gopher: object",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure, .decide = decide,
};
