/* reply: the recorded form of a reply. Compact JSON; keys that hold nothing are left out. */
#include "model/openai.h"

static const char *const STATUS[] = { "ok", "refused", "cut", "failed" };

static void put_text(qn_buf *b, const char *key, qn_str s)
{
    if (s.n == 0) return;
    qn_buf_putc(b, ',');
    qn_buf_puts(b, key);
    qn_json_write_text(b, s);
}

static void put_value(qn_buf *b, const char *key, qn_value v)
{
    if (v.kind == QN_V_NULL) return;
    qn_buf_putc(b, ',');
    qn_buf_puts(b, key);
    qn_json_write(b, v);
}

static void put_int(qn_buf *b, const char *key, int64_t v)
{
    char t[24];
    int i = 24;
    uint64_t u = v < 0 ? 0 : (uint64_t)v;
    do t[--i] = (char)('0' + u % 10); while (u /= 10);
    qn_buf_puts(b, key);
    qn_buf_put(b, t + i, (size_t)(24 - i));
}

/* A page that is no text: a PDF, an archive. */
static void put_base64(qn_buf *b, qn_str s)
{
    qn_buf_puts(b, ",\"base64\":\"");
    qn_base64_put(b, s);
    qn_buf_putc(b, '"');
}

void qn_reply_encode(const qn_reply *r, qn_buf *out)
{
    put_int(out, "{\"prompt_tokens\":", r->prompt_tokens);
    put_int(out, ",\"completion_tokens\":", r->completion_tokens);
    if (r->tokens_estimated) qn_buf_puts(out, ",\"estimated\":true");
    if (r->status != QN_REPLY_OK) put_text(out, "\"status\":", qn_str_of(STATUS[r->status]));
    if (!qn_str_is(r->finish, "stop")) put_text(out, "\"finish\":", r->finish);
    if (r->http && r->http != 200) put_int(out, ",\"http\":", r->http);
    if (qn_utf8_valid(r->text)) put_text(out, "\"text\":", r->text);
    else put_base64(out, r->text);
    put_text(out, "\"type\":", r->content_type);
    put_text(out, "\"location\":", r->location);
    put_text(out, "\"thinking\":", r->thinking);
    put_value(out, "\"tool_calls\":", r->tool_calls);
    put_value(out, "\"logprobs\":", r->logprobs);
    put_value(out, "\"embeddings\":", r->embeddings);
    qn_buf_putc(out, '}');
}

qn_reply qn_reply_copy(qn_arena *a, const qn_reply *r)
{
    qn_reply to = *r;
    to.text = qn_arena_str(a, r->text);
    to.thinking = qn_arena_str(a, r->thinking);
    to.finish = qn_arena_str(a, r->finish);
    to.content_type = qn_arena_str(a, r->content_type);
    to.location = qn_arena_str(a, r->location);
    to.error = qn_arena_str(a, r->error);
    to.tool_calls = qn_v_copy(a, r->tool_calls);
    to.logprobs = qn_v_copy(a, r->logprobs);
    to.embeddings = qn_v_copy(a, r->embeddings);
    return to;
}

static qn_str text_at(qn_value o, const char *key)
{
    qn_value v;
    return qn_v_get(o, qn_str_of(key), &v) ? qn_v_str(v) : (qn_str){ "", 0 };
}

static qn_value value_at(qn_value o, const char *key)
{
    qn_value v;
    return qn_v_get(o, qn_str_of(key), &v) ? v : qn_v_null();
}

qn_code qn_reply_decode(qn_str recorded, const qn_ask *ask, qn_arena *a, qn_reply *out, qn_err *e)
{
    qn_value o;
    QN_TRY(qn_json_parse(recorded, a, &o, e));
    if (o.kind != QN_V_OBJECT) return qn_fail(e, QN_ELEDGER, "a recorded reply is not an object");
    qn_str status = text_at(o, "status"), finish = text_at(o, "finish");
    *out = (qn_reply){ .status = QN_REPLY_OK, .http = 200, .replayed = true };
    for (int i = 0; i < 4; i++) if (qn_str_is(status, STATUS[i])) out->status = (qn_reply_status)i;
    int64_t http = (int64_t)qn_v_number(value_at(o, "http"));
    if (http) out->http = (int)http;
    out->text = text_at(o, "text");
    qn_str packed = text_at(o, "base64");
    if (packed.n) {
        qn_buf raw = {0};
        bool ok = qn_base64_get(packed, &raw);
        out->text = qn_arena_str(a, qn_buf_view(&raw));
        qn_buf_free(&raw);
        if (!ok) return qn_fail(e, QN_ELEDGER, "a recorded page is no base64");
    }
    out->content_type = text_at(o, "type");
    out->location = text_at(o, "location");
    out->thinking = text_at(o, "thinking");
    out->finish = finish.n ? finish : QN_STR("stop");
    out->tool_calls = value_at(o, "tool_calls");
    out->logprobs = value_at(o, "logprobs");
    out->embeddings = value_at(o, "embeddings");
    out->prompt_tokens = (int64_t)qn_v_number(value_at(o, "prompt_tokens"));
    out->completion_tokens = (int64_t)qn_v_number(value_at(o, "completion_tokens"));
    out->tokens_estimated = value_at(o, "estimated").kind == QN_V_BOOL;
    if (ask->kind == QN_ASK_EMBED && out->embeddings.kind != QN_V_LIST) return qn_fail(e, QN_ELEDGER, "a recorded reply has no embeddings");
    qn_reply_count(ask, out);
    return QN_OK;
}
