/* quality_fineweb: the filters that FineWeb adds to Gopher's and C4's.
 *
 * The measures are written to the row as `fineweb`. Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "text/fineweb.h"

typedef struct { qn_expr *text; qn_value limits; const qn_measure *lim; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to measure"),
    QN_VALUE(params, limits, "", "bounds in place of the published ones: {dup_line_chars: 0.1}"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{text: 'Home Products Contact'}", .reject = "terminal_lines 0.00 below 0.12" },
    { .params = "", .in = "{text: 'A short line.'}", .reject = "short_lines 1.00 above 0.67" },
    { .params = "limits: {short_lines: null}", .in = "{text: 'A short line.'}",
      .out = "{text: 'A short line.', fineweb: {terminal_lines: 1, short_lines: 1, dup_line_chars: 0, newline_ratio: 0}}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    return qn_curate_limits(ck, QN_FINEWEB_MEASURES, QN_FINEWEB_N, p->limits, &p->lim, e);
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text;
    qn_page page = {0};
    double values[QN_FINEWEB_N];
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    qn_page_scan(&page, text, false);
    qn_fineweb(&page, values);
    qn_page_free(&page);
    qn_curate_put(cx, r, "fineweb", p->lim, values, QN_FINEWEB_N);
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r) { return qn_curate_decide(((const params *)vp)->lim, r, QN_FINEWEB_N); }

const qn_op qn_op_quality_fineweb = {
    .name = "quality_fineweb", .version = 1, .stage = QN_CURATE, .brief = "drop pages of lists, menus and repeated lines (FineWeb's rules)",
    .paper = "Penedo et al. 2024, The FineWeb Datasets, section 3.6; limits of its code (datatrove)", .writes = "fineweb: object",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure, .decide = decide,
};
