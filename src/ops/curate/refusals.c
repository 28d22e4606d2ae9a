/* refusals: reject replies that are no answer: refusals, apologies, leaked prompts, talk about the task, cut or broken text.
 *
 * The faults found are written to the row as `faults`, a list of words. Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "text/refusal.h"

typedef struct { qn_expr *text; qn_texts drop; unsigned bits; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the reply to look at"),
    QN_TEXTS(params, drop, "[refusal, apology, leak, meta, cut, broken, empty]", "faults that reject the row"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "text: .reply", .in = "{reply: \"I'm sorry, but I can't help with that.\"}", .reject = "refusal" },
    { .params = "text: .reply", .in = "{reply: 'The mill was built by the'}", .reject = "cut" },
    { .params = "text: .reply, drop: [refusal]", .in = "{reply: 'Dear [Your Name], the mill is open.'}", .out = "{reply: 'Dear [Your Name], the mill is open.', faults: [meta]}" },
    { .params = "text: .reply", .in = "{reply: 'The mill grinds corn.'}", .out = "{reply: 'The mill grinds corn.', faults: []}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    return qn_curate_bits(ck, "drop", p->drop, QN_REPLY_FAULTS, QN_REPLY_N, &p->bits, e);
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text;
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    unsigned faults = qn_refusal_faults(text, NULL);
    qn_list_b l = { .a = cx->scratch };
    for (int k = 0; k < QN_REPLY_N; k++)
        if (faults >> k & 1) qn_list_put(&l, qn_v_text(qn_str_of(QN_REPLY_FAULTS[k])));
    qn_row_set(r, QN_STR("faults"), qn_list_end(&l));
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    qn_value faults;
    qn_row_find(r, QN_STR("faults"), &faults);
    for (int k = 0; k < QN_REPLY_N; k++)
        for (size_t i = 0; ((const params *)vp)->bits >> k & 1 && i < faults.n; i++)
            if (qn_str_is(qn_v_str(qn_v_at(faults, i)), QN_REPLY_FAULTS[k])) return qn_reject_fact(QN_REPLY_FAULTS[k], "%s", "");
    return qn_keep();
}

const qn_op qn_op_refusals = {
    .name = "refusals", .version = 1, .stage = QN_CURATE, .brief = "drop replies that refuse, apologise, leak the prompt or break off",
    .about = "Phrases of English replies, looked for where they mean something: a refusal in the first sentences, a cut at the end.", .writes = "faults: [text]",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure, .decide = decide,
};
