/* quality_c4: the line and page rules of C4; can put the cleaned text in the place of the old one.
 *
 * The measures are written to the row as `c4`. Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "text/c4.h"

typedef struct { qn_expr *text; qn_value limits; qn_str clean; int64_t min_words; bool citations; const qn_measure *lim; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to measure"),
    QN_FIELD(params, clean, "", "field for the lines that stay; may be the text's own"),
    QN_VALUE(params, limits, "", "bounds in place of the published ones: {sentences: 3, curly_brackets: null}"),
    QN_INT(params, min_words, "3", "0..", "least words of a line that stays"),
    QN_BOOL(params, citations, "yes", "cut [1], [edit] and [citation needed]"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{text: 'One line only.'}", .reject = "sentences 1.00 below 5.00" },
    { .params = "limits: {sentences: 1}", .in = "{text: 'int main() { return 0; } is a program.'}", .reject = "curly_brackets 2.00 above 0.00" },
    { .params = "limits: {sentences: 1}, clean: clean", .in = "{text: \"Home | About\\nThe mill grinds corn.[2]\"}",
      .out = "{text: \"Home | About\\nThe mill grinds corn.[2]\", clean: 'The mill grinds corn.', c4: {sentences: 1, kept_lines: 0.5, lorem_ipsum: 0, curly_brackets: 0}}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    if (p->clean.n) ck->out = qn_type_with(ck->out, p->clean, qn_type_simple(QN_T_TEXT), ck->arena);
    return qn_curate_limits(ck, QN_C4_MEASURES, QN_C4_N, p->limits, &p->lim, e);
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text;
    qn_buf clean = {0};
    double values[QN_C4_N];
    qn_c4_rules rules = QN_C4_RULES;
    rules.min_words = (int)p->min_words;
    rules.citations = p->citations;
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    qn_c4(text, rules, values, p->clean.n ? &clean : NULL);
    if (p->clean.n) qn_row_set(r, p->clean, qn_v_text(qn_buf_view(&clean)));
    qn_buf_free(&clean);
    qn_curate_put(cx, r, "c4", p->lim, values, QN_C4_N);
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r) { return qn_curate_decide(((const params *)vp)->lim, r, QN_C4_N); }

const qn_op qn_op_quality_c4 = {
    .name = "quality_c4", .version = 1, .stage = QN_CURATE, .brief = "keep pages with enough whole sentences; cut menus and notices (C4's rules)",
    .paper = "Raffel et al. 2020, section 2.2 (C4)", .writes = "c4: object",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure, .decide = decide,
};
