/* repetition: reject texts that repeat themselves, above all the loops that models fall into.
 *
 * The measures are written to the row as `repetition`. Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "text/repetition.h"

enum { DISTINCT_2, DISTINCT_3, LOOP_SHARE, LOOP_TIMES, LONGEST_RUN, N };
static const qn_measure MEASURES[N] = {
    { "distinct_2", -INFINITY, INFINITY, "share of pairs of words that are different ones" }, { "distinct_3", 0.3, INFINITY, "share of triples of words that are different ones" },
    { "loop_share", -INFINITY, 0.2, "share of words inside one phrase said again and again" }, { "loop_times", -INFINITY, 8, "how often that phrase follows itself" },
    { "longest_run", -INFINITY, 100, "longest run of one character" },
};

typedef struct { qn_expr *text; qn_value limits; const qn_measure *lim; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to measure"),
    QN_VALUE(params, limits, "", "bounds on distinct_2, distinct_3, loop_share, loop_times, longest_run; {loop_share: 0.5}"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{text: 'I do not know. I do not know. I do not know. I do not know.'}", .reject = "distinct_3 0.29 below 0.30" },
    { .params = "", .in = "{text: 'The mill grinds. The mill grinds. The mill grinds. It is old and slow and wants a new wheel.'}", .reject = "loop_share" },
    { .params = "", .in = "{text: 'to be or not to be'}", .out = "{text: 'to be or not to be', repetition: {distinct_2: 0.8, distinct_3: 1, loop_share: 0, loop_times: 1, longest_run: 1}}" },
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
    qn_page page = {0};
    qn_repetition m;
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    qn_repetition_of(text, &page, &m);
    qn_page_free(&page);
    double values[N] = { m.distinct_2, m.distinct_3, m.loop_share, (double)m.loop_times, (double)m.longest_run };
    qn_curate_put(cx, r, "repetition", p->lim, values, N);
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r) { return qn_curate_decide(((const params *)vp)->lim, r, N); }

const qn_op qn_op_repetition = {
    .name = "repetition", .version = 1, .stage = QN_CURATE, .brief = "drop texts that say the same again and again",
    .paper = "distinct-n: Li et al. 2016; the limits are ours. Shares over whole pages: quality_gopher", .writes = "repetition: object",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure, .decide = decide,
};
