/* reward: the score that a reward model gives to a reply, or to each step of a solution.
 *
 * The model is one that `train_rm` made: a step's name or its folder. Scores of steps are probabilities; a reply's score is any number, and
 * only differences between replies to one prompt mean something. The steps' probabilities become one score of the solution by `combine`: the product is
 * the probability that all steps are right, if each is judged by itself; the smallest is that of the worst. Runs on: any worker; keeps nothing between rows. */
#include "ops/curate/asking.h"
#include "recipe/pick.h"
#include <math.h>

typedef struct { qn_template *prompt, *system; qn_expr *reply, *steps_of; const qn_model *model; qn_str as, combine, total; double min; } params;

static const qn_param PARAMS[] = {
    QN_TEMPLATE(params, prompt, NULL, "what the user said, as in training"),
    QN_TEMPLATE(params, system, "", "the system message, as in training"),
    QN_EXPR(params, reply, "", "text", "the reply to score; left out: .reply"),
    QN_EXPR(params, steps_of, "", NULL, "instead: the texts of a solution's steps, a list; the field then holds a list of probabilities"),
    QN_MODEL(params, model, NULL, "a model made by `train_rm`"),
    QN_FIELD(params, as, "reward", "field for the score"),
    QN_CHOICE(params, combine, "min", "min|product|mean|last", "with `steps_of`: how the steps make one score of the solution; last: of a model that was taught outcomes"),
    QN_FIELD(params, total, "", "with `steps_of`: field for that score; left out: it is not kept"),
    QN_REAL(params, min, "-1e300", NULL, "smallest score (of steps: combined) that stays"),
    QN_END
};

static const char *const SCORE[] = { "1.25", NULL };
static const char *const STEPS[] = { "[0.9,0.2]", NULL };
static const char *const BOTH[] = { "[0.5,0.25]", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "prompt: '{{ .q }}', model: $model", .in = "{q: 'Who?', reply: 'Jan'}", .replies = SCORE, .asked = "\"reward\":true", .out = "{q: 'Who?', reply: 'Jan', reward: 1.25}" },
    { .params = "prompt: '{{ .q }}', model: $model, steps_of: .s, min: 0.5", .in = "{q: '2+2+2', s: ['2+2=4', '4+2=7']}", .replies = STEPS, .reject = "reward 0.20 below 0.50" },
    { .params = "prompt: '{{ .q }}', model: $model, steps_of: .s, combine: product, total: right", .in = "{q: '2+2+2', s: ['2+2=4', '4+2=6']}", .replies = BOTH,
      .out = "{q: '2+2+2', s: ['2+2=4', '4+2=6'], reward: [0.5, 0.25], right: 0.125}" },
    { .params = "prompt: '{{ .q }}', model: $model, total: right", .in = "{q: 'x', reply: 'y'}", .fail = "`total` is of steps" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *t, *gives;
    bool many;
    if (p->total.n && !p->steps_of) {
        qn_fail_at(e, QN_ERECIPE, qn_check_param(ck, "total"), "`total` is of steps, and there are none: a reply has one score, in `%.*s`", QN_FMT(p->as));
        qn_hint(e, "give `steps_of`, or leave `total` out");
        return QN_ERECIPE;
    }
    if (!p->steps_of && !p->reply) {
        QN_TRY(qn_expr_compile(QN_STR(".reply"), ck->pos, ck->arena, &p->reply, e));
        QN_TRY(qn_expr_check(p->reply, ck->in, ck->arena, &gives, &many, e));
    }
    QN_TRY(qn_type_parse(p->steps_of ? QN_STR("[real]") : QN_STR("real"), ck->arena, &t, e));
    ck->out = qn_type_with(ck->out, p->as, t, ck->arena);
    if (p->total.n) ck->out = qn_type_with(ck->out, p->total, qn_type_simple(QN_T_REAL), ck->arena);
    return QN_OK;
}

/* A step ends in a line's end: as `train_rm` lays them out. */
static void put_line(qn_ctx *cx, qn_buf *b, qn_str text) { qn_json_write_text(b, qn_arena_printf(cx->scratch, "%.*s\n", QN_FMT(text))); }

static qn_code put_steps(const params *p, qn_ctx *cx, const qn_row *r, qn_buf *b, qn_err *e)
{
    qn_value list, one;
    bool first = true;
    QN_TRY(qn_expr_one(p->steps_of, r, cx->scratch, &list, e));
    if (list.kind != QN_V_LIST || !list.n) return qn_fail(e, QN_EDATA, "`steps_of` gives no list of texts");
    qn_buf_puts(b, ",\"steps\":[");
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, NULL, &one); first = false) {
        if (!first) qn_buf_putc(b, ',');
        put_line(cx, b, qn_v_str(one));
    }
    qn_buf_puts(b, "]}");
    return QN_OK;
}

static qn_code body_of(const params *p, qn_ctx *cx, const qn_row *r, qn_buf *b, qn_err *e)
{
    qn_str prompt, system, reply;
    QN_TRY(qn_asking_fill(p->prompt, cx, r, &prompt, e));
    QN_TRY(qn_asking_fill(p->system, cx, r, &system, e));
    if (p->steps_of) {
        qn_buf_puts(b, "{\"reward\":true,\"prompt\":");
        qn_json_write_text(b, prompt);
        return put_steps(p, cx, r, b, e);
    }
    QN_TRY(qn_pick_text(p->reply, r, cx->scratch, &reply, e));
    qn_buf_puts(b, "{\"reward\":true,\"messages\":[");
    if (system.n) qn_asking_message(b, "system", system);
    qn_asking_message(b, "user", prompt);
    qn_asking_message(b, "assistant", reply);
    qn_buf_puts(b, "]}");
    return QN_OK;
}

/* One score of the solution from those of its steps. */
static double combined(const params *p, qn_value list)
{
    double least = INFINITY, product = 1, sum = 0, last = NAN;
    qn_value one;
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, NULL, &one);) {
        last = qn_v_number(one);
        least = fmin(least, last);
        product *= last;
        sum += last;
    }
    if (qn_str_is(p->combine, "product")) return product;
    if (qn_str_is(p->combine, "mean")) return sum / (double)list.n;
    return qn_str_is(p->combine, "last") ? last : least;
}

static qn_code take(const params *p, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    qn_value v;
    QN_TRY(qn_json_parse(t->replies[0].text, t->arena, &v, e));
    if (p->steps_of ? v.kind != QN_V_LIST || !v.n : !qn_v_is_number(v))
        return qn_fail(e, QN_EMODEL, "the model gives %s: is it a reward model?", p->steps_of ? "no list of scores" : "no score");
    double score = p->steps_of ? combined(p, v) : qn_v_number(v);
    qn_row_set(r, p->as, v);
    if (p->total.n) qn_row_set(r, p->total, qn_v_real(score));
    if (score < p->min) qn_emit_reject(em, r, qn_reject_below("reward", score, p->min));
    else qn_emit_row(em, r);
    return QN_OK;
}

static qn_code turn(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    qn_buf b = { 0 };
    (void)state;
    if (t->n_replies) return take(vp, r, t, em, e);
    qn_code rc = body_of(vp, cx, r, &b, e);
    qn_ask ask = { .kind = QN_ASK_CHAT, .model = ((const params *)vp)->model, .body = qn_buf_view(&b) };
    if (rc == QN_OK) qn_turn_ask(t, &ask);
    qn_buf_free(&b);
    return rc;
}

const qn_op qn_op_reward = {
    .name = "reward", .version = 2, .stage = QN_CURATE, .flags = QN_OP_NEEDS_MODEL, .brief = "score replies, or the steps of solutions, with a reward model",
    .paper = "Ouyang et al. 2022; steps: Lightman et al. 2023 (product), Wang et al. 2023, Math-Shepherd (smallest); outcomes: Cobbe et al. 2021",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .turn = turn,
};
