/* copied: reject rows whose text takes too long a run of words from its source.
 *
 * The longest run and the share of the text inside runs of at least 8 words are written to the row. Runs on: any worker; keeps nothing
 * between rows. */
#include "ops/curate/curate.h"
#include "text/copied.h"

typedef struct { qn_expr *text, *source, *licence; int64_t max; double max_share; qn_value per_licence; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text that may be copied"),
    QN_EXPR(params, source, ".passage", "text", "where it may be copied from"),
    QN_INT(params, max, "40", "0..", "longest run of words that stays"),
    QN_REAL(params, max_share, "1", "0..1", "largest share of words inside runs of 8 and more"),
    QN_EXPR(params, licence, "", "text", "the licence of the source, for `per_licence`"),
    QN_VALUE(params, per_licence, "", "limits in place of `max`, by the licence that `licence` gives: {cc0-1.0: 100000, proprietary: 10}"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "max: 4", .in = "{text: 'He says the old mill grinds corn.', passage: 'The old mill grinds corn in winter.'}", .reject = "copied_words 5.00 above 4.00" },
    { .params = "max: 5", .in = "{text: 'He says the old mill grinds corn.', passage: 'The old mill grinds corn in winter.'}",
      .out = "{text: 'He says the old mill grinds corn.', passage: 'The old mill grinds corn in winter.', copied_words: 5, copied_share: 0.0}" },
    { .params = "licence: .l, per_licence: {proprietary: 2}", .in = "{text: 'the old mill', passage: 'the old mill', l: proprietary}", .reject = "copied_words 3.00 above 2.00" },
    { .params = "licence: .l, per_licence: {proprietary: ten}", .in = "{text: 'x', passage: 'x', l: proprietary}", .fail = "the limit of `proprietary` in `per_licence` is `ten`" },
    { .params = "per_licence: {proprietary: 10}", .in = "{text: 'x', passage: 'x'}", .fail = "`per_licence` needs `licence`" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_pos pos = qn_check_param(ck, "per_licence");
    qn_v_iter it = qn_v_iter_of(p->per_licence);
    qn_str name;
    qn_value limit;
    if (p->per_licence.kind == QN_V_NULL) return QN_OK;
    if (p->per_licence.kind != QN_V_OBJECT) {
        qn_fail_at(e, QN_ERECIPE, pos, "`per_licence` is a %s, not limits by licence", qn_v_kind_name(p->per_licence));
        qn_hint(e, "as in {cc0-1.0: 100000, proprietary: 10}");
        return QN_ERECIPE;
    }
    while (qn_v_next(&it, &name, &limit)) {
        if (qn_v_is_number(limit) && qn_v_number(limit) >= 0) continue;
        qn_buf shown = {0};
        if (limit.kind == QN_V_TEXT) qn_buf_str(&shown, qn_v_str(limit));
        else qn_json_write(&shown, limit);
        qn_fail_at(e, QN_ERECIPE, pos, "the limit of `%.*s` in `per_licence` is `%.*s`, not a number of words", QN_FMT(name), (int)(shown.n < 60 ? shown.n : 60), shown.n ? shown.p : "");
        qn_hint(e, "0 or more; as in {%.*s: 10}", QN_FMT(name));
        qn_buf_free(&shown);
        return QN_ERECIPE;
    }
    if (!p->licence) {
        qn_fail_at(e, QN_ERECIPE, pos, "`per_licence` needs `licence`: where a row says it");
        qn_hint(e, "as in licence: .licence");
        return QN_ERECIPE;
    }
    return QN_OK;
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text, source, licence;
    qn_value limit;
    qn_copied c;
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    QN_TRY(qn_curate_text(cx, p->source, r, &source, e));
    qn_copied_of(text, source, &c);
    qn_row_set_int(r, "copied_words", (int64_t)c.longest);
    qn_row_set_real(r, "copied_share", c.share);
    double max = (double)p->max;
    if (p->licence) {
        QN_TRY(qn_curate_text(cx, p->licence, r, &licence, e));
        if (qn_v_get(p->per_licence, licence, &limit)) max = qn_v_number(limit);
    }
    double note[2] = { (double)c.longest, max };
    qn_row_attach(r, qn_memdup(note, sizeof note));
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const params *p = vp;
    const double *note = qn_row_attached(r);
    double share = 0;
    qn_row_real(r, "copied_share", &share, NULL);
    if (note[0] > note[1]) return qn_reject_above("copied_words", note[0], note[1]);
    return share > p->max_share ? qn_reject_above("copied_share", share, p->max_share) : qn_keep();
}

const qn_op qn_op_copied = {
    .name = "copied", .version = 1, .stage = QN_CURATE, .brief = "drop texts that copy a long run of words from their source", .writes = "copied_words: int, copied_share: real",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES,
    .check = check, .measure = measure, .decide = decide,
};
