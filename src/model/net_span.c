/* net_span: questions to a reader. See net_span.h. */
#include "model/net_span.h"
#include <math.h>

typedef struct { qn_str question, *passages; size_t n_passages, k; double temperature; int longest; bool plain; } question;

static double number_of(qn_value body, const char *key, double missing)
{
    qn_value v;
    return qn_v_get(body, qn_str_of(key), &v) && qn_v_is_number(v) ? qn_v_number(v) : missing;
}

/* The next piece of a text cut at empty lines; {NULL, 0} at its end. */
static qn_str next_piece(qn_str *rest)
{
    for (;;) {
        *rest = qn_str_trim(*rest);
        if (!rest->n) return (qn_str){ 0 };
        ptrdiff_t at = qn_str_find(*rest, QN_STR("\n\n"));
        qn_str piece = at < 0 ? *rest : qn_str_sub(*rest, 0, (size_t)at);
        *rest = at < 0 ? (qn_str){ 0 } : qn_str_sub(*rest, (size_t)at + 2, rest->n);
        if (qn_str_trim(piece).n) return qn_str_trim(piece);
    }
}

static qn_code from_message(qn_value body, qn_arena *a, question *q, qn_err *e)
{
    qn_value list, m, content = qn_v_null();
    if (!qn_v_get(body, QN_STR("messages"), &list) || list.kind != QN_V_LIST || !list.n) return qn_fail(e, QN_EDATA, "the request has no messages");
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, NULL, &m);) qn_v_get(m, QN_STR("content"), &content);
    if (content.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "the last message is no text");
    qn_str rest = qn_v_str(content), piece;
    q->question = next_piece(&rest);
    q->passages = QN_ARENA_NEW_N(a, qn_str, rest.n / 2 + 2);
    while ((piece = next_piece(&rest)).n) q->passages[q->n_passages++] = piece;
    if (!q->n_passages) return qn_fail(e, QN_EDATA, "a reader is asked with the question, an empty line, and passages with empty lines between: there are no passages");
    q->k = 1;
    q->plain = true;
    return QN_OK;
}

static qn_code from_fields(qn_value body, qn_arena *a, question *q, qn_err *e)
{
    qn_value v, list, one;
    if (!qn_v_get(body, QN_STR("question"), &v) || v.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "the request has no question");
    q->question = qn_v_str(v);
    if (!qn_v_get(body, QN_STR("passages"), &list) || list.kind != QN_V_LIST || !list.n) return qn_fail(e, QN_EDATA, "the request has no passages");
    q->passages = QN_ARENA_NEW_N(a, qn_str, list.n);
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, NULL, &one);) {
        if (one.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "passage %zu is no text", q->n_passages + 1);
        q->passages[q->n_passages++] = qn_v_str(one);
    }
    q->k = (size_t)number_of(body, "span", 1);
    return q->k >= 1 && q->k <= 1000 ? QN_OK : qn_fail(e, QN_EDATA, "%zu answers are asked for: 1 to 1000 can be given", q->k);
}

static void put_answers(const qn_encoder *enc, const question *q, const qn_span *all, size_t n, qn_buf *b)
{
    qn_buf_putc(b, '[');
    for (size_t i = 0; i < n; i++) {
        qn_buf_puts(b, i ? ",{\"answer\":" : "{\"answer\":");
        qn_json_write_text(b, qn_span_text(enc, q->passages, &all[i]));
        qn_buf_puts(b, ",\"score\":");
        qn_json_write(b, qn_v_real(round(all[i].p * 1e6) / 1e6));
        if (all[i].passage < 0) qn_buf_puts(b, ",\"passage\":null,\"start\":null}");
        else qn_buf_printf(b, ",\"passage\":%d,\"start\":%zu}", all[i].passage, all[i].from);
    }
    qn_buf_putc(b, ']');
}

static qn_code answer(qn_encoder *enc, qn_call *c, const question *q, qn_err *e)
{
    qn_reading r;
    qn_buf b = { 0 };
    size_t n = 0;
    QN_TRY(qn_reading_lay(enc, q->question, q->passages, q->n_passages, &r, e));
    qn_span *all = QN_ARENA_NEW_N(&c->arena, qn_span, q->k);
    qn_code rc = qn_encoder_answer(enc, &r, q->passages, q->k, q->longest, q->temperature, qn_ask_key(&c->ask).lo, all, &n, e);
    int64_t n_tokens = (int64_t)r.ids.n;
    qn_reading_free(&r);
    QN_TRY(rc);
    if (q->plain && n) qn_buf_str(&b, qn_span_text(enc, q->passages, &all[0]));
    else put_answers(enc, q, all, n, &b);
    c->reply = (qn_reply){ .status = QN_REPLY_OK, .http = 200, .text = qn_arena_str(&c->arena, qn_buf_view(&b)), .finish = QN_STR("stop"), .prompt_tokens = n_tokens, .attempts = 1 };
    qn_buf_free(&b);
    return QN_OK;
}

bool qn_net_span(qn_encoder *enc, qn_call *c)
{
    qn_value body, v;
    qn_err e = { 0 };
    question q = { 0 };
    if (!qn_encoder_reads(enc) || c->ask.kind != QN_ASK_CHAT) return false;
    qn_code rc = qn_json_parse(c->ask.body, &c->arena, &body, &e);
    if (rc == QN_OK) rc = qn_v_get(body, QN_STR("span"), &v) ? from_fields(body, &c->arena, &q, &e) : from_message(body, &c->arena, &q, &e);
    if (rc == QN_OK) {
        double longest = number_of(body, "max_tokens", QN_SPAN_TOKENS);
        q.longest = longest < 1 || longest > QN_SPAN_TOKENS ? QN_SPAN_TOKENS : (int)longest;
        q.temperature = number_of(body, "temperature", 0);
        rc = answer(enc, c, &q, &e);
    }
    if (rc != QN_OK) c->reply = (qn_reply){ .status = QN_REPLY_FAILED, .error = qn_arena_str(&c->arena, qn_str_of(e.msg)) };
    return true;
}
