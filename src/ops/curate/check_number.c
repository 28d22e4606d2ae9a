/* check_number: keep a row only when the number its answer ends in is the expected one.
 *
 * The number is found behind `####`, in \boxed{}, behind "answer is", else it is the last of the text. Runs on: any worker; keeps nothing
 * between rows. */
#include "ops/curate/curate.h"
#include "text/copied.h"

typedef struct { qn_expr *answer, *expected; double tolerance; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, answer, ".answer", NULL, "the answer: a text or a number"),
    QN_EXPR(params, expected, ".expected", NULL, "the right one: a text or a number"),
    QN_REAL(params, tolerance, "1e-6", "0..", "largest difference, as a share of the expected number (or of 1 when that is smaller)"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{answer: 'He has 3 + 4 = 7 sacks. #### 7', expected: 7}", .out = "{answer: 'He has 3 + 4 = 7 sacks. #### 7', expected: 7, number: 7.0}" },
    { .params = "", .in = "{answer: 'It is 1,250 sacks.', expected: '1300'}", .reject = "number: 1250, expected 1300" },
    { .params = "tolerance: 0.1", .in = "{answer: 'The answer is 3/4', expected: 0.8}", .out = "{answer: 'The answer is 3/4', expected: 0.8, number: 0.75}" },
    { .params = "", .in = "{answer: 'I do not know.', expected: 7}", .reject = "number: none" },
    QN_END
};

static qn_code number_of(qn_ctx *cx, const qn_expr *x, const qn_row *r, bool *found, double *out, qn_err *e)
{
    qn_value v;
    QN_TRY(qn_expr_one(x, r, cx->scratch, &v, e));
    *found = true;
    if (qn_v_is_number(v)) *out = qn_v_number(v);
    else *found = qn_final_number(qn_v_str(v), out);
    return QN_OK;
}

typedef struct { bool found, right; double got, want; } note;

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    note n = {0};
    bool known;
    QN_TRY(number_of(cx, p->expected, r, &known, &n.want, e));
    if (!known) return qn_fail(e, QN_EDATA, "there is no number in what is expected");
    QN_TRY(number_of(cx, p->answer, r, &n.found, &n.got, e));
    n.right = n.found && fabs(n.got - n.want) <= p->tolerance * fmax(1, fabs(n.want));
    if (n.found) qn_row_set_real(r, "number", n.got);
    qn_row_attach(r, qn_memdup(&n, sizeof n));
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const note *n = qn_row_attached(r);
    (void)vp;
    if (n->right) return qn_keep();
    return n->found ? qn_reject_fact("number", "%.10g, expected %.10g", n->got, n->want) : qn_reject_fact("number", "none, expected %.10g", n->want);
}

const qn_op qn_op_check_number = {
    .name = "check_number", .version = 1, .stage = QN_CURATE, .brief = "keep rows whose answer ends in the expected number", .writes = "number: real?",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .measure = measure, .decide = decide,
};
