/* refill: has a blanked field rebuilt by a model, the whole composed anew from it, and keeps the row only when the whole is still answered as
 * before.
 *
 *   turn 1: rebuild -> the field     turn 2: compose -> the whole     turn 3: answer -> the same as before? else rejected
 *   turn 4: with `perplexity`, the whole's log-probabilities before and after
 *
 * In Source2Synth the model is the one tuned on slice 1: it rebuilds a sub-question from the other one, the entity and the passage; the multi-hop
 * question is merged anew. Perplexity decides nothing: it falls when a question gets more natural.
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/asking.h"
#include "recipe/pick.h"
#include "text/score.h"
#include <math.h>

typedef struct {
    qn_str field, whole, by, compose_words, answer_words;
    qn_template *rebuild, *system;
    qn_template *compose, *answer;     /* made by check: they see fields that the turns before fill in */
    qn_expr *expected;
    const qn_model *model, *answerer;
    double temperature;
    int64_t max_tokens;
    bool perplexity;
} params;

static const qn_param PARAMS[] = {
    QN_FIELD(params, field, NULL, "the blanked field"),
    QN_MODEL(params, model, NULL, "who rebuilds, composes and answers: a role, or a training step"),
    QN_MODEL(params, answerer, "", "who answers, when it is another: a reader made by `train_span`"),
    QN_TEMPLATE(params, rebuild, NULL, "asks for the field's value from what is left of the row"),
    { "compose", QN_P_TEXT, offsetof(params, compose_words), "", NULL, "asks for the whole anew; sees the row with the field rebuilt. Left out: the field is all that changes" },
    QN_FIELD(params, whole, "question", "the whole: the question that is composed anew"),
    { "answer", QN_P_TEXT, offsetof(params, answer_words), NULL, NULL, "asks for the answer to the whole; sees the row with the whole composed anew" },
    QN_TEMPLATE(params, system, "", "a system message for all three"),
    QN_EXPR(params, expected, ".answer", NULL, "the answer as it was: a text, a number, or a list of which any will do"),
    QN_CHOICE(params, by, "soft", "exact|soft", "exact: the same words; soft: its words stand in the reply"),
    QN_REAL(params, temperature, "0", "0..2", "of all three requests"),
    QN_INT(params, max_tokens, "256", "1..", "longest reply"),
    QN_BOOL(params, perplexity, "no", "measure the whole before and after: `perplexity: {before, after}`. Needs a model that gives log-probabilities of a prompt (a folder, llama.cpp, vLLM)"),
    QN_END
};

static const char *const GOOD[] = { "Who built the mill?", "Where was the builder of the mill born?", "In Leiden, as it seems.", NULL };
static const char *const CHANGED[] = { "Who owns the mill?", "Where was the owner of the mill born?", "Delft", NULL };
#define ASKS "field: q1, model: $model, rebuild: 'Ask for {{ .e }}.', compose: 'Merge {{ .q1 }} and {{ .q2 }}', answer: '{{ .question }}'"
static const qn_example EXAMPLES[] = {
    { .params = ASKS, .in = "{q1: null, e: 'Jan', q2: 'Where was Jan born?', question: 'Where was he born?', answer: 'Leiden'}", .replies = GOOD, .asked = "Ask for Jan.",
      .out = "{q1: 'Who built the mill?', e: 'Jan', q2: 'Where was Jan born?', question: 'Where was the builder of the mill born?', answer: 'Leiden', before: 'Where was he born?'}" },
    { .params = ASKS, .in = "{q1: null, e: 'Jan', q2: 'Where was Jan born?', question: 'Where was he born?', answer: 'Leiden'}", .replies = CHANGED, .reject = "answer: changed to Delft" },
    QN_END
};

static qn_code words(qn_check *ck, qn_str text, const qn_type *in, qn_template **out, qn_err *e)
{
    if (!text.n) return QN_OK;
    QN_TRY(qn_template_compile(text, ck->pos, ck->arena, out, e));
    return qn_template_check(*out, in, ck->arena, e);
}

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *t, *filled = qn_type_with(ck->in, p->field, qn_type_simple(QN_T_TEXT), ck->arena);
    QN_TRY(words(ck, p->compose_words, filled, &p->compose, e));
    filled = qn_type_with(filled, p->whole, qn_type_simple(QN_T_TEXT), ck->arena);
    QN_TRY(words(ck, p->answer_words, filled, &p->answer, e));
    QN_TRY(qn_type_parse(QN_STR("text?"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, p->field, qn_type_simple(QN_T_TEXT), ck->arena);
    ck->out = qn_type_with(ck->out, p->whole, qn_type_simple(QN_T_TEXT), ck->arena);
    ck->out = qn_type_with(ck->out, QN_STR("before"), t, ck->arena);
    if (!p->perplexity) return QN_OK;
    QN_TRY(qn_type_parse(QN_STR("{before: real?, after: real?}"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, QN_STR("perplexity"), t, ck->arena);
    return QN_OK;
}

typedef enum { REBUILD, COMPOSE, ANSWER, MEASURE } phase;
typedef struct { phase now; qn_str before; } state;

static qn_code ask(const params *p, qn_ctx *cx, const qn_row *r, qn_turn *t, const qn_template *words, qn_err *e)
{
    qn_asking k = { .temperature = p->temperature, .max_tokens = p->max_tokens };
    qn_str system, user;
    char id[33], draw[80] = "";
    qn_buf b = { 0 };
    QN_TRY(qn_asking_fill(p->system, cx, r, &system, e));
    QN_TRY(qn_asking_fill(words, cx, r, &user, e));
    qn_asking_prepare(cx->scratch, &k);
    qn_buf_str(&b, qn_asking_head(&k, cx->scratch, system, user));
    qn_buf_putc(&b, ']');
    qn_buf_str(&b, k.tail);
    qn_buf_putc(&b, '}');
    qn_row_id_text(r, id);
    if (p->temperature > 0) snprintf(draw, sizeof draw, "%s/%.*s/%zu", id, (int)(cx->step.n < 24 ? cx->step.n : 24), cx->step.p, t->n_replies);
    qn_ask a = { .kind = QN_ASK_CHAT, .model = words == p->answer && p->answerer ? p->answerer : p->model, .body = qn_buf_view(&b), .draw = qn_str_of(draw), .max_tokens = (int)p->max_tokens };
    qn_turn_ask(t, &a);
    qn_buf_free(&b);
    return QN_OK;
}

/* The prompt's own log-probabilities. */
static void ask_measure(const params *p, qn_turn *t, qn_str text)
{
    qn_buf b = { 0 };
    qn_buf_puts(&b, "{\"prompt\":");
    qn_json_write_text(&b, text);
    qn_buf_puts(&b, ",\"max_tokens\":0,\"temperature\":0,\"echo\":true,\"logprobs\":0}");
    qn_ask a = { .kind = QN_ASK_COMPLETION, .model = p->model, .body = qn_buf_view(&b) };
    qn_turn_ask(t, &a);
    qn_buf_free(&b);
}

static qn_value perplexity_of(const qn_reply *reply)
{
    qn_value list, x;
    double sum = 0;
    size_t n = 0;
    if (!qn_v_get(reply->logprobs, QN_STR("token_logprobs"), &list)) return qn_v_null();
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, NULL, &x);)
        if (qn_v_is_number(x)) { sum += qn_v_number(x); n++; }
    return n ? qn_v_real(round(exp(-sum / (double)n) * 1e4) / 1e4) : qn_v_null();
}

static qn_code is_same(const params *p, qn_ctx *cx, const qn_row *r, qn_str said, bool *yes, qn_err *e)
{
    qn_value v, one;
    QN_TRY(qn_expr_one(p->expected, r, cx->scratch, &v, e));
    *yes = false;
    size_t n = v.kind == QN_V_LIST ? v.n : v.kind != QN_V_NULL;
    if (!n) return qn_fail(e, QN_EDATA, "there is no answer that could stay the same: `expected` is empty");
    for (size_t i = 0; i < n && !*yes; i++) {
        one = v.kind == QN_V_LIST ? qn_v_at(v, i) : v;
        qn_buf b = { 0 };
        if (one.kind == QN_V_TEXT) qn_buf_str(&b, qn_v_str(one));
        else qn_json_write(&b, one);
        *yes = qn_str_is(p->by, "exact") ? qn_score_exact(qn_buf_view(&b), said) : qn_score_soft(qn_buf_view(&b), said);
        qn_buf_free(&b);
    }
    return QN_OK;
}

static qn_code turn(qn_ctx *cx, const void *vp, void *unused, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    state *st = t->state;
    (void)unused;
    if (!st) {
        qn_value v;
        st = t->state = QN_ARENA_NEW(t->arena, state);
        if (qn_row_find(r, p->whole, &v) && v.kind == QN_V_TEXT) st->before = qn_arena_str(t->arena, qn_v_str(v));
        return ask(p, cx, r, t, p->rebuild, e);
    }
    const qn_reply *reply = &t->replies[t->n_replies - 1];
    qn_str said = qn_str_trim(reply->text);
    if (st->now != MEASURE && (reply->status != QN_REPLY_OK || !said.n)) {
        qn_emit_reject(em, r, qn_reject_fact(reply->status == QN_REPLY_CUT ? "cut" : "refused", "%s", "the model gave nothing to go on with"));
        return QN_OK;
    }
    switch (st->now) {
    case REBUILD:
        qn_row_set(r, p->field, qn_v_text(said));
        st->now = p->compose ? COMPOSE : ANSWER;
        return ask(p, cx, r, t, p->compose ? p->compose : p->answer, e);
    case COMPOSE:
        qn_row_set(r, QN_STR("before"), st->before.p ? qn_v_text(st->before) : qn_v_null());
        qn_row_set(r, p->whole, qn_v_text(said));
        st->now = ANSWER;
        return ask(p, cx, r, t, p->answer, e);
    case ANSWER: {
        bool same;
        qn_value whole;
        QN_TRY(is_same(p, cx, r, said, &same, e));
        if (!same) { qn_emit_reject(em, r, qn_reject_fact("answer", "changed to %.*s", (int)(said.n < 80 ? said.n : 80), said.p)); return QN_OK; }
        if (!p->perplexity || !qn_row_find(r, p->whole, &whole) || whole.kind != QN_V_TEXT || !st->before.n) { qn_emit_row(em, r); return QN_OK; }
        st->now = MEASURE;
        ask_measure(p, t, st->before);
        ask_measure(p, t, qn_v_str(whole));
        return QN_OK;
    }
    default: {
        qn_object_b o = { .a = cx->scratch };
        qn_object_put(&o, QN_STR("before"), perplexity_of(&t->replies[t->n_replies - 2]));
        qn_object_put(&o, QN_STR("after"), perplexity_of(reply));
        qn_row_set(r, QN_STR("perplexity"), qn_object_end(&o));
        qn_emit_row(em, r);
        return QN_OK;
    }
    }
}

const qn_op qn_op_refill = {
    .name = "refill", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_NEEDS_MODEL,
    .brief = "have a blanked field rebuilt and the whole composed anew; kept when its answer is unchanged",
    .paper = "Lupidi et al. 2024, Source2Synth (imputation)",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .turn = turn,
};
