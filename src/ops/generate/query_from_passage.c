/* query_from_passage: what people would type to find a passage: questions, key words, phrases, made by rules and no model.
 *
 * Words are exchanged for others of the same meaning and small words get lost, so that queries are not the passage's own sentences. They are rough:
 * material to train and to test a search, not to be read.
 * Runs on: any worker; keeps nothing between rows. */
#include "builtin/passage_query.h"
#include "ops/op.h"

typedef struct { qn_str text, title, as; int64_t per_passage; double other; qn_texts kinds; int kind[QN_N_QUERY_KINDS * 4]; size_t n_kinds; } params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, text, "passage", "field that holds the passage"),
    QN_FIELD(params, title, "title", "field that names what the passage is about, when there is one: some queries begin with it"),
    QN_FIELD(params, as, "query", "field for the query"),
    QN_INT(params, per_passage, "2", "1..1000", "queries for each passage"),
    QN_REAL(params, other, "0.4", "0..1", "how often a word that has synonyms is exchanged for one"),
    QN_TEXTS(params, kinds, "[question, question, words, phrase]", "kinds drawn from: question, words, phrase; one named twice comes twice as often"),
    QN_END
};

static const qn_example EXAMPLES[] = {
    { .params = "per_passage: 1, other: 0, kinds: words", .in = "{passage: 'Amsterdam windmills grind golden barley'}", .reject = "queries 0.00 below 1.00" },
    { .params = "kinds: riddle", .in = "{passage: 'x'}", .fail = "`riddle`" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    for (size_t i = 0; i < p->kinds.n && p->n_kinds < sizeof p->kind / sizeof *p->kind; i++) {
        int k = 0;
        while (k < QN_N_QUERY_KINDS && !qn_str_is(p->kinds.items[i], qn_query_kind_names[k])) k++;
        if (k == QN_N_QUERY_KINDS) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`kinds` knows question, words and phrase, not `%.*s`", QN_FMT(p->kinds.items[i]));
        p->kind[p->n_kinds++] = k;
    }
    if (p->n_kinds == 0) return qn_fail_at(e, QN_ERECIPE, ck->pos, "`kinds` is empty");
    ck->out = qn_type_with(ck->out, p->as, qn_type_simple(QN_T_TEXT), ck->arena);
    ck->out = qn_type_with(ck->out, QN_STR("query_kind"), qn_type_simple(QN_T_TEXT), ck->arena);
    return QN_OK;
}

static qn_code map(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value text, title = qn_v_null();
    qn_buf b = { 0 };
    int64_t n = 0;
    (void)state;
    if (!qn_row_find(r, p->text, &text) || text.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "the row has no text in `%.*s`", QN_FMT(p->text));
    qn_row_find(r, p->title, &title);
    qn_rng rng = qn_ctx_rng(cx, r);
    for (int64_t i = 0; i < p->per_passage * 8 && n < p->per_passage; i++) {
        qn_query_kind kind = (qn_query_kind)p->kind[qn_rng_below(&rng, p->n_kinds)];
        qn_buf_clear(&b);
        if (!qn_passage_query(qn_v_str(title), qn_v_str(text), kind, p->other, &rng, &b)) continue;
        qn_row *c = qn_emit_child(em, r);
        qn_row_set(c, p->as, qn_v_text(qn_buf_view(&b)));
        qn_row_set_text(c, "query_kind", qn_str_of(qn_query_kind_names[kind]));
        qn_emit_row(em, c);
        n++;
    }
    if (n == 0) qn_emit_reject(em, r, qn_reject_below("queries", 0, 1));
    qn_buf_free(&b);
    return QN_OK;
}

const qn_op qn_op_query_from_passage = {
    .name = "query_from_passage", .version = 2, .stage = QN_GENERATE,
    .brief = "rough queries that a passage should be found by; no model is asked",
    .paper = "Lee, Chang and Toutanova 2019, Latent Retrieval (inverse cloze task, section 3.1); Lewis, Denoyer and Riedel 2019, Unsupervised QA by Cloze Translation",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .map = map,
};
