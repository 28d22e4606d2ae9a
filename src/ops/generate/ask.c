/* ask: asks a model about each row and takes its reply into the row.
 *
 * Without `reply` the text goes to the field `as`. With `reply`, a short form of JSON Schema, the reply must be JSON of that shape: it is asked for in
 * words and as structured output, validated always, and an invalid reply goes back with what was wrong, at most `repair` times. Thinking goes to the
 * field `thinking`. A refused or cut reply is a verdict of its own.
 *
 *   turn 1: n samples are asked    turn 2..: each reply is taken, or goes back for repair    last: the row, or one child per sample
 *
 * Runs on: any worker; keeps nothing between rows. */
#include "ops/op.h"
#include "recipe/schema.h"
#include <stdio.h>

typedef struct {
    qn_template *prompt, *system, *prefix;
    const qn_model *model;
    qn_value reply, messages, tools, extra;
    qn_str   as, kind, thinking, by;
    int64_t  samples, max_tokens, repair, logprobs;
    double   temperature, top_p;
    qn_texts stop;
    bool     keep_cut;
    /* made by check */
    qn_schema *schema;
    qn_str   shape_words;       /* asks for the shape in words */
    qn_str   tail;              /* the body's keys that are the same for every row */
    struct message { const char *role; qn_template *text; qn_expr *from; } *talk;
    size_t   n_talk;
} params;

static const qn_param PARAMS[] = {
    QN_TEMPLATE(params, prompt, "", "what to ask, with {{ expression }} holes"),
    QN_TEMPLATE(params, system, "", "the system message"),
    QN_VALUE(params, messages, "", "a whole conversation instead: [{user: text}, {assistant: text}, ...], or an expression that gives messages"),
    QN_MODEL(params, model, "model", "which model: a role of the recipe"),
    QN_VALUE(params, reply, "", "shape of the reply: {question: text, score: int 1..5}; its fields become the row's"),
    QN_FIELD(params, as, "reply", "field for the text, when no shape is given"),
    QN_FIELD(params, thinking, "thinking", "field for what a reasoning model thought, when it says"),
    QN_FIELD(params, by, "", "field for the name of the model that answered (left out: none)"),
    QN_CHOICE(params, kind, "chat", "chat|completion", "chat, or plain continuation of the prompt by a base model"),
    QN_INT(params, samples, "1", "1..1000", "ask so many times; more than one gives a row for each, with its number in `sample`"),
    QN_REAL(params, temperature, "0.7", "0..2", "0: equal requests are asked once and remembered"),
    QN_REAL(params, top_p, "1", "0..1", "nucleus sampling"),
    QN_INT(params, max_tokens, "1024", "1..", "longest reply"),
    QN_TEXTS(params, stop, "", "texts at which the model stops"),
    QN_VALUE(params, tools, "", "function definitions that the model may call; calls go to the field `tool_calls`"),
    QN_INT(params, logprobs, "0", "0..20", "ask for log-probabilities of so many best tokens, into the field `logprobs`"),
    QN_INT(params, repair, "2", "0..10", "how often an invalid reply goes back with what was wrong"),
    QN_BOOL(params, keep_cut, "no", "keep replies that were cut by max_tokens"),
    QN_VALUE(params, extra, "", "further keys of the request's body"),
    QN_END
};

static const char *const SAYS_PARIS[] = { "Paris", NULL };
static const char *const SAYS_JSON[] = { "{\"city\": \"Paris\"}", NULL };
static const char *const SAYS_WRONG_THEN_RIGHT[] = { "{\"score\": 9}", "{\"score\": 4}", NULL };
static const qn_example EXAMPLES[] = {
    { .params = "prompt: 'Capital of {{ .country }}?', as: capital", .in = "{country: 'France'}", .replies = SAYS_PARIS,
      .out = "{country: 'France', capital: 'Paris'}", .asked = "Capital of France?" },
    { .params = "prompt: 'Capital of {{ .country }}?', reply: {city: text}", .in = "{country: 'France'}", .replies = SAYS_JSON,
      .out = "{country: 'France', city: 'Paris'}", .asked = "json_schema" },
    { .params = "prompt: 'Rate {{ .text }}', reply: {score: int 1..5}", .in = "{text: 'x'}", .replies = SAYS_WRONG_THEN_RIGHT,
      .out = "{text: 'x', score: 4}" },
    QN_END
};

/* ---- checking ---- */
static const char *role_of(qn_str word)
{
    static const char *const roles[] = { "system", "user", "assistant", "tool" };
    for (size_t i = 0; i < 4; i++) if (qn_str_is(word, roles[i])) return roles[i];
    return NULL;
}

static qn_code check_messages(qn_check *ck, params *p, qn_err *e)
{
    qn_value m, text;
    qn_v_iter it = qn_v_iter_of(p->messages);
    p->talk = QN_ARENA_NEW_N(ck->arena, struct message, p->messages.n + 1);
    if (p->messages.kind == QN_V_TEXT) {
        const qn_type *gives;
        bool many;
        p->n_talk = 1;
        QN_TRY(qn_expr_compile(qn_v_str(p->messages), qn_check_pos(ck, qn_v_str(p->messages)), ck->arena, &p->talk[0].from, e));
        return qn_expr_check(p->talk[0].from, ck->in, ck->arena, &gives, &many, e);
    }
    while (qn_v_next(&it, NULL, &m)) {
        qn_v_iter one = qn_v_iter_of(m);
        qn_str role;
        if (m.kind != QN_V_OBJECT || !qn_v_next(&one, &role, &text) || text.kind != QN_V_TEXT || !(role_of(role) || qn_str_is(role, "all")))
            return qn_fail_at(e, QN_ERECIPE, ck->pos, "a message is {user: text}, {assistant: text}, {system: text}, or {all: expression}");
        struct message *t = &p->talk[p->n_talk++];
        if (qn_str_is(role, "all")) {
            const qn_type *gives;
            bool many;
            QN_TRY(qn_expr_compile(qn_v_str(text), qn_check_pos(ck, qn_v_str(text)), ck->arena, &t->from, e));
            QN_TRY(qn_expr_check(t->from, ck->in, ck->arena, &gives, &many, e));
            continue;
        }
        t->role = role_of(role);
        QN_TRY(qn_template_compile(qn_v_str(text), qn_check_pos(ck, qn_v_str(text)), ck->arena, &t->text, e));
        QN_TRY(qn_template_check(t->text, ck->in, ck->arena, e));
    }
    return QN_OK;
}

static void put_key(qn_buf *b, const char *key, qn_value v)
{
    qn_buf_printf(b, ",\"%s\":", key);
    qn_json_write(b, v);
}

/* What is the same in every request of this step, so that equal steps make equal keys. */
static void make_tail(qn_check *ck, params *p)
{
    qn_buf b = {0};
    put_key(&b, "max_tokens", qn_v_int(p->max_tokens));
    put_key(&b, "temperature", qn_v_real(p->temperature));
    if (p->top_p < 1) put_key(&b, "top_p", qn_v_real(p->top_p));
    if (p->stop.n) {
        qn_list_b l = { .a = ck->arena };
        for (size_t i = 0; i < p->stop.n; i++) qn_list_put(&l, qn_v_text(p->stop.items[i]));
        put_key(&b, "stop", qn_list_end(&l));
    }
    if (p->tools.kind == QN_V_LIST) put_key(&b, "tools", p->tools);
    if (p->logprobs) {
        if (qn_str_is(p->kind, "chat")) { put_key(&b, "logprobs", qn_v_bool(true)); put_key(&b, "top_logprobs", qn_v_int(p->logprobs)); }
        else put_key(&b, "logprobs", qn_v_int(p->logprobs));
    }
    if (p->schema) {
        qn_buf_puts(&b, ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"reply\",\"strict\":true,\"schema\":");
        qn_json_write(&b, qn_schema_json(p->schema));
        qn_buf_puts(&b, "}}");
    }
    qn_v_iter it = qn_v_iter_of(p->extra);
    qn_str name;
    qn_value v;
    while (qn_v_next(&it, &name, &v)) {
        qn_buf_putc(&b, ',');
        qn_json_write_text(&b, name);
        qn_buf_putc(&b, ':');
        qn_json_write(&b, v);
    }
    p->tail = qn_arena_str(ck->arena, qn_buf_view(&b));
    qn_buf_free(&b);
}

static qn_code check(qn_check *ck, void *vp, qn_err *e)
{
    params *p = vp;
    const qn_type *maybe_text, *any;
    if (!p->prompt && p->messages.kind == QN_V_NULL) {
        qn_fail_at(e, QN_ERECIPE, ck->pos, "`ask` needs `prompt` or `messages`");
        qn_hint(e, "prompt: the text to send, with {{ .field }} holes");
        return QN_ERECIPE;
    }
    if (p->messages.kind != QN_V_NULL) QN_TRY(check_messages(ck, p, e));
    if (p->reply.kind != QN_V_NULL) {
        qn_buf words = {0};
        QN_TRY(qn_schema_short(p->reply, qn_check_param(ck, "reply"), ck->arena, &p->schema, e));
        qn_schema_words(p->schema, &words);
        p->shape_words = qn_arena_str(ck->arena, qn_buf_view(&words));
        qn_buf_free(&words);
        const qn_type *t = qn_schema_type(p->schema);
        for (size_t i = 0; i < t->n_fields; i++) ck->out = qn_type_with(ck->out, t->fields[i].name, t->fields[i].type, ck->arena);
    } else {
        ck->out = qn_type_with(ck->out, p->as, qn_type_simple(QN_T_TEXT), ck->arena);
    }
    if (p->by.n) ck->out = qn_type_with(ck->out, p->by, qn_type_simple(QN_T_TEXT), ck->arena);
    QN_TRY(qn_type_parse(QN_STR("text?"), ck->arena, &maybe_text, e));
    QN_TRY(qn_type_parse(QN_STR("any?"), ck->arena, &any, e));
    if (!qn_type_field_of(ck->out, p->thinking)) ck->out = qn_type_with(ck->out, p->thinking, maybe_text, ck->arena);
    if (p->samples > 1) ck->out = qn_type_with(ck->out, QN_STR("sample"), qn_type_simple(QN_T_INT), ck->arena);
    if (p->tools.kind == QN_V_LIST) ck->out = qn_type_with(ck->out, QN_STR("tool_calls"), any, ck->arena);
    if (p->logprobs) ck->out = qn_type_with(ck->out, QN_STR("logprobs"), any, ck->arena);
    make_tail(ck, p);
    return QN_OK;
}

/* ---- building a request ---- */
static void put_message(qn_buf *b, const char *role, qn_str text, bool *first)
{
    qn_buf_printf(b, "%s{\"role\":\"%s\",\"content\":", *first ? "" : ",", role);
    qn_json_write_text(b, text);
    qn_buf_putc(b, '}');
    *first = false;
}

static qn_code fill(const qn_template *t, qn_ctx *cx, const qn_row *r, qn_str *out, qn_err *e)
{
    qn_buf b = {0};
    qn_code rc = qn_template_fill(t, r, cx->scratch, &b, e);
    if (rc == QN_OK) *out = qn_arena_str(cx->scratch, qn_buf_view(&b));
    qn_buf_free(&b);
    return rc;
}

typedef struct { qn_buf *b; bool *first; } message_sink;

static qn_code put_message_value(void *arg, qn_value v, qn_err *e)
{
    message_sink *s = arg;
    if (v.kind == QN_V_LIST) {
        qn_v_iter it = qn_v_iter_of(v);
        qn_value m;
        while (qn_v_next(&it, NULL, &m)) QN_TRY(put_message_value(arg, m, e));
        return QN_OK;
    }
    qn_value role;
    if (!qn_v_get(v, QN_STR("role"), &role)) return qn_fail(e, QN_EDATA, "a message needs `role` and `content`");
    if (!*s->first) qn_buf_putc(s->b, ',');
    *s->first = false;
    qn_json_write(s->b, v);
    return QN_OK;
}

static qn_code put_talk(const params *p, qn_ctx *cx, const qn_row *r, qn_buf *b, bool *first, qn_err *e)
{
    for (size_t i = 0; i < p->n_talk; i++) {
        qn_str text;
        message_sink sink = { b, first };
        if (p->talk[i].from) { QN_TRY(qn_expr_run(p->talk[i].from, r, cx->scratch, put_message_value, &sink, e)); continue; }
        QN_TRY(fill(p->talk[i].text, cx, r, &text, e));
        put_message(b, p->talk[i].role, text, first);
    }
    return QN_OK;
}

/* The body up to and without the end of its messages, so that a repair can add to them. */
static qn_code put_head(const params *p, qn_ctx *cx, const qn_row *r, qn_buf *b, qn_err *e)
{
    qn_str text;
    bool first = true;
    if (qn_str_is(p->kind, "completion")) {
        QN_TRY(fill(p->prompt, cx, r, &text, e));
        qn_buf_puts(b, "{\"prompt\":");
        qn_json_write_text(b, text);
        return QN_OK;
    }
    qn_buf_puts(b, "{\"messages\":[");
    if (p->system) {
        QN_TRY(fill(p->system, cx, r, &text, e));
        put_message(b, "system", text, &first);
    }
    QN_TRY(put_talk(p, cx, r, b, &first, e));
    if (p->prompt) {
        QN_TRY(fill(p->prompt, cx, r, &text, e));
        if (p->schema) text = qn_arena_printf(cx->scratch, "%.*s\n\n%.*s", QN_FMT(text), QN_FMT(p->shape_words));
        put_message(b, "user", text, &first);
    }
    return QN_OK;
}

/* ---- the state of a row's samples ---- */
typedef struct { int64_t tries; size_t reply; bool done, ok; qn_value value; char why[200]; const char *measure; } sample;
typedef struct { qn_str head; sample *all; size_t *asked; size_t n_asked; } talk_state;    /* asked[i]: sample whose reply is the i-th */

static void ask_for(const params *p, qn_ctx *cx, const qn_row *r, qn_turn *t, talk_state *st, size_t k, qn_str more)
{
    qn_buf b = {0};
    char id[33], draw[80] = "";
    qn_buf_str(&b, st->head);
    qn_buf_str(&b, more);
    if (!qn_str_is(p->kind, "completion")) qn_buf_putc(&b, ']');
    qn_buf_str(&b, p->tail);
    qn_buf_putc(&b, '}');
    qn_row_id_text(r, id);
    if (p->temperature > 0) snprintf(draw, sizeof draw, "%s/%.*s/%zu/%lld", id, (int)(cx->step.n < 24 ? cx->step.n : 24), cx->step.p, k, (long long)st->all[k].tries);
    qn_ask ask = { .kind = qn_str_is(p->kind, "completion") ? QN_ASK_COMPLETION : QN_ASK_CHAT, .model = p->model, .body = qn_buf_view(&b),
                   .draw = qn_str_of(draw), .max_tokens = (int)p->max_tokens };
    size_t *bigger = qn_arena_alloc(t->arena, (st->n_asked + 1) * sizeof *bigger);
    if (st->n_asked) memcpy(bigger, st->asked, st->n_asked * sizeof *bigger);
    bigger[st->n_asked++] = k;
    st->asked = bigger;
    qn_turn_ask(t, &ask);
    qn_buf_free(&b);
}

static qn_code first_turn(const params *p, qn_ctx *cx, const qn_row *r, qn_turn *t, qn_err *e)
{
    talk_state *st = QN_ARENA_NEW(t->arena, talk_state);
    qn_buf head = {0};
    qn_code rc = put_head(p, cx, r, &head, e);
    if (rc == QN_OK) {
        st->head = qn_arena_str(t->arena, qn_buf_view(&head));
        st->all = QN_ARENA_NEW_N(t->arena, sample, p->samples);
        t->state = st;
        for (int64_t k = 0; k < p->samples; k++) ask_for(p, cx, r, t, st, (size_t)k, (qn_str){ "", 0 });
    }
    qn_buf_free(&head);
    return rc;
}

static void give_up(sample *s, const char *measure, const char *why)
{
    s->done = true;
    s->measure = measure;
    snprintf(s->why, sizeof s->why, "%s", why);
}

/* The invalid reply and what was wrong with it go back. */
static void repair(const params *p, qn_ctx *cx, const qn_row *r, qn_turn *t, talk_state *st, size_t k, const qn_reply *reply, const char *why)
{
    sample *s = &st->all[k];
    if (s->tries >= p->repair) {
        char text[200];
        snprintf(text, sizeof text, "%s", why);
        give_up(s, "invalid", text);
        return;
    }
    qn_buf more = {0};
    bool first = false;
    put_message(&more, "assistant", reply->text, &first);
    qn_str complaint = qn_arena_printf(cx->scratch, "That reply does not have the shape that was asked for: %s. Reply again, with the corrected JSON alone.", why);
    put_message(&more, "user", complaint, &first);
    s->tries++;
    ask_for(p, cx, r, t, st, k, qn_buf_view(&more));
    qn_buf_free(&more);
}

static void take(const params *p, qn_ctx *cx, const qn_row *r, qn_turn *t, talk_state *st, size_t k, size_t i)
{
    const qn_reply *reply = &t->replies[i];
    sample *s = &st->all[k];
    qn_err bad = {0};
    s->reply = i;
    if (reply->status == QN_REPLY_REFUSED) { give_up(s, "refused", reply->text.n ? "by the model" : "by a content filter"); return; }
    if (reply->status == QN_REPLY_CUT && !p->keep_cut) { give_up(s, "cut", "the reply was cut by max_tokens"); return; }
    if (p->schema) {
        qn_buf why = {0};
        if (qn_reply_json(reply->text, p->schema, t->arena, &s->value, NULL, &bad) != QN_OK) repair(p, cx, r, t, st, k, reply, bad.msg);
        else if (!qn_schema_fits(p->schema, s->value, &why)) repair(p, cx, r, t, st, k, reply, why.p ? why.p : "wrong shape");
        else s->done = s->ok = true;
        qn_buf_free(&why);
        return;
    }
    s->done = s->ok = true;
}

/* ---- the row ---- */
static void set_fields(const params *p, const qn_turn *t, const sample *s, qn_row *r)
{
    const qn_reply *reply = &t->replies[s->reply];
    qn_str name;
    qn_value v;
    if (p->schema) {
        qn_v_iter it = qn_v_iter_of(s->value);
        while (qn_v_next(&it, &name, &v)) qn_row_set(r, name, v);
    } else {
        qn_row_set(r, p->as, qn_v_text(reply->text));
    }
    if (p->by.n) qn_row_set(r, p->by, qn_v_text(qn_str_of(p->model->name)));
    if (reply->thinking.n) qn_row_set(r, p->thinking, qn_v_text(reply->thinking));
    if (p->tools.kind == QN_V_LIST) qn_row_set(r, QN_STR("tool_calls"), reply->tool_calls);
    if (p->logprobs) qn_row_set(r, QN_STR("logprobs"), reply->logprobs);
}

static qn_code leave(const params *p, const qn_turn *t, const talk_state *st, qn_row *r, qn_emit *em, qn_err *e)
{
    if (p->samples == 1) {
        const sample *s = &st->all[0];
        if (s->ok) { set_fields(p, t, s, r); qn_emit_row(em, r); return QN_OK; }
        if (strcmp(s->measure, "invalid") == 0) return qn_fail(e, QN_EDATA, "the reply is invalid after %lld tries: %s", (long long)s->tries + 1, s->why);
        qn_emit_reject(em, r, qn_reject_fact(s->measure, "%s", s->why));
        return QN_OK;
    }
    for (int64_t k = 0; k < p->samples; k++) {
        qn_row *c = qn_emit_child(em, r);
        qn_row_set_int(c, "sample", k + 1);
        if (st->all[k].ok) {
            set_fields(p, t, &st->all[k], c);
            qn_emit_row(em, c);
        } else {
            qn_emit_reject(em, c, qn_reject_fact(st->all[k].measure, "%s", st->all[k].why));
        }
    }
    return QN_OK;
}

static qn_code turn(qn_ctx *cx, const void *vp, void *state, qn_row *r, qn_turn *t, qn_emit *em, qn_err *e)
{
    const params *p = vp;
    talk_state *st = t->state;
    (void)state;
    if (!st) return first_turn(p, cx, r, t, e);
    size_t before = st->n_asked;
    for (size_t i = 0; i < before; i++) {
        sample *s = &st->all[st->asked[i]];
        bool seen = s->done || (s->reply > i && s->tries > 0);
        bool newest = true;
        for (size_t j = i + 1; j < before; j++) newest = newest && st->asked[j] != st->asked[i];
        if (!seen && newest) take(p, cx, r, t, st, st->asked[i], i);
    }
    return st->n_asked > before ? QN_OK : leave(p, t, st, r, em, e);
}

const qn_op qn_op_ask = {
    .name = "ask", .version = 1, .stage = QN_GENERATE, .flags = QN_OP_NEEDS_MODEL,
    .brief = "ask a model about each row",
    .about = "In a recipe `without: OPERATOR` names what does this step when its role is `builtin`.",
    .params = PARAMS, .params_size = sizeof(params), .examples = EXAMPLES, .check = check, .turn = turn,
};
