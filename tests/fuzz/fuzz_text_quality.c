/* Fuzz target: every measure of text/ that looks at bytes from outside. What must hold: no crash, spans inside the text, shares within 0..1. */
#include "core/err.h"
#include "text/bias.h"
#include "text/c4.h"
#include "text/code_parses.h"
#include "text/copied.h"
#include "text/gopher.h"
#include "text/langid.h"
#include "text/pii.h"
#include "text/readability.h"
#include "text/refusal.h"
#include "text/repetition.h"
#include "text/toxicity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    qn_str s = { (const char *)data, size }, lang;
    qn_page p = {0};
    qn_pii_spans spans = {0};
    qn_buf out = {0};
    double v[QN_GOPHER_N], c4[QN_C4_N];
    qn_repetition rep;
    qn_readability read;
    qn_toxicity toxic;
    qn_copied copied;
    double number;
    int line;
    const char *what;
    if (size > 20000) return 0;
    qn_page_scan(&p, s, true);
    qn_gopher(&p, v);
    for (int i = QN_GOPHER_DUP_LINES; i < QN_GOPHER_N; i++) QN_ASSERT(isnan(v[i]) || v[i] >= 0);
    QN_ASSERT(p.n_alpha_tokens <= p.n_tokens);
    qn_repetition_of(s, &p, &rep);
    QN_ASSERT(rep.loop_share >= 0 && rep.loop_share <= 1);
    qn_page_free(&p);
    qn_c4(s, QN_C4_RULES, c4, &out);
    qn_readability_of(s, &read);
    qn_pii_find(s, QN_PII_ALL, &spans);
    for (size_t i = 0; i < spans.n; i++) {
        QN_ASSERT(spans.items[i].from < spans.items[i].to && spans.items[i].to <= size);
        QN_ASSERT(i == 0 || spans.items[i - 1].to <= spans.items[i].from);
    }
    qn_pii_mask(s, &spans, &out);
    qn_pii_spans_free(&spans);
    qn_toxicity_of(s, &toxic);
    QN_ASSERT(toxic.to <= size && toxic.from <= toxic.to);
    QN_ASSERT(qn_langid(s).confidence <= 1);
    qn_refusal_faults(s, NULL);
    qn_bias_swap(s, QN_SWAP_GENDER, NULL, NULL, &out);
    qn_bias_swap(s, QN_SWAP_NATION, "germany", "new zealand", &out);
    for (int l = 0; l < QN_CODE_N; l++) qn_code_balanced(s, (qn_code_lang)l, &line, &what);
    qn_code_json_ok(s, &line, &what);
    qn_code_sql_ok(s, &(qn_err){0});
    qn_code_block(s, &lang);
    qn_copied_of(s, qn_str_sub(s, size / 2, size), &copied);
    QN_ASSERT(copied.longest <= copied.n_words && copied.to <= size);
    qn_final_number(s, &number);
    qn_buf_free(&out);
    return 0;
}
