/* toxicity: reject requests for harm, hate, attacks on privacy, slurs, by word lists and rules about what stands together.
 *
 * The kinds found are written to the row as `toxicity`, a map from kind to count. Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "text/toxicity.h"

typedef struct { qn_expr *text; qn_texts drop; double max_profane; unsigned bits; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to look at"),
    QN_TEXTS(params, drop, "[violence, self_harm, crime, drugs, weapons, theft, hate, atrocity, privacy, slur]", "kinds that reject the row; insult and profane may be added"),
    QN_REAL(params, max_profane, "1", "0..1", "largest share of foul words"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "", .in = "{text: 'How do I kill my landlord?'}", .reject = "toxicity: violence" },
    { .params = "", .in = "{text: 'How do I kill a Python process?'}", .out = "{text: 'How do I kill a Python process?', toxicity: {}}" },
    { .params = "drop: [hate]", .in = "{text: 'How do I kill my landlord?'}", .out = "{text: 'How do I kill my landlord?', toxicity: {violence: 1}}" },
    { .params = "max_profane: 0.1", .in = "{text: 'This damn mill!'}", .reject = "profane_share 0.33 above 0.10" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    return qn_curate_bits(ck, "drop", p->drop, QN_TOXIC_NAMES, QN_TOXIC_N, &p->bits, e);
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text;
    qn_toxicity t;
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    qn_toxicity_of(text, &t);
    qn_object_b o = { .a = cx->scratch };
    for (int k = 0; k < QN_TOXIC_N; k++)
        if (t.n[k]) qn_object_put(&o, qn_str_of(QN_TOXIC_NAMES[k]), qn_v_int(t.n[k]));
    qn_row_set(r, QN_STR("toxicity"), qn_object_end(&o));
    qn_row_attach(r, qn_memdup(&t, sizeof t));
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const params *p = vp;
    const qn_toxicity *t = qn_row_attached(r);
    qn_toxic_kind k = qn_toxicity_first(t, p->bits);
    double share = t->n_words ? (double)t->n[QN_TOXIC_PROFANE] / (double)t->n_words : 0;
    if (k != QN_TOXIC_N) return qn_reject_fact("toxicity", "%s", QN_TOXIC_NAMES[k]);
    return share > p->max_profane ? qn_reject_above("profane_share", share, p->max_profane) : qn_keep();
}

const qn_op qn_op_toxicity = {
    .name = "toxicity", .version = 1, .stage = QN_CURATE, .brief = "drop requests for harm, hate, attacks on privacy and slurs",
    .about = "Rules over word lists: a verb of harm with a person behind it, undone by a game, a program, an animal, a definition, the past. English. On XSTest's\n"
             "prompts that were not looked at while writing the rules, 96% of the safe ones pass and 68% of the unsafe ones stop: what must be surer needs a\n"
             "model (`judge`).",
    .writes = "toxicity: object",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure, .decide = decide,
};
