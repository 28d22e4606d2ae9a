/* text_loss: how badly a model foresees a text after another: the mean of its tokens' negative log-probabilities.
 *
 * One request to the completions endpoint with `echo` and `logprobs`: the text is sent, not written anew, and one further token is asked for and
 * thrown away. `decay` gives the tokens weights that fall with their distance from the beginning: 1, 1 - decay, 1 - 2 * decay ... down to 0, made
 * to add up to 1, so that what stands next counts most.
 * `watch` names tokens; `places` then says for each token of the text how likely one of them is in its place (0 when it is not among the best
 * `best` tokens): one request shows all positions at which a model would have begun a call.
 * Runs on: any worker; keeps nothing between rows.
 * Source: Toolformer (Schick et al. 2023), section 2 (sampling by the probability of the call token; the weighted loss of what follows). */
#include "ops/op.h"
#include <math.h>

typedef struct {
    qn_template *before, *text;
    const qn_model *model;
    double   decay;
    qn_texts watch;
    int64_t  best;
    qn_str   as, places;
} params;

static const qn_param PARAMS[] = {
    QN_TEMPLATE(params, text, NULL, "what is to be foreseen"),
    QN_TEMPLATE(params, before, "", "what stands before it"),
    QN_MODEL(params, model, "model", "a base model behind a completions endpoint that gives log-probabilities of the prompt (echo)"),
    QN_REAL(params, decay, "0", "0..1", "how much less each further token weighs; 0: all the same (0.2 in Toolformer)"),
    QN_TEXTS(params, watch, "", "tokens whose probability is wanted at every place of the text"),
    QN_INT(params, best, "5", "1..20", "with `watch`: among so many best tokens (endpoints often have a limit of 5)"),
    QN_FIELD(params, as, "loss", "field for the loss, in nats a token"),
    QN_FIELD(params, places, "places", "with `watch`: field for [{at, p}]: place in characters, probability"),
    QN_END
};

static const char *const TWO_TOKENS[] = { "{\"tokens\":[\"a\",\" b\",\" c\",\" d\"],\"token_logprobs\":[null,-1,-3,-9]}", NULL };
static const char *const WATCHED[] = { "{\"tokens\":[\"a\",\" b\",\" c\"],\"token_logprobs\":[null,-1,-2],\"top_logprobs\":[null,{\" b\":-1,\" [\":0},null]}", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "before: a, text: ' {{ .t }}'", .in = "{t: 'b c'}", .replies = TWO_TOKENS, .out = "{t: 'b c', loss: 2.0}", .asked = "\"echo\":true" },
    { .params = "before: a, text: ' {{ .t }}', decay: 0.5", .in = "{t: 'b c'}", .replies = TWO_TOKENS, .out = "{t: 'b c', loss: 1.6666666666666667}" },
    { .params = "text: 'a b', watch: [' [']", .in = "{t: 1}", .replies = WATCHED, .out = "{t: 1, loss: 1.0, places: [{at: 0, p: 0.0}, {at: 1, p: 1.0}]}" },
    QN_END
};

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    const params *p = vp;
    const qn_type *places;
    ck->out = qn_type_with(ck->out, p->as, qn_type_simple(QN_T_REAL), ck->arena);
    if (!p->watch.n) return QN_OK;
    QN_TRY(qn_type_parse(QN_STR("[{at: int, p: real}]"), ck->arena, &places, e));
    ck->out = qn_type_with(ck->out, p->places, places, ck->arena);
    return QN_OK;
}

static qn_code fill(const qn_template *t, qn_ctx *cx, const qn_row *r, qn_arena *a, qn_str *out, qn_err *e)
{
    qn_buf b = {0};
    *out = QN_STR("");
    if (!t) return QN_OK;
    qn_code rc = qn_template_fill(t, r, cx->scratch, &b, e);
    if (rc == QN_OK) *out = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return rc;
}

typedef struct { qn_str before, text; } asked;

static qn_code first_turn(const params *p, qn_ctx *cx, const qn_row *r, qn_turn *t, qn_err *e)
{
    asked *st = QN_ARENA_NEW(t->arena, asked);
    qn_buf b = {0};
    QN_TRY(fill(p->before, cx, r, t->arena, &st->before, e));
    QN_TRY(fill(p->text, cx, r, t->arena, &st->text, e));
    if (st->text.n == 0) return qn_fail(e, QN_EDATA, "there is no text whose loss could be measured");
    t->state = st;
    qn_buf_puts(&b, "{\"prompt\":");
    qn_json_write_text(&b, qn_arena_printf(cx->scratch, "%.*s%.*s", QN_FMT(st->before), QN_FMT(st->text)));
    qn_buf_printf(&b, ",\"echo\":true,\"logprobs\":%lld,\"max_tokens\":1,\"temperature\":0}", p->watch.n ? (long long)p->best : 1);
    qn_turn_ask(t, &(qn_ask){ .kind = QN_ASK_COMPLETION, .model = p->model, .body = qn_buf_view(&b), .max_tokens = 1 });
    qn_buf_free(&b);
    return QN_OK;
}

/* Where the tokens of a reply begin in the prompt. Marks of the model's own (beginning of text) have no place; a token that is part of a character
 * comes as a stand-in, so the next one that is found again says where we are. */
typedef struct { qn_str prompt; size_t at; bool lost; } walk;

static bool place_of(walk *w, qn_str token, size_t *at)
{
    enum { REACH = 12 };        /* bytes a lost character may take */
    for (size_t skip = 0; skip <= (w->lost ? REACH : 0) && w->at + skip < w->prompt.n; skip++)
        if (qn_str_starts(qn_str_sub(w->prompt, w->at + skip, w->prompt.n), token) && token.n) {
            *at = w->at + skip;
            w->at = *at + token.n;
            w->lost = false;
            return true;
        }
    if (w->at > 0 && w->at < w->prompt.n) w->lost = true;
    *at = w->at;
    return w->lost;
}

static double watched(const params *p, qn_value top)
{
    double sum = 0;
    qn_value v;
    for (size_t i = 0; i < p->watch.n; i++)
        if (qn_v_get(top, p->watch.items[i], &v) && qn_v_is_number(v)) sum += exp(qn_v_number(v));
    return sum;
}

static int64_t characters(qn_str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

static qn_code take(const params *p, qn_ctx *cx, qn_row *r, const asked *st, qn_value logprobs, qn_err *e)
{
    qn_value tokens, lps, tops;
    walk w = { .prompt = qn_arena_printf(cx->scratch, "%.*s%.*s", QN_FMT(st->before), QN_FMT(st->text)) };
    qn_list_b places = { .a = cx->scratch };
    double sum = 0, weights = 0, weight = 1;
    size_t last = SIZE_MAX;                     /* pieces of one lost character are one place */
    if (!qn_v_get(logprobs, QN_STR("tokens"), &tokens) || !qn_v_get(logprobs, QN_STR("token_logprobs"), &lps) || tokens.n != lps.n)
        return qn_fail(e, QN_EMODEL, "the reply has no log-probabilities: text_loss needs a completions endpoint with `echo` and `logprobs`");
    if (!qn_v_get(logprobs, QN_STR("top_logprobs"), &tops)) tops = qn_v_null();
    for (size_t i = 0; i < tokens.n && w.at < w.prompt.n; i++) {
        size_t at;
        qn_value lp = qn_v_at(lps, i);
        if (!place_of(&w, qn_v_str(qn_v_at(tokens, i)), &at) || at < st->before.n) continue;
        if (p->watch.n && at != last) {
            last = at;
            qn_object_b o = { .a = cx->scratch };
            qn_object_put(&o, QN_STR("at"), qn_v_int(characters(qn_str_sub(w.prompt, st->before.n, at))));
            qn_object_put(&o, QN_STR("p"), qn_v_real(tops.kind == QN_V_LIST && i < tops.n ? watched(p, qn_v_at(tops, i)) : 0));
            qn_list_put(&places, qn_object_end(&o));
        }
        if (!qn_v_is_number(lp)) continue;      /* nothing stands before the first token of all */
        sum += weight * -qn_v_number(lp);
        weights += weight;
        weight = fmax(0, weight - p->decay);
    }
    if (w.at < w.prompt.n && !w.lost) {
        qn_fail(e, QN_EMODEL, "the reply's tokens end before the text that was sent");
        qn_hint(e, "does the endpoint give log-probabilities of the prompt (`echo`)?");
        return QN_EMODEL;
    }
    if (weights == 0) return qn_fail(e, QN_EDATA, "the text is a single token with nothing before it: it has no loss");
    qn_row_set(r, p->as, qn_v_real(sum / weights));
    if (p->watch.n) qn_row_set(r, p->places, qn_list_end(&places));
    return QN_OK;
}

static qn_code turn(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    (void)state;
    if (t->n_replies == 0) return first_turn(p, cx, r, t, e);
    QN_TRY(take(p, cx, r, t->state, t->replies[0].logprobs, e));
    qn_emit_row(em, r);
    return QN_OK;
}

const qn_op qn_op_text_loss = {
    .name = "text_loss", .version = 1, .stage = QN_EVAL, .brief = "how badly a base model foresees a text after another, and where it would put given tokens",
    .paper = "Toolformer (Schick et al. 2023), section 2", .flags = QN_OP_NEEDS_MODEL,
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .turn = turn,
};
