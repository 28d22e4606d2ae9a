/* chat: layouts of conversations, written out by hand for the formats that are met most. */
#include "nn/chat.h"
#include "core/file.h"
#include "core/mem.h"
#include "nn/config_json.h"

static const char PLAIN_TEMPLATE[] =
    "{% for m in messages %}{% if m['role'] == 'assistant' %}" QN_CHAT_REPLY "{{ m['content'] }}" QN_CHAT_END
    "{% else %}{% if not loop.first and messages[loop.index0 - 1]['role'] != 'assistant' %}{{ '\\n' }}{% endif %}{{ m['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}" QN_CHAT_REPLY "{% endif %}";

/* ---- which format ---- */
static qn_code need(const qn_tokenizer *t, const char *mark, int32_t *id, qn_err *e)
{
    *id = qn_tokenizer_id(t, mark);
    return *id >= 0 ? QN_OK : qn_fail(e, QN_EDATA, "the chat template writes %s, which the tokenizer does not know", mark);
}

static bool read_template(const char *dir, qn_buf *out)
{
    yyjson_doc *doc;
    qn_err e = { 0 };
    char *jinja = qn_path_join(dir, "chat_template.jinja");
    bool found = qn_file_exists(jinja) && qn_file_read(jinja, 1 << 20, out, &e) == QN_OK;
    qn_free(jinja);
    char *config = qn_path_join(dir, "tokenizer_config.json");
    if (!found && qn_file_exists(config) && qn_json_open(&doc, dir, "tokenizer_config.json", &e) == QN_OK) {
        yyjson_val *v = yyjson_obj_get(yyjson_doc_get_root(doc), "chat_template");
        found = yyjson_is_str(v);
        if (found) qn_buf_puts(out, yyjson_get_str(v));
        yyjson_doc_free(doc);
    }
    qn_free(config);
    return found;
}

qn_code qn_chat_plain(qn_chat *c, const qn_tokenizer *t, qn_err *e)
{
    int32_t reply;
    *c = (qn_chat){ .format = QN_CHAT_PLAIN, .known = true, .begin = -1 };
    QN_TRY(need(t, QN_CHAT_REPLY, &reply, e));
    return need(t, QN_CHAT_END, &c->end, e);
}

static bool has(const qn_buf *b, const char *mark) { return qn_str_find(qn_buf_view(b), qn_str_of(mark)) >= 0; }

qn_code qn_chat_open(qn_chat *c, const char *dir, const qn_tokenizer *t, int32_t bos, int32_t eos, qn_err *e)
{
    qn_buf b = { 0 };
    int32_t id;
    qn_code rc = QN_OK;
    bool there = read_template(dir, &b);
    *c = (qn_chat){ .format = QN_CHAT_TEXT, .known = !there, .begin = bos, .end = eos };
    if (there && has(&b, QN_CHAT_REPLY) && has(&b, QN_CHAT_END)) rc = qn_chat_plain(c, t, e);
    else if (there && has(&b, "<|im_start|>")) {
        *c = (qn_chat){ .format = QN_CHAT_CHATML, .known = true, .begin = -1 };
        rc = need(t, "<|im_start|>", &id, e);
        if (rc == QN_OK) rc = need(t, "<|im_end|>", &c->end, e);
    } else if (there && has(&b, "<|start_header_id|>")) {
        *c = (qn_chat){ .format = QN_CHAT_LLAMA3, .known = true, .begin = bos };
        rc = need(t, "<|start_header_id|>", &id, e);
        if (rc == QN_OK) rc = need(t, "<|end_header_id|>", &id, e);
        if (rc == QN_OK) rc = need(t, "<|eot_id|>", &c->end, e);
    }
    qn_buf_free(&b);
    if (rc == QN_OK && c->format == QN_CHAT_TEXT && eos < 0) rc = qn_fail(e, QN_EDATA, "the model of %s has neither a chat template that is known nor an end of text", dir);
    return rc;
}

/* ---- laying out ---- */
typedef struct { qn_tokenizer *t; qn_ids *ids; qn_weights *w; qn_buf text; qn_code rc; qn_err *e; } writer;

static void weigh(writer *k, float w)
{
    while (k->w && k->w->n < k->ids->n) {
        QN_GROW(k->w->p, k->w->n, k->w->cap);
        k->w->p[k->w->n++] = w;
    }
}

static void mark(writer *k, const char *token, float w)
{
    qn_ids_put(k->ids, qn_tokenizer_id(k->t, token));
    weigh(k, w);
}

/* The text gathered so far, as tokens. */
static void flush(writer *k, float w)
{
    if (k->rc == QN_OK && k->text.n) k->rc = qn_tokenizer_encode(k->t, qn_buf_view(&k->text), QN_TOKENS_PLAIN, k->ids, k->e);
    qn_buf_clear(&k->text);
    weigh(k, w);
}

static void put_plain(writer *k, const qn_message *m, size_t n, bool reply)
{
    for (size_t i = 0; i < n; i++) {
        if (!qn_str_is(m[i].role, "assistant")) {
            if (k->text.n) qn_buf_putc(&k->text, '\n');
            qn_buf_str(&k->text, m[i].content);
            continue;
        }
        flush(k, 0);
        mark(k, QN_CHAT_REPLY, 0);
        qn_buf_str(&k->text, m[i].content);
        flush(k, 1);
        mark(k, QN_CHAT_END, 1);
    }
    flush(k, 0);
    if (reply) mark(k, QN_CHAT_REPLY, 0);
}

static void put_chatml(writer *k, const qn_message *m, size_t n, bool reply)
{
    for (size_t i = 0; i < n; i++) {
        float w = qn_str_is(m[i].role, "assistant");
        mark(k, "<|im_start|>", 0);
        qn_buf_printf(&k->text, "%.*s\n", QN_FMT(m[i].role));
        if (w > 0) flush(k, 0);                 /* the reply's first word is a token of its own, as when it is generated */
        qn_buf_str(&k->text, m[i].content);
        flush(k, w);
        mark(k, "<|im_end|>", w);
        qn_buf_putc(&k->text, '\n');
        flush(k, 0);
    }
    if (!reply) return;
    mark(k, "<|im_start|>", 0);
    qn_buf_puts(&k->text, "assistant\n");
    flush(k, 0);
}

static void put_llama3(writer *k, const qn_message *m, size_t n, bool reply)
{
    for (size_t i = 0; i < n + reply; i++) {
        bool last = i == n;
        float w = !last && qn_str_is(m[i].role, "assistant");
        mark(k, "<|start_header_id|>", 0);
        qn_buf_str(&k->text, last ? QN_STR("assistant") : m[i].role);
        flush(k, 0);
        mark(k, "<|end_header_id|>", 0);
        qn_buf_puts(&k->text, "\n\n");
        if (w > 0 || last) flush(k, 0);
        if (last) return;
        qn_buf_str(&k->text, qn_str_trim(m[i].content));
        flush(k, w);
        mark(k, "<|eot_id|>", w);
    }
}

static void put_text(writer *k, const qn_chat *c, const qn_message *m, size_t n, bool reply)
{
    for (size_t i = 0; i < n; i++) {
        if (!qn_str_is(m[i].role, "assistant")) {
            qn_buf_str(&k->text, m[i].content);
            qn_buf_puts(&k->text, "\n\n");
            continue;
        }
        flush(k, 0);
        qn_buf_str(&k->text, m[i].content);
        flush(k, 1);
        qn_ids_put(k->ids, c->end);
        weigh(k, 1);
    }
    flush(k, 0);
    (void)reply;
}

qn_code qn_chat_put(const qn_chat *c, qn_tokenizer *t, const qn_message *m, size_t n, bool reply, qn_ids *ids, qn_weights *w, qn_err *e)
{
    writer k = { .t = t, .ids = ids, .w = w, .e = e };
    if (c->begin >= 0) { qn_ids_put(ids, c->begin); weigh(&k, 0); }
    switch (c->format) {
    case QN_CHAT_PLAIN:  put_plain(&k, m, n, reply); break;
    case QN_CHAT_CHATML: put_chatml(&k, m, n, reply); break;
    case QN_CHAT_LLAMA3: put_llama3(&k, m, n, reply); break;
    case QN_CHAT_TEXT:   put_text(&k, c, m, n, reply); break;
    }
    qn_buf_free(&k.text);
    return k.rc;
}

qn_code qn_chat_save_plain(const char *dir, qn_err *e)
{
    yyjson_mut_doc *d = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *o = yyjson_mut_obj(d);
    yyjson_mut_doc_set_root(d, o);
    yyjson_mut_obj_add_str(d, o, "tokenizer_class", "PreTrainedTokenizerFast");
    yyjson_mut_obj_add_bool(d, o, "clean_up_tokenization_spaces", false);
    yyjson_mut_obj_add_str(d, o, "eos_token", QN_CHAT_END);
    yyjson_mut_obj_add_str(d, o, "pad_token", QN_CHAT_END);
    yyjson_mut_obj_add_str(d, o, "chat_template", PLAIN_TEMPLATE);
    return qn_json_save(d, dir, "tokenizer_config.json", e);
}
