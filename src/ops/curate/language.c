/* language: name the language of a text, and keep the wanted ones: a contract for every row.
 *
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/curate.h"
#include "text/langid.h"
#include <ctype.h>

typedef struct { qn_expr *text; qn_expr *as; qn_texts want; double min; } params;

static const qn_param PARAMS[] = {
    QN_EXPR(params, text, ".text", "text", "the text to look at"),
    QN_TEXTS(params, want, "[]", "codes of the languages that stay (en, de, zh); none: all stay"),
    QN_EXPR(params, as, "", "text", "the code that the row itself promises, in place of `want`"),
    QN_REAL(params, min, "0", "0..1", "least confidence"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "want: [en]", .in = "{text: 'Wo hat der alte Mann sein Mehl gekauft?'}", .reject = "language: de" },
    { .params = "as: .lang", .in = "{text: 'Where is the flour of the miller?', lang: 'fr'}", .reject = "language: en" },
    { .params = "want: [english]", .in = "{text: 'x'}", .fail = "`english` is no language's code" },
    { .params = "", .in = "{text: '12 + 7'}", .out = "{text: '12 + 7', language: 'und', language_confidence: 0.0}" },
    QN_END
};

/* A language's name, which no text would ever have for its code. */
static bool looks_like_code(qn_str s)
{
    size_t n = 0;
    while (n < s.n && islower((unsigned char)s.p[n])) n++;
    return (n == 2 || n == 3) && (n == s.n || s.p[n] == '-');
}

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    for (size_t i = 0; i < p->want.n; i++) {
        if (looks_like_code(p->want.items[i])) continue;
        qn_fail_at(e, QN_ERECIPE, qn_check_param(ck, "want"), "`%.*s` is no language's code", QN_FMT(p->want.items[i]));
        qn_hint(e, "two or three small letters: en, de, zh");
        return QN_ERECIPE;
    }
    return QN_OK;
}

static qn_code measure(qn_ctx *cx, const void *vp, qn_row *r, qn_err *e)
{
    const params *p = vp;
    qn_str text, promised = { NULL, 0 };
    QN_TRY(qn_curate_text(cx, p->text, r, &text, e));
    if (p->as) QN_TRY(qn_curate_text(cx, p->as, r, &promised, e));
    qn_lang l = qn_langid(text);
    qn_row_set_text(r, "language", qn_str_of(l.code));
    qn_row_set_real(r, "language_confidence", l.confidence);
    if (p->as) qn_row_attach(r, qn_strz(promised));
    return QN_OK;
}

static qn_verdict decide(const void *vp, const qn_row *r)
{
    const params *p = vp;
    qn_value code;
    double confidence = 0;
    qn_row_find(r, QN_STR("language"), &code);
    if (qn_row_real(r, "language_confidence", &confidence, NULL) != QN_OK) confidence = 0;
    bool wanted = p->as ? qn_str_is(qn_v_str(code), qn_row_attached(r)) : p->want.n == 0;
    for (size_t i = 0; !wanted && !p->as && i < p->want.n; i++) wanted = qn_str_eq(qn_v_str(code), p->want.items[i]);
    if (!wanted) return qn_reject_fact("language", "%.*s", QN_FMT(qn_v_str(code)));
    return confidence < p->min ? qn_reject_below("language_confidence", confidence, p->min) : qn_keep();
}

const qn_op qn_op_language = {
    .name = "language", .version = 1, .stage = QN_CURATE, .brief = "name the language of a text, and keep the wanted ones",
    .about = "Two witnesses: cld2 where it is installed (apt-get install libcld2-0), and function words, letters and scripts of our own, which also work\n"
             "without it for 45 languages and the scripts of one language each. `und` means that nothing can be said.",
    .writes = "language: text, language_confidence: real",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .measure = measure, .decide = decide,
};
