/* asking: what the curating operators that ask a model share: questions, each with its repairs, their replies checked against a shape.
 *
 *   qn_talks_ask(...) once for each question in the first turn
 *   qn_talks_take(...) in each later turn: takes the new replies, sends invalid ones back; true when a question is still open
 *
 * A question is a request's head ({"messages":[...] without its end), so that a repair adds two messages behind it. */
#ifndef QN_OPS_CURATE_ASKING_H
#define QN_OPS_CURATE_ASKING_H
#include "ops/op.h"
#include "recipe/schema.h"
#include <stdio.h>

typedef struct qn_asking {          /* the same for every row of a step: made by check */
    qn_schema *schema;              /* NULL: the reply is text */
    qn_str     shape_words, tail;
    double     temperature;
    int64_t    max_tokens, repair;
    bool     (*fits)(const void *arg, qn_value v, qn_buf *why);     /* what the shape cannot say; NULL: nothing more. `arg` is the talk's */
} qn_asking;

typedef struct qn_talk {
    const qn_model *model;
    qn_str      head;
    const void *arg;                /* for qn_asking.fits */
    int64_t     tries;              /* repairs so far */
    size_t      reply;              /* index of the reply that counts */
    bool        done, ok;
    const char *measure;            /* of what is not ok: "refused", "cut", "invalid" */
    char        why[160];
    qn_value    value;              /* with a schema: what the reply holds; lives as long as the turn */
} qn_talk;

typedef struct qn_talks {
    qn_talk *all;
    size_t   n;
    size_t  *asked;                 /* asked[i]: the talk whose reply is the i-th */
    size_t   n_asked, n_taken;
    size_t   first;                 /* replies of the turn that belong to talks before these */
} qn_talks;

static inline void qn_asking_prepare(qn_arena *a, qn_asking *k)
{
    qn_buf b = {0};
    qn_buf_printf(&b, ",\"max_tokens\":%lld,\"temperature\":", (long long)k->max_tokens);
    qn_json_write(&b, qn_v_real(k->temperature));
    if (k->schema) {
        qn_buf words = {0};
        qn_buf_puts(&b, ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"reply\",\"strict\":true,\"schema\":");
        qn_json_write(&b, qn_schema_json(k->schema));
        qn_buf_puts(&b, "}}");
        qn_schema_words(k->schema, &words);
        k->shape_words = qn_arena_str(a, qn_buf_view(&words));
        qn_buf_free(&words);
    }
    k->tail = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
}

static inline void qn_asking_message(qn_buf *b, const char *role, qn_str text)
{
    qn_buf_printf(b, "%s{\"role\":\"%s\",\"content\":", b->n && b->p[b->n - 1] == '}' ? "," : "", role);
    qn_json_write_text(b, text);
    qn_buf_putc(b, '}');
}

/* A request's head: a system message (may be empty) and the user's, with the shape in words behind it. */
static inline qn_str qn_asking_head(const qn_asking *k, qn_arena *a, qn_str system, qn_str user)
{
    qn_buf b = {0}, u = {0};
    qn_buf_puts(&b, "{\"messages\":[");
    if (system.n) qn_asking_message(&b, "system", system);
    qn_buf_str(&u, user);
    if (k->schema) {
        qn_buf_puts(&u, "\n\n");
        qn_buf_str(&u, k->shape_words);
    }
    qn_asking_message(&b, "user", qn_buf_view(&u));
    qn_str head = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&u);
    qn_buf_free(&b);
    return head;
}

static inline qn_code qn_asking_fill(const qn_template *t, qn_ctx *cx, const qn_row *r, qn_str *out, qn_err *e)
{
    qn_buf b = {0};
    *out = (qn_str){ "", 0 };
    if (!t) return QN_OK;
    qn_code rc = qn_template_fill(t, r, cx->scratch, &b, e);
    if (rc == QN_OK) *out = qn_arena_str(cx->scratch, qn_buf_view(&b));
    qn_buf_free(&b);
    return rc;
}

/* Asks talk i of s, with `more` messages behind its head ("" or ",{...}"). */
static inline void qn_talks_ask(const qn_asking *k, qn_ctx *cx, const qn_row *r, qn_turn *t, qn_talks *s, size_t i, qn_str more)
{
    qn_buf b = {0};
    char id[33], draw[96] = "";
    qn_buf_str(&b, s->all[i].head);
    qn_buf_str(&b, more);
    qn_buf_putc(&b, ']');
    qn_buf_str(&b, k->tail);
    qn_buf_putc(&b, '}');
    qn_row_id_text(r, id);
    if (k->temperature > 0)
        snprintf(draw, sizeof draw, "%s/%.*s/%zu/%lld", id, (int)(cx->step.n < 24 ? cx->step.n : 24), cx->step.p, i, (long long)s->all[i].tries);
    qn_ask ask = { .kind = QN_ASK_CHAT, .model = s->all[i].model, .body = qn_buf_view(&b), .draw = qn_str_of(draw), .max_tokens = (int)k->max_tokens };
    size_t *bigger = qn_arena_alloc(t->arena, (s->n_asked + 1) * sizeof *bigger);
    if (s->n_asked) memcpy(bigger, s->asked, s->n_asked * sizeof *bigger);
    bigger[s->n_asked++] = i;
    s->asked = bigger;
    qn_turn_ask(t, &ask);
    qn_buf_free(&b);
}

static inline void qn_talk_give_up(qn_talk *k, const char *measure, const char *why)
{
    k->done = true;
    k->measure = measure;
    snprintf(k->why, sizeof k->why, "%.159s", why);
}

static inline void qn_talks_repair(const qn_asking *k, qn_ctx *cx, const qn_row *r, qn_turn *t, qn_talks *s, size_t i, const qn_reply *reply, const char *why)
{
    qn_buf more = {0};
    if (s->all[i].tries >= k->repair) { qn_talk_give_up(&s->all[i], "invalid", why); return; }
    qn_buf_puts(&more, ",");
    qn_asking_message(&more, "assistant", reply->text);
    qn_asking_message(&more, "user", qn_arena_printf(cx->scratch, "This reply cannot be read: %s. Send the whole reply again, put right, as JSON and nothing else.", why));
    s->all[i].tries++;
    qn_talks_ask(k, cx, r, t, s, i, qn_buf_view(&more));
    qn_buf_free(&more);
}

static inline void qn_talks_take_one(const qn_asking *k, qn_ctx *cx, const qn_row *r, qn_turn *t, qn_talks *s, size_t at)
{
    const qn_reply *reply = &t->replies[s->first + at];
    size_t i = s->asked[at];
    qn_talk *talk = &s->all[i];
    qn_err bad = {0};
    talk->reply = s->first + at;
    if (reply->status == QN_REPLY_REFUSED) { qn_talk_give_up(talk, "refused", reply->text.n ? "by the model" : "by a content filter"); return; }
    if (reply->status == QN_REPLY_CUT) { qn_talk_give_up(talk, "cut", "the reply was cut by max_tokens"); return; }
    if (k->schema) {
        qn_buf why = {0};
        bool read = qn_reply_json(reply->text, k->schema, t->arena, &talk->value, NULL, &bad) == QN_OK;
        if (!read || !qn_schema_fits(k->schema, talk->value, &why) || (k->fits && !k->fits(talk->arg, talk->value, &why))) {
            qn_talks_repair(k, cx, r, t, s, i, reply, !read ? bad.msg : why.p ? why.p : "it has another shape");
            qn_buf_free(&why);
            return;
        }
        qn_buf_free(&why);
    }
    talk->done = talk->ok = true;
}

static inline bool qn_talks_take(const qn_asking *k, qn_ctx *cx, const qn_row *r, qn_turn *t, qn_talks *s)
{
    size_t before = s->n_asked;
    for (size_t at = s->n_taken; at < before; at++) qn_talks_take_one(k, cx, r, t, s, at);
    s->n_taken = before;
    return s->n_asked > before;
}
#endif
