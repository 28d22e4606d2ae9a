/* net: requests to a folder of weights. See net.h. */
#include "model/net.h"
#include "model/net_span.h"
#include "core/file.h"
#include "core/log.h"
#include "core/thread.h"
#include "io/encoding.h"
#include "nn/chat.h"
#include "nn/decoder.h"
#include "nn/encoder.h"
#include <math.h>
#include <stdio.h>

enum { BATCH = 256 };

struct qn_net {
    char    *folder;
    int      n_threads;
    bool     bf16;
    void   (*done)(void *, qn_call *);
    void    *arg;
    pthread_mutex_t lock;       /* guards the four below */
    pthread_cond_t  some;
    qn_call *first, **last;
    bool     stopped, quit;
    qn_thread *thread;
    /* the thread's own */
    bool     opened;
    qn_decoder *dec;
    qn_encoder *enc;
    qn_tokenizer *tok;
    qn_chat  chat;
    qn_err   err;               /* why it could not be opened */
};

/* ---- what a folder is ---- */
static qn_code hash_weights(void *arg, const char *file, qn_err *e)
{
    static _Thread_local char piece[1 << 16];
    qn_str name = qn_path_base(qn_str_of(file));
    FILE *f = fopen(file, "rb");
    if (!f) return qn_fail(e, QN_EIO, "cannot read %s", file);
    qn_hasher_add(arg, name.p, name.n);
    for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;) qn_hasher_add(arg, piece, n);
    bool bad = ferror(f) != 0;
    fclose(f);
    return bad ? qn_fail(e, QN_EIO, "cannot read %s", file) : QN_OK;
}

qn_code qn_model_settle(qn_model *m, qn_err *e)
{
    static const char *const names[] = { "config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "*.safetensors" };
    qn_hasher *h = qn_hasher_new();
    char hex[33];
    size_t found = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = qn_path_join(m->folder, names[i]);
        bool all = i + 1 == sizeof names / sizeof *names;       /* one file or its shards */
        qn_err none = { 0 };
        if ((all || qn_file_exists(path)) && qn_files_each(path, hash_weights, h, &none) == QN_OK) found += i == 0 || all;
        qn_free(path);
    }
    qn_hash_hex(qn_hasher_end(h), hex);
    if (found < 2) {
        qn_fail(e, QN_EUSAGE, "the folder %s holds no model: config.json or *.safetensors is not there", m->folder);
        qn_hint(e, "a model's folder has config.json, model.safetensors (or its shards) and tokenizer.json");
        return QN_EUSAGE;
    }
    snprintf(m->content, sizeof m->content, "folder %s%s", hex, m->bf16 ? " bf16" : "");
    m->identity = m->content;
    return QN_OK;
}

/* ---- opening ---- */
static qn_code open_decoder(qn_net *n, qn_err *e)
{
    QN_TRY(qn_decoder_open(&n->dec, n->folder, e));
    QN_TRY(qn_tokenizer_open(&n->tok, n->folder, e));
    qn_decoder_threads(n->dec, n->n_threads);
    qn_decoder_bf16(n->dec, n->bf16);
    const qn_decoder_config *c = qn_decoder_cfg(n->dec);
    QN_TRY(qn_chat_open(&n->chat, n->folder, n->tok, c->bos, c->n_eos ? c->eos[0] : -1, e));
    if (!n->chat.known) qn_log(QN_WARN, "chat_template", "the chat template of %s is of a form that is not known: prompts are given as plain text", n->folder);
    return QN_OK;
}

static void open_model(qn_net *n)
{
    qn_decoder_config c;
    qn_err not_a_decoder = { 0 };
    n->opened = true;
    qn_code rc = qn_decoder_config_read(&c, n->folder, &not_a_decoder);
    if (rc == QN_OK) rc = open_decoder(n, &n->err);
    else if (qn_encoder_open(&n->enc, n->folder, &n->err) == QN_OK) { rc = QN_OK; qn_encoder_threads(n->enc, n->n_threads); qn_encoder_bf16(n->enc, n->bf16); }
    else n->err = not_a_decoder;
    if (rc == QN_OK) n->err.code = QN_OK;
    else if (n->err.code == QN_OK) n->err.code = rc;
}

/* ---- one request ---- */
typedef struct {
    qn_call *call;
    qn_ids   ids;
    qn_value body;
    double   temperature, top_p;
    int      max_tokens;
    bool     bad;
} asked;

static void fail(qn_call *c, const char *why)
{
    c->reply = (qn_reply){ .status = QN_REPLY_FAILED, .error = qn_arena_str(&c->arena, qn_str_of(why)) };
}

static double number_of(qn_value body, const char *key, double missing)
{
    qn_value v;
    return qn_v_get(body, qn_str_of(key), &v) && qn_v_is_number(v) ? qn_v_number(v) : missing;
}

static qn_code chat_ids(qn_net *n, qn_call *c, qn_value body, qn_ids *ids, qn_err *e)
{
    qn_value list, m, role, content;
    if (!qn_v_get(body, QN_STR("messages"), &list) || list.kind != QN_V_LIST) return qn_fail(e, QN_EDATA, "the request has no messages");
    qn_message *all = QN_ARENA_NEW_N(&c->arena, qn_message, list.n + 1);
    size_t k = 0;
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, NULL, &m);) {
        qn_v_get(m, QN_STR("role"), &role);
        qn_v_get(m, QN_STR("content"), &content);
        all[k++] = (qn_message){ qn_v_str(role), qn_v_str(content) };
    }
    return qn_chat_put(&n->chat, n->tok, all, k, true, ids, NULL, e);
}

static qn_code prompt_ids(qn_net *n, qn_value body, qn_ids *ids, qn_err *e)
{
    qn_value v;
    if (!qn_v_get(body, QN_STR("prompt"), &v) || v.kind != QN_V_TEXT) return qn_fail(e, QN_EDATA, "the request has no prompt");
    return qn_tokenizer_encode(n->tok, qn_v_str(v), QN_TOKENS_FRAME | QN_TOKENS_PLAIN, ids, e);
}

static void read_request(qn_net *n, qn_call *c, asked *a)
{
    qn_err e = { 0 };
    *a = (asked){ .call = c };
    qn_code rc = qn_json_parse(c->ask.body, &c->arena, &a->body, &e);
    if (rc == QN_OK && !n->dec) rc = qn_fail(&e, QN_EMODEL, "the model of %s embeds texts and cannot write", n->folder);
    if (rc == QN_OK) rc = c->ask.kind == QN_ASK_CHAT ? chat_ids(n, c, a->body, &a->ids, &e) : prompt_ids(n, a->body, &a->ids, &e);
    int max_pos = rc == QN_OK ? qn_decoder_cfg(n->dec)->max_pos : 0;
    if (rc == QN_OK && a->ids.n == 0) rc = qn_fail(&e, QN_EDATA, "the prompt is empty");
    if (rc == QN_OK && a->ids.n >= (size_t)max_pos) rc = qn_fail(&e, QN_ELIMIT, "the prompt has %zu tokens, the model takes %d with its reply", a->ids.n, max_pos);
    if (rc != QN_OK) { fail(c, e.msg); a->bad = true; return; }
    a->temperature = number_of(a->body, "temperature", 1);
    a->top_p = number_of(a->body, "top_p", 1);
    a->max_tokens = (int)number_of(a->body, "max_tokens", 1024);
}

/* The text up to the first of the request's stop words; true when one was there. */
static bool cut_at_stop(qn_value body, qn_str *text)
{
    qn_value stop, one;
    bool found = false;
    if (!qn_v_get(body, QN_STR("stop"), &stop)) return false;
    qn_v_iter it = qn_v_iter_of(stop);
    for (bool single = stop.kind == QN_V_TEXT, more = true; more;) {
        if (single) { one = stop; more = false; }
        else if (!qn_v_next(&it, NULL, &one)) break;
        ptrdiff_t at = one.kind == QN_V_TEXT && one.n ? qn_str_find(*text, qn_v_str(one)) : -1;
        if (at >= 0) { text->n = (size_t)at; found = true; }
    }
    return found;
}

/* What a decoder writes may end inside a character. */
static qn_str whole_characters(qn_str s)
{
    for (int k = 0; k < 4 && s.n && !qn_utf8_valid(s); k++) s.n--;
    return s;
}

/* Bytes that are no text become U+FFFD, as everyone decodes them: what a model wrote is its answer, right or wrong. */
static qn_str as_text(qn_str s, qn_arena *a)
{
    qn_buf b = { 0 };
    if (qn_utf8_valid(s)) return qn_arena_str(a, s);
    for (size_t i = 0; i < s.n;) {
        char c[4];
        qn_buf_put(&b, c, (size_t)qn_utf8_put(qn_utf8_next(s, &i), c));
    }
    qn_str out = qn_arena_str(a, qn_buf_view(&b));
    qn_buf_free(&b);
    return out;
}

static void answer(qn_net *n, asked *a, const qn_generated *g)
{
    qn_call *c = a->call;
    qn_buf b = { 0 }, mended = { 0 };
    qn_tokenizer_decode(n->tok, g->ids, (size_t)g->n, false, &b);
    qn_str text = qn_buf_view(&b);
    if (!qn_utf8_valid(text)) text = whole_characters(text);
    if (!qn_utf8_valid(text)) {                  /* byte tokens that make no character: U+FFFD, as other decoders give; `refusals` calls it broken */
        uint64_t n_bad = 0;
        qn_utf8_repair(text, &mended, &n_bad);
        text = qn_buf_view(&mended);
    }
    bool stopped = cut_at_stop(a->body, &text) || g->stopped;
    c->reply = (qn_reply){ .status = stopped ? QN_REPLY_OK : QN_REPLY_CUT, .http = 200, .text = as_text(text, &c->arena),
        .finish = stopped ? QN_STR("stop") : QN_STR("length"), .prompt_tokens = (int64_t)a->ids.n, .completion_tokens = g->n + g->stopped, .attempts = 1 };
    qn_buf_free(&b);
    qn_buf_free(&mended);
}

/* ---- reward heads: {"reward": true, "messages": ...} gives a number, {"reward": true, "prompt": text, "steps": [texts]}
 * one for each step ---- */
static void put_number(qn_buf *b, double x) { qn_json_write(b, qn_v_real(round(x * 1e6) / 1e6)); }

static qn_code reward_ids(qn_net *n, qn_call *c, qn_value body, qn_ids *ids, qn_ids *ends, qn_err *e)
{
    qn_value list, one;
    qn_message *all;
    size_t k = 0;
    if (qn_v_get(body, QN_STR("steps"), &list) && list.kind == QN_V_LIST) {
        if (qn_v_get(body, QN_STR("prompt"), &one)) {
            qn_message said = { QN_STR("user"), qn_v_str(one) };
            QN_TRY(qn_chat_put(&n->chat, n->tok, &said, 1, true, ids, NULL, e));
        }
        for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, NULL, &one);) {
            QN_TRY(qn_tokenizer_encode(n->tok, qn_v_str(one), QN_TOKENS_PLAIN, ids, e));
            if (ids->n) qn_ids_put(ends, (int32_t)ids->n - 1);
        }
        return QN_OK;
    }
    if (!qn_v_get(body, QN_STR("messages"), &list) || list.kind != QN_V_LIST) return qn_fail(e, QN_EDATA, "the request has no messages");
    all = QN_ARENA_NEW_N(&c->arena, qn_message, list.n + 1);
    for (qn_v_iter it = qn_v_iter_of(list); qn_v_next(&it, NULL, &one); k++) {
        qn_value role, content;
        qn_v_get(one, QN_STR("role"), &role);
        qn_v_get(one, QN_STR("content"), &content);
        all[k] = (qn_message){ qn_v_str(role), qn_v_str(content) };
    }
    return qn_chat_put(&n->chat, n->tok, all, k, false, ids, NULL, e);
}

static void reward(qn_net *n, qn_call *c, qn_value body)
{
    qn_ids ids = { 0 }, ends = { 0 };
    qn_err e = { 0 };
    qn_buf b = { 0 };
    float *score = NULL;
    qn_code rc = n->dec && qn_decoder_has_head(n->dec) ? QN_OK : qn_fail(&e, QN_EMODEL, "the model of %s is no reward model: `train_rm` makes one", n->folder);
    if (rc == QN_OK) rc = reward_ids(n, c, body, &ids, &ends, &e);
    if (rc == QN_OK) {
        qn_seq s = { .ids = ids.p, .n = (int)ids.n };
        score = QN_NEW_N(float, ids.n + 1);
        rc = qn_decoder_token_score(n->dec, &s, 1, score, &e);
    }
    if (rc != QN_OK) fail(c, e.msg);
    else {
        if (ends.n) qn_buf_putc(&b, '[');
        for (size_t i = 0; i < ends.n; i++) {
            if (i) qn_buf_putc(&b, ',');
            put_number(&b, 1 / (1 + exp(-(double)score[ends.p[i]])));
        }
        if (ends.n) qn_buf_putc(&b, ']');
        else put_number(&b, (double)score[ids.n - 1]);
        c->reply = (qn_reply){ .status = QN_REPLY_OK, .http = 200, .text = qn_arena_str(&c->arena, qn_buf_view(&b)), .finish = QN_STR("stop"),
                               .prompt_tokens = (int64_t)ids.n, .attempts = 1 };
    }
    qn_free(score);
    qn_buf_free(&b);
    qn_ids_free(&ids);
    qn_ids_free(&ends);
}

/* {"prompt": text, "echo": true, "max_tokens": 0}: the log-probabilities of the prompt's own tokens, the first unknown (null). */
static void echo(qn_net *n, asked *a)
{
    qn_call *c = a->call;
    qn_err e = { 0 };
    qn_seq s = { .ids = a->ids.p, .n = (int)a->ids.n };
    float *lp = QN_NEW_N(float, a->ids.n + 1);
    if (qn_decoder_token_logp(n->dec, &s, 1, lp, &e) != QN_OK) fail(c, e.msg);
    else {
        qn_object_b o = { .a = &c->arena };
        qn_list_b l = { .a = &c->arena };
        for (size_t i = 0; i < a->ids.n; i++) qn_list_put(&l, i ? qn_v_real(round((double)lp[i] * 1e6) / 1e6) : qn_v_null());
        qn_object_put(&o, QN_STR("token_logprobs"), qn_list_end(&l));
        c->reply = (qn_reply){ .status = QN_REPLY_OK, .http = 200, .logprobs = qn_object_end(&o), .finish = QN_STR("stop"), .prompt_tokens = (int64_t)a->ids.n, .attempts = 1 };
    }
    qn_free(lp);
}

static bool is_echo(const asked *a)
{
    qn_value v;
    return qn_v_get(a->body, QN_STR("echo"), &v) && v.kind == QN_V_BOOL && v.b && a->max_tokens == 0;
}

static bool is_reward(qn_call *c)
{
    qn_value body, yes;
    qn_err e = { 0 };
    if (qn_str_find(c->ask.body, QN_STR("\"reward\"")) < 0 || qn_json_parse(c->ask.body, &c->arena, &body, &e) != QN_OK) return false;
    return qn_v_get(body, QN_STR("reward"), &yes) && yes.kind == QN_V_BOOL && yes.b;
}

/* ---- a batch ---- */
static void generate(qn_net *n, asked *all, size_t k)
{
    qn_seq *prompts = QN_NEW_N(qn_seq, k + 1);
    uint64_t *keys = QN_NEW_N(uint64_t, k + 1);
    qn_generated *out = QN_NEW_N(qn_generated, k + 1);
    qn_err e = { 0 };
    for (size_t i = 0; i < k; i++) {
        prompts[i] = (qn_seq){ .ids = all[i].ids.p, .n = (int)all[i].ids.n };
        keys[i] = qn_ask_key(&all[i].call->ask).lo;
    }
    qn_generate_options o = { .max_tokens = all[0].max_tokens, .temperature = (float)all[0].temperature, .top_p = (float)all[0].top_p,
                              .keys = keys, .stop = &n->chat.end, .n_stop = n->chat.end >= 0 };
    qn_code rc = qn_decoder_generate(n->dec, prompts, k, &o, out, &e);
    for (size_t i = 0; i < k; i++) {
        if (rc == QN_OK) answer(n, &all[i], &out[i]);
        else fail(all[i].call, e.msg);
        qn_free(out[i].ids);
    }
    qn_free(prompts);
    qn_free(keys);
    qn_free(out);
}

static void embed(qn_net *n, qn_call *c)
{
    qn_value body, input, one;
    qn_err e = { 0 };
    if (!n->enc) { fail(c, "this model writes; it has no embeddings"); return; }
    if (qn_json_parse(c->ask.body, &c->arena, &body, &e) != QN_OK || !qn_v_get(body, QN_STR("input"), &input)) { fail(c, "the request has no input"); return; }
    size_t k = input.kind == QN_V_LIST ? input.n : 1, d = (size_t)qn_encoder_dim(n->enc);
    qn_str *texts = QN_ARENA_NEW_N(&c->arena, qn_str, k + 1);
    if (input.kind == QN_V_TEXT) texts[0] = qn_v_str(input);
    qn_v_iter it = qn_v_iter_of(input);
    for (size_t i = 0; input.kind == QN_V_LIST && qn_v_next(&it, NULL, &one); i++) texts[i] = qn_v_str(one);
    float *v = QN_ARENA_NEW_N(&c->arena, float, k * d + 1);
    if (qn_encoder_embed(n->enc, texts, k, v, &e) != QN_OK) { fail(c, e.msg); return; }
    qn_list_b rows = { .a = &c->arena };
    for (size_t i = 0; i < k; i++) {
        qn_list_b row = { .a = &c->arena };
        for (size_t j = 0; j < d; j++) qn_list_put(&row, qn_v_real((double)v[i * d + j]));
        qn_list_put(&rows, qn_list_end(&row));
    }
    c->reply = (qn_reply){ .status = QN_REPLY_OK, .http = 200, .embeddings = qn_list_end(&rows), .finish = QN_STR("stop"), .attempts = 1 };
}

/* All calls of a list, in parts that can be written together. */
static void serve(qn_net *n, qn_call *calls)
{
    size_t k = 0, cap = 0;
    asked *all = NULL;
    for (qn_call *c = calls; c; c = c->next) {
        if (n->err.code) { fail(c, n->err.msg); continue; }
        if (c->ask.kind == QN_ASK_EMBED) { embed(n, c); continue; }
        if (c->ask.kind != QN_ASK_CHAT && c->ask.kind != QN_ASK_COMPLETION) { fail(c, "a model in a folder cannot be asked for that"); continue; }
        if (n->enc && qn_net_span(n->enc, c)) continue;
        if (is_reward(c)) {
            qn_value body = qn_v_null();
            qn_err e = { 0 };
            if (qn_json_parse(c->ask.body, &c->arena, &body, &e) == QN_OK) reward(n, c, body);
            continue;
        }
        QN_GROW(all, k, cap);
        read_request(n, c, &all[k]);
        if (!all[k].bad && is_echo(&all[k])) { echo(n, &all[k]); all[k].bad = true; }
        if (!all[k].bad) k++;
        else qn_ids_free(&all[k].ids);
    }
    for (size_t from = 0; from < k;) {          /* those like the first come to the front */
        size_t to = from + 1;
        for (size_t i = to; i < k; i++) {
            if (all[i].temperature != all[from].temperature || all[i].top_p != all[from].top_p || all[i].max_tokens != all[from].max_tokens) continue;
            asked x = all[i];
            all[i] = all[to];
            all[to++] = x;
        }
        generate(n, all + from, to - from);
        from = to;
    }
    for (size_t i = 0; i < k; i++) qn_ids_free(&all[i].ids);
    qn_free(all);
    n->done(n->arg, calls);
}

/* ---- the thread ---- */
static void give_back(qn_net *n, qn_call *calls)
{
    for (qn_call *c = calls; c; c = c->next) fail(c, "stopped");
    if (calls) n->done(n->arg, calls);
}

static void run(void *arg)
{
    qn_net *n = arg;
    for (;;) {
        pthread_mutex_lock(&n->lock);
        while (!n->first && !n->quit) pthread_cond_wait(&n->some, &n->lock);
        if (!n->first) { pthread_mutex_unlock(&n->lock); return; }
        bool stopped = n->stopped;
        qn_call *mine = n->first, *end = mine;
        for (int k = 1; !stopped && k < BATCH && end->next; k++) end = end->next;
        while (stopped && end->next) end = end->next;
        n->first = end->next;
        if (!n->first) n->last = &n->first;
        end->next = NULL;
        pthread_mutex_unlock(&n->lock);
        if (stopped) { give_back(n, mine); continue; }
        if (!n->opened) open_model(n);
        serve(n, mine);
    }
}

qn_net *qn_net_new(const char *folder, bool bf16, int n_threads, void (*done)(void *, qn_call *), void *arg)
{
    qn_net *n = QN_NEW(qn_net);
    n->folder = qn_strz(qn_str_of(folder));
    n->n_threads = n_threads;
    n->bf16 = bf16;
    n->done = done;
    n->arg = arg;
    n->last = &n->first;
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->some, NULL);
    n->thread = qn_thread_start("net", run, n);
    return n;
}

void qn_net_submit(qn_net *n, qn_call *calls)
{
    if (!calls) return;
    qn_call *end = calls;
    while (end->next) end = end->next;
    pthread_mutex_lock(&n->lock);
    *n->last = calls;
    n->last = &end->next;
    pthread_cond_signal(&n->some);
    pthread_mutex_unlock(&n->lock);
}

void qn_net_stop(qn_net *n)
{
    pthread_mutex_lock(&n->lock);
    n->stopped = true;
    pthread_cond_signal(&n->some);
    pthread_mutex_unlock(&n->lock);
}

void qn_net_free(qn_net *n)
{
    if (!n) return;
    pthread_mutex_lock(&n->lock);
    n->stopped = n->quit = true;
    pthread_cond_signal(&n->some);
    pthread_mutex_unlock(&n->lock);
    qn_thread_join(n->thread);
    qn_decoder_close(n->dec);
    qn_encoder_close(n->enc);
    qn_tokenizer_close(n->tok);
    pthread_mutex_destroy(&n->lock);
    pthread_cond_destroy(&n->some);
    qn_free(n->folder);
    qn_free(n);
}
