/* readability: how hard a text is to read, by the classical formulas.
 *
 * The scores are written to the row as `readability`. Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "text/readability.h"

enum { WORDS, SENTENCES, FLESCH, GRADE, FOG, ARI, COLEMAN_LIAU, LIX, N };
static const qn_measure MEASURES[N] = {
    { "words", -INFINITY, INFINITY, "words" }, { "sentences", -INFINITY, INFINITY, "sentences" }, { "flesch", -INFINITY, INFINITY, "Flesch reading ease: 100 easy, 0 hard" },
    { "grade", -INFINITY, INFINITY, "Flesch-Kincaid grade: years of school" }, { "fog", -INFINITY, INFINITY, "Gunning fog" }, { "ari", -INFINITY, INFINITY, "automated readability index" },
    { "coleman_liau", -INFINITY, INFINITY, "Coleman-Liau index" }, { "lix", -INFINITY, INFINITY, "LIX" },
};

typedef struct { qn_expr *text; qn_value limits; const qn_measure *lim; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to measure"),
    QN_VALUE(params, limits, "", "bounds on words, sentences, flesch, grade, fog, ari, coleman_liau, lix: {grade: [4, 12]}; a number is an upper bound"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "limits: {grade: 8}", .in = "{text: 'Institutional accountability necessitates considerable administrative transparency.'}", .reject = "grade" },
    { .params = "limits: {words: [3, null]}", .in = "{text: 'Too short'}", .reject = "words 2.00 below 3.00" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    return qn_curate_limits(ck, MEASURES, N, p->limits, &p->lim, e);
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text;
    qn_readability m;
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    qn_readability_of(text, &m);
    double values[N] = { (double)m.n_words, (double)m.n_sentences, m.flesch, m.grade, m.fog, m.ari, m.coleman_liau, m.lix };
    qn_curate_put(cx, r, "readability", p->lim, values, N);
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r) { return qn_curate_decide(((const params *)vp)->lim, r, N); }

const qn_op qn_op_readability = {
    .name = "readability", .version = 1, .stage = QN_CURATE, .brief = "measure how hard a text is to read, and keep a range",
    .about = "Without `limits` every row stays and only gets its scores. Syllables are counted by rules for English; ari, coleman_liau and lix need none.",
    .paper = "Flesch 1948; Kincaid et al. 1975; Gunning 1952; Smith & Senter 1967; Coleman & Liau 1975; Bjornsson 1968", .writes = "readability: object",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure, .decide = decide,
};
