/* extract_answer: has a reader find the answer to a question in passages: a run of their words, as it stands there.
 *
 * The model is one that `train_span` made. Writes `reply` and `score`, the reader's probability of that place; with `k` above 1 also
 * `candidates`, the likeliest answers, no two of the same text. A question with its passages that is longer than the reader takes is
 * read with the ends of the longest passages left out. Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"
#include "recipe/pick.h"
#include <stdio.h>

typedef struct { qn_expr *question, *passage; const qn_model *model; qn_str as; int64_t k, max_tokens; double min, temperature; } params;

static const qn_param PARAMS[] = {
    QN_MODEL(params, model, NULL, "a reader made by `train_span`"),
    QN_EXPR(params, question, ".question", "text", "the question"),
    QN_EXPR(params, passage, ".passage", NULL, "where to look: a text, or a list of texts that are read together"),
    QN_FIELD(params, as, "reply", "field for the answer"),
    QN_INT(params, k, "1", "1..1000", "how many answers; above 1: `candidates` lists them, likeliest first"),
    QN_REAL(params, min, "0", "0..1", "smallest score that stays"),
    QN_REAL(params, temperature, "0", "0..10", "above 0: answers are drawn by their probability at this temperature"),
    QN_INT(params, max_tokens, "30", "1..30", "longest answer"),
    QN_END
};

static const char *const ONE[] = { "[{\"answer\":\"grain\",\"score\":0.9,\"passage\":0,\"start\":12}]", NULL };
static const char *const TWO[] = { "[{\"answer\":\"Jan\",\"score\":0.6,\"passage\":1,\"start\":0},{\"answer\":\"no\",\"score\":0.1,\"passage\":null,\"start\":null}]", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "model: $model", .in = "{question: 'What do mills grind?', passage: 'Mills grind grain.'}", .replies = ONE, .asked = "\"passages\":[\"Mills grind grain.\"]",
      .out = "{question: 'What do mills grind?', passage: 'Mills grind grain.', reply: 'grain', score: 0.9}" },
    { .params = "model: $model, passage: '[.a, .b]', k: 2", .in = "{question: 'Who built it?', a: 'A mill.', b: 'Jan built it.'}", .replies = TWO, .asked = "\"span\":2",
      .out = "{question: 'Who built it?', a: 'A mill.', b: 'Jan built it.', reply: 'Jan', score: 0.6, candidates: [{answer: 'Jan', score: 0.6, passage: 1, start: 0}, {answer: 'no', score: 0.1, passage: null, start: null}]}" },
    { .params = "model: $model, min: 0.95", .in = "{question: 'What do mills grind?', passage: 'Mills grind grain.'}", .replies = ONE, .reject = "score 0.90 below 0.95" },
    { .params = "model: $model, passage: '[]'", .in = "{question: 'x'}", .fail = "an empty list" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *t;
    ck->out = qn_type_with(ck->out, p->as, qn_type_simple(QN_T_TEXT), ck->arena);
    if (p->k == 1) return QN_OK;
    QN_TRY(qn_type_parse(QN_STR("[{answer: text, score: real, passage: int?, start: int?}]"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, QN_STR("candidates"), t, ck->arena);
    return QN_OK;
}

static qn_code put_passages(const params *p, qn_ctx *cx, const qn_row *r, qn_buf *b, qn_err *e)
{
    qn_value v, one;
    size_t k = 0;
    QN_TRY(qn_expr_one(p->passage, r, cx->scratch, &v, e));
    qn_buf_puts(b, ",\"passages\":[");
    if (v.kind == QN_V_TEXT) { qn_json_write_text(b, qn_v_str(v)); k++; }
    else for (qn_v_iter it = qn_v_iter_of(v); v.kind == QN_V_LIST && qn_v_next(&it, NULL, &one); k++) {
        if (one.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "passage %zu is no text", k + 1);
        if (k) qn_buf_putc(b, ',');
        qn_json_write_text(b, qn_v_str(one));
    }
    if (!k) return qn_fail(e, QN_EDATA, "`passage` gives %s: a text or a list of texts is needed", v.kind == QN_V_LIST ? "an empty list" : qn_v_kind_name(v));
    qn_buf_putc(b, ']');
    return QN_OK;
}

static qn_code ask(qn_ctx *cx, const params *p, const qn_row *r, qn_turn *t, qn_err *e)
{
    qn_str question;
    qn_buf b = { 0 };
    char id[33], draw[80] = "";
    QN_TRY(qn_pick_text(p->question, r, cx->scratch, &question, e));
    qn_buf_printf(&b, "{\"span\":%lld,\"question\":", (long long)p->k);
    qn_json_write_text(&b, question);
    qn_code rc = put_passages(p, cx, r, &b, e);
    qn_buf_printf(&b, ",\"max_tokens\":%lld,\"temperature\":", (long long)p->max_tokens);
    qn_json_write(&b, qn_v_real(p->temperature));
    qn_buf_putc(&b, '}');
    qn_row_id_text(r, id);
    if (p->temperature > 0) snprintf(draw, sizeof draw, "%s/%.*s", id, (int)(cx->step.n < 24 ? cx->step.n : 24), cx->step.p);
    qn_ask a = { .kind = QN_ASK_CHAT, .model = p->model, .body = qn_buf_view(&b), .draw = qn_str_of(draw), .max_tokens = (int)p->max_tokens };
    if (rc == QN_OK) qn_turn_ask(t, &a);
    qn_buf_free(&b);
    return rc;
}

static qn_code turn(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    qn_value list, answer, score;
    (void)state;
    if (!t->n_replies) return ask(cx, p, r, t, e);
    QN_TRY(qn_json_parse(t->replies[0].text, t->arena, &list, e));
    if (list.kind != QN_V_LIST || !list.n || !qn_v_get(qn_v_at(list, 0), QN_STR("answer"), &answer) || !qn_v_get(qn_v_at(list, 0), QN_STR("score"), &score) || !qn_v_is_number(score))
        return qn_fail(e, QN_EMODEL, "the model's reply is no list of answers: `train_span` makes models that give one");
    qn_row_set(r, p->as, answer);
    qn_row_set_real(r, "score", qn_v_number(score));
    if (p->k > 1) qn_row_set(r, QN_STR("candidates"), list);
    if (qn_v_number(score) < p->min) qn_emit_reject(em, r, qn_reject_below("score", qn_v_number(score), p->min));
    else qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_extract_answer = {
    .name = "extract_answer", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_NEEDS_MODEL, .brief = "have a reader find the answer to a question in passages",
    .about = "A reader is a small encoder, not a chat model: it can only give words that stand in the passages, or one of the choices it was trained with.",
    .paper = "Devlin et al. 2019 (BERT), section 4.2", .writes = "score: real",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .turn = turn,
};
