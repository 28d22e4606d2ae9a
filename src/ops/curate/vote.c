/* vote: the answer that most samples agree on (self-consistency).
 *
 * Answers are compared as numbers where both end in one (see check_number), else as words in lower case. Ties: the one that came first.
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "text/copied.h"

typedef struct { qn_expr *answers; qn_str as; double min; bool numbers; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, answers, ".samples", NULL, "a list of answers (texts or numbers), or several results"),
    QN_FIELD(params, as, "answer", "field for the answer that won"),
    QN_REAL(params, min, "0.5", "0..1", "smallest share of the samples that must agree"),
    QN_BOOL(params, numbers, "no", "compare the number that each answer ends in"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{samples: ['The mill.', 'the mill', 'a river']}", .out = "{samples: ['The mill.', 'the mill', 'a river'], answer: 'The mill.', agreement: 0.6666666666666666}" },
    { .params = "numbers: yes", .in = "{samples: ['3 + 4 = 7', '#### 7', 'It is 8']}", .out = "{samples: ['3 + 4 = 7', '#### 7', 'It is 8'], answer: '3 + 4 = 7', agreement: 0.6666666666666666}" },
    { .params = "min: 0.6", .in = "{samples: ['a', 'b']}", .reject = "agreement 0.50 below 0.60" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    (void)e;
    ck->out = qn_type_with(ck->out, p->as, qn_type_simple(QN_T_ANY), ck->arena);
    return QN_OK;
}

typedef struct { qn_arena *a; qn_value *v; size_t n, cap; } list;

static qn_code take(void *arg, qn_value v, qn_err *e)
{
    list *l = arg;
    (void)e;
    if (v.kind == QN_V_LIST) {
        for (size_t i = 0; i < v.n; i++) QN_TRY(take(arg, qn_v_at(v, i), e));
        return QN_OK;
    }
    if (v.kind == QN_V_NULL) return QN_OK;
    QN_GROW(l->v, l->n, l->cap);
    l->v[l->n++] = v;
    return QN_OK;
}

/* The form under which answers are equal; empty for an answer that says nothing. */
static qn_str plain(const params *p, qn_value v, qn_arena *a)
{
    qn_buf b = {0};
    double x;
    if (qn_v_is_number(v)) qn_buf_printf(&b, "%.12g", qn_v_number(v));
    else if (p->numbers && qn_final_number(qn_v_str(v), &x)) qn_buf_printf(&b, "%.12g", x);
    else if (!p->numbers && v.kind == QN_V_TEXT) qn_words_plain(qn_v_str(v), QN_WORDS_PLAIN, true, &b);
    else if (v.kind != QN_V_TEXT) qn_json_write_canonical(&b, v);
    qn_str s = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return s;
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    list l = { .a = cx->scratch };
    qn_code rc = qn_expr_run(p->answers, r, cx->scratch, take, &l, e);
    size_t best = 0, best_at = 0;
    if (rc == QN_OK && l.n == 0) rc = qn_fail(e, QN_EDATA, "there are no samples to vote over");
    qn_str *forms = QN_ARENA_NEW_N(cx->scratch, qn_str, l.n + 1);
    for (size_t i = 0; i < l.n; i++) forms[i] = plain(p, l.v[i], cx->scratch);
    for (size_t i = 0; i < l.n; i++) {
        size_t votes = 0;
        for (size_t j = 0; forms[i].n && j < l.n; j++) votes += qn_str_eq(forms[i], forms[j]);
        if (votes > best) { best = votes; best_at = i; }
    }
    if (rc == QN_OK) {
        qn_row_set(r, p->as, best ? l.v[best_at] : qn_v_null());
        qn_row_set_real(r, "agreement", (double)best / (double)l.n);
    }
    qn_free(l.v);
    return rc;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const params *p = vp;
    double agreement = 0;
    qn_row_real(r, "agreement", &agreement, NULL);
    return agreement < p->min ? qn_reject_below("agreement", agreement, p->min) : qn_keep();
}

const qn_op qn_op_vote = {
    .name = "vote", .version = 1, .stage = QN_CURATE, .brief = "take the answer that most samples agree on",
    .paper = "Wang et al. 2022, Self-Consistency Improves Chain of Thought Reasoning", .writes = "agreement: real",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure, .decide = decide,
};
